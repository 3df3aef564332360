"""Chat completions from a client: what routing needs at once, the meaning of the rest when somebody asks for it."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.call import Call, Words
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.openai_body import (
    DESTINATION,
    FLAG,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
    Kinds,
    check_count,
    check_kinds,
    check_list,
    is_true,
    missing,
    read_model,
    read_n,
    shows_usage,
)
from dragoman.dialects.openai_chat import request as wire
from dragoman.dialects.openai_chat.schema import NAME
from dragoman.dialects.openai_chat.writer import Writer, write_reply
from dragoman.dialects.openai_errors import write_error
from dragoman.wire.json import Fields, has_more, read_body, read_fields

_KINDS: Kinds = {
    "temperature": ("number", NUMBER),
    "top_p": ("number", NUMBER),
    "n": ("integer", NUMBER),
    "seed": ("integer", NUMBER),
    "max_tokens": ("integer", NUMBER),
    "max_completion_tokens": ("integer", NUMBER),
    "presence_penalty": ("number", NUMBER),
    "frequency_penalty": ("number", NUMBER),
    "top_logprobs": ("integer", NUMBER),
    "logprobs": ("boolean", FLAG),
    "stream": ("boolean", FLAG),
    "store": ("boolean", FLAG),
    "parallel_tool_calls": ("boolean", FLAG),
    "stop": ("string or an array of strings", TEXTS),
    "user": ("string", TEXT),
    "reasoning_effort": ("string", TEXT),
    "tools": ("array", LIST),
    "functions": ("array", LIST),
    "metadata": ("object", OBJECT),
    "response_format": ("object", OBJECT),
    "stream_options": ("object", OBJECT),
    "logit_bias": ("object", OBJECT),
}
WORDS = Words(
    names={
        "repeat_penalty": "repetition_penalty",
        "effort": "reasoning_effort",
        "json": "response_format",
        "schema": "response_format",
        "allowed_tools": "tool_choice.allowed_tools",
        "strict_tools": "tools.function.strict",
        "parallel_tools": "parallel_tool_calls",
        "name": "messages.name",
        "image": "image_url",
        "audio": "input_audio",
        "video": "video_url",
        "thinking": "reasoning_content",
    },
    reasons={
        "stream_options": "",
        "store": "answers are kept by nobody",
        "annotations": "",
        "index": "",
        "cache_control": "the upstream caches on its own or not at all",
        "prompt_cache_key": "",
        "prompt_cache_retention": "",
        "prompt_cache_options": "",
        "prediction": "",
        "service_tier": "the upstream has no tiers",
        "custom": "the tool is called with one argument, its free text, and in no grammar",
        "reasoning_details": "the reasoning of another upstream is sealed",
    },
)
"""For every request of this dialect; a mere hint for a cache or for speed is no loss."""
_known = frozenset(wire.Body.__struct_fields__)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    model = read_model(fields)
    _check_lists(body, fields, limits)
    check_kinds(fields, _KINDS)
    _check_metadata(fields, limits.metadata)
    call = Call(body, NAME, model, lambda: [read_request(body, fields)], stream=is_true(fields, "stream"))
    call.fields = fields
    call.words = WORDS
    call.n = read_n(fields, limits.n)
    if call.stream:
        call.show_usage = shows_usage(fields)
    return call


def read_request(body: bytes, fields: Fields) -> msg.Request:
    """Decode all of a body; raises `BadRequest` with the path of the first wrong field."""
    extra = {name: raw for name, raw in fields.items() if name not in _known and name not in DESTINATION}
    return wire.read_meaning(body, extra)


def _check_lists(body: bytes, fields: Fields, limits: Limits) -> None:
    _check_messages(body, fields, limits.messages)
    check_list(fields, "tools", limits.tools)
    check_list(fields, "functions", limits.tools)
    check_list(fields, "stop", limits.stop)


def _check_metadata(fields: Fields, limit: int) -> None:
    metadata = fields.get("metadata")
    if metadata is not None and bytes(metadata) != b"null":
        check_count("metadata", len(read_fields(metadata)), limit)


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
    if view.nbytes <= _LONG and not _items.decode(raw):
        raise BadRequest("invalid 'messages': expected at least one message", param="messages", code="invalid_value")


_LIST = ord("[")
_LONG = 4096
"""Bytes of a list that is not decoded only to be counted."""
_items = msgspec.json.Decoder(list[Raw])

INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
)
