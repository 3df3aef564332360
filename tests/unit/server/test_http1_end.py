"""One connection, driven by hand: what is late, who leaves, who does not read, and how it ends."""

import asyncio
import socket
from collections.abc import Callable
from math import inf

import pytest

from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler, Http1
from tests.unit.server.line import CHUNKED, GET, POST, Line, Recorder, echo, gate, ok, stuck, turns


async def test_input_after_the_last_response_is_dropped_for_a_while() -> None:
    line = Line(echo)
    await line.feed(b"NO\r\n\r\n", b"more", GET)
    assert line.seconds == 2
    line.http.expire()
    assert line.transport.ended == "abort"


async def test_a_last_response_that_is_not_read_yet_is_given_its_time() -> None:
    line = Line(echo)
    line.transport.unsent = 100
    await line.feed(b"NO\r\n\r\n")
    line.http.expire()
    assert line.transport.ended == "eof"
    assert line.seconds == 60
    line.http.expire()
    assert line.transport.ended == "abort"


async def test_a_connection_that_says_nothing_is_closed_in_silence() -> None:
    line = Line(echo)
    assert line.seconds == 10
    line.http.expire()
    assert line.transport.sent == b""
    assert line.transport.ended == "eof"


async def test_a_head_that_does_not_end_is_timed_out() -> None:
    line = Line(echo)
    await line.feed(GET)
    await line.feed(b"GET / HT")
    assert line.seconds == 10
    line.http.deadline = 5
    await line.feed(b"T", b"P/1.1")
    assert line.http.deadline == 5
    line.http.expire()
    assert b"HTTP/1.1 408 " in line.transport.sent
    assert line.transport.ended == "eof"


async def test_a_body_that_does_not_end_is_timed_out_by_its_handler() -> None:
    line = Line(echo)
    await line.feed(POST, b"hell")
    assert line.seconds == 30
    line.http.expire()
    assert line.http.deadline == inf
    assert b"408 Request Timeout\r\ncontent-length: 0\r\nconnection: close" in await line.feed(b"")
    assert line.transport.ended == "eof"


async def test_a_large_body_has_a_second_more_for_each_mib() -> None:
    line = Line(echo)
    await line.feed(POST.replace(b": 5", b": 10485760"))
    assert line.seconds == 40
    line = Line(echo)
    await line.feed(CHUNKED + b"300000\r\n", bytes(3 * 1024 * 1024))
    assert line.seconds == 33


async def test_a_handler_has_all_the_time_once_the_body_is_there() -> None:
    line = Line(stuck)
    await line.feed(POST + b"hello")
    assert line.http.deadline == inf
    line.http.expire()
    assert line.transport.open
    await line.lose()


@pytest.mark.parametrize("end", ["lost", "eof"])
@pytest.mark.parametrize("raw", [GET, POST, POST + b"hel", CHUNKED, GET + GET])
async def test_a_client_that_leaves_cancels_its_handler(end: str, raw: bytes) -> None:
    line = Line(stuck if raw.startswith(b"GET") else echo)
    await line.feed(raw)
    if end == "lost":
        line.http.connection_lost(ConnectionResetError())
    else:
        assert not line.http.eof_received()
        assert line.transport.ended == "abort"
    await turns()
    assert [task.cancelled() for task in line.tasks] == [True]
    assert not line.http.busy


async def test_a_client_that_leaves_a_stream_cancels_its_handler() -> None:
    async def drip(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        exchange.send(b"a")
        try:
            await asyncio.Event().wait()
        finally:
            exchange.send(b"too late")
            exchange.end()

    line = Line(drip)
    await line.feed(GET)
    line.http.eof_received()
    await turns()
    assert line.tasks[0].cancelled()
    assert line.transport.sent.endswith(b"\r\n\r\n1\r\na\r\n")


async def test_a_response_that_is_whole_is_not_cancelled_by_a_client_that_leaves() -> None:
    opened = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        exchange.respond(200, b"", b"")
        await opened.wait()

    line = Line(handler)
    await line.feed(GET)
    assert not line.http.eof_received()
    assert line.transport.open  # the transport sends what is left, then closes
    assert line.seconds == 60
    assert not line.http.eof_received()
    opened.set()
    await line.lose()
    assert line.tasks[0].done()
    assert not line.tasks[0].cancelled()


async def test_a_handler_that_ends_without_a_response_ends_the_connection() -> None:
    async def silent(exchange: Exchange) -> None:
        pass

    line = Line(silent)
    assert await line.feed(GET) == b""
    assert line.transport.ended == "abort"


async def test_a_handler_that_breaks_within_a_stream_does_not_end_the_body() -> None:
    async def broken(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        exchange.send(b"half")
        raise ZeroDivisionError

    line = Line(broken)
    sent = await line.feed(GET)
    assert sent.endswith(b"4\r\nhalf\r\n")
    assert line.transport.ended == "abort"
    assert isinstance(line.tasks[0].exception(), ZeroDivisionError)


@pytest.mark.parametrize("known", [True, False])
async def test_an_aborted_body_without_frames_is_reset(known: bool) -> None:
    async def give_up(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        exchange.send(b"half")
        exchange.abort()
        await asyncio.sleep(0)  # it is not cancelled for its own abort

    with socket.socket() as raw:
        line = Line(give_up, transport=Recorder(raw=raw if known else None))
        await line.feed(GET.replace(b"1.1", b"1.0"))
        await line.lose()
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 1) == (b"\1" if known else b"\0")
    assert line.transport.ended == "abort"
    assert not line.tasks[0].cancelled()


async def flood(exchange: Exchange) -> None:
    exchange.begin(200, b"")
    for _ in range(3):
        exchange.send(b"x" * 20_000)
        await exchange.drain()
    exchange.end()


async def test_a_slow_client_makes_the_handler_wait() -> None:
    line = Line(flood)
    line.http.pause_writing()
    await line.feed(GET)
    assert line.transport.sent == b""  # a new request is not begun either
    line.http.resume_writing()
    await turns()
    assert line.transport.sent.count(b"4e20\r\n") == 3
    line.http.pause_writing()
    assert line.seconds == 60
    line.http.resume_writing()
    assert line.seconds == 75


async def test_a_client_that_reads_nothing_after_its_response_is_cut_too() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.respond(200, b"", b"x" * 1000)
        line.transport.unsent = 1000
        line.http.pause_writing()

    line = Line(handler)
    await line.feed(GET, GET)
    assert len(line.tasks) == 1
    assert line.seconds == 60
    line.http.expire()
    assert line.transport.ended == "abort"


async def test_a_handler_that_writes_without_end_stops_when_its_client_has_left() -> None:
    async def endless(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        while True:
            exchange.send(b"x")
            await exchange.drain()
            if len(line.transport.sent) > 1000:
                line.transport.close()

    line = Line(endless)
    await line.feed(GET)
    await line.lose()
    assert line.tasks[0].cancelled()


async def test_a_stalled_client_is_cut_and_its_handler_cancelled() -> None:
    line = Line(stall(lambda: line))
    await line.feed(GET)
    assert line.http.paused
    assert line.seconds == 60
    line.transport.unsent = 900
    line.http.expire()
    assert line.seconds == 60
    assert line.transport.open  # it took a little
    line.http.expire()
    await turns()
    assert line.transport.ended == "abort"
    assert line.http.deadline == inf
    assert line.tasks[0].cancelled()


async def test_a_handler_goes_on_when_the_client_does() -> None:
    line = Line(stall(lambda: line))
    await line.feed(GET)
    line.http.resume_writing()
    assert line.http.deadline == inf
    await turns()
    assert line.transport.sent.endswith(b"0\r\n\r\n")


async def test_a_client_may_send_its_body_while_it_does_not_read() -> None:
    line = Line(stall(lambda: line))
    await line.feed(CHUNKED)
    await line.feed(b"1\r\na\r\n")
    assert line.seconds == 60
    line.http.resume_writing()
    assert line.seconds == 30
    line.http.pause_writing()
    await line.feed(b"0\r\n\r\n")
    assert line.seconds == 60
    await line.lose()


async def test_a_last_response_is_waited_for_before_the_input_is() -> None:
    line = Line(stall(lambda: line))
    await line.feed(GET.replace(b"Host", b"Connection: close\r\nHost"))
    line.http.resume_writing()
    line.http.pause_writing()
    await turns()
    assert line.transport.ended == "eof"
    assert line.seconds == 60
    line.http.resume_writing()
    assert line.seconds == 2


def stall(line: Callable[[], Line]) -> Handler:
    """Write to a client that takes nothing of it, wait for it, and end."""

    async def handler(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        exchange.send(b"x")
        line().transport.unsent = 1000
        line().http.pause_writing()
        await exchange.drain()
        exchange.end()

    return handler


async def test_draining_closes_the_idle_and_lets_the_busy_finish() -> None:
    opened = asyncio.Event()
    line = Line(gate(opened))
    connections = line.edge.connections
    idle = Http1(line.edge)
    idle_end = Recorder()
    idle.connection_made(idle_end)
    await line.feed(GET)
    assert (connections.count, connections.busy) == (2, 1)
    connections.drain()
    assert idle_end.ended == "eof"
    idle.close_if_idle()
    idle.connection_lost(None)
    assert line.transport.open
    opened.set()
    assert await line.feed(b"") == ok(b"/get", b"connection: close\r\n")
    assert line.transport.ended == "eof"
    await line.lose()
    assert connections.count == 0


async def test_draining_ends_a_connection_whose_head_had_promised_more() -> None:
    opened = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        exchange.respond(200, b"", b"")
        await opened.wait()

    line = Line(handler)
    await line.feed(GET)
    line.edge.connections.drain()
    assert line.transport.open
    opened.set()
    await turns()
    assert line.transport.ended == "eof"


async def test_everything_can_be_cut_at_once() -> None:
    line = Line(stuck)
    await line.feed(GET)
    line.edge.connections.abort_all()
    await turns()
    assert line.tasks[0].cancelled()
    assert line.transport.ended == "abort"


async def test_a_stopped_handler_may_still_end_its_response() -> None:
    async def last_word(exchange: Exchange) -> None:
        exchange.begin(200, b"")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            exchange.end(b"bye")
            raise

    line = Line(last_word)
    await line.feed(GET)
    line.edge.connections.drain()
    line.edge.connections.stop_all()
    assert (await line.feed(b"")).endswith(b"3\r\nbye\r\n0\r\n\r\n")
    assert line.transport.ended == "eof"


async def test_a_response_to_a_client_that_left_is_not_followed_by_another() -> None:
    opened = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        exchange.respond(200, b"", b"")
        await opened.wait()

    line = Line(handler)
    await line.feed(GET + GET)
    line.http.eof_received()
    opened.set()
    await turns()
    assert len(line.tasks) == 1
