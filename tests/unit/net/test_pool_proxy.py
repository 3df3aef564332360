"""A pool whose connections go through a proxy: what travels in the tunnel, what each failure is, what is left of it."""

import asyncio
import ssl
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager

import pytest
import trustme

from dragoman.core.errors import UpstreamTimeout, UpstreamUnavailable
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import Origin, parse_origin
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.proxy import Proxy, Scheme
from dragoman.net.reply import Patience
from tests.unit.net.loopback import (
    OK,
    Clock,
    Handler,
    Upstream,
    failure,
    fetch,
    pool_of,
    post,
    recording,
    saying,
    serving,
    settle,
)
from tests.unit.net.tunnels import connecting, socks

AUTHORITY = trustme.CA()
SCHEMES: list[Scheme] = ["http", "socks5", "socks5h"]


def server_tls(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


def client_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def behind(scheme: Scheme, upstream: Upstream) -> AbstractAsyncContextManager[Upstream]:
    """Run a proxy of that kind which leads to `upstream` whatever it is asked for."""
    return serving(connecting([], upstream.port) if scheme == "http" else socks([], upstream.port))


def pool_behind(server: Upstream, scheme: Scheme, url: str, tls: ssl.SSLContext | None = None) -> HttpPool:
    """Return a pool of one connection for the upstream at `url`, behind a proxy."""
    proxy = Proxy(scheme, "127.0.0.1", server.port)
    deadlines = Deadlines(asyncio.get_running_loop(), tick=0.02)
    return HttpPool(parse_origin(url), deadlines, limits=Limits(connections=1), tls=tls, proxy=proxy)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_requests_go_through_one_tunnel(scheme: Scheme) -> None:
    seen: list[bytes] = []
    async with serving(recording(seen)) as upstream, behind(scheme, upstream) as server:
        pool = pool_behind(server, scheme, "http://127.0.0.1:8000/v1")
        assert await fetch(pool) == b"hi"
        assert await fetch(pool) == b"hi"
        assert (server.connections, upstream.connections) == (1, 1)
        assert seen[1].startswith(b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:8000\r\n")
        assert b"proxy" not in seen[1]
        pool.close()
        await server.saw_the_end()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_tls_in_the_tunnel_is_the_upstreams_own(scheme: Scheme) -> None:
    async with serving(saying(OK), tls=server_tls("api.example")) as upstream, behind(scheme, upstream) as server:
        pool = pool_behind(server, scheme, "https://api.example", client_tls())
        assert await fetch(pool) == b"hi"
        pool.close()
        await server.saw_the_end()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_an_upstream_behind_a_proxy_must_prove_its_name_too(scheme: Scheme) -> None:
    async with serving(saying(OK), tls=server_tls("other.example")) as upstream, behind(scheme, upstream) as server:
        error = await failure(post(pool_behind(server, scheme, "https://api.example", client_tls())))
        assert isinstance(error, UpstreamUnavailable)
        assert error.fault == "connect"
        await server.saw_the_end()


async def test_a_proxy_that_refuses_leaves_its_place_in_the_pool() -> None:
    async with serving(socks([], 1, "me", "secret")) as server:
        pool = pool_behind(server, "socks5h", "http://api.example")
        for _ in range(2):
            error = await failure(post(pool))
            assert isinstance(error, UpstreamUnavailable)
            assert (error.fault, error.detail[:7]) == ("connect", "proxy: ")
            await server.saw_the_end()


def listening(heard: asyncio.Event) -> Handler:
    """Say nothing to whatever comes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        heard.set()
        await reader.read()

    return handle


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_proxy_that_says_nothing_is_a_connect_timeout(scheme: Scheme, clock: Clock) -> None:
    heard = asyncio.Event()
    async with serving(listening(heard)) as server:
        pool = pool_behind(server, scheme, "http://127.0.0.1:9")
        for _ in range(2):
            assert await time_out(post(pool, Patience(connect=300)), heard, clock) == "connect_timeout"
            await server.saw_the_end()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_tls_that_hangs_in_the_tunnel_is_a_connect_timeout(scheme: Scheme, clock: Clock) -> None:
    heard = asyncio.Event()
    async with serving(listening(heard)) as upstream, behind(scheme, upstream) as server:
        pool = pool_behind(server, scheme, "https://api.example", client_tls())
        for _ in range(2):
            assert await time_out(post(pool, Patience(connect=300)), heard, clock) == "connect_timeout"
            await server.saw_the_end()


async def time_out(asking: Awaitable[object], heard: asyncio.Event, clock: Clock) -> str:
    """Let five minutes pass once the other side has heard something, and return what that is called."""
    heard.clear()
    failing = asyncio.create_task(failure(asking))
    await asyncio.wait_for(heard.wait(), 30)
    clock.ahead += 300
    error = await failing
    assert isinstance(error, UpstreamTimeout)
    return error.fault


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_cancelling_at_any_step_leaks_neither_tunnel_nor_place(scheme: Scheme) -> None:
    async with serving(recording([]), tls=server_tls("api.example")) as upstream, behind(scheme, upstream) as server:
        pool = pool_behind(server, scheme, "https://api.example", client_tls())
        for steps in range(0, 60, 3):
            asking = asyncio.create_task(post(pool))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            if not asking.cancelled():
                asking.result().close()
            await settle()
        assert await fetch(pool) == b"hi"
        pool.close()
        for _ in range(server.connections):
            await server.saw_the_end()


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(saying()) as trap, serving(saying(OK)) as upstream:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{trap.port}")
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        assert trap.connections == 0
        pool.close()


async def test_a_name_that_was_looked_up_before_is_not_looked_up_again() -> None:
    seen: list[bytes] = []
    async with serving(recording(seen), tls=server_tls("no-such-host.invalid")) as upstream:
        origin = Origin("https", "no-such-host.invalid", upstream.port, address="127.0.0.1")
        pool = HttpPool(origin, Deadlines(asyncio.get_running_loop()), tls=client_tls())
        assert await fetch(pool) == b"hi"
        assert b"host: no-such-host.invalid:%d\r\n" % upstream.port in seen[0]
        pool.close()
