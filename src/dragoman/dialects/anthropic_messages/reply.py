"""Read a whole plain answer of an upstream, mended where the official SDK could not read it."""

from __future__ import annotations

from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.beginning import (
    NEEDED,
    is_named,
    mend_block,
    mend_usage,
    name_message,
    read_message,
    start_of,
)
from dragoman.dialects.anthropic_messages.faults import read_stream_error
from dragoman.dialects.anthropic_messages.heard import (
    MAX_TOOLS,
    NULL,
    Block,
    Message,
    finish_of,
    is_told,
    read_object,
    says_something,
    signature_of,
    usage_of,
)
from dragoman.dialects.anthropic_messages.schema import NAME
from dragoman.wire.json import encode, is_utf8


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Return what a plain answer says, and its bytes; raises `UpstreamError`."""
    message = read_message(body) if is_utf8(body) else Message()
    if message.content is None:  # the text may be bad
        body = encode(read_object(body))
        message = read_message(body)
    if message.type == "error" or is_told(message.error):
        raise read_stream_error(message.error)
    if message.content is None:
        raise UpstreamInvalid(detail="the answer has no content")
    start = start_of(message, fallback)
    blocks, contents = _read_blocks(message.content, start)
    events: list[ev.Event] = [start]
    for block in blocks:
        _say(block, events)
    called = any(block.type == "tool_use" for block in blocks)
    reason = message.stop_reason or ("tool_use" if called else "end_turn")
    events.append(finish_of(reason, message.stop_sequence, called=called))
    counts, usage = mend_usage(message.usage, NEEDED)
    if says_something(counts):
        events.append(usage_of(counts))
    if usage is not None or contents is not None or not (message.stop_reason and is_named(message)):
        body = _mend(body, start, reason, contents, usage)
    return Burst(events, body, NAME)


def _read_blocks(content: list[Raw], start: ev.Start) -> tuple[list[Block], Raw | None]:
    """Return all blocks, and the whole content written anew if one of them had to be mended."""
    blocks: list[Block] = []
    contents: list[Raw] = []
    calls = 0
    for raw in content:
        block, mended = mend_block(raw, start, calls)
        calls += block.type == "tool_use"
        blocks.append(block)
        contents.append(raw if mended is None else mended)
    if calls > MAX_TOOLS:
        raise UpstreamInvalid(detail="too many tool calls")
    changed = any(new is not old for new, old in zip(contents, content, strict=True))
    return blocks, Raw(encode(contents)) if changed else None


def _say(block: Block, events: list[ev.Event]) -> None:
    match block.type:
        case "text" if block.text:
            events.append(ev.Text(block.text))
        case "thinking" if block.thinking or block.signature:
            events.append(ev.Thinking(block.thinking or "", signature=signature_of(block.signature)))
        case "redacted_thinking":
            events.append(ev.Thinking("", signature=block.data or "", redacted=True))
        case "tool_use":
            number = sum(isinstance(event, ev.ToolDelta) for event in events)
            arguments = bytes(block.input).decode()
            events.append(ev.ToolDelta(number, arguments, block.id or "", block.name or "", extra=block.extra_content))
        case _:
            pass  # what the vendor's own tools do is told to its own clients alone


def _mend(body: bytes, start: ev.Start, reason: str, contents: Raw | None, usage: Raw | None) -> bytes:
    fields = read_object(body)
    name_message(fields, start)
    fields["stop_reason"] = Raw(encode(reason))
    fields.setdefault("stop_sequence", NULL)
    if contents is not None:
        fields["content"] = contents
    if usage is not None:
        fields["usage"] = usage
    return encode(fields)
