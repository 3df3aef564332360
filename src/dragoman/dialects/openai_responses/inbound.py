"""Responses from a client: what routing needs at once, the meaning of the rest when somebody asks for it."""

from __future__ import annotations

from dragoman.core.call import Call, Words
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.openai_body import (
    FLAG,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    Kinds,
    check_count,
    check_kinds,
    check_list,
    is_true,
    missing,
    read_model,
)
from dragoman.dialects.openai_errors import write_error
from dragoman.dialects.openai_responses.request import Session, read_include, read_reasoning, read_request
from dragoman.dialects.openai_responses.schema import NAME, NULL
from dragoman.dialects.openai_responses.writer import Writer, write_reply
from dragoman.wire.json import Fields, read_body, read_fields

WORDS = Words(
    names={
        "max_tokens": "max_output_tokens",
        "logprobs": "top_logprobs",
        "effort": "reasoning.effort",
        "parallel_tools": "parallel_tool_calls",
        "allowed_tools": "tool_choice",
        "strict_tools": "tools.strict",
        "json": "text.format",
        "schema": "text.format",
        "image": "input_image",
        "file": "input_file",
        "thinking": "reasoning",
        "signature": "reasoning.encrypted_content",
    },
    reasons={
        "truncation": "the gateway cuts nothing: what is too long is refused upstream",
        "client_metadata": "",
        "prompt_cache_key": "",
        "prompt_cache_retention": "",
        "prompt_cache_options": "",
        "max_tool_calls": "",  # counts the tools that OpenAI itself runs, and those are dropped
        "verbosity": "the upstream's dialect has no counterpart of text.verbosity",
    },
)
"""What this dialect calls things, and with which of its own fields nothing is lost elsewhere."""
_KINDS: Kinds = {
    "temperature": ("number", NUMBER),
    "top_p": ("number", NUMBER),
    "presence_penalty": ("number", NUMBER),
    "frequency_penalty": ("number", NUMBER),
    "max_output_tokens": ("integer", NUMBER),
    "max_tool_calls": ("integer", NUMBER),
    "top_logprobs": ("integer", NUMBER),
    "stream": ("boolean", FLAG),
    "store": ("boolean", FLAG),
    "background": ("boolean", FLAG),
    "parallel_tool_calls": ("boolean", FLAG),
    "instructions": ("string", TEXT),
    "previous_response_id": ("string", TEXT),
    "user": ("string", TEXT),
    "truncation": ("string", TEXT),
    "tools": ("array", LIST),
    "metadata": ("object", OBJECT),
    "text": ("object", OBJECT),
    "stream_options": ("object", OBJECT),
}
_UNSUPPORTED = {
    "background": "a response is made while its client waits",
    "conversation": "use 'previous_response_id'",
    "prompt": "stored prompts are OpenAI's own; send the text itself",
}
"""What would change the answer, and cannot be had here → what to do instead."""
_EMPTY = (b"null", b"false")


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    model = read_model(fields)
    check_kinds(fields, _KINDS)
    read_reasoning(fields)
    read_include(fields)
    _check_input(fields, limits.messages)
    check_list(fields, "tools", limits.tools)
    _check_supported(fields)
    if _has(fields, "metadata"):
        check_count("metadata", len(read_fields(fields["metadata"])), limits.metadata)
    previous = TEXT(fields["previous_response_id"]) if _has(fields, "previous_response_id") else None
    keep = not _is_false(fields, "store")
    session = Session(keep, previous if isinstance(previous, str) else "")
    call = Call(body, NAME, model, lambda: [read_request(body, fields, session)], stream=is_true(fields, "stream"))
    call.fields, call.thread, call.words = fields, session, WORDS
    return call


def _check_input(fields: Fields, limit: int) -> None:
    if not _has(fields, "input"):
        raise missing("input")
    if bytes(fields["input"])[:1] not in (b'"', b"["):
        reason = "invalid type for 'input': expected string or array"
        raise BadRequest(reason, param="input", code="invalid_type")
    check_list(fields, "input", limit)


def _check_supported(fields: Fields) -> None:
    if _has(fields, "conversation") and _has(fields, "previous_response_id"):
        reason = "'conversation' and 'previous_response_id' cannot be used together"
        raise BadRequest(reason, param="conversation", code="invalid_value")
    for name, instead in _UNSUPPORTED.items():
        if name in fields and bytes(fields[name]) not in _EMPTY:
            raise BadRequest(f"'{name}' is not supported: {instead}", param=name, code="unsupported_parameter")


def _has(fields: Fields, name: str) -> bool:
    return bytes(fields.get(name, NULL)) != b"null"


def _is_false(fields: Fields, name: str) -> bool:
    return bytes(fields.get(name, NULL)) == b"false"


INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
)
