"""What an upstream says in Messages, as leniently as it can be read: the wire Structs of answers, and their words.

Source: Claude platform documentation and the `anthropic` SDK 2.11, 2026; Poe's endpoint adds fields of its own.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, structs

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.dialects.anthropic_messages.schema import UNSIGNED
from dragoman.wire.json import Fields, repair_text

NULL = Raw(b"null")
MAX_TOOLS = 128
"""Tool calls of one answer."""
_MAX_COUNT = 2**53
"""No usage is larger; beyond it a number is nonsense, and inexact for most clients."""
_REASONS: dict[str, ev.FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_BROKEN = frozenset({"error", "abort"})
"""Words of servers that tell a failure as a reason to stop."""
_OBJECT = ord("{")


class Delta(Struct, gc=False):
    """A piece of a block, or why the answer ended."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Event(Struct, gc=False):
    """Any event of a stream; what is rare is decoded when it comes."""

    type: str = ""
    index: int = -1
    delta: Delta | None = None
    content_block: Raw = NULL
    message: Raw = NULL
    usage: Raw = NULL
    error: Raw = NULL


class Block(Struct):
    """A block of content, as it begins or whole."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = NULL
    extra_content: Raw | UnsetType = UNSET


class Message(Struct):
    """A whole answer, or how one begins."""

    type: str | None = None
    role: str | None = None
    id: str | None = None
    model: str | None = None
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Raw = NULL
    error: Raw = NULL


class _Details(Struct):
    thinking_tokens: int | None = None


class Counts(Struct):
    """Token counts; the three kinds of input exclude each other."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None
    estimated: bool | None = None
    """Said by gateways such as ours."""


read_fields = msgspec.json.Decoder(Fields).decode
_block = msgspec.json.Decoder(Block)
_counts = msgspec.json.Decoder(Counts)


def read_object(data: bytes | Raw) -> Fields:
    """Return the members of an object, bad text repaired; raises `UpstreamInvalid`."""
    try:
        return read_fields(repair_text(bytes(data)))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a value of the wrong type, or no JSON") from None


def read_block(raw: Raw) -> tuple[Block, Raw]:
    """Return a block and its bytes, in which bad text is repaired; raises `UpstreamInvalid`."""
    try:
        return _block.decode(raw), raw
    except (msgspec.DecodeError, RecursionError):
        raw = Raw(repair_text(bytes(raw)))
    try:
        return _block.decode(raw), raw
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a block of content has fields of the wrong type") from None


def is_object(raw: Raw) -> bool:
    """Tell whether a value that has been decoded as part of something is an object."""
    return memoryview(raw)[0] == _OBJECT


def is_told(raw: Raw) -> bool:
    """Tell whether a member is there and says something."""
    return bytes(raw) not in (b"null", b"false", b'""', b"{}")


def read_counts(raw: Raw) -> Counts | None:
    """Return token counts, None for what are none: of another type, negative or beyond all measure."""
    try:
        counts = _counts.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    thought = counts.output_tokens_details.thinking_tokens if counts.output_tokens_details else None
    told = (counts.input_tokens, counts.cache_creation_input_tokens, counts.cache_read_input_tokens)
    return counts if all(0 <= (n or 0) <= _MAX_COUNT for n in (*told, counts.output_tokens, thought)) else None


def says_something(counts: Counts) -> bool:
    """Tell whether anybody has counted: an answer for which nothing at all was taken is none."""
    return bool(usage_of(counts).prompt or counts.output_tokens)


def merge_counts(old: Counts | None, new: Counts) -> Counts:
    """Return what holds after `new`, which is of the whole answer so far and says only what has changed."""
    if old is None:
        return new
    return structs.replace(old, **{name: value for name, value in structs.asdict(new).items() if value is not None})


def usage_of(counts: Counts) -> ev.Usage:
    """Return counts in the hub's words: what was cached is part of the prompt."""
    read, written = counts.cache_read_input_tokens or 0, counts.cache_creation_input_tokens or 0
    thought = counts.output_tokens_details.thinking_tokens if counts.output_tokens_details else None
    prompt = (counts.input_tokens or 0) + read + written
    return ev.Usage(prompt, counts.output_tokens or 0, read, thought or 0, bool(counts.estimated), written)


def finish_of(reason: str, stop: str | None, *, called: bool) -> ev.Finish:
    """Return why an answer ended that has `called` tools or not; raises `UpstreamError` for a failure."""
    if reason in _BROKEN:
        raise UpstreamError(detail="the stop reason tells of an error")
    told = _REASONS.get(reason, "stop")  # `pause_turn` and `tool_use` among them
    if told == "stop" and called:
        return ev.Finish("tool_calls")
    return ev.Finish(told, stop=(stop or "") if reason == "stop_sequence" else "")


def signature_of(signature: str | None) -> str | UnsetType:
    """Return the proof that thinking is its vendor's own, if there is one."""
    return UNSET if not signature or signature == UNSIGNED else signature
