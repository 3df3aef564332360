"""Reading what an upstream answers: a whole body, or a stream up to the first thing said and then burst by burst."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.errors import (
    DragomanError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.events import Start
from dragoman.core.ports import Outbound, Reader

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a plain answer."""
MAX_ERROR_BODY = 64 * 1024
"""Bytes of an error's body that are looked at."""
ERROR_GRACE = 5.0
"""Seconds to wait for an error's body."""
MAX_SILENCE = 256 * 1024
"""Bytes of a stream that are held back while it says nothing."""
USAGE_GRACE = 2.0
"""Seconds to wait for usage and the end mark once every choice is finished."""
_MEDIA = ("audio/", "video/", "image/", "application/octet-stream", "text/plain", "text/vtt", "application/x-subrip")
"""How the media types begin of answers that have a type of their own; a web page is none of them."""


class Reply(Protocol):
    """A response whose head has arrived; see `dragoman.net.reply.Reply`."""

    status: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    async def read(self) -> bytes:
        """Return what has come since the last read, nothing when the response is complete."""
        ...

    async def read_all(self, limit: int) -> bytes:
        """Return the whole body."""
        ...

    def began(self) -> None:
        """From now on the idle timeout counts."""
        ...

    def give(self, seconds: float) -> None:
        """Shorten the time for what is still to come."""
        ...

    def finish(self) -> None:
        """Give the connection back as soon as the response has ended."""
        ...

    def close(self) -> None:
        """Give the connection back, or cut it."""
        ...


async def read_plain(reply: Reply, dialect: Outbound, fallback: Start) -> Answer:
    """Read a whole answer; one that came broken may come whole the second time."""
    try:
        burst = await _read_whole(reply, dialect, fallback)
    except UpstreamInvalid as error:
        error.retry = "once"
        raise
    return Answer(burst, None, reply.close)


async def read_at_once(reply: Reply, dialect: Outbound, fallback: Start) -> Answer:
    """Read the whole answer of a server that was asked for a stream, to be streamed in its place."""
    burst = await _read_whole(reply, dialect, fallback)
    return Answer(Burst(burst.events), None, reply.close)


async def _read_whole(reply: Reply, dialect: Outbound, fallback: Start) -> Burst:
    try:
        return dialect.read_reply(await reply.read_all(MAX_BODY), fallback)
    except UpstreamIncomplete as error:
        raise UpstreamInvalid(detail=error.detail or error.message) from None


async def read_stream(reply: Reply, reader: Reader) -> Answer:
    """Read up to the first burst that says something, and leave the rest to whoever holds the answer."""
    rest = _Rest(reply, reader)
    first = Burst([], b"")
    async for burst in rest:
        first = join(first, burst)
        if _says_something(burst):
            break
        if len(first.raw or b"") > MAX_SILENCE:
            raise UpstreamTooLarge(detail="a stream that says nothing")
    else:
        raise UpstreamIncomplete
    if not (rest.over or reader.finished):
        reply.began()
    return Answer(first, None if rest.over else rest, rest.close)


async def read_to_end(reply: Reply, reader: Reader) -> Answer:
    """Read a stream to its end, for a client that wants it whole: until then nothing is promised."""
    answer = await read_stream(reply, reader)
    events = list(answer.first.events)
    try:
        if answer.rest is not None:
            async for burst in answer.rest:
                events += burst.events
    except BaseException:
        answer.close()
        raise
    return Answer(Burst(events), None, answer.close)


class _Rest:
    """The bursts of a stream: one a network read, the last one with all that was held back."""

    __slots__ = ("_reader", "_reply", "_waiting_for_usage", "over")

    def __init__(self, reply: Reply, reader: Reader) -> None:
        self._reply = reply
        self._reader = reader
        self._waiting_for_usage = False
        self.over = False

    def __aiter__(self) -> _Rest:
        return self

    async def __anext__(self) -> Burst:
        while not self.over:
            data = await self._read()
            if not data:
                self.over = True
                burst = self._reader.end()
            else:
                burst = self._reader.feed(data)
                if self._reader.done:
                    self.over = True
                    end = self._reader.end()
                    burst = end if burst is None else join(burst, end)
                elif self._reader.finished and not self._waiting_for_usage:
                    self._waiting_for_usage = True
                    self._reply.give(USAGE_GRACE)
            if burst is not None:
                return burst
        raise StopAsyncIteration

    def close(self) -> None:
        """Keep the connection of a stream that said all it had to say; cut that of any other."""
        if self._reader.done:
            self._reply.finish()
        else:
            self._reply.close()

    async def _read(self) -> bytes:
        try:
            return await self._reply.read()
        except (UpstreamIncomplete, UpstreamTimeout):
            if self._reader.finished:
                return b""  # the answer is complete: only usage or the end mark is missing
            raise


def join(first: Burst, second: Burst | None) -> Burst:
    """Return both as one burst; its bytes are kept if both have them."""
    if second is None:
        return first
    raw = None if first.raw is None or second.raw is None else first.raw + second.raw
    return Burst(first.events + second.events, raw, second.dialect)


def _says_something(burst: Burst) -> bool:
    return any(not isinstance(event, Start) for event in burst.events)


def read_own_type(reply: Reply, media_type: str) -> str:
    """Return the content type of an answer that has one of its own; raises `UpstreamInvalid` for a web page."""
    if not media_type.startswith(_MEDIA):
        raise UpstreamInvalid(detail="the content type is not what was asked for")
    return reply.headers["content-type"]


async def read_error_body(reply: Reply) -> bytes:
    """Return what an error says: its beginning where it is too large, too slow or breaks off."""
    reply.give(ERROR_GRACE)
    body = b""
    with suppress(DragomanError):  # it was an error before: this one tells nothing more
        while len(body) < MAX_ERROR_BODY and (data := await reply.read()):
            body += data
    return body[:MAX_ERROR_BODY]
