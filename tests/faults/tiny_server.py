"""A server of nothing but the edge, in a thread of its own, so that a test can be a blocking client."""

import asyncio
import queue
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager

from dragoman.core.errors import DragomanError
from dragoman.net.deadlines import Deadlines
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Edge, Http1, Settings
from tests.faults.hostile import SOON

LAST_GET = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Server:
    """A tiny server in a thread of its own, and what its handlers saw."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        """The path of every request, and how its handler ended."""
        self.breaches: list[str] = []
        """What the loop had to report: exceptions that nobody took."""
        self.address = ("127.0.0.1", 0)
        self._settings = settings
        self._loop = loop
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Server":
        self._thread.start()
        assert self._ready.wait(SOON)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(SOON)
        assert not self._thread.is_alive()

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.address, timeout=SOON)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def talk(self, *pieces: bytes, half_close: bool = False) -> bytes:
        """Send `pieces`, and return what comes until the server closes."""
        with self.connect() as client:
            for piece in pieces:
                client.sendall(piece)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            return read_to_end(client)

    def how_it_ended(self) -> str:
        return self.ended.get(timeout=SOON)

    def is_well(self) -> bool:
        return self.talk(LAST_GET).startswith(b"HTTP/1.1 200 OK\r\n")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.breaches.append(str(context)))
        edge = Edge(self._handle, spawn_on(loop), write_error, Deadlines(loop, tick=0.02), self._settings)
        server = await loop.create_server(lambda: Http1(edge), "127.0.0.1", 0)
        self.address = server.sockets[0].getsockname()
        self._ready.set()
        await self._stop.wait()
        server.close()
        edge.connections.abort_all()
        for _ in range(10):  # the turns of the loop in which connections and handlers end
            await asyncio.sleep(0)

    async def _handle(self, exchange: Exchange) -> None:
        end = "broken"
        try:
            await HANDLERS.get(exchange.head.path, echo)(exchange)
            end = "done"
        except asyncio.CancelledError:
            end = "cancelled"
            raise
        finally:
            self.ended.put(f"{exchange.head.path} {end}")


@contextmanager
def serve(loop: asyncio.AbstractEventLoop, settings: Settings | None = None) -> Generator[Server]:
    running = Server(settings or Settings(), loop)
    with running:
        yield running
    assert running.breaches == []


def spawn_on(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[None, None, None]], asyncio.Task[None]]:
    def spawn(run: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if sys.version_info >= (3, 12):
            return asyncio.Task(run, loop=loop, eager_start=True)
        return asyncio.Task(run, loop=loop)

    return spawn


def write_error(error: DragomanError, request_id: str) -> bytes:
    return b'{"error":{"message":"' + error.message.encode() + b'"}}'


async def echo(exchange: Exchange) -> None:
    try:
        body = await exchange.body()
    except DragomanError as error:
        exchange.respond(error.status, b"", b"")
    else:
        exchange.respond(200, b"", exchange.head.method.encode() + b" " + body)


async def refuse(exchange: Exchange) -> None:
    exchange.respond(401, b"", b"no")


async def wait(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def stream(exchange: Exchange) -> None:
    exchange.begin(200, b"")
    for number in range(3):
        exchange.send(b"piece %d\n" % number)
        await exchange.drain()
    exchange.end()


async def drip(exchange: Exchange) -> None:
    exchange.begin(200, b"")
    exchange.send(b"one")
    await asyncio.Event().wait()


async def flood(exchange: Exchange) -> None:
    exchange.begin(200, b"")
    while True:
        exchange.send(b"x" * 50_000)
        await exchange.drain()


async def give_up(exchange: Exchange) -> None:
    exchange.begin(200, b"")
    exchange.send(b"half")
    exchange.abort()


HANDLERS = {"/refuse": refuse, "/wait": wait, "/stream": stream, "/drip": drip, "/flood": flood, "/give_up": give_up}


def read_to_end(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65536):
        received += data
    return received
