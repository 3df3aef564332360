"""A stream on its way out, and the sign of life that a client gets while the upstream is silent."""

import asyncio

import pytest
from msgspec.structs import replace

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.events import Note, Text
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.dialects.openai_chat.writer import Writer
from dragoman.server.outlet import Outlet, Pulse
from tests.unit.server.desk import FINISH, HELLO, START, STREAM, Bench
from tests.unit.server.link import JSON, KEY, Link, Response, make_exchange, response

CHAT = inbound("openai_chat")
PING = b": ping\n\n"
TICKS = 15


class Bare(Writer):
    """A dialect that has no words for waiting, nor for an error in a stream."""

    def ping(self) -> bytes:
        return b""

    def fail(self, error: DragomanError) -> None:  # type: ignore[override]
        return None


class Choosy(Writer):
    """A dialect that cannot say everything."""

    def write(self, burst: Burst) -> bytes:
        if burst.events == [HELLO]:
            raise UpstreamInvalid
        return super().write(burst)


class Bell(Link):
    """A connection that rings when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.rung.set()


def open_outlet(link: Link, writer: type[Writer] = Writer) -> tuple[Outlet, Call]:
    call = CHAT.read_call(STREAM, Limits())
    return Outlet(make_exchange(link), call, replace(CHAT, writer=writer)), call


def ticks(pulse: Pulse, count: int) -> None:
    for _ in range(count):
        pulse.tick()


# Pings


def test_a_silent_stream_is_pinged_again_and_again_after_as_many_ticks() -> None:
    link, pulse = Link(), Pulse(15)
    outlet, call = open_outlet(link)
    pulse.add(outlet)
    ticks(pulse, TICKS - 1)
    assert (link.written, outlet.begun, call.committed) == (b"", False, False)
    ticks(pulse, 1)
    assert (outlet.begun, call.committed) == (True, True)
    ticks(pulse, TICKS)
    outlet.end()
    answer = response(link)
    assert (answer.status, answer.body) == (200, PING + PING + b"data: [DONE]\n\n")


def test_a_stream_that_speaks_is_not_pinged() -> None:
    link, pulse = Link(), Pulse(15)
    outlet, call = open_outlet(link)
    pulse.add(outlet)
    for _ in range(3):
        ticks(pulse, TICKS - 1)
        outlet.send(Burst([HELLO]))
    assert PING not in link.written
    assert not call.committed


def test_bursts_of_which_the_client_hears_nothing_are_silence() -> None:
    link, pulse = Link(), Pulse(15)
    outlet, _ = open_outlet(link)
    pulse.add(outlet)
    ticks(pulse, TICKS - 1)
    outlet.send(Burst([Note("odd", "said to nobody")]))
    assert link.written == b""
    ticks(pulse, 1)
    assert link.written.endswith(b"\r\n%x\r\n%b\r\n" % (len(PING), PING))


def test_a_stream_that_is_over_is_left_alone() -> None:
    link, pulse = Link(), Pulse(15)
    outlet, _ = open_outlet(link)
    pulse.add(outlet)
    pulse.discard(outlet)
    pulse.discard(outlet)
    ticks(pulse, 2 * TICKS)
    assert link.written == b""


def test_where_a_dialect_has_no_words_for_it_nothing_is_promised() -> None:
    link, pulse = Link(), Pulse(15)
    outlet, call = open_outlet(link, Bare)
    pulse.add(outlet)
    ticks(pulse, 2 * TICKS)
    assert (link.written, outlet.begun, call.committed) == (b"", False, False)


async def test_the_pulse_beats_until_it_is_cancelled() -> None:
    link, pulse = Bell(), Pulse(0.0015)
    outlet, _ = open_outlet(link)
    pulse.add(outlet)
    async with asyncio.timeout(30):
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(pulse.run())
            await link.rung.wait()
            beating.cancel()
    assert beating.cancelled()


# What is written


def test_the_head_waits_for_the_first_thing_said() -> None:
    link = Link()
    outlet, call = open_outlet(link)
    outlet.send(Burst([START]))
    assert link.written == b""
    call.reply_type = "audio/wav"
    outlet.send(Burst([HELLO]))
    outlet.end()
    answer = response(link)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_an_answer_may_have_a_type_of_its_own() -> None:
    link = Link()
    outlet, call = open_outlet(link)
    call.reply_type = "audio/wav"
    outlet.send(Burst([START, HELLO, FINISH]))
    outlet.end()
    assert response(link).headers["content-type"] == "audio/wav"


def test_what_a_dialect_cannot_say_is_known_before_anything_is_promised() -> None:
    link = Link()
    outlet, _ = open_outlet(link, Choosy)
    with pytest.raises(UpstreamInvalid):
        outlet.send(Burst([HELLO]))
    assert (outlet.begun, link.written) == (False, b"")


def test_a_dialect_without_words_for_an_error_cuts_the_stream() -> None:
    link = Link()
    outlet, _ = open_outlet(link, Bare)
    outlet.send(Burst([HELLO]))
    outlet.fail(UpstreamIncomplete())
    assert link.cuts == 1
    assert not response(link).ended


# In an endpoint


class Slow:
    """An ask during which the pulse beats, and which then fails or answers."""

    def __init__(self, failure: DragomanError | None = None, beats: int = TICKS) -> None:
        self.bench = Bench(self._ask)
        self._failure = failure
        self._beats = beats

    async def run(self, body: bytes = STREAM) -> Response:
        return await self.bench.run(body)

    async def _ask(self, call: Call) -> Answer:
        call.attempts, call.served_by = 1, "lab/m"
        ticks(self.bench.pulse, self._beats)
        if self._failure is not None:
            raise self._failure
        return Answer(Burst([START, Text("Hello"), FINISH]), None, lambda: None)


async def test_a_client_that_was_told_to_wait_gets_its_answer() -> None:
    answer = await Slow().run()
    assert answer.status == 200
    assert answer.body.startswith(PING + b"data: {")
    assert answer.body.endswith(b"data: [DONE]\n\n")


async def test_a_failure_after_a_ping_is_told_in_the_stream_and_is_not_midstream() -> None:
    slow = Slow(UpstreamIncomplete())
    answer = await slow.run()
    assert (answer.status, answer.ended) == (200, True)
    assert answer.body.startswith(PING + b'data: {"error":{')
    assert b"[DONE]" not in answer.body
    assert [line["fault"] for line in slow.bench.log] == ["incomplete"]


async def test_a_failure_before_a_ping_has_its_own_status() -> None:
    assert (await Slow(UpstreamIncomplete(), TICKS - 1).run()).status == 502


async def test_a_plain_call_is_never_pinged() -> None:
    answer = await Slow(beats=10 * TICKS).run(STREAM.replace(b"true", b"false"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.startswith(b"{")


@pytest.mark.parametrize("failure", [None, UpstreamIncomplete()])
async def test_nothing_is_said_after_the_end(failure: DragomanError | None) -> None:
    slow = Slow(failure)
    await slow.run()
    before = slow.bench.link.written
    ticks(slow.bench.pulse, 10 * TICKS)
    assert slow.bench.link.written == before


async def test_what_a_dialect_cannot_say_first_is_an_error_with_its_own_status() -> None:
    bench = Bench(side=replace(CHAT, writer=Choosy))
    bench.bursts = [Burst([HELLO])]
    await bench.endpoint(make_exchange(bench.link, "POST /x", KEY, JSON, body=STREAM))
    assert response(bench.link).status == 502
    assert bench.closed == 1
