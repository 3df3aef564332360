"""The process is told to stop: what it still does, what it says, and how it ends."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults.gateway import SHORT, Client
from tests.faults.hostile import (
    DONE,
    END,
    FINISH,
    PLAIN_OK,
    ROLE,
    SOON,
    WHOLE,
    Script,
    chunk,
    head,
    hostile,
    response,
    text,
    until,
)
from tests.faults.process import Process, running

BEGIN = head() + chunk(ROLE) + chunk(text("Hello"))
REST = chunk(FINISH) + chunk(DONE) + END


async def rest_of(client: Client) -> bytes:
    """Return what is left of a stream, to its proper end."""
    body = b""
    async with asyncio.timeout(SOON):
        while piece := await client.read_chunk():
            body += piece
    return body


async def ends(client: Client) -> bool:
    """Tell whether the gateway closes a connection without another word."""
    async with asyncio.timeout(SOON):
        return await client.reader.read() == b""


async def test_sigterm_lets_everything_under_way_end(tmp_path: Path) -> None:
    """New connections are taken for two seconds more: on a machine that stalls as long it is tried again."""
    for last in (False, False, True):
        try:
            await see_sigterm(tmp_path)
            break
        except (ConnectionError, asyncio.IncompleteReadError):
            if last:
                raise


async def see_sigterm(folder: Path) -> None:
    async with hostile(Script((BEGIN,), "keep", REST)) as upstream, running(upstream, folder) as server:
        idle, first = await server.connect(), await server.streams()
        assert (await idle.get("/health/ready")).status == 200
        server.signal(signal.SIGTERM)
        await eventually(is_draining, server)
        second = await server.streams()  # whoever has not noticed yet is served
        assert await ends(idle)
        with pytest.raises(ConnectionRefusedError):
            await server.connect()
        upstream.go.set()
        for client in (first, second):
            assert (await rest_of(client)).endswith(b"data: [DONE]\n\n")
            assert await ends(client)
        assert await server.end() == 0


async def test_what_takes_longer_than_the_drain_is_told_why_it_ends(tmp_path: Path) -> None:
    async with hostile(Script((BEGIN,), "wait")) as upstream, running(upstream, tmp_path, SHORT) as server:
        streaming, waiting = await server.streams(), await server.connect()
        upstream.play(Script((), "wait"))
        await waiting.send()
        await until(lambda: len(upstream.requests) == 1)
        server.signal(signal.SIGINT)
        last = await rest_of(streaming)
        assert b'"type":"overloaded_error"' in last
        assert b'"code":"server_shutdown"' in last
        assert b"[DONE]" not in last
        answer = await waiting.read()
        assert (answer.status, answer.error.code, answer.headers["connection"]) == (503, "server_shutdown", "close")
        assert "x-should-retry" not in answer.headers
        assert await server.end() == 0
        await asyncio.wait_for(upstream.left.acquire(), SOON)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once(tmp_path: Path, first: signal.Signals) -> None:
    async with hostile(Script((BEGIN,), "wait")) as upstream, running(upstream, tmp_path) as server:
        client = await server.streams()
        server.signal(first)
        await eventually(is_draining if first == signal.SIGTERM else is_deaf, server)
        server.signal(signal.SIGTERM)
        assert b'"server_shutdown"' in await rest_of(client)
        assert await server.end() == 0


async def test_sigint_without_calls_ends_at_once(tmp_path: Path) -> None:
    async with hostile(PLAIN_OK) as upstream, running(upstream, tmp_path) as server:
        client = await server.connect()
        assert (await client.ask()).status == 200
        server.signal(signal.SIGINT)
        assert await ends(client)
        assert await server.end() == 0


async def test_an_answer_that_is_still_being_read_is_not_cut(tmp_path: Path) -> None:
    large = WHOLE.replace(b"Hello", b"x" * (40 << 20))
    async with hostile(Script((response(large),))) as upstream, running(upstream, tmp_path) as server:
        client = await server.connect()
        await client.send()
        async with asyncio.timeout(SOON):
            answer = await client.read_head()
            server.signal(signal.SIGINT)
            await eventually(is_deaf, server)
            body = await client.reader.readexactly(int(answer.headers["content-length"]))
        assert body == large
        assert await server.end() == 0


async def eventually(question: Callable[[Process], Awaitable[bool]], server: Process) -> None:
    """Ask again and again until the answer is yes."""
    for _ in range(round(SOON / 0.01)):
        if await question(server):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(question.__name__)


async def is_draining(server: Process) -> bool:
    """Tell whether the gateway has noticed that it is to stop."""
    return (await (await server.connect()).get("/health/ready")).status == 503


async def is_deaf(server: Process) -> bool:
    """Tell whether nobody listens any more."""
    try:
        await server.connect()
    except ConnectionRefusedError:
        return True
    return False
