"""A connection with a hand on both its ends: a transport that only records, and handlers that answer little."""

import asyncio
import re
import socket
import sys
from collections.abc import Coroutine
from math import inf

from dragoman.core.errors import DragomanError
from dragoman.net.deadlines import Deadlines
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Edge, Handler, Http1, Settings

GET = b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Recorder(asyncio.Transport):
    """A transport whose other end takes as much as the test lets it."""

    def __init__(self, *, half_closes: bool = True, raw: socket.socket | None = None) -> None:
        super().__init__({"peername": ("192.0.2.1", 4711), "socket": raw})
        self.sent = b""
        self.unsent = 0
        self.reading = True
        self.ended: str = ""
        self._half_closes = half_closes

    @property
    def open(self) -> bool:
        return not self.ended

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return self._half_closes

    def write_eof(self) -> None:
        self.ended = "eof"

    def close(self) -> None:
        self.ended = "close"

    def abort(self) -> None:
        self.ended = "abort"

    def is_closing(self) -> bool:
        return self.ended in ("close", "abort")

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Line:
    """A connection, and a hand on both its ends."""

    def __init__(
        self,
        handler: Handler,
        settings: Settings | None = None,
        transport: Recorder | None = None,
        *,
        eager: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.tasks: list[asyncio.Task[None]] = []
        self.transport = transport or Recorder()
        self.edge = Edge(handler, self._spawn, write_error, Deadlines(loop), settings or Settings())
        self.http = Http1(self.edge)
        self.http.connection_made(self.transport)
        self._loop = loop
        self._eager = eager

    async def feed(self, *pieces: bytes) -> bytes:
        """Let `pieces` arrive one by one; returns what was sent in answer, without dates."""
        before = len(self.transport.sent)
        for piece in pieces:
            self.http.data_received(piece)
            await turns()
        return re.sub(rb"date: [^\r]+ GMT\r\n", b"", self.transport.sent[before:])

    @property
    def seconds(self) -> float:
        """How long the connection may go on as it is, to the second."""
        return inf if self.http.deadline == inf else round(self.http.deadline - self._loop.time())

    async def lose(self) -> None:
        self.http.connection_lost(None)
        await turns()

    def _spawn(self, run: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._new_task(run)
        self.tasks.append(task)
        return task

    def _new_task(self, run: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._eager and sys.version_info >= (3, 12):
            return asyncio.Task(run, loop=self._loop, eager_start=True)
        return asyncio.Task(run, loop=self._loop)


async def turns() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def write_error(error: DragomanError, request_id: str) -> bytes:
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    return error.message.encode()


async def echo(exchange: Exchange) -> None:
    try:
        body = await exchange.body()
    except DragomanError as error:
        exchange.respond(error.status, b"", b"")
    else:
        exchange.respond(200, b"", exchange.head.path.encode() + b" " + body)


async def deaf(exchange: Exchange) -> None:
    """Answer without a look at the body."""
    exchange.respond(401, b"", b"")


async def stuck(exchange: Exchange) -> None:
    await asyncio.Event().wait()


def gate(opened: asyncio.Event) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await opened.wait()
        exchange.respond(200, b"", exchange.head.path.encode())

    return handler


def ok(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n%b" % (len(body), more, body)
