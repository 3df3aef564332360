"""Errors as Anthropic tells them. Source: Claude platform documentation and the `anthropic` SDK 2.11, 2026."""

from __future__ import annotations

from dragoman.core.errors import DragomanError, UpstreamRejected
from dragoman.dialects.anthropic_messages.schema import Error, ErrorBody
from dragoman.wire.json import encode

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""All others are the client's: `invalid_request_error`."""
_STATUS = {503: 529}
"""How this API calls what HTTP has another number for."""
_TOO_LONG = "prompt is too long: it does not fit into the model's context window"
"""Agents look for the first four words, and then shorten the conversation."""
_SIGNS = ("context length", "context window", "prompt is too long")
"""How upstreams say the same when they have no code for it."""


def write_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return status and body for `error`; the body, too, tells the request id."""
    status = _STATUS.get(error.status, error.status)
    return status, encode(_body(error, status, request_id))


def write_stream_error(error: DragomanError, request_id: str) -> bytes:
    """Return the event that ends a broken stream; the official SDKs raise on it."""
    status = _STATUS.get(error.status, error.status)
    return b"event: error\ndata: %b\n\n" % encode(_body(error, status, request_id))


def _body(error: DragomanError, status: int, request_id: str) -> ErrorBody:
    return ErrorBody(Error(_TYPES.get(status, "invalid_request_error"), _sentence(error)), request_id or None)


def _sentence(error: DragomanError) -> str:
    if error.code == "missing_required_parameter" and error.param:
        return f"{error.param}: field required"
    return _TOO_LONG if _is_too_long(error) else error.message


def _is_too_long(error: DragomanError) -> bool:
    """Tell whether an upstream refuses the request for its length."""
    if not isinstance(error, UpstreamRejected):
        return False
    said = error.detail.lower()
    return error.code == "context_length_exceeded" or any(sign in said for sign in _SIGNS)
