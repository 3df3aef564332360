"""Messages from a client: what routing needs at once, the meaning of the rest when somebody asks for it."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.anthropic_messages.errors import write_error
from dragoman.dialects.anthropic_messages.request import read_request
from dragoman.dialects.anthropic_messages.schema import ID_HEADER, NAME, STREAM_TYPE
from dragoman.dialects.anthropic_messages.words import WORDS
from dragoman.dialects.anthropic_messages.writer import Writer, write_reply
from dragoman.dialects.openai_body import (
    FLAG,
    LIST,
    NUMBER,
    OBJECT,
    Kinds,
    check_kinds,
    check_list,
    is_true,
    missing,
    read_model,
)
from dragoman.wire.json import Fields, has_more, read_body

_KINDS: Kinds = {
    "max_tokens": ("integer", msgspec.json.Decoder(int).decode),
    "temperature": ("number", NUMBER),
    "top_p": ("number", NUMBER),
    "top_k": ("integer", msgspec.json.Decoder(int | None).decode),
    "stream": ("boolean", FLAG),
    "system": ("string or an array of blocks", msgspec.json.Decoder(str | list[Raw] | None).decode),
    "stop_sequences": ("array of strings", msgspec.json.Decoder(list[str] | None).decode),
    "tools": ("array", LIST),
    "tool_choice": ("object", OBJECT),
    "thinking": ("object", OBJECT),
    "output_config": ("object", OBJECT),
    "output_format": ("object", OBJECT),
    "metadata": ("object", OBJECT),
}
_LIST = ord("[")
_LONG = 4096
"""Bytes of a list that is not decoded only to be counted."""
_items = msgspec.json.Decoder(list[Raw]).decode
_integer = msgspec.json.Decoder(int).decode


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    call = read_asked(body, limits, NAME)
    if "max_tokens" not in call.fields:
        raise missing("max_tokens")
    if _integer(call.fields["max_tokens"]) < 0:
        raise BadRequest("max_tokens: must not be negative", param="max_tokens", code="invalid_value")
    call.stream = is_true(call.fields, "stream")
    return call


def read_asked(body: bytes, limits: Limits, dialect: str) -> Call:
    """Return the call of a body that holds a conversation, whatever is asked about it; raises `BadRequest`."""
    body, fields = read_body(body, limits)
    model = read_model(fields)
    _check_messages(body, fields, limits.messages)
    check_kinds(fields, _KINDS)
    check_list(fields, "tools", limits.tools)
    check_list(fields, "stop_sequences", limits.stop)
    call = Call(body, dialect, model, lambda: [read_request(body, fields)], stream=False)
    call.fields, call.words = fields, WORDS
    return call


def _check_messages(body: bytes, fields: Fields, limit: int) -> None:
    raw = fields.get("messages")
    if raw is None:
        raise missing("messages")
    view = memoryview(raw)
    if view[0] != _LIST:
        raise BadRequest("invalid type for 'messages': expected array", param="messages", code="invalid_type")
    # A long list is not empty, and holds more objects than allowed only if it has as many braces: no second decoding.
    if view.nbytes > _LONG and not has_more(body, b"{", limit):
        return
    check_list(fields, "messages", limit)
    if view.nbytes <= _LONG and not _items(raw):
        raise BadRequest("messages: at least one message is required", param="messages", code="invalid_value")


INBOUND = Inbound(
    name=NAME,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
    id_header=ID_HEADER,
    headers=("anthropic-beta", "anthropic-version"),
)
