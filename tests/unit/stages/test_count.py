"""Answers whose upstream told no usage, and those that are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.count import MEDIUM, PIECE, TURN, Count
from dragoman.core.errors import BadRequest, UpstreamIncomplete
from dragoman.core.events import Event, Finish, Media, Start, Text, Usage
from dragoman.core.message import Message, Request
from dragoman.core.message import Text as TextPart
from dragoman.stages.count import count_all, count_prompt, count_usage, tell_prompt

START, HELLO, STOP = Start("c", "m"), Text("Hello"), Finish("stop")
TOLD = Usage(9, 4)
ASKED = Request("m", [Message("user", [TextPart("Say it.")])])
PROMPT = TURN + len("Say it.")


def letters(model: str) -> Count:
    """Count the letters of a text, as often as the model's name says."""
    return lambda text: len(text) * (2 if model == "up/twice" else 1)


def call_for(*, stream: bool = True, requests: Sequence[Request] = (ASKED,)) -> Call:
    return Call(b"{}", "mine", "m", lambda: requests, stream=stream)


class Upstream:
    """Answers in these bursts; `plain`: the first is all."""

    def __init__(self, *bursts: Burst, error: Exception | None = None, plain: bool = False) -> None:
        self.bursts, self.error, self.plain = bursts, error, plain
        self.closed = 0
        self.answer: Answer | None = None
        self.asked = asyncio.Event()

    async def ask(self, call: Call) -> Answer:
        self.asked.set()
        self.answer = Answer(self.bursts[0], None if self.plain else self.rest(), self.close)
        return self.answer

    async def rest(self) -> AsyncIterator[Burst]:
        for burst in self.bursts[1:]:
            yield burst
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


async def hear(ask: Ask, call: Call) -> list[Burst]:
    answer = await ask(call)
    rest = [] if answer.rest is None else [burst async for burst in answer.rest]
    answer.close()
    return [answer.first, *rest]


def counted(upstream: Upstream) -> Ask:
    return count_usage(letters)(upstream.ask)


async def test_a_stream_ends_with_the_usage_that_nobody_told() -> None:
    upstream = Upstream(Burst([START, HELLO], b"data: 1\n\n", "mine"), Burst([HELLO, STOP], b"data: 2\n\n", "mine"))
    bursts = await hear(counted(upstream), call_for())
    assert bursts == [*upstream.bursts, Burst([Usage(PROMPT, 10, estimated=True)])]
    assert upstream.closed == 1


async def test_a_stream_in_one_burst_is_counted_too() -> None:
    upstream = Upstream(Burst([START, HELLO, STOP]), plain=True)
    assert (await hear(counted(upstream), call_for()))[1:] == [Burst([Usage(PROMPT, 5, estimated=True)])]


@pytest.mark.parametrize(
    "bursts",
    [
        [Burst([START, HELLO]), Burst([STOP]), Burst([TOLD])],
        [Burst([START, HELLO, STOP, TOLD])],
        [Burst([START, HELLO, STOP, TOLD]), Burst([])],
    ],
)
async def test_what_an_upstream_told_stands_alone(bursts: list[Burst]) -> None:
    assert await hear(counted(Upstream(*bursts)), call_for()) == bursts


async def test_a_stream_that_is_over_stays_over() -> None:
    answer = await counted(Upstream(Burst([START, STOP])))(call_for())
    assert answer.rest is not None
    assert [len([burst async for burst in answer.rest]) for _ in range(2)] == [1, 0]


async def test_a_stream_that_breaks_is_not_counted() -> None:
    upstream = Upstream(Burst([START, HELLO]), error=UpstreamIncomplete())
    answer = await counted(upstream)(call_for())
    assert answer.rest is not None
    with pytest.raises(UpstreamIncomplete):
        await anext(answer.rest)


async def test_a_plain_answer_is_counted_and_written_anew() -> None:
    upstream = Upstream(Burst([START, HELLO, STOP], b"{}", "theirs"), plain=True)
    (burst,) = await hear(counted(upstream), call_for(stream=False))
    assert burst == Burst([START, HELLO, STOP, Usage(PROMPT, 5, estimated=True)])


@pytest.mark.parametrize("burst", [Burst([START, STOP, TOLD]), Burst([START, STOP], b"{}", "mine")])
async def test_a_plain_answer_with_usage_or_in_its_own_bytes_is_left_alone(burst: Burst) -> None:
    (heard,) = await hear(counted(Upstream(burst, plain=True)), call_for(stream=False))
    assert heard is burst


async def test_a_streamed_answer_to_a_plain_call_is_counted() -> None:
    bursts = await hear(counted(Upstream(Burst([START, HELLO]), Burst([STOP]))), call_for(stream=False))
    assert bursts[-1] == Burst([Usage(PROMPT, 5, estimated=True)])


async def test_a_client_that_is_not_told_costs_nothing() -> None:
    upstream, call = Upstream(Burst([START, STOP])), call_for()
    call.show_usage = False
    assert await counted(upstream)(call) is upstream.answer
    assert await hear(counted(upstream), call) == [Burst([START, STOP])]


async def test_what_is_no_text_is_not_counted() -> None:
    upstream, call = Upstream(Burst([START, Media("image/png", "AAAA"), STOP]), plain=True), call_for(stream=False)
    call.task = "image"
    assert await hear(counted(upstream), call) == list(upstream.bursts)
    call.task = "chat"
    assert (await hear(counted(upstream), call))[0].events[-1] == Usage(PROMPT, MEDIUM, estimated=True)


async def test_all_prompts_of_a_call_are_counted_by_the_model_that_answered() -> None:
    call = call_for(requests=[ASKED, Request("m", [], inputs=["ab", [1, 2, 3]])])
    call.served_by = "up/twice"
    (*_, last) = await hear(counted(Upstream(Burst([START, HELLO, STOP]))), call)
    assert last.events == [Usage(TURN + 2 * len("Say it.") + 2 * 2 + 3, 2 * 5, estimated=True)]


async def test_a_body_that_only_its_own_upstream_understands_is_estimated() -> None:
    def read() -> Sequence[Request]:
        raise BadRequest("what is this")

    call = Call(b"12345678\xff", "mine", "m", read, stream=True)
    (*_, last) = await hear(counted(Upstream(Burst([START, HELLO, STOP]))), call)
    assert last.events == [Usage(3, 5, estimated=True)]


async def test_whoever_is_cancelled_while_counting_has_released_all_it_held() -> None:
    upstream = Upstream(Burst([START, Text("x" * 10 * PIECE), STOP]), plain=True)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(hear(counted(upstream), call_for(stream=False)))
        await upstream.asked.wait()
        task.cancel()
    assert (task.cancelled(), upstream.closed) == (True, 1)


async def test_others_have_their_turn_between_the_pieces() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as group:
        task = group.create_task(others())
        assert await count_all(["x" * 10 * PIECE, 7, *["short"] * PIECE], len) == 15 * PIECE + 7
        task.cancel()
    assert turns > 15


async def never(call: Call) -> Answer:
    raise AssertionError(call.model)


async def test_a_prompt_is_told_without_asking_anybody() -> None:
    events: list[Event] = [Usage(PROMPT, 0, estimated=True)]
    assert await hear(tell_prompt(letters)(never), call_for()) == [Burst(events)]
    assert await count_prompt(call_for(), letters) == PROMPT
