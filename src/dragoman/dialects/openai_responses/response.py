"""The Response object: what it repeats of its request, and how it ended."""

from __future__ import annotations

from functools import partial
from typing import Literal

import msgspec
from msgspec import Raw, structs

from dragoman.core import events as ev
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, RateLimited
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.output import Wishes
from dragoman.dialects.openai_responses.request import ENCRYPTED, read_include, read_reasoning
from dragoman.dialects.openai_responses.tools import find_tools, read_names
from dragoman.wire.json import Fields, encode

WHOLE = frozenset({"stop", "tool_calls"})
"""Ends of an answer that is whole."""
_REPEATED = (
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "temperature",
    "tool_choice",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
_REASONING: Fields = {"effort": wire.NULL, "summary": wire.NULL}
_TEXT: Fields = {"format": Raw(b'{"type":"text"}')}
_FUNCTION: Fields = {"description": wire.NULL, "parameters": wire.NULL, "strict": wire.NULL}
_FINAL_CODES = frozenset({"context_length_exceeded", "insufficient_quota", "usage_not_included"})
"""After these a client need not try again; all other codes are those of OpenAI's list."""
_fields: msgspec.json.Decoder[Fields | None] = msgspec.json.Decoder(Fields | None)
_items: msgspec.json.Decoder[list[Fields] | None] = msgspec.json.Decoder(list[Fields] | None)


def begin_response(call: Call, start: ev.Start, *, passed: bool = False) -> wire.Response:
    """Return the response as it begins: everything but its output, its usage and how it ends.

    `passed`: the upstream's own bytes go to the client, so it has the id that they tell.
    """
    fields = call.fields
    repeated = {name: fields[name] for name in _REPEATED if name in fields and bytes(fields[name]) != b"null"}
    begun = wire.Response(
        id=start.id if passed else _name(call, start),
        created_at=start.created,
        model=start.model,
        store=call.thread is not None and call.thread.keep,
        reasoning=_fill(fields, "reasoning", _REASONING),
        text=_fill(fields, "text", _TEXT),
        tools=_tools(fields),
    )
    return structs.replace(begun, **repeated)


def read_wishes(call: Call, *, encrypted: bool = False) -> Wishes:
    """Return what of the answer the client asked for; `encrypted`: the proofs of reasoning anyway."""
    fields = call.fields
    reasoning = read_reasoning(fields)
    summary = bool(reasoning.summary or reasoning.generate_summary)
    lists = partial(find_tools, fields.get("tools", wire.NULL), fields.get("input", wire.NULL))
    return Wishes(lambda: read_names(lists()), summary, encrypted or ENCRYPTED in read_include(fields))


def end_response(
    begun: wire.Response, call: Call, items: list[wire.Item], finish: ev.FinishReason, usage: ev.Usage | None
) -> wire.Response:
    """Return the response as it ended, because the upstream said so."""
    ended = structs.replace(
        begun,
        output=items,
        usage=None if usage is None else wire.write_usage(usage),
        store=call.thread is not None and call.thread.keep,
    )
    if finish in WHOLE:
        return structs.replace(ended, status="completed", completed_at=int(call.clock.epoch()))
    reason: Literal["max_output_tokens", "content_filter"]
    reason = "max_output_tokens" if finish == "length" else "content_filter"
    return structs.replace(ended, status="incomplete", incomplete_details=wire.Incomplete(reason))


def fail_response(begun: wire.Response, items: list[wire.Item], error: DragomanError) -> wire.Response:
    """Return the response that broke; it is not stored."""
    return structs.replace(begun, status="failed", output=items, error=_fault(error), store=False)


def _name(call: Call, start: ev.Start) -> str:
    """The id of the response: our own, unless a call has none (a simulated upstream)."""
    return wire.RESPONSE + (call.serial or start.id.removeprefix(wire.RESPONSE))


def _fault(error: DragomanError) -> wire.Fault:
    """Clients read the time to wait from the words."""
    if error.code in _FINAL_CODES:
        return wire.Fault(error.code or "", error.message)
    code = "rate_limit_exceeded" if isinstance(error, RateLimited) else "server_error"
    wait = "" if error.retry_after is None else f", please try again in {error.retry_after:g}s"
    return wire.Fault(code, error.message + wait)


def _fill(fields: Fields, name: str, defaults: Fields) -> Raw:
    said = _fields.decode(fields.get(name, wire.NULL)) or {}
    return Raw(encode({**defaults, **said}))


def _tools(fields: Fields) -> Raw:
    """The tools as they were sent; functions with all their members."""
    raw = fields.get("tools", wire.NULL)
    try:
        tools = _items.decode(raw) or []
    except msgspec.DecodeError:
        return raw  # nobody was asked with such tools: this response tells that it failed
    return Raw(encode([_complete(tool) for tool in tools]))


def _complete(tool: Fields) -> Fields:
    return {**_FUNCTION, **tool} if bytes(tool.get("type", wire.NULL)) == b'"function"' else tool
