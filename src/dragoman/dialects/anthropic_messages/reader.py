"""Read a streamed answer of an upstream: frames pass as they came, the success marker is held back.

What the official SDK needs and a careless server leaves out is filled in: the name of an event, the beginning of the
message, of a block and its end, a number, usage. What cannot be known (the tool that arguments are for) is an error.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.anthropic_messages.beginning import mend_block, mend_message, mend_usage
from dragoman.dialects.anthropic_messages.faults import read_stream_error
from dragoman.dialects.anthropic_messages.heard import (
    MAX_TOOLS,
    Block,
    Counts,
    Delta,
    Event,
    finish_of,
    is_object,
    is_told,
    merge_counts,
    read_object,
    says_something,
    signature_of,
    usage_of,
)
from dragoman.dialects.anthropic_messages.schema import NAME
from dragoman.wire.json import Fields, encode, is_utf8
from dragoman.wire.sse import SseFramer, is_foreign, read_events

_NAME = b"event: "
_NAMED = len(_NAME)
_DATA = b"\ndata: "
_KINDS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "input_json_delta": "tool_use",
}
"""What kind of block a piece belongs to; every other kind of piece belongs to whatever is open."""
_GROWS = {"text": "text_delta", "thinking": "thinking_delta", "tool_use": "input_json_delta"}
"""The type of a block that the hub has a word for → how it goes on."""
_EMPTY = {"text": b'{"type":"text","text":""}', "thinking": b'{"type":"thinking","thinking":"","signature":""}'}
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}'
_START = b'{"type":"content_block_start","index":%d,"content_block":%b}'
_END = b'{"type":"message_delta","delta":{"stop_reason":"%b","stop_sequence":null},"usage":{"output_tokens":0}}'
_NO_STOP = Raw(b'{"stop_reason":null,"stop_sequence":null}')
_event = msgspec.json.Decoder(Event)


class Reader:
    """Reads one stream; a frame here is what it says without the blank line behind it."""

    def __init__(self, fallback: ev.Start, n: int) -> None:
        """`n` is of no account: there is one answer."""
        del n
        self.finished = False
        self.done = False
        self._fallback = fallback
        self._framer = SseFramer()
        self._start: ev.Start | None = None
        self._events: list[ev.Event] = []
        self._kind = ""
        """The type of the open block, empty while none is open."""
        self._at = -1
        """The upstream's own number of that block."""
        self._index = -1
        """Ours: they count from 0 without gaps."""
        self._shifted = False
        """Whether the two differ."""
        self._expected = ""
        """The type of a piece that goes on with what is open as it should."""
        self._tools = 0
        self._input: Raw | None = None
        """Of the open tool call, while no piece of its arguments has come."""
        self._signature = ""
        self._stop = _NO_STOP
        """The last word about why the answer ended."""
        self._counts: Counts | None = None
        self._counted = False

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.done else None

    def end(self) -> Burst | None:
        """Return the usage and what stood behind the last blank line; raises `UpstreamIncomplete`."""
        burst = self._read_rest()
        if not (self.done or self.finished):
            raise UpstreamIncomplete
        if self._counts is None or not self._counted:
            return burst
        usage = usage_of(self._counts)
        return Burst([usage], b"", NAME) if burst is None else Burst([*burst.events, usage], burst.raw, NAME)

    def _read_rest(self) -> Burst | None:
        rest = b"" if self.done else self._framer.close().strip()
        try:
            return self._read_block(rest + b"\n\n") if rest else None
        except UpstreamInvalid:
            if self.finished:
                return None
            if self._start is None and is_foreign(rest):
                raise
            raise UpstreamIncomplete from None

    def _read_block(self, block: bytes) -> Burst | None:
        events: list[ev.Event] = []
        self._events = events
        kept: list[bytes] = []
        as_it_came = is_text = is_utf8(block)
        for frame in block[:-2].split(b"\n\n"):
            head, _, data = frame.partition(_DATA)
            if is_text and data and frame.count(b"\n") == 1 and head.startswith(_NAME):
                said = self._read_frame(frame, head, data)
            else:
                said = self._read_odd(frame)
            if said:
                kept.append(said)
            if not said or said is not frame:
                as_it_came = False
            if self.done:
                as_it_came = False
                break
        if not kept and not events:
            return None
        return Burst(events, block if as_it_came else b"".join([frame + b"\n\n" for frame in kept]), NAME)

    def _read_odd(self, frame: bytes) -> bytes:
        """Read what is no frame of this dialect in its usual form: comments, no name, many lines."""
        payloads, _ = read_events(frame + b"\n\n")
        return b"\n\n".join(filter(None, [self._read_frame(b"", b"", data) for data in payloads]))

    def _read_frame(self, frame: bytes, head: bytes, data: bytes) -> bytes:
        """Say what one event says; return the frames that say it: `frame` itself, mended ones, or none."""
        try:
            event = _event.decode(data)
        except (msgspec.DecodeError, RecursionError):
            event, data, frame = *self._repair(data), b""
            if self.done:
                return self._end()
        kind = event.type
        if not frame or head[_NAMED:] != kind.encode():
            frame = b"event: %b\ndata: %b" % (kind.encode(), data)
        if kind != "content_block_delta":
            return self._read_rare(event, frame, data)
        delta = event.delta
        if delta is not None and delta.type == self._expected and event.index == self._at and not self._shifted:
            self._say(delta)
            return frame
        return self._read_delta(event, frame, data)

    def _repair(self, data: bytes) -> tuple[Event, bytes]:
        """Return an event whose text was bad, and its bytes; OpenAI's end mark counts as this dialect's."""
        if data.startswith(b"[DONE]"):
            self.done = True
            return Event(), data
        data = encode(read_object(data))
        try:
            return _event.decode(data), data
        except msgspec.DecodeError:
            raise UpstreamInvalid(detail="an event has fields of the wrong type") from None

    def _say(self, delta: Delta) -> None:
        """Say a piece of the open block, which is of its kind."""
        kind = delta.type
        if kind == "text_delta":
            if delta.text:
                self._events.append(ev.Text(delta.text))
        elif kind == "thinking_delta":
            if delta.thinking:
                self._events.append(ev.Thinking(delta.thinking))
        elif kind == "input_json_delta" and delta.partial_json:
            self._events.append(ev.ToolDelta(self._tools - 1, delta.partial_json))
            self._input = None

    def _read_rare(self, event: Event, frame: bytes, data: bytes) -> bytes:
        kind = event.type
        if kind == "error" or is_told(event.error):
            raise read_stream_error(event.error if is_told(event.error) else Raw(data))
        if kind == "message_start":
            return self._begin(event, frame, data)
        if kind == "message_delta":
            return _join(self._begin_late(), self._read_end(event, frame, data))
        if kind == "message_stop":
            self.done = True
            return self._end()
        if kind == "content_block_start" and not self.finished:
            return _join(self._begin_late(), self._open(event, frame, data))
        if kind == "content_block_stop":
            return self._close(frame, data) if self._kind and event.index == self._at else b""
        known = kind != "content_block_start" and kind.isidentifier() and kind.isascii()
        return frame if known and self._start is not None else b""

    def _begin(self, event: Event, frame: bytes, data: bytes) -> bytes:
        if self._start is not None:
            return b""
        message, start, self._counts = mend_message(event.message, self._fallback)
        self._start = start
        self._events.append(start)
        return frame if message is None else _frame(data, message=message)

    def _begin_late(self) -> bytes:
        """Return the message's beginning where the upstream did not tell it."""
        return b"" if self._start is not None else self._begin(Event(), b"", b'{"type":"message_start"}')

    def _open(self, event: Event, frame: bytes, data: bytes) -> bytes:
        closed = self._close()
        block, mended = mend_block(event.content_block, self._start or self._fallback, self._tools)
        self._kind, self._at, self._input, self._signature = block.type, event.index, None, ""
        self._index += 1
        self._shifted = self._at != self._index
        self._expected = _GROWS.get(self._kind, "")
        self._say_beginning(block)
        if mended is not None:
            frame = _frame(data, content_block=mended)
            data = frame.partition(_DATA)[2]
        if self._shifted:
            frame = self._renumber(data)
        return _join(closed, frame)

    def _say_beginning(self, block: Block) -> None:
        events = self._events
        if block.type == "tool_use":
            if self._tools >= MAX_TOOLS:
                raise UpstreamInvalid(detail="too many tool calls")
            events.append(ev.ToolDelta(self._tools, "", block.id or "", block.name or "", extra=block.extra_content))
            self._tools += 1
            self._input = block.input
        elif block.type == "redacted_thinking":
            events.append(ev.Thinking("", signature=block.data or "", redacted=True))
        elif block.type == "thinking":
            self._signature = block.signature or ""
            if block.thinking:
                events.append(ev.Thinking(block.thinking))
        elif block.type == "text" and block.text:
            events.append(ev.Text(block.text))

    def _read_delta(self, event: Event, frame: bytes, data: bytes) -> bytes:
        """Say a piece that is not what was expected: a rarer kind, of another block or of none."""
        delta = event.delta
        if delta is None or self.finished:
            return b""
        kind = _KINDS.get(delta.type, "")
        fits = bool(self._kind) and event.index == self._at and (kind in ("", self._kind) or self._kind not in _GROWS)
        begun = b"" if fits else self._open_for(kind, event.index)
        if not fits and not begun:
            return b""
        if delta.signature:
            self._signature = delta.signature
        if self._kind == kind:
            self._say(delta)
        if self._shifted:
            frame = self._renumber(data)
        return _join(begun, frame)

    def _open_for(self, kind: str, index: int) -> bytes:
        """Begin the block that a piece belongs to, which the upstream did not; nothing where it says nothing."""
        if kind == "tool_use":
            raise UpstreamInvalid(detail="arguments of a tool call that has not begun")
        if not kind:
            return b""
        block = Raw(_EMPTY[kind])
        begun, data = self._begin_late(), _START % (self._index + 1, block)
        opened = self._open(Event(index=index, content_block=block), b"event: content_block_start\ndata: " + data, data)
        return _join(begun, opened)

    def _renumber(self, data: bytes) -> bytes:
        return _frame(data, index=Raw(b"%d" % self._index))

    def _close(self, frame: bytes = b"", data: bytes = b"") -> bytes:
        """Say what is known at the end of a block, and return the frame that tells it; nothing if none is open."""
        if not self._kind:
            return b""
        signature = signature_of(self._signature)
        if self._kind == "thinking" and isinstance(signature, str):
            self._events.append(ev.Thinking("", signature=signature))
        if self._input is not None:
            arguments = bytes(self._input).decode() if is_object(self._input) else "{}"
            self._events.append(ev.ToolDelta(self._tools - 1, arguments))
        self._kind, self._expected, self._input = "", "", None
        if frame and self._shifted:
            return self._renumber(data)
        return frame or _STOP % self._index

    def _read_end(self, event: Event, frame: bytes, data: bytes) -> bytes:
        """Read why the answer ended, or what it has taken so far; the last numbers hold."""
        changed: Fields = {}
        delta = event.delta or Delta()
        counts, usage = mend_usage(event.usage, ("output_tokens",))
        if usage is not None:
            changed["usage"] = usage
        if says_something(counts):
            self._counts, self._counted = merge_counts(self._counts, counts), True
        closed = b""
        if self.finished or event.delta is None:
            changed["delta"] = self._stop
        elif delta.stop_reason:
            closed = self._close()
            self._events.append(finish_of(delta.stop_reason, delta.stop_sequence, called=bool(self._tools)))
            self._stop, self.finished = read_object(data)["delta"], True
        if changed and _differs(data, changed):
            frame = _frame(data, **changed)
        return _join(closed, frame)

    def _end(self) -> bytes:
        """End an answer of which the upstream says that it is over, but perhaps not why."""
        if self._start is None:
            raise UpstreamIncomplete
        if self.finished:
            return b""
        data = _END % (b"tool_use" if self._tools else b"end_turn")
        return self._read_end(_event.decode(data), _frame(data), data)


def _join(first: bytes, second: bytes) -> bytes:
    return b"%b\n\n%b" % (first, second) if first and second else first or second


def _differs(data: bytes, members: Fields) -> bool:
    fields = read_object(data)
    return any(bytes(fields.get(name, b"")) != bytes(raw) for name, raw in members.items())


def _frame(data: bytes, **members: Raw) -> bytes:
    """Return the frame of an event, with some members set anew."""
    fields = read_object(data) | members if members else read_object(data)
    return b"event: %b\ndata: %b" % (bytes(fields["type"]).strip(b'"'), encode(fields) if members else data)
