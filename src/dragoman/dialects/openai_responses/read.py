"""Decode a part of a request that is read on its own, so that an error still names the whole path."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

from dragoman.core.errors import BadRequest
from dragoman.wire.json import wrong_field

T = TypeVar("T")


def read_at(decoder: msgspec.json.Decoder[T], raw: Raw, path: str) -> T:
    """Decode the value that stands at `path`; raises `BadRequest` with the path of the first wrong field."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        reason, found, at = str(error).rpartition(" - at `")
        if not found:
            reason, at = at, "$`"
        raise wrong_field(f"{reason} - at `$.{path}{at.removeprefix('key in ').removeprefix('$')}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec looks at strings and numbers only when it decodes them
        raise BadRequest(f"invalid '{path}': not valid JSON", param=path, code="invalid_json") from None
