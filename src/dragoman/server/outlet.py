"""A streamed answer on its way out, and the pulse that keeps it alive while the upstream is silent."""

from __future__ import annotations

import asyncio

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.ports import Inbound
from dragoman.server.exchange import Exchange
from dragoman.server.head import write_trace

TICK = 1 / 15
"""How often the pulse looks, as a part of the time after which it says something."""
_UNBUFFERED = b"cache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n"


class Outlet:
    """Writes one answer as it comes; the head goes out with the first burst, or with the first ping."""

    __slots__ = ("_call", "_exchange", "_inbound", "_writer", "quiet")

    def __init__(self, exchange: Exchange, call: Call, inbound: Inbound) -> None:
        self._exchange = exchange
        self._call = call
        self._inbound = inbound
        self._writer = inbound.writer(call)
        self.quiet = 0
        """Ticks since something was said."""

    @property
    def begun(self) -> bool:
        """Whether the client has been promised an answer."""
        return self._exchange.started

    def send(self, burst: Burst) -> None:
        """Write what a burst says, shown to the observers first."""
        for observe in self._call.observers:
            observe(burst)
        self._say(self._writer.write(burst))

    async def drain(self) -> None:
        """Wait while the client takes less than it is sent."""
        await self._exchange.drain()

    def ping(self) -> None:
        """Tell the client to go on waiting: no other upstream is asked from now on, and errors come in the stream.

        Where the dialect has no words for it, nothing is promised either.
        """
        if ping := self._writer.ping():
            self._call.committed = True
            self._say(ping)

    def end(self) -> None:
        """Write the success marker."""
        self._exchange.end(self._writer.end())

    def fail(self, error: DragomanError) -> None:
        """Tell that the answer broke."""
        last = self._writer.fail(error)
        if last is None:
            self._exchange.abort()
        else:
            self._exchange.end(last)

    def _say(self, data: bytes) -> None:
        """Send data, the head before them; a burst without any is an answer too, but the client has heard nothing."""
        if not self._exchange.started:
            kind = self._call.reply_type.encode("latin-1") or self._inbound.stream_type
            trace = write_trace(self._exchange, self._call, self._inbound.id_header)
            self._exchange.begin(200, b"content-type: %b\r\n%b%b" % (kind, _UNBUFFERED, trace))
        if data:
            self._exchange.send(data)
            self.quiet = 0


class Pulse:
    """Pings every stream that has said nothing for some seconds; one timer for all of them."""

    def __init__(self, seconds: float) -> None:
        """`seconds` of silence are told."""
        self._pause = seconds * TICK
        self._ticks = round(1 / TICK)
        self._open: dict[Outlet, None] = {}

    def add(self, outlet: Outlet) -> None:
        """Watch over a stream; whoever adds it discards it."""
        self._open[outlet] = None

    def discard(self, outlet: Outlet) -> None:
        """Leave a stream alone."""
        self._open.pop(outlet, None)

    def tick(self) -> None:
        """Count a tick of silence for every stream, and ping those that are silent too long."""
        for outlet in list(self._open):
            outlet.quiet += 1
            if outlet.quiet >= self._ticks:
                outlet.ping()

    async def run(self) -> None:
        """Tick for as long as the server runs."""
        while True:
            await asyncio.sleep(self._pause)
            self.tick()
