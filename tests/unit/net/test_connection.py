"""A connection, byte by byte: what is framed rightly is served, all else is named, and only clean ones are kept."""

import asyncio
from math import inf

import pytest

from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid, UpstreamUnavailable
from dragoman.net.connection import Connection
from dragoman.net.deadlines import Deadlines
from tests.unit.net.line import HEAD_LIMIT, Line, Shelf
from tests.unit.net.loopback import CHUNKED, OK, Cable

RESPONSES = {
    "length": OK,
    "chunks": CHUNKED + b"1\r\nh\r\n1;ext=1\r\ni\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"2\r\nhi\r\n0\r\nx-late: 1\r\ncontent-type: evil\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
    "continue first": b"HTTP/1.1 100 Continue\r\nx-late: 1\r\n\r\n" + OK,
    "hints first": b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
    "keep-alive said": b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    "loud chunks": b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("name", RESPONSES)
async def test_a_response_survives_any_cut_and_its_connection_is_kept(name: str, size: int) -> None:
    line = Line()
    line.hear(RESPONSES[name], size)
    connection = line.connection
    assert (connection.status, connection.complete, connection.take(), connection.error) == (200, True, b"hi", None)
    assert b"x-late" not in connection.headers
    assert b"content-type" not in connection.headers
    connection.release()
    assert line.shelf.free == [connection]
    line.ask()
    line.hear(OK, size)
    assert (connection.status, connection.take(), connection.reused) == (200, b"hi", True)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_a_response_without_a_body_is_complete_with_its_head(head: bytes) -> None:
    line = Line()
    line.hear(head, 1)
    assert line.connection.complete
    assert line.connection.take() == b""
    line.connection.release()
    assert line.shelf.free == [line.connection]


async def test_of_several_headers_with_one_name_the_first_counts() -> None:
    line = Line()
    line.hear(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nX-a:\r\nempty:\r\ncontent-length: 0\r\n\r\n")
    assert line.connection.headers == {b"x-a": b"1", b"empty": b"", b"content-length": b"0"}


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nhi",
        OK + OK,
        OK + b"x",
        OK + b"H",
        CHUNKED + b"2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhimore",
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
async def test_a_response_is_served_but_its_connection_not_kept(response: bytes, size: int) -> None:
    line = Line()
    line.hear(response, size)
    connection = line.connection
    assert (connection.status, connection.complete, connection.take(), connection.error) == (200, True, b"hi", None)
    connection.release()
    assert (line.shelf.free, line.shelf.lost, line.cable.aborted) == ([], [connection], True)


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    line = Line()
    line.hear(b"HTTP/1.1 200 OK\r\n\r\nhi", 1)
    assert not line.connection.complete
    line.hang_up()
    assert line.connection.complete
    assert line.connection.error is None
    assert line.connection.take() == b"hi"
    line.connection.release()
    assert line.shelf.lost == [line.connection]


@pytest.mark.parametrize("reason", [None, ConnectionResetError("reset by peer")])
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi",
        CHUNKED + b"2\r\nhi\r\n",
        CHUNKED + b"3\r\nhi",
        CHUNKED + b"2\r\nhi\r\n0\r\n",
    ],
)
async def test_a_body_cut_short_is_incomplete_after_what_came_of_it(response: bytes, reason: Exception | None) -> None:
    line = Line()
    line.hear(response)
    line.hang_up(reason)
    assert line.connection.take() == b"hi"
    assert not line.connection.complete
    assert isinstance(line.failure, UpstreamIncomplete)


async def test_a_reset_does_not_end_a_body_without_a_length() -> None:
    line = Line()
    line.hear(b"HTTP/1.1 200 OK\r\n\r\nhi")
    line.hang_up(ConnectionResetError())
    assert isinstance(line.failure, UpstreamIncomplete)


@pytest.mark.parametrize("reason", [None, ConnectionResetError("reset by peer")])
async def test_no_byte_at_all_is_a_reset(reason: Exception | None) -> None:
    line = Line()
    line.hang_up(reason)
    assert isinstance(line.failure, UpstreamUnavailable)
    assert line.failure.fault == "reset"


async def test_half_a_head_is_invalid() -> None:
    line = Line()
    line.hear(b"HTTP/1.1 200 OK\r\ncontent-le")
    line.hang_up()
    assert isinstance(line.failure, UpstreamInvalid)


LINE = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 099 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc",
        b"HTTP/1.1 102 Processing\r\n\r\n" + OK,
        LINE + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LINE + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LINE + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi",
        LINE + b"content-length: 2, 2\r\n\r\nhi",
        LINE + b"content-length: -2\r\n\r\nhi",
        LINE + b"content-length: +2\r\n\r\nhi",
        LINE + b"content-length: 0x2\r\n\r\nhi",
        LINE + b"content-length:\r\n\r\nhi",
        LINE + b"content-length: 99999999999999999999\r\n\r\nhi",
        LINE + b"transfer-encoding: gzip\r\n\r\nhi",
        LINE + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LINE + b"transfer-encoding: chunked, gzip\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LINE + b"transfer-encoding: identity\r\n\r\nhi",
        LINE + b"content-length : 2\r\n\r\nhi",
        LINE + b"x: a\r\n b\r\n\r\nhi",
        LINE + b"x: a\x00b\r\n\r\nhi",
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
    ],
)
async def test_a_head_that_breaks_the_rules_is_invalid(response: bytes, size: int) -> None:
    line = Line()
    line.hear(response, size)
    assert line.connection.status == 0
    assert isinstance(line.failure, UpstreamInvalid)
    line.connection.release()
    assert line.shelf.free == []


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize(
    "chunks", [b"zz\r\nhi\r\n", b"-2\r\nhi\r\n", b"fffffffffffffffff\r\nhi", b"2\r\nhixx0\r\n\r\n"]
)
async def test_bad_chunks_are_invalid(chunks: bytes, size: int) -> None:
    line = Line()
    line.hear(CHUNKED + chunks, size)
    assert line.connection.status == 200
    assert not line.connection.complete
    assert isinstance(line.failure, UpstreamInvalid)


async def test_a_small_request_goes_out_in_one_piece_and_a_large_one_uncopied() -> None:
    line = Line()
    line.hear(OK)
    line.connection.release()
    line.cable.written.clear()
    line.connection.send(b"head", b"body", first=1, idle=1, end=inf)
    line.hear(OK)
    line.connection.release()
    line.connection.send(b"head", bytes(100_000), first=1, idle=1, end=inf)
    assert line.cable.written == [b"headbody", b"head", bytes(100_000)]


async def test_an_answer_before_the_request_is_out_costs_the_connection() -> None:
    line = Line()
    line.cable.unsent = 1
    line.hear(OK)
    line.connection.release()
    assert line.shelf.lost == [line.connection]


async def test_bytes_nobody_asked_for_cost_the_connection() -> None:
    line = Line()
    line.hear(OK)
    line.connection.release()
    line.hear(OK)
    assert line.shelf.lost == [line.connection]
    assert line.cable.aborted


async def test_an_upstream_that_closes_after_its_response_has_still_answered() -> None:
    line = Line()
    line.hear(OK)
    line.hang_up()
    assert line.connection.take() == b"hi"
    assert line.connection.error is None
    line.connection.release()
    assert line.shelf.free == []


async def test_the_reader_is_woken_by_the_head_the_body_and_the_end() -> None:
    line = Line()
    for part in (CHUNKED, b"2\r\nhi\r\n", b"0\r\n\r\n"):
        waiter = line.connection.wait()
        line.hear(part)
        assert waiter.done()
        line.connection.take()
    assert line.connection.complete


async def test_a_part_of_a_chunk_head_wakes_nobody() -> None:
    line = Line()
    line.hear(CHUNKED)
    waiter = line.connection.wait()
    line.hear(b"2\r")
    assert not waiter.done()
    line.hear(b"\nh")
    assert waiter.done()


async def test_a_reader_that_left_is_not_woken() -> None:
    line = Line()
    line.connection.wait().cancel()
    line.hear(OK)
    line.ask()
    line.hear(CHUNKED)
    line.connection.wait().cancel()
    line.hear(b"2\r\nhi\r\n")
    assert line.connection.error is None


async def test_cutting_tells_the_reader_and_the_owner_once() -> None:
    line = Line()
    waiter = line.connection.wait()
    line.connection.cut()
    line.connection.cut()
    line.hang_up()
    assert waiter.done()
    assert isinstance(line.failure, UpstreamIncomplete)
    assert line.shelf.lost == [line.connection]


async def test_a_connection_cut_while_it_is_made_is_closed_when_it_is() -> None:
    shelf, cable = Shelf(), Cable()
    loop = asyncio.get_running_loop()
    connection = Connection(loop, Deadlines(loop), shelf, HEAD_LIMIT)
    connection.release()
    connection.cut()
    connection.connection_made(cable)
    assert cable.aborted
    assert shelf.lost == [connection]


async def test_a_request_on_a_closed_connection_fails_as_a_reset() -> None:
    line = Line()
    line.hear(OK)
    line.connection.release()
    line.connection.cut()
    line.ask()
    assert line.failure.fault == "reset"
