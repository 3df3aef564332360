"""The one endpoint behind every dialect: identify, read, ask, and send what comes as it comes.

Nothing is promised to the client before there is an answer, so every failure until then is an error with its own
status; what breaks later is told in the stream, and a success marker is sent only after the upstream's own.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from math import ceil

from msgspec import Struct

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    RateLimited,
    UnsupportedMediaType,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.ports import Inbound, Limits, Writer
from dragoman.observe.log import Log, write_fault
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.exchange import Exchange
from dragoman.server.gate import Gate

JSON = b"content-type: application/json\r\n"
_UNBUFFERED = b"cache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n"
_TURNED_AWAY = frozenset({"server_overloaded", "server_shutdown"})


class Desk(Struct, frozen=True):
    """What all endpoints share."""

    keys: Keys
    gate: Gate
    directory: Directory
    log: Log
    limits: Limits = Limits()


class Endpoint:
    """Serves the model calls of one dialect."""

    def __init__(self, inbound: Inbound, desk: Desk) -> None:
        self._inbound = inbound
        self._desk = desk
        self._stream_head = b"content-type: %b\r\n%b" % (inbound.stream_type, _UNBUFFERED)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one exchange."""
        call: Call | None = None
        try:
            caller = self._desk.keys.identify(exchange.head.headers)
            self._desk.gate.enter(caller)
            try:
                check_media_type(exchange)
                call = self._inbound.read_call(await exchange.body(), self._desk.limits)
                call.id, call.caller = exchange.id, caller
                answer = await self._desk.directory.resolve(call.model, caller)(call)
                try:
                    await self._deliver(exchange, call, answer)
                finally:
                    answer.close()
            finally:
                self._desk.gate.leave(caller)
        except DragomanError as error:
            self._refuse(exchange, call, error)
        except CancelledError:  # the client has left, and hears nothing, or the server stops, and says so
            if not exchange.started:
                self._answer(exchange, call, _stopped())
            raise
        except Exception as error:  # noqa: BLE001 — the last line of defence: a bug of ours must not look like an answer
            self._desk.log.write("ERROR", "bug", request=exchange.id, error=repr(error)[:500])
            self._refuse(exchange, call, DragomanError())

    async def _deliver(self, exchange: Exchange, call: Call, answer: Answer) -> None:
        if call.stream:
            await self._stream(exchange, call, answer)
            return
        burst = answer.first if answer.rest is None else await _whole(answer.first, answer.rest)
        for observe in call.observers:
            observe(burst)
        body = self._inbound.write_reply(call, burst)
        exchange.respond(200, JSON + write_trace(exchange, call), body)

    async def _stream(self, exchange: Exchange, call: Call, answer: Answer) -> None:
        writer = self._inbound.writer(call)
        exchange.begin(200, self._stream_head + write_trace(exchange, call))
        try:
            _send(exchange, call, writer, answer.first)
            if answer.rest is not None:
                async for burst in answer.rest:
                    _send(exchange, call, writer, burst)
                    await exchange.drain()
            last = writer.end()
        except DragomanError as error:
            if not isinstance(error, UpstreamTimeout | UpstreamTooLarge):
                error.fault = "midstream"
            write_fault(self._desk.log, call, error)
            last = writer.fail(error)
        except CancelledError:
            exchange.end(writer.fail(_stopped()))
            raise
        exchange.end(last)

    def _refuse(self, exchange: Exchange, call: Call | None, error: DragomanError) -> None:
        if exchange.started:
            exchange.abort()
            return
        if call is not None:
            write_fault(self._desk.log, call, error)
        self._answer(exchange, call, error)

    def _answer(self, exchange: Exchange, call: Call | None, error: DragomanError) -> None:
        status, body = self._inbound.write_error(error, exchange.id)
        exchange.respond(status, write_error_head(exchange, error) + _write_attempts(call), body)


def check_media_type(exchange: Exchange) -> None:
    """Refuse a body that does not say it is JSON: a web page of somebody else's can send all others unasked."""
    media_type = exchange.head.headers.get("content-type", "")
    if media_type != "application/json" and media_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType


def write_trace(exchange: Exchange, call: Call) -> bytes:
    """Return the header lines that tell what became of a call."""
    lines = (
        f"x-request-id: {exchange.id}\r\nx-dragoman-model: {call.served_by}\r\nx-dragoman-attempts: {call.attempts}\r\n"
    )
    if call.losses:
        lines += f"x-dragoman-loss: {', '.join(call.losses)}\r\n"
    return lines.encode("latin-1", "replace")


def write_error_head(exchange: Exchange, error: DragomanError) -> bytes:
    """Return the header lines of an error; who has seen our retries fail need not repeat them.

    Whoever was turned away at the door (too many calls, the server stops) may come again: nothing was tried yet.
    """
    lines = JSON + b"x-request-id: %b\r\n" % exchange.id.encode()
    if error.retry_after is not None:
        lines += b"retry-after: %d\r\n" % min(86_400, max(1, ceil(error.retry_after)))
    if not isinstance(error, RateLimited) and error.code not in _TURNED_AWAY:
        lines += b"x-should-retry: false\r\n"
    return lines


def _write_attempts(call: Call | None) -> bytes:
    return b"x-dragoman-attempts: %d\r\n" % call.attempts if call is not None and call.attempts else b""


def _send(exchange: Exchange, call: Call, writer: Writer, burst: Burst) -> None:
    for observe in call.observers:
        observe(burst)
    exchange.send(writer.write(burst))


def _stopped() -> Overloaded:
    return Overloaded("the server is shutting down", code="server_shutdown")


async def _whole(first: Burst, rest: AsyncIterator[Burst]) -> Burst:
    """Return all bursts of a streamed answer as one, for a client that did not ask for a stream."""
    events = list(first.events)
    async for burst in rest:
        events += burst.events
    return Burst(events)
