"""One exchange with an upstream in one of its dialects: whatever speaks HTTP becomes an `Ask`.

Everything up to the first thing said is awaited here, so that every failure before it can still be retried; what fails
later is raised by the rest of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from msgspec import Struct, structs

from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock, Task
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import (
    DragomanError,
    LossRefused,
    TaskNotServed,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.events import Start
from dragoman.core.loss import carry, fit
from dragoman.core.ports import Outbound, Reader
from dragoman.net.reply import Patience
from dragoman.upstreams.batch import ask_each

_JSON = b"content-type: application/json\r\n"
_MEDIA = ("audio/", "video/", "image/", "application/octet-stream", "text/plain", "text/vtt", "application/x-subrip")
"""How the media types begin of answers that have a type of their own; a web page is none of them."""
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


class Transport(Protocol):
    """What carries requests to an upstream: a pool of connections, or the simulator."""

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        """Send a request and return the response once its head is here."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def nobody_knows(model: str) -> Capabilities:
    """Return what is known of a model where nobody tells anything."""
    return Capabilities()


class Manners(Struct, frozen=True):
    """How to speak to an upstream."""

    dialects: Sequence[Outbound]
    """The dialects it speaks; the first for a task serves clients of all others."""
    headers: bytes = b""
    """Written header lines: what is accepted and the credentials."""
    patience: Patience = Patience()
    plain_first: float | None = None
    """Seconds to the first byte of a plain answer, which comes when all is said; None: only the total counts."""
    can: Callable[[str], Capabilities] = nobody_knows
    """What is known of a model."""


class HttpUpstream:
    """One upstream, reached through a transport."""

    def __init__(self, name: str, transport: Transport, manners: Manners, clock: Clock) -> None:
        self.name = name
        self.transport = transport
        self._dialects = {dialect.name: dialect for dialect in manners.dialects}
        self._main: dict[Task, Outbound] = {dialect.task: dialect for dialect in reversed(manners.dialects)}
        self._headers = manners.headers
        self._json_headers = _JSON + manners.headers
        self._clock = clock
        self._can = manners.can
        self._patience = manners.patience
        first = manners.patience.total if manners.plain_first is None else manners.plain_first
        self._plain_patience = structs.replace(manners.patience, first=first)

    def ask_model(self, model: str) -> Ask:
        """Return the ask for what the upstream itself calls `model`."""
        served_by = f"{self.name}/{model}"

        async def ask(call: Call) -> Answer:
            dialect = self._dialects.get(call.dialect)
            if dialect is not None:
                call.losses = {}
                bodies = [dialect.patch_request(call, model)]
            elif (dialect := self._main.get(call.task)) is not None:
                bodies = _translate(call, dialect, model, self._can(model))
            else:
                raise TaskNotServed(f"the upstream of '{call.model}' has no endpoint for this", param="model")
            call.attempts += 1  # not before the bodies: what the client did wrong is no attempt
            call.served_by = served_by
            call.asked = self._clock.now()
            if len(bodies) == 1:
                return await self._exchange(call, dialect, bodies[0], model)
            return await ask_each([partial(self._exchange, call, dialect, body, model) for body in bodies], call.n)

        return ask

    async def _exchange(self, call: Call, dialect: Outbound, body: bytes, model: str) -> Answer:
        fallback = Start(f"{dialect.id_prefix}{call.id}", model, int(self._clock.epoch()))
        headers = self._json_headers
        if call.dialect == dialect.name and call.media_type != "application/json":
            headers = b"content-type: %b\r\n%b" % (call.media_type.encode("latin-1"), self._headers)
        reply = await self.transport.request(b"POST", dialect.path, headers, body, self._patience_for(call))
        try:
            if reply.status != 200:
                raise dialect.read_error(reply.status, reply.headers, await _read_error_body(reply))
            media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not call.stream:
                if not dialect.stream_type:
                    call.reply_type = _read_own_type(reply, media_type)
                return await _plain(reply, dialect, fallback)
            if media_type == "application/json":
                return await _told_at_once(reply, dialect, fallback)
            if not dialect.stream_type:
                call.reply_type = _read_own_type(reply, media_type)
            elif media_type != dialect.stream_type:
                raise UpstreamInvalid(detail="asked for a stream, the content type is another")
            return await _stream(reply, dialect.reader(fallback, call.n))
        except BaseException:
            reply.close()
            raise

    async def fetch(self, method: bytes, path: bytes, body: bytes = b"", media_type: str = "") -> Reply:
        """Ask for something that is no model's answer, and return the response once its head is here.

        Whoever holds it closes it. Raises `UpstreamError` when there is none.
        """
        headers = b"content-type: %b\r\n%b" % (media_type.encode("latin-1"), self._headers) if body else self._headers
        return await self.transport.request(method, path, headers, body, self._plain_patience)

    def _patience_for(self, call: Call) -> Patience:
        """All attempts of one call share one total."""
        patience = self._patience if call.stream else self._plain_patience
        now = self._clock.now()
        if call.attempts <= 1:
            call.deadline = min(call.deadline, now + patience.total)
            return patience
        return structs.replace(patience, total=max(0.001, min(patience.total, call.deadline - now)))


def _translate(call: Call, dialect: Outbound, model: str, can: Capabilities) -> list[bytes]:
    """Return the bodies that say in `dialect` what of the call can be said in it, one for each prompt."""
    bodies: list[bytes] = []
    losses: dict[str, str] = {}
    terms = fit(dialect.terms, can)
    for request in call.requests:
        carried, lost = carry(request, call.dialect, call.words, terms)
        losses |= lost
        bodies.append(dialect.write_request(carried, model))
    if losses and call.strict:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in losses.items())
        message = f"part of the request would be lost on its way to '{call.model}': {reasons}"
        raise LossRefused(message, param=next(iter(losses)))
    call.losses = losses
    return bodies


async def _plain(reply: Reply, dialect: Outbound, fallback: Start) -> Answer:
    """Read a whole answer; one that came broken may come whole the second time."""
    try:
        burst = await _read_whole(reply, dialect, fallback)
    except UpstreamInvalid as error:
        error.retry = "once"
        raise
    return Answer(burst, None, reply.close)


async def _told_at_once(reply: Reply, dialect: Outbound, fallback: Start) -> Answer:
    """Read the whole answer of a server that was asked for a stream, to be streamed in its place."""
    burst = await _read_whole(reply, dialect, fallback)
    return Answer(Burst(burst.events), None, reply.close)


async def _read_whole(reply: Reply, dialect: Outbound, fallback: Start) -> Burst:
    try:
        return dialect.read_reply(await reply.read_all(MAX_BODY), fallback)
    except UpstreamIncomplete as error:
        raise UpstreamInvalid(detail=error.detail or error.message) from None


async def _stream(reply: Reply, reader: Reader) -> Answer:
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


def _read_own_type(reply: Reply, media_type: str) -> str:
    """Return the content type of an answer that has one of its own; raises `UpstreamInvalid` for a web page."""
    if not media_type.startswith(_MEDIA):
        raise UpstreamInvalid(detail="the content type is not what was asked for")
    return reply.headers["content-type"]


async def _read_error_body(reply: Reply) -> bytes:
    """Return what an error says: its beginning where it is too large, too slow or breaks off."""
    reply.give(ERROR_GRACE)
    body = b""
    with suppress(DragomanError):  # it was an error before: this one tells nothing more
        while len(body) < MAX_ERROR_BODY and (data := await reply.read()):
            body += data
    return body[:MAX_ERROR_BODY]
