"""Read what an Ollama server answers, streamed or whole: bytes in, bursts out, whatever the cuts of the network.

A stream is complete when its last line says ``done``, and only then; an ``error`` ends it anywhere. Tool calls come
whole, some servers tell them on the last line, and older ones give them no ids. Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.ollama.heard import Listener, leave_out_counts, makes_sense
from dragoman.dialects.ollama.schema import Line
from dragoman.dialects.openai_errors import read_stream_error
from dragoman.dialects.openai_media import read_answer
from dragoman.wire.json import is_utf8, repair_text
from dragoman.wire.ndjson import LineFramer

_NO_ERROR = frozenset({b"null", b"false", b'""'})
_line = msgspec.json.Decoder(Line)


class Reader:
    """Reads one stream. Lines pass as they came; the last one is held back to the end."""

    def __init__(self, dialect: str, fallback: ev.Start, n: int) -> None:
        """`n` says nothing: there is never more than one choice."""
        self.finished = False
        self._dialect = dialect
        self._framer = LineFramer()
        self._listener = Listener(fallback)
        self._fallback = fallback
        self._begun = False
        self._last: Burst | None = None

    @property
    def done(self) -> bool:
        """The last line has been read."""
        return self.finished

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.finished else None

    def end(self) -> Burst | None:
        """Return the last line, which may lack its line end; raises `UpstreamIncomplete` when there was none."""
        if not self.finished:
            self._read_rest(self._framer.close())
        if self._last is None:
            raise UpstreamIncomplete
        return self._last

    def _read_rest(self, rest: bytes) -> None:
        """Read what stood behind the last line end: the last line, or nothing that counts."""
        if not rest.strip():
            return
        try:
            self._read_block(rest + b"\n")
        except UpstreamInvalid:
            if not self._begun and not rest.lstrip().startswith(b"{"):
                raise
            raise UpstreamIncomplete from None

    def _read_block(self, block: bytes) -> Burst | None:
        if not is_utf8(block):
            block = block.decode("utf-8", "replace").encode()
        events: list[ev.Event] = []
        lines: list[bytes] = []
        as_it_came = True
        for came in block[:-1].split(b"\n"):
            line, kept = self._read_line(came, events)
            if self.finished:
                self._hold(line, kept, [] if lines else events)
                as_it_came = False
                break
            if kept:
                lines.append(kept)
            as_it_came = as_it_came and kept is came and kept != b""
        if not lines:
            return None
        return Burst(events, block if as_it_came else b"\n".join(lines) + b"\n", self._dialect)

    def _read_line(self, data: bytes, events: list[ev.Event]) -> tuple[Line, bytes]:
        """Say what a line says, unless it is the last; return it, and the bytes that say it: none for a blank line."""
        try:
            line = _line.decode(data)
        except (msgspec.DecodeError, RecursionError):
            if not data.strip():
                return Line(), b""
            line, data = _mend(data)
        if line.error is not UNSET and bytes(line.error) not in _NO_ERROR:
            raise read_stream_error(line.error)
        if not self._begun:
            self._begun = True
            events.append(_start(line, self._fallback))
        if line.done:
            self.finished = True
        else:
            self._listener.hear(line, events)
        return line, data

    def _hold(self, line: Line, data: bytes, events: list[ev.Event]) -> None:
        """Keep the last line, with what has been said and not been returned."""
        self._listener.hear(line, events)
        self._listener.hear_end(line, events)
        self._last = Burst(events, _sensible(line, data) + b"\n", self._dialect)


def read_reply(dialect: str, body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole plain answer; raises `UpstreamError`."""
    line, body = read_answer(_line, body)
    if line.error is not UNSET and bytes(line.error) not in _NO_ERROR:
        raise read_stream_error(line.error)
    if not line.done:
        raise UpstreamInvalid(detail="an answer that is not done")
    events: list[ev.Event] = [_start(line, fallback)]
    listener = Listener(fallback)
    listener.hear(line, events)
    listener.hear_end(line, events)
    return Burst(events, _sensible(line, body), dialect)


def _sensible(line: Line, data: bytes) -> bytes:
    """Return the last line; without counts that make no sense, on which a client would fail."""
    return data if makes_sense(line) else leave_out_counts(data)


def _mend(data: bytes) -> tuple[Line, bytes]:
    data = repair_text(data)
    try:
        return _line.decode(data), data
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a line is no part of an answer") from None


def _start(line: Line, fallback: ev.Start) -> ev.Start:
    return ev.Start(fallback.id, line.model or fallback.model, read_seconds(line.created_at or "") or fallback.created)


def read_seconds(stamp: str) -> int:
    """Return a time of day (RFC 3339, up to nanoseconds) in seconds since 1970; 0 for what is none."""
    try:
        moment = datetime.fromisoformat(stamp)
        return max(0, int(moment.timestamp())) if moment.tzinfo is not None else 0
    except (ValueError, OverflowError):
        return 0
