"""Who is asked again, how often, and after what pause; the clock is the test's."""

import asyncio

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Task
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
    UpstreamUnavailable,
)
from dragoman.stages.retry import RetryBudget, retry, retry_delay

ANSWER = Answer(Burst([]), None, lambda: None)


class Bench:
    """An ask that fails with each of `failures` in turn and then answers, and the pauses between."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.pauses: list[float] = []
        self.noted: list[DragomanError] = []
        self.time = 100.0
        self.pinged = False
        """Whether the client is told during a pause that its answer is still coming."""
        self.call = Call(b"", "", "m", list, stream=False)
        self.call.deadline = 700.0

    async def run(self, attempts: int = 3, budget: RetryBudget | None = None) -> Answer:
        def draw(low: float, high: float) -> float:
            return low + high

        stage = retry(attempts, lambda: self.time, self._note, budget, sleep=self.pause, draw=draw)
        return await stage(self._ask)(self.call)

    async def _ask(self, call: Call) -> Answer:
        call.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return ANSWER

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
        self.call.committed = self.pinged

    def _note(self, call: Call, error: DragomanError) -> None:
        assert call is self.call
        self.noted.append(error)


@pytest.mark.parametrize(
    "failure",
    [UpstreamUnavailable(), UpstreamError(), UpstreamTimeout(), UpstreamIncomplete(), Overloaded(), RateLimited()],
)
async def test_what_may_pass_is_tried_again(failure: DragomanError) -> None:
    bench = Bench(failure, failure)
    assert await bench.run() is ANSWER
    assert bench.pauses == [0.25, 0.5]
    assert bench.noted == [failure, failure]


@pytest.mark.parametrize(
    "failure",
    [UpstreamAuth(), UpstreamRejected(), UpstreamInvalid(), ModelNotFound(), BadRequest(), ZeroDivisionError()],
)
async def test_what_will_not_pass_is_not(failure: Exception) -> None:
    bench = Bench(failure)
    with pytest.raises(type(failure)):
        await bench.run()
    assert bench.call.attempts == 1
    assert not bench.noted


async def test_the_last_failure_is_raised() -> None:
    first, second, third = UpstreamError(), Overloaded(), UpstreamUnavailable()
    bench = Bench(first, second, third)
    with pytest.raises(UpstreamUnavailable) as caught:
        await bench.run()
    assert caught.value is third
    assert (bench.call.attempts, bench.noted) == (3, [first, second])


async def test_what_others_were_asked_counts() -> None:
    bench = Bench(UpstreamError(), UpstreamError())
    bench.call.attempts = 1
    with pytest.raises(UpstreamError):
        await bench.run()
    assert bench.call.attempts == 3


async def test_a_broken_answer_is_asked_for_once_more() -> None:
    broken = UpstreamInvalid()
    broken.retry = "once"
    assert await Bench(broken).run() is ANSWER
    bench = Bench(broken, broken)
    with pytest.raises(UpstreamInvalid):
        await bench.run(5)
    assert bench.call.attempts == 2
    bench = Bench(UpstreamError(), broken)
    with pytest.raises(UpstreamInvalid):
        await bench.run(5)


async def test_the_upstreams_own_wait_is_kept() -> None:
    bench = Bench(RateLimited(retry_after=0.02), Overloaded(retry_after=10))
    assert await bench.run() is ANSWER
    assert bench.pauses == [0.02, 10]


async def test_a_wait_that_is_too_long_is_the_clients() -> None:
    bench = Bench(RateLimited(retry_after=10.1))
    with pytest.raises(RateLimited):
        await bench.run()
    assert not bench.pauses
    assert not bench.noted


async def test_a_wait_beyond_the_time_of_the_call_is_not_begun() -> None:
    bench = Bench(UpstreamError())
    bench.call.deadline = 100.25
    with pytest.raises(UpstreamError):
        await bench.run()
    assert not bench.pauses


async def test_a_client_that_was_told_to_wait_is_not_asked_for_again() -> None:
    bench = Bench(UpstreamError())
    bench.call.committed = True
    with pytest.raises(UpstreamError):
        await bench.run()
    assert (bench.call.attempts, bench.pauses, bench.noted) == (1, [], [])


async def test_a_client_may_be_told_to_wait_during_the_pause() -> None:
    bench = Bench(UpstreamError())
    bench.pinged = True
    with pytest.raises(UpstreamError):
        await bench.run()
    assert (bench.call.attempts, bench.pauses) == (1, [0.25])


async def test_the_pause_can_be_cancelled() -> None:
    async def ask(call: Call) -> Answer:
        call.attempts += 1
        raise Overloaded(retry_after=9)

    call = Call(b"", "", "m", list, stream=False)
    asking = retry(3, lambda: 0.0, lambda call, error: None)(ask)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asking(call)
    assert call.attempts == 1


def test_the_pause_grows_and_is_drawn_at_random() -> None:
    assert [retry_delay(attempt, None, lambda low, high: high) for attempt in (1, 2, 3, 6, 7)] == [0.25, 0.5, 1, 8, 8]
    assert retry_delay(1, None, lambda low, high: low) == 0
    assert retry_delay(1, 0, lambda low, high: high) == 0
    assert retry_delay(9, 3.5, lambda low, high: high) == 3.5


async def test_the_longest_wait_is_kept_to_the_end() -> None:
    bench = Bench(RateLimited(retry_after=10))
    bench.call.deadline = 110.1
    assert await bench.run() is ANSWER


async def test_who_is_refused_without_anybody_being_asked_does_not_wait_for_ever() -> None:
    async def ask(call: Call) -> Answer:
        raise RateLimited(retry_after=1)

    bench = Bench()
    with pytest.raises(RateLimited):
        await retry(3, lambda: 0.0, lambda call, error: None, sleep=bench.pause)(ask)(bench.call)
    assert bench.pauses == [1, 1]


@pytest.mark.parametrize("task", ["image", "video"])
@pytest.mark.parametrize(
    "failure", [UpstreamError(), UpstreamTimeout(), UpstreamIncomplete(), UpstreamUnavailable(fault="reset")]
)
async def test_a_picture_that_may_have_been_made_is_not_asked_for_again(task: Task, failure: DragomanError) -> None:
    bench = Bench(failure)
    bench.call.task = task
    with pytest.raises(type(failure)):
        await bench.run()
    assert bench.call.attempts == 1


@pytest.mark.parametrize(
    "failure", [UpstreamUnavailable(), UpstreamTimeout(fault="connect_timeout"), RateLimited(), Overloaded()]
)
async def test_a_picture_that_was_surely_not_made_is(failure: DragomanError) -> None:
    bench = Bench(failure)
    bench.call.task = "image"
    assert await bench.run() is ANSWER


def test_a_fifth_of_the_calls_may_be_asked_again_but_always_three() -> None:
    budget = RetryBudget()
    allowed: list[int] = []
    for asking in (1, 15, 19, 20, 100):
        budget.asking, budget.retrying = asking, 0
        while budget.allows_one_more():
            budget.retrying += 1
        allowed.append(budget.retrying)
    assert allowed == [3, 3, 3, 4, 20]


async def test_when_too_many_are_asked_again_the_next_failure_is_the_last() -> None:
    budget = RetryBudget()
    budget.asking = budget.retrying = 3
    failure = UpstreamError()
    bench = Bench(failure)
    with pytest.raises(UpstreamError) as caught:
        await bench.run(3, budget)
    assert caught.value is failure
    assert (bench.pauses, bench.noted) == ([], [])


async def test_a_retry_takes_its_place_for_as_long_as_it_lasts() -> None:
    budget = RetryBudget()
    seen: list[tuple[int, int]] = []

    async def ask(call: Call) -> Answer:
        call.attempts += 1
        seen.append((budget.asking, budget.retrying))
        raise UpstreamError

    async def sleep(seconds: float) -> None:
        seen.append((budget.asking, budget.retrying))

    with pytest.raises(UpstreamError):
        await retry(3, lambda: 0.0, lambda call, error: None, budget, sleep=sleep)(ask)(Bench().call)
    assert seen == [(1, 0), (1, 1), (1, 1), (1, 1), (1, 1)]
    assert (budget.asking, budget.retrying) == (0, 0)


async def test_a_client_that_leaves_gives_its_place_back() -> None:
    budget = RetryBudget()

    async def ask(call: Call) -> Answer:
        raise UpstreamError

    async def sleep(seconds: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retry(3, lambda: 0.0, lambda call, error: None, budget, sleep=sleep)(ask)(Bench().call)
    assert (budget.asking, budget.retrying) == (0, 0)
