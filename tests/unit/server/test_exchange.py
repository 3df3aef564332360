"""What an exchange writes, over a link that only keeps it."""

import asyncio
import re
from email.utils import parsedate_to_datetime

import pytest

from dragoman.core.errors import BadRequest, RequestTimeout, TooLarge
from dragoman.server.exchange import Body, DateLine, Exchange, RequestIds, choose_id
from dragoman.wire.http1 import HeadLimits, read_head

BIG = b"x" * 20_000


class Wire:
    """A link without a network."""

    def __init__(self, *, persists: bool = True) -> None:
        self.paused = False
        self.dates = DateLine()
        self.ids = RequestIds()
        self.writes: list[bytes] = []
        self.cuts: list[bool] = []
        self.drained = 0
        self._persists = persists

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def persists(self) -> bool:
        return self._persists

    def cut(self, *, reset: bool) -> None:
        self.cuts.append(reset)

    async def drain(self) -> None:
        self.drained += 1

    @property
    def sent(self) -> bytes:
        """Everything written, with the date taken out."""
        return re.sub(rb"date: [^\r]+ GMT\r\n", b"", b"".join(self.writes))


def exchange(
    wire: Wire, line: str = "POST /x HTTP/1.1", *headers: str, body: bytes | Body = b"", request_id: str = "id-1"
) -> Exchange:
    lines = (line, "Host: a", f"x-request-id: {request_id}", *headers, "", "")
    return Exchange(wire, read_head("\r\n".join(lines).encode(), HeadLimits()), "127.0.0.1", body)


def test_a_whole_response_is_one_write() -> None:
    wire = Wire()
    x = exchange(wire)
    x.respond(200, b"a: b\r\n", b"hello")
    assert wire.sent == b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 5\r\n\r\nhello"
    assert len(wire.writes) == 1
    assert (x.started, x.complete, x.keep_alive) == (True, True, True)


@pytest.mark.parametrize(
    ("line", "header", "persists", "connection"),
    [
        ("GET / HTTP/1.1", "a: b", True, b""),
        ("GET / HTTP/1.1", "Connection: close", True, b"connection: close\r\n"),
        ("GET / HTTP/1.1", "a: b", False, b"connection: close\r\n"),
        ("GET / HTTP/1.0", "a: b", True, b"connection: close\r\n"),
        ("GET / HTTP/1.0", "Connection: keep-alive", True, b"connection: keep-alive\r\n"),
    ],
)
def test_the_head_tells_what_becomes_of_the_connection(
    line: str, header: str, persists: bool, connection: bytes
) -> None:
    wire = Wire(persists=persists)
    x = exchange(wire, line, header)
    x.respond(200, b"", b"")
    assert wire.sent == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + connection + b"\r\n"
    assert x.keep_alive is (connection != b"connection: close\r\n")


def test_head_gets_the_length_and_no_body() -> None:
    wire = Wire()
    exchange(wire, "HEAD / HTTP/1.1").respond(200, b"", b"hello")
    assert wire.sent == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


def test_no_content_has_neither_length_nor_body() -> None:
    wire = Wire()
    exchange(wire).respond(204, b"", b"")
    assert wire.sent == b"HTTP/1.1 204 No Content\r\n\r\n"


def test_the_head_of_a_stream_leaves_with_its_first_piece() -> None:
    wire = Wire()
    x = exchange(wire)
    x.begin(200, b"a: b\r\n")
    assert x.started
    assert not wire.writes
    x.send(b"")
    assert not wire.writes
    x.send(b"hello")
    assert wire.sent == b"HTTP/1.1 200 OK\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
    assert len(wire.writes) == 1
    x.send(b"0123456789")
    x.end()
    assert wire.writes[1:] == [b"a\r\n0123456789\r\n", b"0\r\n\r\n"]
    assert x.complete
    assert x.keep_alive


def test_the_last_piece_leaves_with_the_end() -> None:
    wire = Wire()
    x = exchange(wire)
    x.begin(200, b"")
    x.send(b"a")
    x.end(b"bc")
    assert wire.writes[1:] == [b"2\r\nbc\r\n0\r\n\r\n"]


def test_a_large_piece_is_one_write_too() -> None:
    wire = Wire()
    x = exchange(wire)
    x.begin(200, b"")
    x.send(BIG)
    assert len(wire.writes) == 1
    assert wire.sent.endswith(b"\r\n\r\n4e20\r\n" + BIG + b"\r\n")


def test_an_empty_stream_is_a_head_and_an_end() -> None:
    wire = Wire()
    x = exchange(wire)
    x.begin(200, b"")
    x.end()
    assert wire.sent == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"


def test_http_1_0_gets_a_stream_that_ends_with_the_connection() -> None:
    wire = Wire()
    x = exchange(wire, "GET / HTTP/1.0", "Connection: keep-alive")
    x.begin(200, b"")
    x.send(b"hello ")
    x.send(b"world")
    x.end()
    assert wire.sent == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello world"
    assert not x.keep_alive


def test_a_stream_that_answers_head_has_no_body() -> None:
    wire = Wire()
    x = exchange(wire, "HEAD / HTTP/1.1")
    x.begin(200, b"")
    x.send(b"hello")
    x.end(b"world")
    assert wire.sent == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_there_is_one_response() -> None:
    x = exchange(Wire())
    x.respond(200, b"", b"")
    with pytest.raises(RuntimeError):
        x.respond(200, b"", b"")
    with pytest.raises(RuntimeError):
        x.begin(200, b"")


@pytest.mark.parametrize(("line", "reset"), [("GET / HTTP/1.1", False), ("GET / HTTP/1.0", True)])
def test_an_aborted_stream_cannot_be_taken_for_a_whole_one(line: str, reset: bool) -> None:
    wire = Wire()
    x = exchange(wire, line)
    x.begin(200, b"")
    x.send(b"half")
    x.abort()
    assert wire.cuts == [reset]
    assert b"0\r\n\r\n" not in wire.sent
    assert x.complete
    assert not x.keep_alive


async def test_drain_waits_only_for_a_slow_client() -> None:
    wire = Wire()
    x = exchange(wire)
    await x.drain()
    assert wire.drained == 0
    wire.paused = True
    await x.drain()
    assert wire.drained == 1


def test_the_date_is_an_http_date() -> None:
    dates = DateLine()
    line = dates.line()
    assert any(dates.line() is dates.line() for _ in range(2))  # at most one second ends between them
    assert line.startswith(b"date: ")
    assert parsedate_to_datetime(line[6:-2].decode()).tzinfo is not None


@pytest.mark.parametrize("given", [None, "", "a b", "a\x00", "x" * 65, "é", "a/b", "a, b"])
def test_a_harmful_request_id_is_replaced(given: str | None) -> None:
    assert choose_id(given) == ""


def test_a_request_without_an_id_of_the_clients_has_ours() -> None:
    asked = exchange(Wire(), request_id="a b")
    assert re.fullmatch("[0-9a-f]{32}", asked.id)
    assert asked.id == asked.serial


def test_a_harmless_request_id_is_kept() -> None:
    assert exchange(Wire(), request_id="Ab-1._").id == "Ab-1._"
    assert choose_id("x" * 64) == "x" * 64


def test_what_the_client_chooses_is_not_the_serial() -> None:
    asked = exchange(Wire(), request_id="0" * 32)
    assert re.fullmatch("[0-9a-f]{32}", asked.serial)
    assert asked.serial != asked.id


async def test_a_body_that_came_with_the_head_is_returned_at_once() -> None:
    wire = Wire()
    x = exchange(wire, "POST / HTTP/1.1", "Expect: 100-continue", body=b"hello")
    assert await x.body() == b"hello"
    assert not wire.writes


async def test_a_waiting_client_is_told_to_go_on_once() -> None:
    wire, body = Wire(), Body(5, 100)
    x = exchange(wire, "POST / HTTP/1.1", "Expect: 100-continue", body=body)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(x.body())
        await asyncio.sleep(0)
        assert wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert body.feed(b"hello!") == b"!"
    assert reading.result() == b"hello"
    assert await x.body() == b"hello"
    x.respond(200, b"", b"")
    assert x.keep_alive
    assert wire.sent.count(b"100 Continue") == 1


async def test_a_client_that_sends_without_waiting_is_not_told_to() -> None:
    wire, body = Wire(), Body(5, 100)
    body.feed(b"he")
    x = exchange(wire, "POST / HTTP/1.1", "Expect: 100-continue", body=body)
    async with asyncio.TaskGroup() as group:
        group.create_task(x.body())
        await asyncio.sleep(0)
        body.feed(b"llo")
    assert not wire.writes


def test_a_client_that_was_not_told_to_go_on_is_left() -> None:
    wire = Wire()
    x = exchange(wire, "POST / HTTP/1.1", "Expect: 100-continue", body=Body(5, 100))
    x.respond(401, b"", b"")
    assert not x.keep_alive
    assert b"connection: close" in wire.sent


async def test_a_body_over_the_limit_is_refused_before_it_comes() -> None:
    wire, body = Wire(), Body(101, 100)
    x = exchange(wire, "POST / HTTP/1.1", "Expect: 100-continue", body=body)
    with pytest.raises(TooLarge):
        await x.body()
    assert not wire.writes
    assert body.remaining() is None
    assert body.feed(b"dropped") == b""


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    for body, data in ((Body(3, 3), b"abc"), (Body(None, 3), b"3\r\nabc\r\n0\r\n\r\n")):
        assert body.feed(data) == b""
        assert await body.read() == b"abc"


@pytest.mark.parametrize("data", [b"4\r\n", b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", b"ffffffff\r\n"])
async def test_a_chunked_body_over_the_limit_is_refused_by_count(data: bytes) -> None:
    body = Body(None, 3)
    body.feed(data)
    with pytest.raises(TooLarge):
        await body.read()


async def test_a_malformed_chunked_body_is_refused() -> None:
    body = Body(None, 3)
    assert body.feed(b"zz\r\n") == b""
    with pytest.raises(BadRequest):
        await body.read()


def test_a_body_knows_what_is_missing() -> None:
    body = Body(5, 100)
    body.feed(b"")
    assert body.untouched
    body.feed(b"he")
    assert not body.untouched
    assert body.remaining() == 3
    assert Body(None, 100).remaining() is None


async def test_a_body_that_is_late_ends_the_wait() -> None:
    body = Body(5, 100)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_error(body))
        await asyncio.sleep(0)
        body.fail(RequestTimeout())
        body.fail(TooLarge())
    assert isinstance(reading.result(), RequestTimeout)


async def test_a_reader_that_was_cancelled_is_not_woken() -> None:
    body = Body(5, 100)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(body.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.sleep(0)
        body.feed(b"hello")
    assert await body.read() == b"hello"


async def read_error(body: Body) -> Exception | None:
    try:
        await body.read()
    except RequestTimeout as error:
        return error
    return None


def test_no_two_requests_get_the_same_id() -> None:
    ids = RequestIds()
    assert len({ids.draw() for _ in range(1000)}) == 1000
