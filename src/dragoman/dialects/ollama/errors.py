"""Errors as Ollama tells them: a sentence, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from dragoman.core.errors import (
    DragomanError,
    ModelNotFound,
    Overloaded,
    TaskNotServed,
    Unauthenticated,
    UpstreamRejected,
)
from dragoman.dialects import openai_errors
from dragoman.dialects.ollama.ascii import write_line
from dragoman.wire.json import encode

_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_UNSUPPORTED = 400
_CANNOT = "does not support "
"""What an upstream says of a model, and behind it what that cannot do."""
_FIELDS = {"tools": "tools", "thinking": "think", "insert": "suffix", "chat": None, "generate": None}
"""What a model cannot do → the field that asks for it, where there is one."""
_TOO_LONG = "exceeds the context length"


def write_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return status and body for `error` in a chat; `request_id` is told in a header, not here."""
    return _write(error, "chat")


def write_generate_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return the same where a single answer was asked for."""
    return _write(error, "generate")


def write_embed_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return the same where vectors were asked for: there Ollama has other words for a model that is not there."""
    if isinstance(error, ModelNotFound) and (name := _quoted(error)):
        return error.status, encode({"error": f'model "{name}" not found, try pulling it first'})
    return _write(error, "embeddings")


def write_stream_error(error: DragomanError) -> bytes:
    """Return the line that ends a broken stream; the official clients raise on it."""
    return write_line({"error": _sentence(error)})


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> DragomanError:
    """Return what a response that is no success means; another target may do what a model cannot.

    A server behind a proxy may tell it in OpenAI's shape. Source: Ollama 0.33, 2026 (the words of its 400s).
    """
    error = openai_errors.read_error(status, headers, body)
    return _read_refusal(error) if isinstance(error, UpstreamRejected) else error


def _read_refusal(error: UpstreamRejected) -> UpstreamRejected:
    """Say more of a refusal whose words are known."""
    _, found, what = error.detail.partition(_CANNOT)
    if _TOO_LONG in error.detail:
        told = UpstreamRejected("the input exceeds the model's context", code="context_length_exceeded")
    elif found:
        what = what.strip(" .\n")
        reason = f"the model does not support {what if what in _FIELDS else 'this'}"
        told = UpstreamRejected(reason, param=_FIELDS.get(what), code="unsupported_by_model")
    else:
        return error
    told.status, told.retry, told.detail = error.status, "elsewhere", error.detail
    return told


def _write(error: DragomanError, asked: str) -> tuple[int, bytes]:
    if isinstance(error, TaskNotServed):
        return _UNSUPPORTED, encode({"error": f'"{_quoted(error)}" does not support {asked}'})
    return error.status, encode({"error": _sentence(error)})


def _sentence(error: DragomanError) -> str:
    """What Ollama says; some clients look for its very words."""
    match error:
        case Unauthenticated():
            return "unauthorized"
        case ModelNotFound():
            name = _quoted(error)
            return f"model '{name}' not found" if name else f"model not found: {error.message}"
        case Overloaded(code="server_overloaded"):
            return _BUSY
        case _:
            return error.message


def _quoted(error: DragomanError) -> str:
    """The model's name, which our errors about models put in quotes."""
    return error.message.partition("'")[2].rpartition("'")[0]
