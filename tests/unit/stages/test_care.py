"""One upstream with all the care that is taken of it; the clock is the test's."""

import gc

import pytest

from dragoman.core.ask import Answer, Ask, chain
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import DragomanError, RateLimited, UpstreamError
from dragoman.stages.breaker import BreakerSettings
from dragoman.stages.care import Care, CareSettings
from dragoman.stages.pace import PaceSettings
from dragoman.stages.route import fallback

ANSWER = Answer(Burst([]), None, lambda: None)


class Bench:
    """An upstream, its failures to come, and the asks for its models."""

    def __init__(self, settings: CareSettings) -> None:
        self.time = 1000.0
        self.failures: list[DragomanError] = []
        self.asked: list[str] = []
        self.noted: list[DragomanError] = []
        self.ejected: list[tuple[str, float]] = []
        self.care = Care(settings, Clock(lambda: self.time, lambda: 0.0), self._note, self._eject)

    def ask(self, model: str, attempts: int = 9) -> Ask:
        async def ask(call: Call) -> Answer:
            call.attempts += 1
            self.asked.append(model)
            if self.failures:
                raise self.failures.pop(0)
            return ANSWER

        return chain(ask, *self.care.stages(model, attempts))

    async def fails(self, ask: Ask, *failures: DragomanError) -> DragomanError:
        self.failures[:] = failures
        with pytest.raises(DragomanError) as caught:
            await ask(make_call())
        return caught.value

    def _note(self, call: Call, error: DragomanError) -> None:
        self.noted.append(error)

    def _eject(self, model: str, seconds: float) -> None:
        self.ejected.append((model, seconds))


def make_call() -> Call:
    return Call(b"", "", "m", list, stream=False)


async def test_a_call_is_asked_again_until_it_has_had_its_attempts() -> None:
    bench = Bench(CareSettings(attempts=2))
    await bench.fails(bench.ask("m"), RateLimited(retry_after=0), RateLimited(retry_after=0))
    await bench.fails(bench.ask("m", 1), RateLimited(retry_after=0))
    assert (len(bench.asked), len(bench.noted)) == (3, 1)


async def test_a_model_that_fails_is_left_alone_and_no_other() -> None:
    bench = Bench(CareSettings(attempts=1, breaker=BreakerSettings(failures=2)))
    ask, other = bench.ask("m"), bench.ask("other")
    ill, well = bench.care.candidate("m", ask), bench.care.candidate("other", other)
    await bench.fails(ask, UpstreamError())
    await bench.fails(bench.ask("m"), UpstreamError())  # by another way to the same model
    assert (ill.shut(), well.shut()) == (True, False)
    assert [model for model, _ in bench.ejected] == ["m"]
    assert await ask(make_call()) is ANSWER  # whoever has no choice may ask


async def test_a_route_leaves_a_model_alone_that_is_down_and_comes_back_to_it() -> None:
    bench = Bench(CareSettings(attempts=1))
    asks = {model: bench.ask(model) for model in ("first", "second")}
    candidates = [bench.care.candidate(model, ask) for model, ask in asks.items()]
    routed = fallback(candidates, 3, lambda: bench.time, lambda call, error: None)
    for _ in range(6):
        bench.failures = [UpstreamError()] if len(bench.asked) < 10 else []
        assert await routed(make_call()) is ANSWER
    assert bench.asked == ["first", "second"] * 5 + ["second"]
    bench.time += bench.ejected[0][1]
    bench.asked.clear()
    await routed(make_call())
    await routed(make_call())
    assert bench.asked == ["first", "first"]


async def test_a_model_is_not_asked_before_the_time_it_has_named() -> None:
    bench = Bench(CareSettings())
    ask, other = bench.ask("m"), bench.ask("other")
    candidate = bench.care.candidate("m", ask)
    await bench.fails(ask, RateLimited(retry_after=60))
    bench.time += 20
    assert candidate.shut()
    assert (await bench.fails(ask)).retry_after == 40
    assert bench.asked == ["m"]
    assert await other(make_call()) is ANSWER
    bench.time += 40
    assert not candidate.shut()
    assert await candidate.ask(make_call()) is ANSWER


async def test_the_pace_is_one_for_all_models() -> None:
    bench = Bench(CareSettings(pace=PaceSettings(rpm=2)))
    await bench.ask("m")(make_call())
    await bench.ask("other")(make_call())
    assert (await bench.fails(bench.ask("third"))).retry_after == 60
    assert not bench.care.candidate("third", bench.ask("third")).shut()


async def test_what_a_response_tells_is_heeded() -> None:
    bench = Bench(CareSettings())
    ask = bench.ask("m")
    bench.care.saw({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30"})
    refusal = await bench.fails(ask)
    assert (refusal.status, refusal.retry_after, refusal.retry) == (429, 30, "elsewhere")
    assert bench.asked == []


async def test_what_is_known_of_a_model_is_forgotten_with_the_last_ask_for_it() -> None:
    bench = Bench(CareSettings(attempts=1, breaker=BreakerSettings(failures=1)))
    ask = bench.ask("m")
    await bench.fails(ask, UpstreamError(), UpstreamError())
    del ask
    gc.collect()
    assert not bench.care.candidate("m", bench.ask("m")).shut()
