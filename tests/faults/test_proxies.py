"""The gateway behind real proxies: who they are told we are, what they must not see, and what their failures become."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from tests.faults.gateway import Gateway, Response, gateway, see_no_leak
from tests.faults.hostile import DONE, PLAIN_OK, ROLE, SSE, STREAM_OK, Script, chunk, head, text
from tests.faults.proxies import (
    OUTSIDE,
    PASSWORD,
    SCHEMES,
    USER,
    Scheme,
    Upstream,
    behind,
    free_port,
    proxy,
    proxy_url,
    upstream,
)

BEGUN = (head(SSE) + chunk(ROLE), chunk(text("Hello")))
SOON = 20.0
"""Seconds for what takes milliseconds."""


async def see_well(running: Gateway, asked: Upstream) -> None:
    """See that a plain call and a stream succeed, and that the upstream was reached through the proxy only."""
    for stream, script in ((False, PLAIN_OK), (True, STREAM_OK)):
        asked.play(script)
        response = await running.ask(stream=stream)
        assert response.status == 200
        assert b"Hello" in response.body
        assert (DONE in response.body) is stream
    assert set(asked.callers) == {OUTSIDE}


def see_unavailable(response: Response, running: Gateway, *hidden: str) -> None:
    """See that the client is told what happened and nothing else, and that nobody is told a secret."""
    assert response.status == 502
    assert (response.error.type, response.error.code) == ("upstream_error", "upstream_unavailable")
    see_no_leak(response)
    told = "".join(running.lines) + f"{response.headers} {response.body!r}"
    assert "proxy" not in response.error.message
    assert not [word for word in hidden if word in told]


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_calls_go_through_a_proxy(scheme: Scheme, closed: bool, tmp_path: Path) -> None:
    async with upstream(PLAIN_OK) as asked, proxy(scheme, tmp_path, closed=closed) as between:
        url = between.url(USER, PASSWORD) if closed else between.url()
        async with gateway(behind(asked, url)) as running:
            await see_well(running, asked)
            headers = asked.requests[-1].headers
            assert asked.connections == 1, "one tunnel serves call after call"
            assert not [name for name, _ in headers if "proxy" in name or name == "via"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("user", ["", USER, "somebody"])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_proxy_that_does_not_know_us_is_an_upstream_that_cannot_be_reached(
    scheme: Scheme, user: str, stream: bool, tmp_path: Path
) -> None:
    async with upstream(PLAIN_OK) as asked, proxy(scheme, tmp_path, closed=True) as between:
        url = between.url(user, "wrong-but-secret") if user else between.url()
        async with gateway(behind(asked, url)) as running:
            see_unavailable(await running.ask(stream=stream), running, "wrong-but-secret")
            assert [line["fault"] for line in running.log] == ["connect"]
            assert asked.connections == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_dead_proxy_is_an_upstream_that_cannot_be_reached(scheme: Scheme, stream: bool) -> None:
    url = proxy_url(scheme, free_port(), USER, PASSWORD)
    async with upstream(PLAIN_OK) as asked, gateway(behind(asked, url)) as running:
        see_unavailable(await running.ask(stream=stream), running, PASSWORD)
        assert asked.connections == 0


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_upstream_that_the_proxy_cannot_reach_cannot_be_reached(scheme: Scheme, tmp_path: Path) -> None:
    nowhere = Upstream()
    nowhere.port = free_port()
    async with proxy(scheme, tmp_path) as between, gateway(behind(nowhere, between.url())) as running:
        see_unavailable(await running.ask(), running)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_tls_behind_a_proxy_is_between_the_upstream_and_us(scheme: Scheme, tmp_path: Path) -> None:
    authority, ca = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    async with upstream(PLAIN_OK, tls=tls) as asked, proxy(scheme, tmp_path, closed=True) as between:
        url = between.url(USER, PASSWORD)
        async with gateway(behind(asked, url, ca=ca, secure=True)) as running:
            await see_well(running, asked)
        async with gateway(behind(asked, url, secure=True)) as running:
            see_unavailable(await running.ask(), running, PASSWORD)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_client_that_leaves_ends_the_call_behind_the_proxy(scheme: Scheme, tmp_path: Path) -> None:
    async with (
        upstream(Script(BEGUN, "wait")) as asked,
        proxy(scheme, tmp_path) as between,
        gateway(behind(asked, between.url())) as running,
        asyncio.timeout(SOON),
    ):
        client = await running.connect()
        await client.send(stream=True)
        await client.read_head()
        await client.read_chunk()
        client.leave()
        await asked.left.acquire()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_proxy_that_dies_under_a_stream_breaks_it(scheme: Scheme, tmp_path: Path) -> None:
    async with (
        upstream(Script(BEGUN, "wait")) as asked,
        proxy(scheme, tmp_path) as between,
        gateway(behind(asked, between.url())) as running,
    ):
        client = await running.connect()
        await client.send(stream=True)
        response = await client.read_head()
        while b"Hello" not in response.body:
            response.body += await client.read_chunk()
        between.process.kill()
        while piece := await client.read_chunk():
            response.body += piece
        assert (response.broken.type, response.broken.code) == ("upstream_error", "upstream_incomplete")
