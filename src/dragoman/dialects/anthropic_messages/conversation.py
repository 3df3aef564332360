"""Write a conversation as Messages take it: what the system says first, then turns of user and assistant in turns.

Source: Claude platform documentation, 2026 (results of tools stand first in the user's next turn, all of them in one;
no block of text is empty; ids are of letters, digits, underscores and hyphens).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec import Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.core.say import say_part
from dragoman.wire.json import Fields, encode

Written = dict[str, object]
"""A block or a turn."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_BEGIN = "."
"""What the user says where a conversation would begin with somebody else."""
_SYSTEM = frozenset({"system", "developer"})
_OWN = "extra"
"""A member of a part's extra that is of the hub's alone."""
_BASE64 = ";base64,"
_object = msgspec.json.Decoder(Fields)


def write_conversation(messages: Sequence[msg.Message]) -> tuple[object, list[Written]]:
    """Return what the system says, wherever it says it (empty: nothing), and the turns of the others.

    Raises `BadRequest` for a call of a tool without a name.
    """
    system: list[Written] = []
    turns = _Turns()
    for message in messages:
        if message.role in _SYSTEM:
            system += _mark(_texts(message.parts), message)
        else:
            turns.add(message)
    return _short(system) if system else "", turns.written()


class _Turns:
    """Puts neighbours of one role together, and the results of tools before everything else."""

    def __init__(self) -> None:
        self._turns: list[tuple[str, list[Written]]] = []
        self._ids: dict[str, str] = {}
        """A call's id → how it is told; where an id is there twice, that of the last call."""
        self._used: set[str] = set()

    def add(self, message: msg.Message) -> None:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = self._said(message.parts) if role == "assistant" else self._asked(message.parts)
        blocks = _mark(blocks, message)
        if not blocks:
            return
        if not self._turns or self._turns[-1][0] != role:
            self._turns.append((role, []))
        self._turns[-1][1].extend(blocks)

    def written(self) -> list[Written]:
        turns = self._turns
        if not turns or turns[0][0] != "user":
            begin: list[Written] = [{"type": "text", "text": _BEGIN}]
            turns = [("user", begin), *turns]
        return [
            {"role": role, "content": _short(sorted(blocks, key=_rank) if role == "user" else blocks)}
            for role, blocks in turns
        ]

    def _said(self, parts: Sequence[msg.Part]) -> list[Written]:
        blocks: list[Written] = []
        for part in parts:
            match part:
                case msg.ToolCall():
                    blocks.append({"type": "tool_use", "id": self._call(part.id), "name": _name(part), **_input(part)})
                case msg.Thinking():
                    blocks += _thinking(part)
                case _:
                    blocks += _texts([part])
        return blocks

    def _asked(self, parts: Sequence[msg.Part]) -> list[Written]:
        return [
            block
            for part in parts
            for block in (self._result(part) if isinstance(part, msg.ToolResult) else _block(part))
        ]

    def _result(self, part: msg.ToolResult) -> list[Written]:
        block: Written = {"type": "tool_result", "tool_use_id": self._ids.get(part.id) or _clean(part.id)}
        content = [block for inner in part.content for block in _block(inner)]
        if content:
            block["content"] = _short(content)
        if part.failed:
            block["is_error"] = True
        return [_extra(part.extra) | block]

    def _call(self, call_id: str) -> str:
        """Return how a call's id is told: as it is where that is allowed and new, the same every time."""
        told, again = _clean(call_id), 1
        while told in self._used:
            again += 1
            told = _clean(f"{call_id} {again}")
        self._used.add(told)
        self._ids[call_id] = told
        return told


def _clean(call_id: str) -> str:
    return call_id if _ID.fullmatch(call_id) else f"toolu_{sha256(call_id.encode()).hexdigest()[:24]}"


def _name(call: msg.ToolCall) -> str:
    if not call.name:
        raise BadRequest("a tool call of an earlier turn has no name", param="messages", code="invalid_value")
    return call.name


def _rank(block: Written) -> bool:
    return block["type"] != "tool_result"


def _short(blocks: list[Written]) -> object:
    """A single text that is nothing but text needs no list."""
    match blocks:
        case [{"type": "text", "text": text, **others}] if not others:
            return text
        case _:
            return blocks


def _mark(blocks: list[Written], message: msg.Message) -> list[Written]:
    """Put what was said about the whole message (a mark for the cache, say) on its last block."""
    extra = _extra(message.extra)
    return [*blocks[:-1], extra | blocks[-1]] if extra and blocks else blocks


def _extra(extra: msg.Extra) -> Written:
    return {name: raw for name, raw in extra.items() if name != _OWN}


def _texts(parts: Sequence[msg.Part]) -> list[Written]:
    """Text is all that the system and the model say; pictures and the like become links."""
    said = [(say_part(part), part) for part in parts]
    return [{**_extra(part.extra), "type": "text", "text": text} for text, part in said if text.strip()]


def _block(part: msg.Part) -> list[Written]:
    match part:
        case msg.Image():
            return [{**_extra(part.extra), "type": "image", "source": _source(part.url)}]
        case msg.File():
            title = {"title": part.name} if part.name else {}
            return [{**_extra(part.extra), "type": "document", "source": _document(part.data), **title}]
        case _:
            return _texts([part])


def _thinking(part: msg.Thinking) -> list[Written]:
    if isinstance(part.signature, UnsetType):
        return []
    if part.redacted:
        return [{**_extra(part.extra), "type": "redacted_thinking", "data": part.signature}]
    return [{**_extra(part.extra), "type": "thinking", "thinking": part.text, "signature": part.signature}]


def _input(call: msg.ToolCall) -> Written:
    """The arguments as they came; those that are no object, which models write now and then, are told as such."""
    try:
        _object.decode(call.arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {"input": Raw(encode({"INVALID_JSON": call.arguments}))}
    return {"input": Raw((call.arguments or "{}").encode()), **_extra(call.extra)}


def _source(url: str) -> Written:
    head, found, data = url.partition(_BASE64)
    if not found or not head.startswith("data:"):
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": head.removeprefix("data:").partition(";")[0], "data": data}


def _document(url: str) -> Written:
    """A document of plain text is told as text."""
    source = _source(url)
    if not str(source.get("media_type", "")).startswith("text/"):
        return source
    try:
        text = base64.b64decode(str(source["data"])).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return source
    return {"type": "text", "media_type": "text/plain", "data": text}
