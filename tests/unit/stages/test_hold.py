"""An upstream that has named a time is not asked before it; the clock is the test's."""

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, Overloaded, RateLimited, UpstreamError
from dragoman.stages.hold import LONGEST, Hold, hold

ANSWER = Answer(Burst([]), None, lambda: None)


class Bench:
    """Models that share a hold, and the time."""

    def __init__(self) -> None:
        self.time = 50.0
        self.hold = Hold(lambda: self.time)
        self.asked = 0
        self.failure: DragomanError | None = None
        self._ask_held = hold(self.hold)(self._ask)

    async def call(self, failure: DragomanError | None = None) -> Answer:
        self.failure = failure
        return await self._ask_held(Call(b"", "", "m", list, stream=False))

    async def _ask(self, call: Call) -> Answer:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return ANSWER


async def test_nothing_is_held_that_has_not_asked_for_it() -> None:
    bench = Bench()
    assert await bench.call() is ANSWER
    assert not bench.hold.shut()


@pytest.mark.parametrize("failure", [RateLimited("slow", retry_after=30), Overloaded("full", retry_after=30)])
async def test_until_the_time_is_over_everybody_hears_the_same_without_asking(failure: DragomanError) -> None:
    bench = Bench()
    with pytest.raises(type(failure)) as first:
        await bench.call(failure)
    assert first.value is failure
    bench.time += 12.5
    assert bench.hold.shut()
    with pytest.raises(type(failure)) as second:
        await bench.call()
    told = second.value
    assert isinstance(told, RateLimited | Overloaded)
    assert (told.message, told.code, told.retry_after) == (failure.message, failure.code, 17.5)
    assert (told.retry, told.detail, bench.asked) == ("again", "", 1)


async def test_after_that_it_is_asked_again() -> None:
    bench = Bench()
    with pytest.raises(RateLimited):
        await bench.call(RateLimited(retry_after=30))
    bench.time += 29.995  # a timer may be a little early
    assert not bench.hold.shut()
    assert await bench.call() is ANSWER


async def test_a_call_may_find_out_itself_that_the_time_is_over() -> None:
    bench = Bench()
    with pytest.raises(RateLimited):
        await bench.call(RateLimited(retry_after=30))
    bench.time += 30
    assert await bench.call() is ANSWER


@pytest.mark.parametrize("failure", [RateLimited(), RateLimited(retry_after=0), Overloaded(), UpstreamError()])
async def test_who_names_no_time_is_not_held(failure: DragomanError) -> None:
    bench = Bench()
    with pytest.raises(type(failure)):
        await bench.call(failure)
    assert not bench.hold.shut()
    assert await bench.call() is ANSWER


async def test_of_several_times_the_latest_counts() -> None:
    bench = Bench()
    bench.hold.heed(RateLimited(retry_after=10))
    bench.hold.heed(Overloaded(retry_after=20))
    bench.hold.heed(RateLimited(retry_after=15))
    with pytest.raises(Overloaded) as caught:
        await bench.call()
    assert caught.value.retry_after == 20


async def test_nobody_is_held_for_more_than_a_day() -> None:
    bench = Bench()
    bench.hold.heed(RateLimited(retry_after=1e12))
    bench.time += LONGEST
    assert not bench.hold.shut()
