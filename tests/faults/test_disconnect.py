"""The client leaves, in every phase of its call and in every way: its call ends although it has a minute left."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Literal

import pytest

from tests.faults.gateway import Gateway, gateway, lab
from tests.faults.hostile import (
    JSON,
    PLAIN_OK,
    ROLE,
    SOON,
    WHOLE,
    Hostile,
    Script,
    chunk,
    fault,
    head,
    hostile,
    text,
    until,
)

Way = Literal["fin", "half", "reset"]
WAYS: list[Way] = ["fin", "half", "reset"]
BEGIN = head() + chunk(ROLE) + chunk(text("Hello"))

# What the upstream does when the client leaves, and whether the client has asked for a stream.
PHASES: Mapping[str, tuple[Script, bool]] = {
    "plain_before_the_head": (Script((), "wait"), False),
    "plain_in_the_head": (Script((b"HTTP/1.1 200 OK\r\n",), "wait"), False),
    "plain_in_the_body": (Script((head(JSON) + chunk(WHOLE[:50]),), "wait"), False),
    "plain_in_an_error": (Script((head(JSON, b"500 Oops") + chunk(b"{"),), "wait"), False),
    "stream_before_the_head": (Script((), "wait"), True),
    "stream_before_an_event": (Script((head(),), "wait"), True),
    "stream_before_a_token": (Script((head(), chunk(ROLE)), "wait"), True),
    "stream_of_pings": (Script((head(), chunk(b": ping\n\n")), "drip"), True),
}


async def see_the_end(running: Gateway, upstream: Hostile) -> None:
    """See that the upstream is left, long before any time runs out, and that nothing remains of the call."""
    await asyncio.wait_for(upstream.left.acquire(), SOON)
    await until(lambda: not running.edge.connections.busy)
    assert await running.in_flight() == 0
    await until(lambda: not upstream.open)
    assert len(upstream.requests) == 1
    assert not running.lines, "that a client leaves is nobody's fault"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("phase", PHASES)
async def test_a_client_that_leaves_takes_its_call_along(phase: str, way: Way) -> None:
    script, wants_stream = PHASES[phase]
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        await client.send(stream=wants_stream)
        await asyncio.wait_for(upstream.told.acquire(), SOON)
        client.leave(way)
        await see_the_end(running, upstream)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", [Script((BEGIN,), "wait"), Script((BEGIN, chunk(text("x"))), "drip")])
async def test_a_client_that_leaves_its_stream_ends_it(script: Script, way: Way) -> None:
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        await client.send(stream=True)
        async with asyncio.timeout(SOON):
            await client.read_head()
            assert b"Hello" in await client.read_chunk()
        client.leave(way)
        await see_the_end(running, upstream)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
async def test_a_client_that_leaves_between_two_attempts_stops_them(wants_stream: bool, way: Way) -> None:
    async with (
        hostile(fault(b"503 Busy", b"retry-after: 10\r\n")) as upstream,
        gateway(lab(upstream)) as running,
    ):
        client = await running.connect()
        await client.send(stream=wants_stream)
        await until(lambda: len(running.lines) == 1)  # the first attempt has failed, and is waited for
        client.leave(way)
        await until(lambda: not running.edge.connections.busy)
        assert await running.in_flight() == 0
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_leaves_while_we_connect_stops_it(way: Way) -> None:
    upstream = Hostile()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        upstream.port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", upstream.port)):  # the queue is full now
            async with gateway(lab(upstream)) as running:
                client = await running.connect()
                await client.send()
                await until(lambda: running.edge.connections.busy == 1)
                client.leave(way)
                await until(lambda: running.edge.connections.busy == 0)
                assert await running.in_flight() == 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_leaves_in_its_own_request_asks_nobody(way: Way) -> None:
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        client.writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b'content-length: 100\r\n\r\n{"model":'
        )
        await until(lambda: running.edge.connections.busy == 1)
        assert await running.in_flight() == 1
        client.leave(way)
        await until(lambda: running.edge.connections.busy == 0)
        assert await running.in_flight() == 0
        assert not upstream.requests


async def test_of_many_clients_only_those_that_leave_are_ended() -> None:
    async with hostile(Script((BEGIN,), "keep", chunk(text("!")))) as upstream, gateway(lab(upstream)) as running:
        clients = [await running.connect() for _ in range(20)]
        for client in clients:
            await client.send(stream=True)
            await client.read_head()
            await client.read_chunk()
        for client in clients[::2]:
            client.leave()
        await until(lambda: running.edge.connections.busy == 10)
        upstream.go.set()
        for client in clients[1::2]:
            assert b'"!"' in await asyncio.wait_for(client.read_chunk(), SOON)
            client.leave()


async def test_a_client_that_leaves_the_second_target_ends_it() -> None:
    more = '\n[models]\nfast = ["lab/a", "lab2/b"]\n'
    async with (
        hostile(fault(b"401 No")) as first,
        hostile(Script((), "wait")) as second,
        gateway(lab(first, second, more=more)) as running,
    ):
        client = await running.connect()
        await client.send("fast", stream=True)
        await asyncio.wait_for(second.asked.acquire(), SOON)
        client.leave()
        await asyncio.wait_for(second.left.acquire(), SOON)
        assert await running.in_flight() == 0
