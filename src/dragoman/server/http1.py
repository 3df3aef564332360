"""The HTTP/1.1 edge: one connection of a client, its requests one after the other, its deadlines, its end.

A request's handler is started when its head is read, so that whoever may not ask is told before the body is there.
From then on a client that leaves, with FIN or RST, has its handler cancelled at once (the one exception: a client that
sent more than `Settings.pipelined` bytes ahead, from whom nothing is read until its turn comes).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from math import inf

from msgspec import Struct, field

from dragoman.core.errors import DragomanError, RequestTimeout
from dragoman.net.deadlines import Deadlines
from dragoman.server.exchange import Body, DateLine, Exchange, RequestIds
from dragoman.wire.http1 import HeadLimits, check_partial_head, read_head, write_head

Handler = Callable[[Exchange], Awaitable[None]]
"""Answers one exchange. It is the last line of defence: whatever it raises ends as a cut connection."""
Spawn = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
"""Starts a task, eagerly where Python can (3.12): most of a short request then runs without another loop turn."""
WriteError = Callable[[DragomanError, str], bytes]
"""Writes the JSON body for an error and a request id, when no handler exists yet to do so."""


class Settings(Struct, frozen=True, kw_only=True):
    """What one connection may take: bytes and seconds."""

    head: HeadLimits = HeadLimits()
    body: int = 32 * 1024 * 1024
    pipelined: int = 64 * 1024
    """Bytes of later requests that are held while one is answered."""
    remainder: int = 64 * 1024
    """Bytes of an unread body that are worth dropping to keep the connection."""
    high_water: int = 64 * 1024
    """Unsent bytes from which a handler has to wait."""
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    """And one second more for every MiB."""
    write_timeout: float = 60.0
    """How long a client may take nothing of what waits for it."""
    keep_alive: float = 75.0
    linger: float = 2.0
    """How long input is dropped after the last response, so that no reset overtakes it."""


class Connections:
    """Every open connection of this worker."""

    def __init__(self) -> None:
        self.open: set[Http1] = set()
        self.draining = False
        """Whether connections end with the response in hand."""

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self.open)

    @property
    def busy(self) -> int:
        """How many of them have a request in hand."""
        return sum(connection.busy for connection in self.open)

    def drain(self) -> None:
        """Close the idle connections, and each other one after its response; its next head says so."""
        self.draining = True
        for connection in list(self.open):
            connection.close_if_idle()

    def stop_all(self) -> None:
        """Cancel every handler, but let it still say so to its client."""
        for connection in list(self.open):
            connection.stop()

    def abort_all(self) -> None:
        """Cut every connection and cancel its handler."""
        for connection in list(self.open):
            connection.abandon()


class Edge(Struct, frozen=True):
    """What all connections of a worker share."""

    handler: Handler
    spawn: Spawn
    write_error: WriteError
    deadlines: Deadlines
    settings: Settings = Settings()
    connections: Connections = field(default_factory=Connections)
    dates: DateLine = field(default_factory=DateLine)
    ids: RequestIds = field(default_factory=RequestIds)


class Http1(asyncio.Protocol):
    """One connection: a head, its body, a handler until it is done; then the next head."""

    __slots__ = (
        "_body",
        "_closing",
        "_edge",
        "_exchange",
        "_input",
        "_peer",
        "_resumed",
        "_searched",
        "_task",
        "_transport",
        "_unsent",
        "dates",
        "deadline",
        "ids",
        "paused",
    )

    _transport: asyncio.Transport

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.dates = edge.dates
        self.ids = edge.ids
        self.deadline = inf
        self.paused = False
        self._peer = ""
        self._input: bytes | bytearray = b""
        self._searched = 0
        self._exchange: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._body: Body | None = None
        self._closing = False
        self._unsent = 0
        self._resumed = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a request is in hand, or its answer is still on its way out."""
        return self._exchange is not None or self._transport.get_write_buffer_size() > 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream's is no other
        edge = self._edge
        self._transport = transport
        transport.set_write_buffer_limits(high=edge.settings.high_water)
        address: tuple[str, int] | str | None = transport.get_extra_info("peername")
        self._peer = address[0] if isinstance(address, tuple) else ""
        self._wait(edge.settings.head_timeout)
        edge.connections.open.add(self)
        edge.deadlines.watch(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._body is not None:
            data = self._feed(self._body, data)
        if not data:
            return
        if self._input:
            self._input += data
        else:
            self._input = data
        self._serve()
        # An unfinished head is not counted: it has its own limit, and must go on to meet it.
        if len(self._input) > self._edge.settings.pipelined and not self._searched:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        if self._exchange is not None and not self._exchange.complete:
            self.abandon()
        elif not self._closing:
            self._closing = True
            self._wait(self._edge.settings.write_timeout)
        return False  # the transport sends what is left and closes

    def connection_lost(self, exc: Exception | None) -> None:
        self._edge.connections.open.discard(self)
        self._edge.deadlines.forget(self)
        self.stop()
        self._closing = True
        self._input = b""
        self._resumed.set()

    def pause_writing(self) -> None:
        self.paused = True
        self._resumed.clear()
        self._unsent = self._transport.get_write_buffer_size()
        self._wait(self._edge.settings.write_timeout)

    def resume_writing(self) -> None:
        self.paused = False
        self._resumed.set()
        if self._closing:
            self._wait(self._edge.settings.linger)
        elif self._body is not None:
            self._wait(self._edge.settings.body_timeout)
        elif self._exchange is not None:
            self.deadline = inf
        else:
            self._rest()

    def expire(self) -> None:
        """Give up what took too long; called by `Deadlines`."""
        if self.paused or self._closing:
            self._expire_write()
        elif self._exchange is not None:
            self.deadline = inf
            if self._body is not None:
                self._body.fail(RequestTimeout("the request body did not arrive in time"))
        elif self._input:
            self._refuse(RequestTimeout("the request head did not arrive in time"))
        else:
            self._close()

    def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            self.paused = True  # a handler that writes without end has to stop at `drain`, and be cancelled there
        else:
            self._transport.write(data)

    def persists(self) -> bool:
        if self._edge.connections.draining:
            return False
        if self._body is None:
            return True
        remaining = self._body.remaining()
        return remaining is not None and remaining <= self._edge.settings.remainder

    async def drain(self) -> None:
        if self._transport.is_closing():
            await asyncio.sleep(0)
        else:
            await self._resumed.wait()

    def cut(self, *, reset: bool) -> None:
        self._closing = True
        if reset and not self._transport.is_closing():
            raw: socket.socket | None = self._transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def abandon(self) -> None:
        """Cut the connection and cancel the handler: the client has left, or must."""
        self.stop()
        self.cut(reset=False)

    def stop(self) -> None:
        """Cancel the handler, which may still end its response; the connection is closed after it."""
        task = self._task
        if task is not None and self._exchange is not None and not self._exchange.complete:
            task.cancel()

    def close_if_idle(self) -> None:
        """Close the connection unless a request, or the beginning of one, is in hand."""
        if self._exchange is None and self._body is None and not self._input and not self._closing:
            self._close()

    def _serve(self) -> None:
        """Start the next request if it is its turn and its head has come."""
        busy = self._exchange is not None or self._body is not None
        if busy or self.paused or self._closing or not self._input:
            return
        head_end = self._find_head()
        if head_end:
            self._start(head_end)

    def _find_head(self) -> int:
        """Return where the head that begins the input ends, 0 if it has not ended."""
        while self._input.startswith(b"\r\n"):  # RFC 9112 §2.2: an empty line before a request is ignored
            self._input = self._input[2:]
            self._searched = 0
        end = self._input.find(b"\r\n\r\n", self._searched)
        if end >= 0:
            return end + 4
        if not self._input:
            return 0
        if not self._searched:
            self._wait(self._edge.settings.head_timeout)
            self._input = bytearray(self._input)
        try:
            check_partial_head(self._input, self._searched, self._edge.settings.head)
        except DragomanError as error:
            self._refuse(error)
            return 0
        self._searched = max(1, len(self._input) - 3)
        return 0

    def _start(self, head_end: int) -> None:
        """Read the head, give the request what has come of its body, and start its handler."""
        edge = self._edge
        data = bytes(self._input)
        self._searched = 0
        try:
            head = read_head(data[:head_end], edge.settings.head)
        except DragomanError as error:
            self._refuse(error)
            return
        length = head.content_length
        if length is not None and length <= len(data) - head_end and length <= edge.settings.body:
            body_end = head_end + length
            self._input = data[body_end:]
            self.deadline = inf
            exchange = self._exchange = Exchange(self, head, self._peer, data[head_end:body_end])
        else:
            body = self._body = Body(length, edge.settings.body)
            self._wait(edge.settings.body_timeout + min(length or 0, edge.settings.body) / _MIB)
            exchange = self._exchange = Exchange(self, head, self._peer, body)
            self._input = self._feed(body, data[head_end:])
        task = edge.spawn(self._run(exchange))
        if self._exchange is exchange:
            self._task = task

    def _feed(self, body: Body, data: bytes) -> bytes:
        """Give the body what has come; returns what belongs to the next request."""
        surplus = body.feed(data)
        if body.done:
            self._body = None
            if not self.paused:
                self.deadline = inf
            if self._exchange is None:
                self._rest()
        elif body.remaining() is None and not self.paused:
            self.deadline += len(data) / _MIB
        return surplus

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._edge.handler(exchange)
        finally:
            self._exchange = self._task = None
            if not exchange.complete:
                exchange.abort()
            elif not exchange.keep_alive:
                self._close()
            elif self._body is None:
                self._rest()

    def _rest(self) -> None:
        """Go on with the next request, or wait for it."""
        if self._closing:
            return
        if self._edge.connections.draining:
            self._close()
            return
        if not self.paused:
            self._wait(self._edge.settings.keep_alive)
        if not self._transport.is_reading():
            self._transport.resume_reading()
        if self._input:
            # Not at once: a client that pipelines thousands of small requests takes turns with the others.
            asyncio.get_running_loop().call_soon(self._serve)

    def _refuse(self, error: DragomanError) -> None:
        """Answer what no handler was started for, and close: the next request cannot be found."""
        request_id = self.ids.draw()
        body = self._edge.write_error(error, request_id)
        lines = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\nx-request-id: %b\r\n"
        head = write_head(error.status, lines % (len(body), request_id.encode()), self.dates.line())
        self.write(head + body)
        self._close()

    def _close(self) -> None:
        """Close in a way that lets the client read the last response: no more output, then input is dropped a while.

        Closing a socket with unread input resets the connection, and the reset takes the response with it.
        """
        if self._closing:
            return
        self._closing = True
        self._input = b""
        self._body = None
        self._unsent = self._transport.get_write_buffer_size() + 1
        self._wait(self._edge.settings.write_timeout if self.paused else self._edge.settings.linger)
        if not self._transport.is_reading():
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _expire_write(self) -> None:
        """Cut a connection whose client takes nothing more; one that takes a little is given the time again."""
        unsent = self._transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            self._unsent = unsent
            self._wait(self._edge.settings.write_timeout)
        else:
            self.deadline = inf
            self.abandon()

    def _wait(self, seconds: float) -> None:
        self.deadline = self._edge.deadlines.now() + seconds


_MIB = 1024 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
