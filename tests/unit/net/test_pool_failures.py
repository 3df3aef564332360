"""What each failure of a pool is called, what it leaves behind, and whom TLS trusts."""

import asyncio
import socket
import ssl

import pytest
import trustme

from dragoman.core.errors import UpstreamTimeout, UpstreamUnavailable
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience
from tests.unit.net.loopback import (
    OK,
    Clock,
    failure,
    fetch,
    pool_of,
    post,
    read_request,
    recording,
    saying,
    serving,
    settle,
)

AUTHORITY = trustme.CA()


def server_tls(name: str = "localhost", authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


# What each failure is called


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_an_upstream_that_is_not_there_is_unavailable(host: str) -> None:
    origin = parse_origin(f"http://{host}:{closed_port()}")
    pool = HttpPool(origin, Deadlines(asyncio.get_running_loop()), limits=Limits(connections=1))
    for _ in range(2):
        error = await failure(post(pool))
        assert isinstance(error, UpstreamUnavailable)
        assert error.fault == "connect"
        assert error.detail


async def test_an_upstream_that_does_not_finish_the_handshake_is_a_connect_timeout() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as upstream:
        pool = HttpPool(
            parse_origin(f"https://127.0.0.1:{upstream.port}"),  # a name may take longer than it is given
            Deadlines(asyncio.get_running_loop()),
            limits=Limits(connections=1),
        )
        for _ in range(2):
            error = await failure(post(pool, Patience(connect=0.05)))
            assert isinstance(error, UpstreamTimeout)
            assert error.fault == "connect_timeout"
            await upstream.saw_the_end()


async def test_cancelling_while_connecting_closes_the_socket() -> None:
    connected = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()

    async with serving(handle) as upstream:
        pool = pool_of(upstream, tls=client_tls(), limits=Limits(connections=1))
        for _ in range(2):
            connected.clear()
            asking = asyncio.create_task(post(pool))
            await asyncio.wait_for(connected.wait(), 30)
            asking.cancel()
            await upstream.saw_the_end()
            with pytest.raises(asyncio.CancelledError):
                await asking


async def test_cancelling_at_any_step_of_connecting_leaks_nothing() -> None:
    async with serving(saying(OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        for steps in range(12):
            asking = asyncio.create_task(post(pool))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not asking.done():
                asking.cancel()
            await asyncio.wait([asking])
            if not asking.cancelled() and asking.exception() is None:
                asking.result().close()
            await settle()
        assert await fetch(pool) == b"hi"
        pool.close()
        for _ in range(upstream.connections):
            await upstream.saw_the_end()


async def test_cancelling_while_waiting_for_the_head_closes_the_socket() -> None:
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await reader.read()

    async with serving(handle) as upstream:
        asking = asyncio.create_task(post(pool_of(upstream)))
        await asyncio.wait_for(asked.wait(), 30)
        asking.cancel()
        await upstream.saw_the_end()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_no_head_in_time_is_a_first_byte_timeout() -> None:
    async with serving(saying(b"HTTP/1.1 100 Continue\r\n\r\n")) as upstream:
        error = await failure(post(pool_of(upstream), Patience(first=0.05)))
        assert isinstance(error, UpstreamTimeout)
        assert (error.fault, error.retry) == ("first_byte_timeout", "elsewhere")
        await upstream.saw_the_end()


async def test_no_end_in_time_is_a_timeout(clock: Clock) -> None:
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await reader.read()

    async with serving(handle) as upstream:
        asking = asyncio.create_task(failure(post(pool_of(upstream), Patience(first=600, total=600))))
        await asyncio.wait_for(asked.wait(), 30)
        clock.ahead += 600
        assert (await asking).fault == "timeout"
        await upstream.saw_the_end()


# TLS


async def test_a_request_goes_over_tls_to_an_upstream_that_can_prove_its_name() -> None:
    seen: list[bytes] = []
    async with serving(recording(seen), tls=server_tls()) as upstream:
        pool = pool_of(upstream, tls=client_tls())
        for body in (b"{}", bytes(300_000)):
            reply = await post(pool, body=body)
            assert await reply.read_all(2) == b"hi"
            reply.close()
        assert upstream.connections == 1
        assert seen[1].endswith(bytes(300_000))
        pool.close()
        await upstream.saw_the_end()


@pytest.mark.parametrize("name", ["other.example", "localhost"])
async def test_an_upstream_that_cannot_prove_its_name_is_unavailable(name: str) -> None:
    authority = AUTHORITY if name != "localhost" else trustme.CA()
    async with serving(saying(OK), tls=server_tls(name, authority)) as upstream:
        error = await failure(post(pool_of(upstream, tls=client_tls())))
        assert isinstance(error, UpstreamUnavailable)
        assert error.fault == "connect"


async def test_without_a_context_the_authorities_of_the_system_decide() -> None:
    async with serving(saying(OK), tls=server_tls()) as upstream:
        origin = parse_origin(f"https://localhost:{upstream.port}")
        pool = HttpPool(origin, Deadlines(asyncio.get_running_loop()))
        for _ in range(2):
            assert (await failure(post(pool))).fault == "connect"


async def test_an_upstream_that_speaks_no_tls_is_unavailable() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(handle) as upstream:
        error = await failure(post(pool_of(upstream, tls=client_tls())))
        assert isinstance(error, UpstreamUnavailable)
        assert error.fault == "connect"
