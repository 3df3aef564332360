"""Upstreams of raw bytes on the loopback interface, a cable that ends in a list, and a clock that can be moved."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from ssl import SSLContext

import pytest

from dragoman.core.errors import DragomanError
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience, Reply

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be moved ahead."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    async def pass_by(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due by then."""
        self.ahead += seconds
        await settle()


async def settle() -> None:
    """Let the loop turn until what is ready, on this side and on the loopback interface, has been dealt with."""
    for _ in range(50):
        await asyncio.sleep(0)


class Upstream:
    """A server on the loopback interface that remembers what it saw."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.ended = asyncio.Semaphore(0)
        """Released each time a connection has ended."""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            self.ended.release()
            self._tasks.discard(task)

    async def saw_the_end(self) -> None:
        """Wait until a connection has ended."""
        await asyncio.wait_for(self.ended.acquire(), 30)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await settle()


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: SSLContext | None = None) -> AsyncGenerator[Upstream, None]:
    """Serve every connection with `handler` for the time of the block."""
    upstream = Upstream(handler)
    server = await asyncio.start_server(upstream.accept, "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        await upstream.stop()


def saying(*answers: bytes) -> Handler:
    """Answer the requests of each connection with `answers` in turn, then wait for its end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
        await reader.read()

    return handle


def recording(seen: list[bytes]) -> Handler:
    """Answer every request, and write down what came."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(OK)

    return handle


def saying_then_closing(answer: bytes) -> Handler:
    """Answer one request, then close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    return handle


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    return head + await reader.readexactly(int(length.removeprefix(b"content-length: ")))


def pool_of(
    upstream: Upstream,
    *,
    limits: Limits | None = None,
    tls: SSLContext | None = None,
    base: str = "",
) -> HttpPool:
    """Return a pool for `upstream`, watched ten times as often as usual."""
    scheme = "https" if tls else "http"
    host = "localhost" if tls else "127.0.0.1"
    deadlines = Deadlines(asyncio.get_running_loop(), tick=0.02)
    return HttpPool(parse_origin(f"{scheme}://{host}:{upstream.port}{base}"), deadlines, limits=limits, tls=tls)


async def post(pool: HttpPool, patience: Patience | None = None, body: bytes = b"{}") -> Reply:
    """Send a small request."""
    return await pool.request(b"POST", b"/chat", b"", body, patience or Patience())


async def fetch(pool: HttpPool) -> bytes:
    """Send a small request and return the body of the response."""
    reply = await post(pool)
    try:
        return await reply.read_all(1 << 20)
    finally:
        reply.close()


async def failure(attempt: Awaitable[object]) -> DragomanError:
    """Return what `attempt` raises, and see that it says nothing about where the upstream is."""
    with pytest.raises(DragomanError) as caught:
        await attempt
    assert "127.0.0.1" not in caught.value.message
    assert "localhost" not in caught.value.message
    return caught.value


class Cable(asyncio.Transport):
    """A transport that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.unsent = 0
        self.aborted = False
        self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written.extend(bytes(data) for data in list_of_data)

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return self.unsent
