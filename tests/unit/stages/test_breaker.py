"""When a model is left alone, for how long, and what brings it back; the clock is the test's."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from dragoman.stages.breaker import Breaker, BreakerSettings, breaker, nobody


async def no_more() -> AsyncIterator[Burst]:
    return
    yield


PLAIN = Answer(Burst([]), None, lambda: None)
STREAM = Answer(Burst([]), no_more(), lambda: None)
DOWN = UpstreamUnavailable()


def make_call() -> Call:
    return Call(b"", "", "m", list, stream=True)


class Bench:
    """A breaker, the time, and asks that end as the test says."""

    def __init__(self, draw: float = 1.0, **settings: float) -> None:
        self.time = 1000.0
        self.told: list[float] = []
        given = {"failures": 5, "share": 0.5, "calls": 20, **settings}
        chosen = BreakerSettings(int(given.pop("failures")), given.pop("share"), int(given.pop("calls")), **given)
        self.breaker = Breaker(chosen, lambda: self.time, self.told.append, lambda low, high: draw)
        self._end: Answer | BaseException = PLAIN
        self.ask = breaker(self.breaker)(self._ask)

    async def call(self, end: Answer | BaseException = PLAIN, times: int = 1) -> Call:
        """Ask, and return the last call."""
        self._end = end
        call = make_call()
        for _ in range(times):
            call = make_call()
            if isinstance(end, Answer):
                assert await self.ask(call) is end
            else:
                with pytest.raises(type(end)) as caught:
                    await self.ask(call)
                assert caught.value is end
        return call

    async def wait_for_trial(self) -> None:
        self.time += self.told[-1]

    async def _ask(self, call: Call) -> Answer:
        if isinstance(self._end, BaseException):
            raise self._end
        return self._end


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamUnavailable(),
        UpstreamUnavailable(fault="reset"),
        UpstreamError(),
        UpstreamTimeout(),
        UpstreamTimeout(fault="connect_timeout"),
        UpstreamTimeout(fault="first_byte_timeout"),
        UpstreamTimeout(fault="idle_timeout"),
        UpstreamIncomplete(),
        Overloaded(),
    ],
)
async def test_five_failures_in_a_row_open_it(failure: DragomanError) -> None:
    bench = Bench()
    await bench.call(failure, times=4)
    assert not bench.breaker.shut()
    await bench.call(failure)
    assert bench.breaker.shut()
    assert bench.told == [30]


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamRejected(),
        ModelNotFound(),
        RateLimited(),
        UpstreamAuth(),
        UpstreamInvalid(),
        UpstreamTooLarge(),
        BadRequest(),
        Overloaded(code="pool_exhausted"),
        asyncio.CancelledError(),
        ZeroDivisionError(),
    ],
)
async def test_what_says_nothing_of_its_health_never_does(failure: BaseException) -> None:
    bench = Bench()
    await bench.call(failure, times=50)
    assert not bench.breaker.shut()
    await bench.call(DOWN, times=5)  # nor is it counted as a success, which would be half of all calls
    assert bench.breaker.shut()


async def test_an_answer_between_makes_failures_begin_anew() -> None:
    bench = Bench()
    await bench.call(DOWN, times=4)
    await bench.call()
    await bench.call(DOWN, times=4)
    assert not bench.breaker.shut()
    await bench.call(DOWN)
    assert bench.breaker.shut()


async def test_the_number_of_failures_can_be_chosen() -> None:
    bench = Bench(failures=1)
    await bench.call(DOWN)
    assert bench.breaker.shut()


async def test_it_opens_when_more_than_half_of_the_last_calls_failed() -> None:
    bench = Bench()
    for _ in range(10):
        await bench.call(DOWN)
        await bench.call()
    assert not bench.breaker.shut()  # 10 of 20 are half of them, not more
    await bench.call(DOWN)
    assert bench.breaker.shut()


async def test_fewer_than_twenty_calls_have_no_share() -> None:
    bench = Bench(failures=100)
    await bench.call(DOWN, times=19)
    assert not bench.breaker.shut()
    await bench.call(DOWN)
    assert bench.breaker.shut()


async def test_what_is_long_ago_is_forgotten() -> None:
    bench = Bench(failures=100)
    await bench.call(DOWN, times=19)
    bench.time += 30
    await bench.call(DOWN, times=19)
    assert not bench.breaker.shut()
    bench.time += 26.9
    await bench.call(DOWN)
    assert bench.breaker.shut()


async def test_after_a_pause_one_call_is_a_trial_and_its_answer_closes_it() -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    bench.time += 29.9
    assert bench.breaker.shut()
    bench.time += 0.1
    assert not bench.breaker.shut()
    await bench.call()
    assert not bench.breaker.shut()
    await bench.call(DOWN, times=4)
    assert not bench.breaker.shut()


async def test_while_the_trial_runs_it_is_shut_for_all_others() -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    await bench.wait_for_trial()
    trial = bench.breaker.enter()
    assert bench.breaker.shut()
    await bench.call()  # asked all the same, as the last target of a route is: it closes nothing
    assert bench.breaker.shut()
    bench.breaker.succeed(trial, make_call(), PLAIN)
    assert not bench.breaker.shut()


@pytest.mark.parametrize("end", [asyncio.CancelledError(), RateLimited(), UpstreamRejected()])
async def test_a_trial_that_tells_nothing_leaves_its_place_to_the_next(end: BaseException) -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    await bench.wait_for_trial()
    await bench.call(end)
    assert not bench.breaker.shut()
    assert bench.told == [30]


async def test_each_trial_that_fails_makes_the_pause_longer() -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    for _ in range(10):
        await bench.wait_for_trial()
        await bench.call(DOWN)
        assert bench.breaker.shut()
    assert bench.told == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300]


async def test_pauses_differ_by_a_tenth_and_are_never_longer_than_the_longest() -> None:
    assert [await first_pause(draw) for draw in (0.9, 1.1)] == [pytest.approx(27), pytest.approx(33)]
    bench = Bench(draw=1.1, failures=1, longest=31)
    await bench.call(DOWN)
    assert bench.told == [31]


async def test_the_bounds_of_the_draw_are_a_tenth_around_one() -> None:
    asked: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    state = Breaker(BreakerSettings(failures=1), lambda: 0.0, nobody, draw)
    state.fail(state.enter(), DOWN)
    assert asked == [(0.9, 1.1)]


async def test_a_time_without_trouble_makes_the_next_pause_short_again() -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    await bench.wait_for_trial()
    await bench.call()
    bench.time += 299
    await bench.call(DOWN, times=5)
    assert bench.told == [30, 60]
    await bench.wait_for_trial()
    await bench.call()
    bench.time += 300
    await bench.call(DOWN, times=5)
    assert bench.told == [30, 60, 30]


async def test_what_fails_while_it_is_open_does_not_open_it_again() -> None:
    bench = Bench()
    await bench.call(DOWN, times=20)
    assert bench.told == [30]


async def test_what_began_before_it_opened_tells_nothing_of_now() -> None:
    bench = Bench()
    old = bench.breaker.enter()
    await bench.call(DOWN, times=5)
    bench.breaker.succeed(old, make_call(), PLAIN)
    assert bench.breaker.shut()
    await bench.wait_for_trial()
    await bench.call()
    for _ in range(5):
        bench.breaker.fail(old, DOWN)
    assert not bench.breaker.shut()


@pytest.mark.parametrize("death", [UpstreamIncomplete(), UpstreamInvalid(), UpstreamTimeout(), Overloaded()])
async def test_streams_that_die_are_failures(death: DragomanError) -> None:
    bench = Bench()
    for _ in range(5):
        assert not bench.breaker.shut()
        call = await bench.call(STREAM)
        call.broke(death)
    assert bench.breaker.shut()


async def test_streams_that_die_together_are_failures_too() -> None:
    bench = Bench()
    calls = [await bench.call(STREAM) for _ in range(6)]
    for call in calls:
        assert call is calls[5] or not bench.breaker.shut()
        call.broke(UpstreamIncomplete())
    assert bench.told == [30]


@pytest.mark.parametrize(
    "end", [RateLimited(), UpstreamTooLarge(), DragomanError(), UpstreamRejected(), UpstreamAuth()]
)
async def test_a_stream_can_end_badly_without_its_upstream_being_ill(end: DragomanError) -> None:
    bench = Bench(failures=1)
    call = await bench.call(STREAM)
    call.broke(end)
    assert not bench.breaker.shut()


async def test_a_whole_answer_between_outweighs_the_death_of_an_older_stream() -> None:
    bench = Bench()
    await bench.call(DOWN, times=4)
    stream = await bench.call(STREAM)
    await bench.call(PLAIN)
    stream.broke(UpstreamIncomplete())
    assert not bench.breaker.shut()
    await bench.call(DOWN, times=4)
    assert bench.breaker.shut()


async def test_streams_that_die_count_for_the_share_once() -> None:
    bench = Bench(failures=100)
    for _ in range(9):
        await bench.call()
        (await bench.call(STREAM)).broke(UpstreamIncomplete())
    (await bench.call(STREAM)).broke(UpstreamIncomplete())
    assert not bench.breaker.shut()  # 10 of 19
    await bench.call(STREAM)
    assert not bench.breaker.shut()
    (await bench.call(STREAM)).broke(UpstreamIncomplete())
    assert bench.breaker.shut()  # 11 of 21


async def test_a_trial_whose_stream_dies_opens_it_again_at_once() -> None:
    bench = Bench()
    await bench.call(DOWN, times=5)
    await bench.wait_for_trial()
    trial = await bench.call(STREAM)
    assert not bench.breaker.shut()
    trial.broke(UpstreamIncomplete())
    assert bench.breaker.shut()
    assert bench.told == [30, 60]


async def test_the_death_of_a_stream_from_before_tells_nothing_of_now() -> None:
    bench = Bench()
    old = await bench.call(STREAM)
    await bench.call(DOWN, times=5)
    await bench.wait_for_trial()
    await bench.call()
    await bench.call(DOWN, times=4)
    old.broke(UpstreamIncomplete())
    assert not bench.breaker.shut()


async def first_pause(draw: float) -> float:
    bench = Bench(draw, failures=1)
    await bench.call(DOWN)
    return bench.told[0]
