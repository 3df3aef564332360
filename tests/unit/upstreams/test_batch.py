"""Several prompts at once, answered as one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, RateLimited, UpstreamIncomplete
from dragoman.core.events import Event, Finish, Note, Start, Text, Usage
from dragoman.core.legal import breaches
from dragoman.upstreams.batch import AT_ONCE, ask_each, merge


class Bench:
    """Asks that answer, and whether all was closed."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.closed = 0
        self.go = asyncio.Event()

    def ask(self, *bursts: list[Event], failure: DragomanError | None = None) -> Callable[[], Awaitable[Answer]]:
        async def ask() -> Answer:
            self.open += 1
            self.most = max(self.most, self.open)
            await self.go.wait()
            self.open -= 1
            return Answer(
                Burst(bursts[0]), self._rest(bursts[1:], failure) if bursts[1:] or failure else None, self._close
            )

        return ask

    async def _rest(self, bursts: tuple[list[Event], ...], failure: DragomanError | None) -> AsyncIterator[Burst]:
        for events in bursts:
            yield Burst(events)
        if failure is not None:
            raise failure

    def _close(self) -> None:
        self.closed += 1


def said(words: str, usage: Usage | None = None) -> list[Event]:
    events: list[Event] = [Start(f"id-{words}", "m", 1), Text(words), Finish("stop")]
    return events if usage is None else [*events, usage]


async def test_the_choices_stand_in_the_order_of_the_prompts() -> None:
    bench = Bench()
    bench.go.set()
    start, a, finish = said("a")
    answer = await ask_each([bench.ask([start, a], [finish]), bench.ask(said("b"))], 1)
    assert answer.first.events == [start, a, Text("b", 1), Finish("stop", 0), Finish("stop", 1)]
    assert answer.first.raw is None
    assert answer.rest is None
    assert bench.closed == 2
    answer.close()
    assert not breaches(answer.first.events)


async def test_only_some_are_asked_at_the_same_time() -> None:
    bench = Bench()
    async with asyncio.TaskGroup() as group:
        group.create_task(ask_each([bench.ask(said(str(number))) for number in range(30)], 1))
        for _ in range(20):
            await asyncio.sleep(0)
        assert bench.open == AT_ONCE
        bench.go.set()
    assert (bench.most, bench.closed) == (AT_ONCE, 30)


async def test_the_first_failure_ends_the_others() -> None:
    bench = Bench()

    async def refuse() -> Answer:
        raise RateLimited

    with pytest.raises(RateLimited):
        await ask_each([bench.ask(said("a")), refuse], 1)
    assert bench.open == 1, "it was asked, and cancelled"


async def test_an_answer_that_breaks_is_closed() -> None:
    bench = Bench()
    bench.go.set()
    with pytest.raises(UpstreamIncomplete):
        await ask_each([bench.ask(said("a"), failure=UpstreamIncomplete())], 1)
    assert bench.closed == 1


async def test_whoever_leaves_cancels_them_all() -> None:
    bench = Bench()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ask_each([bench.ask(said(str(number))) for number in range(3)], 1)
    assert bench.closed == 0


def test_choices_are_numbered_through() -> None:
    two: list[Event] = [Start("1", "m", 1), Text("a"), Text("b", 1), Finish("stop"), Finish("length", 1)]
    events = merge([two, two], 2)
    assert [(event.text, event.choice) for event in events if isinstance(event, Text)] == [
        ("a", 0),
        ("b", 1),
        ("a", 2),
        ("b", 3),
    ]
    assert [event.choice for event in events if isinstance(event, Finish)] == [0, 1, 2, 3]
    assert not breaches(events)


def test_usage_is_added_up_and_stands_last() -> None:
    events = merge([said("a", Usage(1, 2, 3, 4)), said("b"), said("c", Usage(10, 20, 30, 40, estimated=True))], 1)
    assert events[-1] == Usage(11, 22, 33, 44, estimated=True)
    assert sum(isinstance(event, Usage) for event in events) == 1
    assert not breaches(events)


def test_notes_of_single_answers_are_dropped() -> None:
    assert not [event for event in merge([[*said("a"), Note("ping", "x")]], 1) if isinstance(event, Note)]
