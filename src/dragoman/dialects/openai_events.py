"""The streams of OpenAI endpoints whose events have names: pictures, speech and transcripts.

The last event says that all is told, so a stream needs no end mark; one is accepted. Source: OpenAI OpenAPI 2.3.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.openai_errors import read_stream_error, write_stream_error
from dragoman.wire.json import encode, repair_text
from dragoman.wire.sse import PING, SseFramer, is_foreign, read_events

Say = Callable[[str, bytes], list[ev.Event]]
"""What one event means, given its type and its JSON; the last one brings a `Finish`. Raises `msgspec.DecodeError`."""
_NOTHING = frozenset({b"null", b"false", b'""', b"{}"})


class _Named(Struct):
    type: str = ""
    error: Raw = Raw(b"null")


_named = msgspec.json.Decoder(_Named)


def write_event(event: msgspec.Struct, kind: str) -> bytes:
    """Return one event of a stream."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(event))


class EventReader:
    """Reads one stream of named events, written anew only as far as the frames around their JSON go."""

    def __init__(self, dialect: str, say: Say, start: ev.Start, wanted: int = 1) -> None:
        """`wanted`: how many times something is finished before all is told."""
        self.finished = False
        self.done = False
        self._dialect = dialect
        self._say = say
        self._start: ev.Start | None = start
        self._wanted = wanted
        self._told = 0
        self._usage: ev.Usage | None = None
        self._framer = SseFramer()

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError`."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.done else None

    def end(self) -> Burst | None:
        """Return what stood after the last blank line; raises `UpstreamIncomplete` when not all was told."""
        rest = b"" if self.done else self._framer.close().strip()
        burst = None
        if rest:
            try:
                burst = self._read_block(rest + b"\n\n")
            except UpstreamInvalid:
                if self._start is not None and is_foreign(rest):
                    raise
                raise UpstreamIncomplete from None
        if not self.done:
            raise UpstreamIncomplete
        return burst

    def _read_block(self, block: bytes) -> Burst | None:
        events: list[ev.Event] = []
        frames: list[bytes] = []
        payloads, _ = read_events(block)
        for data in payloads:
            if self.done or (data.startswith(b"[DONE]") and self._told):
                self.done = True
                break
            frames.append(self._read_event(data, events))
        if not frames:
            return None
        if self.done and self._usage is not None:
            events.append(self._usage)
        return Burst(events, b"".join(frames), self._dialect)

    def _read_event(self, data: bytes, events: list[ev.Event]) -> bytes:
        """Say what one event says, and return its frame."""
        named, data = _decode(data)
        if named.type == "error" or bytes(named.error) not in _NOTHING:
            raise read_stream_error(named.error if bytes(named.error) not in _NOTHING else Raw(data))
        if not named.type or not named.type.isascii() or not named.type.isprintable():
            raise UpstreamInvalid(detail="an event without a name")
        try:
            said = self._say(named.type, data)
        except msgspec.DecodeError:
            raise UpstreamInvalid(detail=f"an event '{named.type[:40]}' has fields of the wrong type") from None
        if self._start is not None:
            events.append(self._start)
            self._start = None
        for event in said:
            if isinstance(event, ev.Usage):
                self._count(event)
            else:
                events.append(event)
                self._told += isinstance(event, ev.Finish)
        self.finished = self.done = self._told >= self._wanted
        return b"event: %b\ndata: %b\n\n" % (named.type.encode(), data)

    def _count(self, usage: ev.Usage) -> None:
        old = self._usage
        self._usage = usage if old is None else ev.Usage(old.prompt + usage.prompt, old.completion + usage.completion)


class Script(Protocol):
    """Writes events of the hub as named events."""

    def say(self, event: ev.Event) -> bytes:
        """Return the frames of one event, which may be none."""
        ...

    def last(self) -> bytes:
        """Return the events that say that all is told; asked for only after the upstream's own."""
        ...


class EventWriter:
    """Writes one streamed answer: the upstream's own frames, or those of `script`."""

    def __init__(self, dialect: str, script: Script) -> None:
        self._dialect = dialect
        self._script = script
        self._passes = False

    def write(self, burst: Burst) -> bytes:
        """Return the frames of `burst`."""
        if burst.raw is not None and burst.dialect == self._dialect:
            self._passes = True
            return burst.raw
        return b"".join([self._script.say(event) for event in burst.events])

    def end(self) -> bytes:
        """Return the last events, unless the upstream's own were passed on."""
        return b"" if self._passes else self._script.last()

    def fail(self, error: DragomanError) -> bytes:
        """Return the frame that says the answer broke; the last event does not follow."""
        return write_stream_error(error)

    def ping(self) -> bytes:
        """Return a comment, which every reader of event streams skips."""
        return PING


def _decode(data: bytes) -> tuple[_Named, bytes]:
    """Return an event and its bytes, in which bad text is repaired."""
    try:
        return _named.decode(data), data
    except (msgspec.DecodeError, RecursionError):
        data = repair_text(data)
    try:
        return _named.decode(data), data
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="an event that is no JSON object") from None
