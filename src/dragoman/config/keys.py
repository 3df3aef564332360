"""Client keys: how one is made, and the hash by which it is known."""

from __future__ import annotations

import hashlib


def make_key() -> str:
    """Return a new client key: `dg-` and 256 random bits in the URL-safe alphabet."""
    import secrets  # 3 ms, and only `dragoman key new` needs it

    return f"dg-{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """Return what is kept of `key`, as `sha256:` and 64 hexadecimal digits.

    A plain SHA-256 is enough for 256 random bits: there is nothing to guess.
    """
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
