"""Poe's own library, which warns of what it does with pydantic as soon as it is imported."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from fastapi_poe import client, types

__all__ = ["client", "types"]
