"""What a response that failed, or an error in its stream, means: OpenAI names the reason by a code, without a status.

Source: OpenAI OpenAPI 2.3.0, 2026 (`ResponseErrorCode`, event `error`).
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from dragoman.core.errors import DragomanError
from dragoman.dialects.openai_errors import read_stream_error
from dragoman.wire.fault import read_fault
from dragoman.wire.json import repair_text

_STATUS = {
    "rate_limit_exceeded": 429,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "insufficient_quota": 402,
    "vector_store_timeout": 504,
}
"""How a code would be told as a status; every other is the upstream's own failure."""


class _Error(Struct):
    code: str | None = None
    message: str | None = None
    param: str | None = None


_error = msgspec.json.Decoder(_Error)


def read_failure(raw: Raw) -> DragomanError:
    """Return what the error of a response, or an event `error`, means."""
    try:
        told = _error.decode(repair_text(bytes(raw)))
    except (msgspec.DecodeError, RecursionError):
        return read_stream_error(raw)
    status = _STATUS.get(told.code or "")
    if status is None:
        return read_stream_error(raw)
    return read_fault(status, {}, code=told.code or "", param=told.param or "", text=told.message or "")
