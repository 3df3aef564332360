"""The process: it serves until it is told to stop, and ends in good order."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import pytest

from dragoman.net.deadlines import Deadlines
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Settings
from dragoman.server.run import Service, serve

SOON = 30.0
LONG = 300.0
"""Seconds that nobody waits."""
GET = b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def collector() -> Generator[None]:
    """Give the garbage collector back as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Server:
    """What is served: a handler that waits, and a word for everything that happens."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.port = 0
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.up = asyncio.Event()
        self.drained = asyncio.Event()
        self.background: list[Callable[[], Awaitable[None]]] = [self._job]

    def build(self, deadlines: Deadlines) -> Service:
        return Service(
            self._answer,
            lambda error, request_id: b"",
            Settings(),
            self.background,
            self._drained,
            lambda: self.said.append("closed"),
        )

    def ready(self, host: str, port: int) -> None:
        assert host == "127.0.0.1"
        self.port = port
        self.up.set()

    async def ask(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(GET)
        await asyncio.wait_for(self.asked.wait(), SOON)
        return reader, writer

    def _drained(self) -> None:
        self.said.append("draining")
        self.drained.set()

    async def _answer(self, exchange: Exchange) -> None:
        self.asked.set()
        exchange.begin(200, b"")
        exchange.send(b"begun ")
        try:
            await self.go.wait()
            exchange.end(b"done")
        except asyncio.CancelledError:
            exchange.end(b"stopped")
            raise

    async def _job(self) -> None:
        self.said.append("job")
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.said.append("job ended")
            raise


@contextlib.asynccontextmanager
async def running(server: Server, drain: float = LONG) -> AsyncGenerator["asyncio.Task[None]"]:
    """Serve in a task; it must have ended when the block does."""
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        task = group.create_task(serve(server.build, "127.0.0.1", 0, drain=drain, ready=server.ready))
        await server.up.wait()
        yield task


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


async def test_sigint_ends_a_server_that_has_nothing_to_do() -> None:
    server = Server()
    async with running(server) as task:
        tell(signal.SIGINT)
        await asyncio.wait_for(task, SOON)
    assert server.said == ["job", "draining", "closed", "job ended"]


async def test_after_sigint_no_connection_is_taken() -> None:
    server = Server()
    async with running(server):
        _, writer = await server.ask()
        tell(signal.SIGINT)
        await server.drained.wait()
        with pytest.raises(ConnectionRefusedError):
            await server.ask()
        server.go.set()
        writer.close()


async def test_a_call_under_way_is_waited_for() -> None:
    server = Server()
    async with running(server):
        reader, writer = await server.ask()
        tell(signal.SIGINT)
        await server.drained.wait()
        server.go.set()
        assert (await reader.read()).endswith(b"6\r\nbegun \r\n4\r\ndone\r\n0\r\n\r\n")
        writer.close()


async def test_a_call_that_takes_too_long_may_say_so() -> None:
    server = Server()
    async with running(server, drain=0.1):
        reader, writer = await server.ask()
        tell(signal.SIGINT)
        assert (await reader.read()).endswith(b"7\r\nstopped\r\n0\r\n\r\n")
        writer.close()


async def test_a_second_signal_ends_the_wait() -> None:
    server = Server()
    async with running(server) as task:
        reader, writer = await server.ask()
        tell(signal.SIGTERM)
        await server.drained.wait()
        tell(signal.SIGINT)
        assert (await reader.read()).endswith(b"stopped\r\n0\r\n\r\n")
        await asyncio.wait_for(task, SOON)
        writer.close()


async def test_after_sigterm_new_connections_are_still_taken() -> None:
    """For two seconds: on a machine that stalls as long it is tried again."""
    for last in (False, False, True):
        try:
            await see_late_connection()
            break
        except* (ConnectionError, asyncio.IncompleteReadError):
            if last:
                raise


async def see_late_connection() -> None:
    server = Server()
    server.go.set()
    async with running(server):
        tell(signal.SIGTERM)
        await server.drained.wait()
        reader, writer = await server.ask()
        await reader.readuntil(b"done")
        tell(signal.SIGTERM)
        writer.close()


async def test_an_address_that_is_taken_is_an_os_error() -> None:
    server = Server()
    async with running(server):
        with pytest.raises(OSError, match="address"):
            await serve(server.build, "127.0.0.1", server.port, drain=1, ready=server.ready)
        tell(signal.SIGINT)
    assert server.said.count("job") == 1


async def test_a_job_that_ends_by_itself_ends_nothing_else() -> None:
    async def nothing() -> None:
        """Be done at once."""

    server = Server()
    server.background = [nothing]
    async with running(server) as task:
        _, writer = await server.ask()
        assert not task.done()
        tell(signal.SIGINT)
        server.go.set()
        writer.close()


async def test_what_lives_for_ever_is_frozen() -> None:
    server = Server()
    async with running(server):
        assert gc.get_freeze_count() > 1000
        tell(signal.SIGINT)
