"""Make what an OpenAI-compatible upstream sends what OpenAI's own SDK can read, keeping every field it need not touch.

Only frames that differ from the norm come here; the rest passes as it came. What is mended: a missing id, object, time
or model; a role that is repeated or missing; tool calls without index, with gaps, with repeated ids, with arguments
that are no string; finish reasons of other vendors; content in parts; usage beside a choice; text after the finish.
Source: probes of the official Python SDK's accumulator, 2026 (a repeated role becomes ``assistantassistant``).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.core.events import Start
from dragoman.dialects.openai_chat.schema import MAX_TOOL_INDEX
from dragoman.wire.json import Fields, encode, repair_text

T = TypeVar("T")

FINISH = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""The finish reasons of the dialect."""
_FINISH_OF_OTHERS = {
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_length": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "sensitive": "content_filter",
}
"""Words of Anthropic, Mistral, Gemini and Zhipu; every other (``eos``, ``end_turn``) means that the model stopped."""
_BROKEN = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""Words of OpenRouter, vLLM, Zhipu and DeepSeek for an answer that is not complete."""
_MAX_TIME = 2**40
"""Seconds; a time after it is nonsense."""
_NULL = Raw(b"null")
_fields = msgspec.json.Decoder(Fields)
_items = msgspec.json.Decoder(list[Fields])


class Seen:
    """What one choice of a stream has said so far."""

    __slots__ = ("customs", "filled", "finished", "function", "keys", "started")

    def __init__(self) -> None:
        self.started = False
        self.finished = False
        self.keys: dict[int | str, int] = {}
        """The upstream's index or id of a tool call → our number."""
        self.filled: list[bool] = []
        """For each tool call said so far: whether it has any arguments."""
        self.customs: set[int] = set()
        """The calls whose input is free text."""
        self.function: int | None = None
        """The number of the call in the deprecated form."""


def read_object(data: bytes) -> Fields:
    """Return the members of an upstream's JSON object, bad text repaired; raises `UpstreamInvalid`."""
    return _decode(_fields, repair_text(data))


def mend_top(fields: Fields, fallback: Start, kind: str) -> None:
    """Fill in what every chunk and every whole answer has."""
    for name, value in (("id", fallback.id), ("model", fallback.model)):
        if not _string(fields.get(name)):
            fields[name] = Raw(encode(value))
    fields["created"] = Raw(encode(_read_time(fields.get("created", _NULL)) or fallback.created))
    fields["object"] = Raw(encode(kind))


def mend_chunk(fields: Fields, choices: dict[int, Seen]) -> bytes:
    """Return the chunk `fields` written anew, or nothing when no part of it may be said; raises `UpstreamInvalid`."""
    told = fields.pop("usage", None)  # told once, at the end
    answer_id = _string(fields.get("id"))
    kept: dict[int, Fields] = {}
    for number, choice in enumerate(_list(fields.get("choices"))):
        index = _integer(choice.get("index"), number)
        if index < 0 or index in kept:
            raise UpstreamInvalid(detail="a choice with a negative index, or twice in one chunk")
        choice["index"] = Raw(encode(index))
        seen = choices.setdefault(index, Seen())
        if not seen.finished and _mend_choice(choice, seen, _make_id(answer_id, index)):
            kept[index] = choice
    if not kept:
        return b""
    fields["choices"] = Raw(encode(list(kept.values())))
    if told is not None:
        fields["usage"] = _NULL
    return encode(fields)


def mend_whole(fields: Fields) -> bytes:
    """Return the plain answer `fields` written anew; raises `UpstreamInvalid` when it holds no answer."""
    choices = _list(fields.get("choices"))
    if not choices:
        raise UpstreamInvalid(detail="the answer has no choices")
    answer_id = _string(fields.get("id"))
    indexes = [_integer(choice.get("index"), -1) for choice in choices]
    distinct = min(indexes) >= 0 and len(set(indexes)) == len(indexes)
    for number, choice in enumerate(choices):
        index = indexes[number] if distinct else number
        choice["index"] = Raw(encode(index))
        message = _object(choice.get("message"))
        if message is None:
            raise UpstreamInvalid(detail="a choice has no message")
        called = _mend_message(message, _make_id(answer_id, index))
        choice["message"] = Raw(encode(message))
        choice.setdefault("logprobs", _NULL)
        reason = read_finish(_string(choice.get("finish_reason")) or "stop", called=called)
        choice["finish_reason"] = Raw(encode(reason))
    fields["choices"] = Raw(encode(choices))
    return encode(fields)


def read_finish(reason: str, *, called: str) -> str:
    """Return the dialect's own word for any server's finish reason, empty while there is none.

    `called` is what an answer that called tools finishes with, empty when it called none.
    """
    reason = reason.lower()
    if reason in _BROKEN:
        raise UpstreamError(detail="the finish reason tells of an error")
    if reason and reason not in FINISH:
        reason = _FINISH_OF_OTHERS.get(reason, "stop")
    return called or reason if reason == "stop" else reason


def _make_id(answer_id: str, index: int) -> str:
    """The beginning of ids for tool calls that have none: short enough for OpenAI's limit of 40 characters."""
    return f"call_{answer_id[-20:]}_{index}"


def _mend_message(message: Fields, made_id: str) -> str:
    """Mend a whole message; return what it finishes with when it calls tools."""
    message["role"] = Raw(b'"assistant"')
    for name in ("content", "refusal"):
        message.setdefault(name, _NULL)
    _mend_content(message)
    tools = _list(message.pop("tool_calls", None))
    for number, tool in enumerate(tools):
        tool.pop("index", None)
        _first_piece(tool, f"{made_id}_{number}", "{}")
    if tools:
        message["tool_calls"] = Raw(encode(tools))
        return "tool_calls"
    return "function_call" if _mend_function(message, "{}", named=True) else ""


def _mend_choice(choice: Fields, seen: Seen, made_id: str) -> bool:
    """Mend one choice of a chunk; False when nothing of it is left to say."""
    delta = _object(choice.get("delta")) or {}
    if seen.started:
        delta.pop("role", None)
    else:
        delta = {"role": Raw(b'"assistant"')} | {name: raw for name, raw in delta.items() if name != "role"}
    _mend_content(delta)
    tools = [_mend_tool(tool, seen, made_id) for tool in _list(delta.pop("tool_calls", None))]
    ends = bool(_string(choice.get("finish_reason")))
    if ends and seen.function is not None and not seen.filled[seen.function]:
        delta.setdefault("function_call", Raw(b"{}"))
    function = _mend_function(delta, "{}" if ends else "", named=seen.function is None)
    called = "tool_calls" if tools or seen.keys else "function_call" if function or seen.filled else ""
    reason = read_finish(_string(choice.get("finish_reason")), called=called)
    if ends:
        tools += _fill(tools, seen)
    if tools:
        delta["tool_calls"] = Raw(encode(tools))
    choice["delta"] = Raw(encode(delta))
    choice["finish_reason"] = Raw(encode(reason or None))
    return bool(delta or reason)


def _mend_content(message: Fields) -> None:
    content = message.get("content", _NULL)
    if bytes(content)[:1] == b"[":
        texts = [_string(part.get("text")) for part in _list(content)]
        message["content"] = Raw(encode("".join(texts)))
    elif bytes(content)[:1] not in (b'"', b"n"):
        raise UpstreamInvalid(detail="content is no text")


def _mend_function(message: Fields, empty: str, *, named: bool) -> bool:
    """Mend a call in the deprecated form, which is `named` in its first piece only; False when there is none."""
    function = _object(message.get("function_call"))
    if function is None:
        message.pop("function_call", None)
        return False
    if named and not _string(function.get("name")):
        raise UpstreamInvalid(detail="a function call has no name")
    if not named:
        function.pop("name", None)
    function["arguments"] = Raw(encode(_arguments(function, empty)))
    message["function_call"] = Raw(encode(function))
    return True


def _mend_tool(tool: Fields, seen: Seen, made_id: str) -> Fields:
    """Give a piece of a tool call our number, and id, type and name exactly when it is the first."""
    index, fresh = _place(tool, seen)
    if fresh:
        _first_piece(tool, f"{made_id}_{index}", "")
    else:
        for name in ("id", "type"):
            tool.pop(name, None)
        custom = _object(tool.get("custom"))
        if custom is not None:
            tool["custom"] = Raw(encode({"input": _string(custom.get("input"))}))
        else:
            tool["function"] = Raw(encode({"arguments": _arguments(_object(tool.get("function")) or {}, "")}))
    tool["index"] = Raw(encode(index))
    return tool


def _place(tool: Fields, seen: Seen) -> tuple[int, bool]:
    """Return which call a piece belongs to, and whether it is the first of it; a repeated id is taken from a first one.

    An index comes first, but a new id with a name begins a new call even under a known index. Without an index the id
    tells, then a name, which begins a call; what has none of them belongs to the last.
    """
    index = _read_index(tool)
    call_id = _string(tool.get("id"))
    known = seen.keys.get(call_id if index is None else index)
    named = bool(_name_of(tool))
    if index is not None and known is not None and named and call_id and call_id not in seen.keys:
        known = None
    if index is None and known is None and not call_id and not named and seen.keys:
        known = max(seen.keys.values())
    if known is not None:
        return known, False
    number = max(seen.keys.values(), default=len(seen.filled) - 1) + 1
    if number > MAX_TOOL_INDEX:
        raise UpstreamInvalid(detail="too many tool calls")
    if call_id in seen.keys:
        del tool["id"]
    seen.keys[call_id or f"#{number}"] = number
    if index is not None:
        seen.keys[index] = number
    return number, True


def _read_index(tool: Fields) -> int | None:
    raw = tool.get("index", _NULL)
    if bytes(raw) == b"null":
        return None
    index = _integer(raw, -1)
    if not 0 <= index <= MAX_TOOL_INDEX:
        raise UpstreamInvalid(detail="tool call index out of range")
    return index


def _name_of(tool: Fields) -> str:
    called = _object(tool.get("function")) or _object(tool.get("custom")) or {}
    return _string(called.get("name"))


def _first_piece(tool: Fields, made_id: str, empty: str) -> None:
    name = _name_of(tool)
    if not name:
        raise UpstreamInvalid(detail="a tool call has no name")
    tool["id"] = Raw(encode(_string(tool.get("id")) or made_id))
    function = _object(tool.get("function"))
    if function is None:
        tool["type"] = Raw(b'"custom"')
        return
    function |= {"name": Raw(encode(name)), "arguments": Raw(encode(_arguments(function, empty)))}
    tool["type"] = Raw(b'"function"')
    tool["function"] = Raw(encode(function))


def _fill(tools: list[Fields], seen: Seen) -> list[Fields]:
    """A call without any arguments ends as ``{}``, never as the empty text."""
    filled = {index: full for index, full in enumerate(seen.filled) if index != seen.function}
    for tool in tools:
        index = _integer(tool["index"], 0)
        function = _object(tool.get("function"))
        filled[index] = filled.get(index, False) or function is None or bool(_arguments(function, ""))
    return [
        {"index": Raw(encode(index)), "function": Raw(b'{"arguments":"{}"}')}
        for index, full in filled.items()
        if not full
    ]


def _arguments(function: Fields, empty: str) -> str:
    raw = bytes(function.get("arguments", _NULL))
    if raw in (b"null", b"[]"):  # the second is an empty object of PHP
        return empty
    return (msgspec.json.decode(raw, type=str) or empty) if raw[:1] == b'"' else raw.decode()


def _string(raw: Raw | None) -> str:
    """Return a JSON string's text, empty for anything else."""
    return msgspec.json.decode(raw, type=str) if raw is not None and bytes(raw)[:1] == b'"' else ""


def _integer(raw: Raw | None, default: int) -> int:
    text = bytes(raw) if raw is not None else b""
    return int(text) if text.removeprefix(b"-").isdigit() and len(text) < 10 else default


def _read_time(raw: Raw) -> int:
    """Return seconds cut to whole ones, of a number or a number in a string; 0 for anything else."""
    try:
        seconds = int(float(bytes(raw).strip(b'"')))
    except (ValueError, OverflowError):
        return 0
    return seconds if 0 < seconds < _MAX_TIME else 0


def _object(raw: Raw | None) -> Fields | None:
    return _decode(_fields, raw) if raw is not None and bytes(raw)[:1] == b"{" else None


def _list(raw: Raw | None) -> list[Fields]:
    """Return a list of objects, empty for null or nothing; raises `UpstreamInvalid` for anything else."""
    return [] if raw is None or bytes(raw) == b"null" else _decode(_items, raw)


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes | Raw) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a value of the wrong type, or no JSON") from None
