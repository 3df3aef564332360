"""What an upstream's errors mean: those that come as a status, and those in the middle of an answer.

Source: Claude platform documentation, 2026. Servers that imitate the API tell errors as OpenAI's do, so both are read.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from dragoman.core.errors import DragomanError, UpstreamRejected
from dragoman.dialects.openai_errors import read_error as read_any_error
from dragoman.wire.fault import read_fault
from dragoman.wire.json import repair_text

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""How a type would be told as a status; every other (`api_error`) is the upstream's own failure."""
_TOO_LONG = "prompt is too long"
"""The only way in which Anthropic says that a conversation does not fit; it has no code."""


class _Details(Struct):
    error_code: str | None = None


class _Error(Struct):
    type: str | None = None
    message: str | None = None
    details: _Details | None = None


class _Body(Struct):
    error: _Error


_body = msgspec.json.Decoder(_Body)
_error = msgspec.json.Decoder(_Error)


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> DragomanError:
    """Return what a response that is no success means."""
    try:
        told = _body.decode(repair_text(body)).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_any_error(status, headers, body)
    if told.details is None:  # OpenAI's words are read as well: `code` and `param`
        return _name(read_any_error(status, headers, body), told)
    return _name(read_fault(status, headers, code=told.details.error_code or "", text=told.message or ""), told)


def read_stream_error(raw: Raw) -> DragomanError:
    """Return what an error in a stream, or in a body with status 200, means."""
    try:
        told = _error.decode(repair_text(bytes(raw)))
    except (msgspec.DecodeError, RecursionError):
        told = _Error(message=bytes(raw).decode("utf-8", "replace"))
    code = told.details.error_code if told.details else None
    return _name(read_fault(_STATUS.get(told.type or "", 500), {}, code=code or "", text=told.message or ""), told)


def _name(error: DragomanError, told: _Error) -> DragomanError:
    """Give a conversation that is too long the code by which clients of every dialect know it."""
    if isinstance(error, UpstreamRejected) and (told.message or "").lower().startswith(_TOO_LONG):
        error.code = "context_length_exceeded"
    return error
