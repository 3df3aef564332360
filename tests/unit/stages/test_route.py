"""Several targets behind one name."""

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    LossRefused,
    ModelNotFound,
    RateLimited,
    TaskNotServed,
    UpstreamAuth,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRejected,
)
from dragoman.stages.route import Candidate, fallback

ANSWER = Answer(Burst([]), None, lambda: None)


def unsupported() -> BadRequest:
    error = BadRequest(code="unsupported_by_model")
    error.retry = "elsewhere"
    return error


class Bench:
    """Targets that each fail in their own way, or answer."""

    def __init__(self, *targets: Exception | None) -> None:
        self.candidates = [self._target(number, failure) for number, failure in enumerate(targets)]
        self.asked: list[int] = []
        self.shut: set[int] = set()
        self.noted: list[DragomanError] = []
        self.call = Call(b"", "", "m", list, stream=False)

    async def run(self, attempts: int = 3, now: float = 0) -> Answer:
        return await fallback(self.candidates, attempts, lambda: now, self._note)(self.call)

    def _target(self, number: int, failure: Exception | None) -> Candidate:
        async def ask(call: Call) -> Answer:
            call.attempts += 1
            self.asked.append(number)
            if failure is not None:
                raise failure
            return ANSWER

        return Candidate(ask, lambda: number in self.shut)

    def _note(self, call: Call, error: DragomanError) -> None:
        self.noted.append(error)


async def test_the_first_that_answers_answers() -> None:
    bench = Bench(None, None)
    assert await bench.run() is ANSWER
    assert bench.asked == [0]


@pytest.mark.parametrize(
    "failure", [UpstreamError(), RateLimited(retry_after=60), UpstreamAuth(), ModelNotFound(), UpstreamInvalid()]
)
async def test_the_next_is_asked_when_one_cannot(failure: DragomanError) -> None:
    bench = Bench(failure, failure, None)
    assert await bench.run() is ANSWER
    assert bench.asked == [0, 1, 2]
    assert bench.noted == [failure, failure]


@pytest.mark.parametrize("failure", [UpstreamRejected(), BadRequest(), ZeroDivisionError()])
async def test_what_is_wrong_everywhere_is_raised_at_once(failure: Exception) -> None:
    bench = Bench(failure, None)
    with pytest.raises(type(failure)):
        await bench.run()
    assert bench.asked == [0]
    assert not bench.noted


async def test_the_last_failure_is_raised_and_left_to_the_server() -> None:
    first, last = UpstreamError(), UpstreamAuth()
    bench = Bench(first, last)
    with pytest.raises(UpstreamAuth) as caught:
        await bench.run()
    assert caught.value is last
    assert bench.noted == [first]


async def test_there_are_so_many_attempts_in_all() -> None:
    bench = Bench(*[UpstreamError() for _ in range(5)])
    with pytest.raises(UpstreamError):
        await bench.run(2)
    assert bench.asked == [0, 1]


async def test_once_the_time_is_over_nobody_is_asked() -> None:
    bench = Bench(UpstreamError(), None)
    bench.call.deadline = 5
    with pytest.raises(UpstreamError):
        await bench.run(now=5)
    assert bench.asked == [0]


async def test_once_the_client_was_told_to_wait_nobody_else_is_asked() -> None:
    bench = Bench(UpstreamError(), None)
    bench.call.committed = True
    with pytest.raises(UpstreamError):
        await bench.run()
    assert (bench.asked, bench.noted) == ([0], [])


async def test_a_target_that_would_lose_something_is_no_reason_not_to_ask_another() -> None:
    bench = Bench(LossRefused(), None)
    assert await bench.run() is ANSWER
    assert bench.asked == [0, 1]


async def test_a_target_that_had_better_not_be_asked_is_passed_over() -> None:
    bench = Bench(None, None)
    bench.shut = {0}
    assert await bench.run() is ANSWER
    assert (bench.asked, bench.noted) == ([1], [])


async def test_but_it_is_asked_when_no_other_can_answer() -> None:
    bench = Bench(None, UpstreamAuth(), ModelNotFound())
    bench.shut = {0}
    assert await bench.run() is ANSWER
    assert bench.asked == [1, 2, 0]


async def test_when_all_had_better_not_be_asked_all_are_as_ever() -> None:
    bench = Bench(UpstreamError(), None)
    bench.shut = {0, 1}
    assert await bench.run() is ANSWER
    assert bench.asked == [0, 1]


async def test_a_target_may_fall_ill_while_the_one_before_it_is_asked() -> None:
    bench = Bench(UpstreamError(), None, None)

    async def infect(call: Call) -> Answer:
        bench.shut.add(1)
        raise UpstreamError

    bench.candidates[0] = Candidate(infect)
    assert await bench.run() is ANSWER
    assert bench.asked == [2]


@pytest.mark.parametrize("unfit", [LossRefused(), unsupported(), TaskNotServed(), ModelNotFound()])
@pytest.mark.parametrize("outage", [UpstreamError(), RateLimited(retry_after=60), UpstreamAuth()])
async def test_a_stand_in_that_is_unfit_does_not_hide_the_outage(unfit: DragomanError, outage: DragomanError) -> None:
    for targets in ((outage, unfit), (unfit, outage), (unfit, outage, unfit)):
        bench = Bench(*targets)
        with pytest.raises(type(outage)) as caught:
            await bench.run(9)
        assert caught.value is outage


async def test_when_all_are_unfit_the_last_says_why() -> None:
    first, last = ModelNotFound(), LossRefused()
    with pytest.raises(LossRefused) as caught:
        await Bench(first, last).run()
    assert caught.value is last


async def test_a_request_that_is_wrong_is_wrong_whatever_failed_before() -> None:
    bench = Bench(UpstreamError(), UpstreamRejected(), None)
    with pytest.raises(UpstreamRejected):
        await bench.run()
    assert bench.asked == [0, 1]


async def test_the_outage_is_told_too_when_there_are_no_attempts_left() -> None:
    bench = Bench(UpstreamError(), ModelNotFound(), None)
    with pytest.raises(UpstreamError):
        await bench.run(2)
    assert bench.asked == [0, 1]


def test_one_target_needs_no_stage() -> None:
    bench = Bench(None)
    assert fallback(bench.candidates, 3, lambda: 0, lambda call, error: None) is bench.candidates[0].ask


def test_a_target_is_open_unless_somebody_says_otherwise() -> None:
    assert not Candidate(Bench(None).candidates[0].ask).shut()
