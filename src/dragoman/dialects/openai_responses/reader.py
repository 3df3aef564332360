"""Read a streamed response of an upstream: frames pass as they came, and nothing follows the one that ends it.

That frame is the last of its burst, so that the writer can hold it back. Events that nobody knows are passed on.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.openai_responses.faults import read_failure
from dragoman.dialects.openai_responses.heard import (
    Done,
    Event,
    Response,
    arguments_of,
    finish_of,
    leave_out_usage,
    read_object,
    read_response,
    start_of,
    tells_usage,
    usage_of,
)
from dragoman.dialects.openai_responses.said import Kind, Said
from dragoman.dialects.openai_responses.schema import NAME, NULL
from dragoman.wire.json import encode, is_utf8, repair_text
from dragoman.wire.sse import SseFramer, is_foreign, read_events

_NAME = b"event: "
_NAMED = len(_NAME)
_DATA = b"\ndata: "
_DELTAS: dict[str, Kind] = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "summary",
    "response.reasoning_text.delta": "thought",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}
_DONES: dict[str, Kind] = {name.removesuffix("delta") + "done": kind for name, kind in _DELTAS.items()}
_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
"""The events that end a response → its status."""
_KNOWN = frozenset(
    {*_DELTAS, *_DONES, *_ENDS, "error", "response.created", "response.output_item.added", "response.output_item.done"}
)
"""Events that say something to the hub."""
_NO_ERROR = frozenset({b"null", b"false", b'""', b"{}"})
_event = msgspec.json.Decoder(Event)
_done = msgspec.json.Decoder(Done)


class _Named(msgspec.Struct):
    type: str = ""


_named = msgspec.json.Decoder(_Named)


class Reader:
    """Reads one stream; a frame here is what it says without the blank line behind it."""

    def __init__(self, fallback: ev.Start, n: int) -> None:
        """`n` is of no account: there is one answer."""
        del n
        self.finished = False
        self.done = False
        self._fallback = fallback
        self._framer = SseFramer()
        self._begun = False
        self._said = Said()

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.done else None

    def end(self) -> Burst | None:
        """Return what stood behind the last blank line; raises `UpstreamIncomplete` for a response that has no end."""
        rest = b"" if self.done else self._framer.close().strip()
        try:
            burst = self._read_block(rest + b"\n\n") if rest else None
        except UpstreamInvalid:
            if not self._begun and is_foreign(rest):
                raise
            raise UpstreamIncomplete from None
        if not self.finished:
            raise UpstreamIncomplete
        return burst

    def _read_block(self, block: bytes) -> Burst | None:
        events = self._said.events = []
        kept: list[bytes] = []
        as_it_came = is_text = is_utf8(block)
        for frame in block[:-2].split(b"\n\n"):
            if self.done:
                as_it_came = False
                break
            head, _, data = frame.partition(_DATA)
            if is_text and data and frame.count(b"\n") == 1 and head.startswith(_NAME):
                said = self._read_frame(frame, head[_NAMED:], data)
            else:
                said = self._read_odd(frame)
            if said:
                kept.append(said)
            if not said or said is not frame:
                as_it_came = False
        if not kept:
            return None
        return Burst(events, block if as_it_came else b"".join([frame + b"\n\n" for frame in kept]), NAME)

    def _read_odd(self, frame: bytes) -> bytes:
        """Read what is no frame of this dialect in its usual form: comments, no name, many lines."""
        payloads, _ = read_events(frame + b"\n\n")
        return b"\n\n".join(filter(None, [self._read_frame(b"", b"", data) for data in payloads]))

    def _read_frame(self, frame: bytes, name: bytes, data: bytes) -> bytes:
        """Say what one event says; return the frame that says it: `frame` itself, a mended one, or none."""
        try:
            event = _event.decode(data)
        except (msgspec.DecodeError, RecursionError):
            if data.startswith(b"[DONE]"):
                raise UpstreamIncomplete from None
            event, data = _repair(data)
            frame = b""
        kind = event.type
        if not frame or name != kind.encode():
            frame = _frame(event, data)
        word = _DELTAS.get(kind)
        if word is not None:
            if not self._begun:
                self._begin(event)
            number = event.summary_index if word == "summary" else event.content_index
            self._said.say(word, self._said.place(event.output_index), number, event.delta or "", event.logprobs)
            return frame
        return self._read_rare(event, frame, data)

    def _read_rare(self, event: Event, frame: bytes, data: bytes) -> bytes:
        kind = event.type
        if kind == "error" or bytes(event.error) not in _NO_ERROR:
            raise read_failure(event.error if bytes(event.error) not in _NO_ERROR else Raw(data))
        if not self._begun:
            self._begin(event)
        if kind == "response.output_item.added":
            self._said.begin(event.output_index, event.item)
        elif kind == "response.output_item.done":
            self._said.end(event.output_index, event.item)
        elif kind in _DONES:
            self._end_text(_DONES[kind], event, data)
        elif kind in _ENDS:
            return self._end(event, frame, data)
        return frame

    def _begin(self, event: Event) -> None:
        self._begun = True
        response = Response() if event.response is NULL else read_response(event.response)
        self._said.events.append(start_of(response, self._fallback))

    def _end_text(self, kind: Kind, event: Event, data: bytes) -> None:
        done = _read_done(data)
        number = event.summary_index if kind == "summary" else event.content_index
        match kind:
            case "refusal":
                whole = done.refusal
            case "arguments":
                whole = arguments_of(done.arguments)
            case "input":
                whole = done.input
            case _:
                whole = done.text
        self._said.rest(kind, self._said.place(event.output_index), number, whole or "", event.logprobs)

    def _end(self, event: Event, frame: bytes, data: bytes) -> bytes:
        response = Response() if event.response is NULL else read_response(event.response)
        status = _ENDS[event.type]
        if status not in ("failed", "cancelled"):
            self._said.finish(response.output or [])
        finish = finish_of(response, status, called=self._said.called)
        self._said.events.append(finish)
        self.finished = self.done = True
        if (usage := usage_of(response.usage)) is not None:
            self._said.events.append(usage)
        elif tells_usage(response.usage):
            counted = {"response": Raw(leave_out_usage(bytes(event.response)))}
            return _frame(event, encode(read_object(data) | counted))
        return frame


def _repair(data: bytes) -> tuple[Event, bytes]:
    """Return an event whose text was bad, or that nobody knows, and its bytes."""
    data = repair_text(data)
    try:
        return _event.decode(data), data
    except (msgspec.DecodeError, RecursionError):
        pass  # fields of other types may be those of an event that nobody knows
    try:
        kind = _named.decode(data).type
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="an event that is no JSON object") from None
    if kind in _KNOWN:
        raise UpstreamInvalid(detail=f"an event '{kind}' has fields of the wrong type")
    return Event(kind), data


def _frame(event: Event, data: bytes) -> bytes:
    """Return an event in the usual form; one without a name is none of this dialect, but may be an error."""
    kind = event.type
    if kind and kind.isascii() and kind.isprintable():
        return b"event: %b\ndata: %b" % (kind.encode(), data)
    if bytes(event.error) not in _NO_ERROR:
        raise read_failure(event.error)
    raise UpstreamInvalid(detail="an event without a name")


def _read_done(data: bytes) -> Done:
    try:
        return _done.decode(data)
    except (msgspec.DecodeError, RecursionError):
        pass  # perhaps only its text is bad
    try:
        return _done.decode(repair_text(data))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the end of a text has fields of the wrong type") from None
