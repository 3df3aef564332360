"""The one endpoint behind every dialect: identify, read, ask, and send what comes as it comes.

Nothing is promised to the client before there is an answer (or before it has waited so long that it must be told to go
on waiting), so every failure until then is an error with its own status; what breaks later is told in the stream, and a
success marker is sent only after the upstream's own.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator

from msgspec import Struct

from dragoman.core.ask import Answer, Ask, Stage, chain
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Clock
from dragoman.core.count import Counter, estimate
from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    UnsupportedMediaType,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.ports import Inbound, Limits
from dragoman.observe.log import Log, write_fault
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.exchange import Exchange
from dragoman.server.gate import Gate
from dragoman.server.head import JSON, write_error_head, write_trace, write_type
from dragoman.server.outlet import Outlet, Pulse
from dragoman.server.recent import Recent

_JSON = "application/json"
_FORM = "multipart/form-data"


class Desk(Struct, frozen=True):
    """What all endpoints share."""

    keys: Keys
    gate: Gate
    directory: Directory
    log: Log
    clock: Clock
    pulse: Pulse
    recent: Recent
    limits: Limits = Limits()
    counter: Counter = estimate


class Endpoint:
    """Serves the model calls of one dialect."""

    def __init__(self, inbound: Inbound, desk: Desk, *stages: Stage) -> None:
        """`stages` are those that this dialect alone needs; the first is the outermost."""
        self._inbound = inbound
        self._desk = desk
        self._stages = stages

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one exchange."""
        desk = self._desk
        call: Call | None = None
        try:
            caller = desk.keys.identify(exchange.head.headers)
            desk.gate.enter(caller)
            try:
                kind = self._check_type(exchange)
                call = self._read_call(await exchange.body(), kind)
                self._stamp(call, exchange, caller)
                ask = self._find(call)
                await (self._stream(exchange, call, ask) if call.stream else self._reply(exchange, call, ask))
            finally:
                desk.gate.leave(caller)
        except DragomanError as error:
            self._refuse(exchange, call, error)
        except CancelledError:  # the client has left, and hears nothing, or the server stops, and says so
            if not exchange.started:
                self._answer(exchange, call, _stopped())
            raise
        except Exception as error:  # noqa: BLE001 — the last line of defence: a bug of ours must not look like an answer
            desk.log.write("ERROR", "bug", request=exchange.id, error=repr(error)[:500])
            self._refuse(exchange, call, DragomanError())

    def _check_type(self, exchange: Exchange) -> str:
        """Return the body's content type; raises `UnsupportedMediaType`.

        A body must say that it is JSON: a web page of somebody else's can send all others unasked.
        """
        kind = exchange.head.headers.get("content-type", "")
        if kind == _JSON or self._inbound.any_type:
            return _JSON
        media_type = kind.partition(";")[0].strip().lower()
        if media_type == _JSON or (media_type == _FORM and self._inbound.read_form is not None):
            return kind
        raise UnsupportedMediaType

    def _read_call(self, body: bytes, kind: str) -> Call:
        inbound, limits = self._inbound, self._desk.limits
        if inbound.read_form is not None and kind.lstrip()[: len(_FORM)].lower() == _FORM:
            return inbound.read_form(body, kind, limits)
        return inbound.read_call(body, limits)

    def _stamp(self, call: Call, exchange: Exchange, caller: Caller) -> None:
        """Write on the call what only the server knows."""
        call.id, call.serial, call.caller = exchange.id, exchange.serial, caller
        call.clock = self._desk.clock
        call.began = call.clock.now()
        headers = exchange.head.headers
        call.strict = headers.get("x-dragoman-strict", "").lower() == "true"
        if self._inbound.headers:
            call.headers = {name: headers[name] for name in self._inbound.headers if name in headers}

    def _find(self, call: Call) -> Ask:
        ask = self._desk.directory.resolve(call.model, call.caller)
        if call.ready is not None:
            return _tell_ready
        return chain(ask, *self._stages) if self._stages else ask

    async def _reply(self, exchange: Exchange, call: Call, ask: Ask) -> None:
        answer = await ask(call)
        try:
            burst = answer.first if answer.rest is None else await _whole(answer.first, answer.rest)
            for observe in call.observers:
                observe(burst)
            body = self._inbound.write_reply(call, burst)
            kind = write_type(call.reply_type) if call.reply_type else JSON
            exchange.respond(200, kind + write_trace(exchange, call, self._inbound.id_header), body)
        finally:
            answer.close()
        self._desk.recent.note(call, None)

    async def _stream(self, exchange: Exchange, call: Call, ask: Ask) -> None:
        outlet = Outlet(exchange, call, self._inbound)
        self._desk.pulse.add(outlet)
        answered = False
        try:
            answer = await ask(call)
            answered = True
            try:
                await _pour(answer, outlet)
            except DragomanError as error:
                call.broke(error)
                raise
            finally:
                answer.close()
        except DragomanError as error:
            if not outlet.begun:
                raise
            if answered and not isinstance(error, UpstreamTimeout | UpstreamTooLarge):
                error.fault = "midstream"
            self._note(call, error)
            outlet.fail(error)
        except CancelledError:
            if outlet.begun:
                outlet.fail(_stopped())
            raise
        else:
            self._desk.recent.note(call, None)
        finally:
            self._desk.pulse.discard(outlet)

    def _refuse(self, exchange: Exchange, call: Call | None, error: DragomanError) -> None:
        if exchange.started:
            exchange.abort()
            return
        if call is not None:
            self._note(call, error)
        self._answer(exchange, call, error)

    def _note(self, call: Call, error: DragomanError) -> None:
        write_fault(self._desk.log, call, error)
        self._desk.recent.note(call, error)

    def _answer(self, exchange: Exchange, call: Call | None, error: DragomanError) -> None:
        status, body = self._inbound.write_error(error, exchange.id)
        exchange.respond(status, write_error_head(exchange, error, call, self._inbound.id_header), body)


async def _pour(answer: Answer, outlet: Outlet) -> None:
    """Send all of an answer, and the success marker when there is no more to come."""
    outlet.send(answer.first)
    if answer.rest is not None:
        async for burst in answer.rest:
            outlet.send(burst)
            await outlet.drain()
    outlet.end()


async def _tell_ready(call: Call) -> Answer:
    """Answer what needs no upstream."""
    return Answer(call.ready or Burst([]), None, _nothing)


def _nothing() -> None:
    """No upstream was asked."""


def _stopped() -> Overloaded:
    return Overloaded("the server is shutting down", code="server_shutdown")


async def _whole(first: Burst, rest: AsyncIterator[Burst]) -> Burst:
    """Return all bursts of a streamed answer as one, for a client that did not ask for a stream."""
    events = list(first.events)
    async for burst in rest:
        events += burst.events
    return Burst(events)
