"""One connection, driven by hand: which requests it finds in the bytes, and what it answers to the rest."""

import asyncio
import re

import pytest

from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Settings
from tests.unit.server.line import CHUNKED, GET, POST, Line, Recorder, deaf, echo, gate, ok


async def test_requests_follow_each_other() -> None:
    line = Line(echo)
    assert await line.feed(GET) == ok(b"/get ")
    assert await line.feed(POST + b"hello") == ok(b"/post hello")
    assert await line.feed(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n") == ok(b"/chunked hi")
    assert line.transport.open
    assert line.seconds == 75


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_requests_survive_any_cut(size: int) -> None:
    stream = b"\r\n" + POST + b"hello\r\n\r\n" + CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + GET
    line = Line(echo)
    sent = await line.feed(*(stream[at : at + size] for at in range(0, len(stream), size)))
    assert sent == ok(b"/post hello") + ok(b"/chunked hi") + ok(b"/get ")


@pytest.mark.parametrize("eager", [False, True])
async def test_pipelined_requests_are_answered_in_their_order(eager: bool) -> None:
    line = Line(echo, eager=eager)
    assert await line.feed(GET + POST + b"hello" + GET) == ok(b"/get ") + ok(b"/post hello") + ok(b"/get ")


async def test_a_pipelined_request_waits_for_the_one_before() -> None:
    opened = asyncio.Event()
    line = Line(gate(opened))
    assert await line.feed(GET, GET[:10], GET[10:]) == b""
    assert len(line.tasks) == 1
    opened.set()
    assert await line.feed(b"") == ok(b"/get") * 2


async def test_too_much_ahead_is_left_in_the_network() -> None:
    opened = asyncio.Event()
    line = Line(gate(opened), Settings(pipelined=100))
    await line.feed(GET, GET * 3)
    assert line.transport.reading
    await line.feed(GET)
    assert not line.transport.reading
    opened.set()
    assert await line.feed(b"") == ok(b"/get") * 5
    assert line.transport.reading


async def test_what_was_left_in_the_network_is_dropped_with_the_connection() -> None:
    opened = asyncio.Event()
    line = Line(gate(opened), Settings(pipelined=100))
    await line.feed(GET.replace(b"Host", b"Connection: close\r\nHost"), GET * 5)
    assert not line.transport.reading
    opened.set()
    assert await line.feed(b"") == ok(b"/get", b"connection: close\r\n")
    assert line.transport.reading


async def test_the_handler_starts_before_the_body_is_there() -> None:
    line = Line(deaf)
    sent = await line.feed(POST)
    assert sent == b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


async def test_the_rest_of_a_small_unread_body_is_dropped() -> None:
    line = Line(deaf)
    await line.feed(POST, b"GET")
    assert line.transport.open
    assert b"401" in await line.feed(b" /" + GET)
    assert line.transport.open
    assert line.seconds == 75


async def test_the_rest_that_never_comes_ends_the_connection() -> None:
    line = Line(deaf)
    await line.feed(POST, b"GET")
    line.http.expire()
    assert line.transport.ended == "eof"


@pytest.mark.parametrize(
    "head",
    [
        CHUNKED,
        POST.replace(b": 5", b": 70000"),
        POST.replace(b": 5", b": 99999999999"),
        POST.replace(b"Host", b"Expect: 100-continue\r\nHost"),
    ],
)
async def test_an_unread_body_of_unknown_length_is_never_taken_for_a_request(head: bytes) -> None:
    line = Line(deaf)
    assert b"connection: close" in await line.feed(head)
    assert line.transport.ended == "eof"
    assert await line.feed(GET) == b""


async def test_a_connection_is_closed_when_the_client_asks() -> None:
    line = Line(echo)
    sent = await line.feed(GET.replace(b"Host", b"Connection: close\r\nHost"), GET)
    assert sent == ok(b"/get ", b"connection: close\r\n")
    assert line.transport.ended == "eof"


async def test_a_transport_that_cannot_half_close_is_closed() -> None:
    line = Line(echo, transport=Recorder(half_closes=False))
    await line.feed(GET.replace(b"Host", b"Connection: close\r\nHost"))
    assert line.transport.ended == "close"


@pytest.mark.parametrize(
    "raw", [b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01", b"GET / HTTP/1.1\nHost: a\n\n", b"NO\r\n\r\n"]
)
async def test_what_is_no_request_is_told_so_and_closed(raw: bytes) -> None:
    line = Line(echo)
    sent = await line.feed(raw)
    assert sent.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ")
    assert re.search(rb"connection: close\r\nx-request-id: [0-9a-f]{32}\r\n", sent)
    assert line.transport.ended == "eof"
    assert not line.tasks


async def test_a_bad_request_behind_a_good_one_waits_for_its_turn() -> None:
    line = Line(echo)
    sent = await line.feed(GET + b"NO\r\n\r\n")
    assert sent.startswith(ok(b"/get ") + b"HTTP/1.1 400 ")


async def test_an_exchange_knows_its_peer() -> None:
    peers: list[str] = []

    async def handler(exchange: Exchange) -> None:
        peers.append(exchange.peer)
        exchange.respond(204, b"", b"")

    await Line(handler).feed(GET)
    assert peers == ["192.0.2.1"]
