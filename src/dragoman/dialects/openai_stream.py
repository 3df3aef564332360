"""The streams of all OpenAI endpoints whose events are data alone and that end in ``[DONE]``."""

from __future__ import annotations

from collections.abc import Callable

from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.core.events import Event
from dragoman.wire.sse import SseFramer, is_foreign, read_events

ReadChunk = Callable[[bytes, list[Event]], bytes]
"""Appends what one chunk says to the events; returns the bytes that say it: its argument, mended ones, or none."""


class DataStream:
    """Cuts a stream into chunks for `read_chunk`, and puts what it keeps together again as bursts of `dialect`."""

    __slots__ = ("_dialect", "_framer", "_read_chunk", "_said", "done")

    def __init__(self, dialect: str, read_chunk: ReadChunk) -> None:
        self.done = False
        """The end mark has been read; whatever follows is ignored."""
        self._dialect = dialect
        self._framer = SseFramer()
        self._read_chunk = read_chunk
        self._said = False

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises what `read_chunk` raises, and `UpstreamError` for broken framing."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.done else None

    def close(self, *, finished: bool) -> Burst | None:
        """Return what stood after the last blank line, which counts if it is whole.

        `finished`: every choice has its finish, so that rubbish does no harm. Raises `UpstreamIncomplete` for an event
        that was cut, `UpstreamInvalid` when all the upstream sent is no event.
        """
        rest = b"" if self.done else self._framer.close().strip()
        if not rest:
            return None
        try:
            return self._read_block(rest + b"\n\n")
        except UpstreamInvalid:
            if finished:
                return None
            if not self._said and is_foreign(rest):
                raise
            raise UpstreamIncomplete from None

    def _read_block(self, block: bytes) -> Burst | None:
        events: list[Event] = []
        frames: list[bytes] = []
        payloads, as_it_came = read_events(block)
        for data in payloads:
            if data.startswith(b"[DONE]"):
                self.done = True
                as_it_came = False
                break
            kept = self._read_chunk(data, events)
            if kept is not data:
                as_it_came = False
            if kept:
                frames.append(kept)
        if not frames:
            return None
        self._said = True
        return Burst(events, block if as_it_came else b"data: %b\n\n" % b"\n\ndata: ".join(frames), self._dialect)
