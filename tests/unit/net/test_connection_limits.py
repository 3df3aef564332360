"""A connection and its limits: how much it takes in, and how long it waits."""

import pytest

from dragoman.core.errors import UpstreamTimeout, UpstreamTooLarge
from dragoman.net.connection import UNREAD
from tests.unit.net.line import Line
from tests.unit.net.loopback import CHUNKED, OK, Clock


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
async def test_a_head_may_be_as_long_as_the_limit_and_no_byte_longer(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\nx: "
    head += b"a" * (1000 - len(head) - 4) + b"\r\n\r\n"
    fits, over = Line(head_limit=1000), Line(head_limit=999)
    fits.hear(head + bytes(2000), size)
    over.hear(head + bytes(2000), size)
    assert len(fits.connection.take()) == 2000
    assert isinstance(over.failure, UpstreamTooLarge)


async def test_interim_responses_count_against_the_head() -> None:
    line = Line(head_limit=1000)
    line.hear(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 100)
    assert isinstance(line.failure, UpstreamTooLarge)


@pytest.mark.parametrize(
    "framing",
    [b"2;" + b"x" * (3 * UNREAD), b"0\r\n" + b"x: y\r\n" * UNREAD, b"0\r\nx: " + b"y" * (3 * UNREAD)],
    ids=["chunk extension", "trailers", "one trailer"],
)
async def test_framing_without_end_is_too_large(framing: bytes) -> None:
    line = Line()
    line.hear(CHUNKED)
    line.connection.wait()
    line.hear(framing, 8192)
    assert isinstance(line.failure, UpstreamTooLarge)


async def test_reading_stops_while_nobody_takes_what_came_and_goes_on_then() -> None:
    line = Line()
    line.hear(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    line.hear(bytes(60_000))
    assert not line.cable.paused
    line.hear(bytes(8_000))
    assert line.cable.paused
    line.hear(bytes(2_000))  # was already on its way
    assert line.cable.paused
    assert len(line.connection.take()) == 70_000
    assert not line.cable.paused
    line.hear(bytes(100_000), 50_000)
    line.hang_up(ConnectionResetError())
    assert len(line.connection.take()) == 100_000
    assert line.connection.take() == b""


async def test_the_first_event_has_its_time_however_many_bytes_come(clock: Clock) -> None:
    line = Line()
    line.ask(first=10)
    line.hear(CHUNKED)
    await clock.pass_by(9)
    line.connection.wait()
    line.hear(b"2\r\nhi\r\n")
    assert line.connection.error is None
    await clock.pass_by(2)
    assert isinstance(line.failure, UpstreamTimeout)
    assert (line.failure.fault, line.failure.retry) == ("first_byte_timeout", "elsewhere")


async def test_every_byte_renews_the_idle_time(clock: Clock) -> None:
    line = Line()
    line.ask(first=1, idle=10)
    line.hear(CHUNKED)
    line.connection.began()
    line.connection.wait()
    for byte in (b"0", b"0", b"2", b"\r"):
        await clock.pass_by(9)
        line.hear(byte)
    assert line.connection.error is None
    await clock.pass_by(11)
    assert line.failure.fault == "idle_timeout"


async def test_a_slow_reader_is_no_idle_upstream(clock: Clock) -> None:
    line = Line()
    line.ask(idle=10, total=1000)
    line.hear(CHUNKED + b"2\r\nhi\r\n")
    line.connection.began()
    await clock.pass_by(100)
    assert line.connection.take() == b"hi"
    line.connection.wait()
    await clock.pass_by(9)
    assert line.connection.error is None
    await clock.pass_by(2)
    assert line.failure.fault == "idle_timeout"


async def test_the_total_time_ends_a_response_that_never_pauses(clock: Clock) -> None:
    line = Line()
    line.ask(first=5, idle=10, total=20)
    line.hear(CHUNKED)
    line.connection.began()
    for _ in range(3):
        line.connection.wait()
        await clock.pass_by(6)
        line.hear(b"2\r\nhi\r\n")
    assert line.connection.error is None
    await clock.pass_by(3)
    assert (line.failure.fault, line.failure.retry) == ("timeout", "again")


async def test_what_is_still_to_come_can_be_given_less_time(clock: Clock) -> None:
    line = Line()
    line.hear(CHUNKED)
    line.connection.began()
    line.connection.give(2)
    line.connection.give(100)
    line.connection.wait()
    await clock.pass_by(1)
    line.hear(b"2\r\nhi\r\n")
    line.connection.wait()
    assert line.connection.error is None
    await clock.pass_by(1.5)
    assert line.failure.fault == "timeout"


async def test_a_complete_response_outlives_its_time_but_not_its_connection(clock: Clock) -> None:
    line = Line()
    line.ask(first=10)
    line.hear(OK)
    await clock.pass_by(11)
    assert line.cable.aborted
    assert line.connection.error is None
    assert line.connection.take() == b"hi"


async def test_an_idle_connection_is_closed_when_its_owner_says(clock: Clock) -> None:
    line = Line()
    line.hear(OK)
    line.connection.release()
    await clock.pass_by(10_000)
    assert not line.cable.aborted
    line.connection.deadline = clock.time() + 30
    await clock.pass_by(31)
    assert line.shelf.lost == [line.connection]
