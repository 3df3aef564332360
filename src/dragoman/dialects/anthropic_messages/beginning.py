"""How a message and its blocks begin, mended where the official SDK could not read it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.heard import (
    NULL,
    Block,
    Counts,
    Message,
    is_object,
    read_block,
    read_counts,
    read_object,
)
from dragoman.wire.json import Fields, encode

NEEDED = ("input_tokens", "output_tokens")
"""The counts that a message always has."""
_NO_INPUT = Raw(b"{}")
_EMPTY = Raw(b'""')
_TEXTS = {"text": ("text",), "thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}
"""The members that a block of a type always has."""
_message = msgspec.json.Decoder(Message)


def read_message(data: bytes | Raw) -> Message:
    """Return a message, one that says nothing where it is none."""
    try:
        return _message.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return Message()


def start_of(message: Message, fallback: ev.Start) -> ev.Start:
    """Return the beginning of an answer; nobody tells when it was made."""
    return ev.Start(message.id or fallback.id, message.model or fallback.model, fallback.created)


def mend_message(raw: Raw, fallback: ev.Start) -> tuple[Raw | None, ev.Start, Counts]:
    """Return the beginning of a message written anew (None: it is as it should be), and what it says."""
    message = read_message(raw)
    start, (counts, usage) = start_of(message, fallback), mend_usage(message.usage, NEEDED)
    if usage is None and message.content == [] and is_named(message):
        return None, start, counts
    fields = read_object(raw) if is_object(raw) else {}
    name_message(fields, start)
    fields |= {"content": Raw(b"[]"), "stop_reason": NULL, "stop_sequence": NULL}
    if usage is not None:
        fields["usage"] = usage
    return Raw(encode(fields)), start, counts


def mend_usage(raw: Raw, needed: Sequence[str]) -> tuple[Counts, Raw | None]:
    """Return token counts, and their bytes if one that is `needed` had to be set to nothing."""
    counts = read_counts(raw) if is_object(raw) else None
    missing: Fields = {name: Raw(b"0") for name in needed if counts is None or getattr(counts, name) is None}
    if counts is not None and not missing:
        return counts, None
    mended = Raw(encode(missing if counts is None else read_object(raw) | missing))
    return read_counts(mended) or Counts(), mended


def is_named(message: Message) -> bool:
    """Tell whether a message says what it is."""
    return bool(message.id and message.model) and message.type == "message" and message.role == "assistant"


def name_message(fields: Fields, start: ev.Start) -> None:
    """Fill in what every message has."""
    fields |= {"type": Raw(b'"message"'), "role": Raw(b'"assistant"')}
    fields |= {"id": Raw(encode(start.id)), "model": Raw(encode(start.model))}


def mend_block(raw: Raw, start: ev.Start, number: int) -> tuple[Block, Raw | None]:
    """Return a block, and its bytes if they had to be written anew; `number` counts the calls of tools before it.

    Raises `UpstreamInvalid`.
    """
    if not is_object(raw):
        raise UpstreamInvalid(detail="a block of content that is no object")
    block, repaired = read_block(raw)
    missing: Fields = {}
    for name in _TEXTS.get(block.type, ()):
        if getattr(block, name) is None:
            missing[name] = _EMPTY
    if block.type == "tool_use":
        if not block.name:
            raise UpstreamInvalid(detail="a tool call has no name")
        if not block.id:
            block.id = f"toolu_{start.id[-20:]}_{number}"
            missing["id"] = Raw(encode(block.id))
        if not is_object(block.input):
            missing["input"] = block.input = _NO_INPUT
    if missing:
        return block, Raw(encode(read_object(repaired) | missing))
    return block, None if repaired is raw else repaired
