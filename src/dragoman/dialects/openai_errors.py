"""Errors as every OpenAI endpoint writes them, and the many ways OpenAI-compatible servers do.

Always JSON, always the four keys; `code` is a string or null. Source: OpenAI API reference, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from dragoman.core.errors import DragomanError
from dragoman.wire.fault import read_fault
from dragoman.wire.json import Fields, encode, repair_text

_TYPES = {429: "rate_limit_error", 500: "server_error", 502: "upstream_error", 503: "overloaded_error"}
_TIMEOUT = frozenset({408, 504})
_NO_ERROR = frozenset({b"null", b"false", b'""', b"{}", b"[]", b"0"})
_NULL = Raw(b"null")
_WORDS = frozenset({"message", "msg", "detail"})
"""Where the servers that know no `error` say what is wrong."""
_fields = msgspec.json.Decoder(Fields)


class Error(Struct):
    """The error object."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(Struct):
    """The whole body of an error."""

    error: Error


def write_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return status and body for `error`; `request_id` is told in a header, not here."""
    return error.status, encode(ErrorBody(_error(error)))


def write_stream_error(error: DragomanError) -> bytes:
    """Return the frame that ends a broken stream; the official SDKs raise on it."""
    return b"data: " + encode(ErrorBody(_error(error))) + b"\n\n"


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> DragomanError:
    """Return what a response that is no success means."""
    words = _read_words(body)
    return read_fault(status, headers, code=words.get("code", ""), param=words.get("param", ""), text=words["message"])


def read_stream_error(error: Raw) -> DragomanError:
    """Return what an error in a stream, or in a body with status 200, means."""
    words = _read_words(b'{"error":' + bytes(error) + b"}")
    code = words.get("code", "")
    status = int(code) if len(code) == 3 and code.isascii() and code.isdigit() and "400" <= code < "600" else 500
    return read_fault(status, {}, param=words.get("param", ""), text=words["message"])


def find_error(fields: Fields) -> Raw | None:
    """Return the error that an object says where an answer was due, None when it says none.

    It is the member `error`, unless that is null, false or empty; or, without any choices, the object itself.
    """
    error = fields.get("error")
    if error is not None and bytes(error) not in _NO_ERROR:
        return error
    if "choices" not in fields and (bytes(fields.get("object", _NULL)) == b'"error"' or not _WORDS.isdisjoint(fields)):
        return Raw(encode(fields))
    return None


def _error(error: DragomanError) -> Error:
    kind = "timeout_error" if error.status in _TIMEOUT else _TYPES.get(error.status, "invalid_request_error")
    return Error(error.message, kind, error.param, error.code)


def _read_words(body: bytes) -> dict[str, str]:
    """Find message, code and param in any of the known shapes; a body that is no JSON is itself the message."""
    text = body[:2000].decode("utf-8", "replace")
    fields = _read_object(body)
    if (inner := fields.get("error")) is not None and bytes(inner)[:1] == b"{":
        fields = _read_object(bytes(inner))
    names = ("message", "code", "param", "msg", "detail", "error", "type")
    words: dict[str, str] = {name: _word(fields[name]) for name in names if name in fields}
    if words.get("type", "").endswith("_size_error"):  # llama.cpp says the reason in the type, and a number as the code
        words["code"] = words["type"]
    words.setdefault("message", words.get("msg") or words.get("detail") or words.get("error") or text)
    return words


def _read_object(body: bytes) -> Fields:
    try:
        return _fields.decode(repair_text(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _word(raw: Raw) -> str:
    text = bytes(raw)
    if text == b"null":
        return ""
    if text[:1] == b'"':
        return msgspec.json.decode(text, type=str)
    return text.decode("utf-8", "replace")
