"""Who may ask now, who waits, and who is sent away; the clock is the test's."""

import asyncio

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import RateLimited
from dragoman.stages.pace import Pace, PaceSettings, pace

ANSWER = Answer(Burst([]), None, lambda: None)


class Bench:
    """An upstream behind a pace; a sleep lets the time go on by itself, or lasts until the test wakes it."""

    def __init__(self, settings: PaceSettings | None = None, headers: dict[str, str] | None = None) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self.asked: list[float] = []
        self.gate: asyncio.Event | None = None
        self.told = headers
        self.ping = False
        clock = Clock(lambda: self.time, lambda: 0.0)
        self.pace = Pace(settings or PaceSettings(), clock, self._sleep)
        self.ask = pace(self.pace)(self._ask)

    async def call(self, times: int = 1) -> None:
        for _ in range(times):
            assert await self.ask(self.make()) is ANSWER

    def make(self) -> Call:
        return Call(b"", "", "m", list, stream=False)

    async def refused(self, call: Call | None = None) -> float | None:
        """Return how long a call is to wait that is not let through."""
        before = len(self.asked)
        with pytest.raises(RateLimited) as caught:
            await self.ask(call or self.make())
        assert len(self.asked) == before
        assert caught.value.retry == "elsewhere"
        return caught.value.retry_after

    def tell(self, remaining: int, reset: str, limit: int | None = 500) -> None:
        headers = {"x-ratelimit-remaining-requests": str(remaining), "x-ratelimit-reset-requests": reset}
        self.pace.saw(headers if limit is None else {**headers, "x-ratelimit-limit-requests": str(limit)})

    async def _ask(self, call: Call) -> Answer:
        self.asked.append(self.time)
        if self.told is not None:
            self.pace.saw(self.told)
        return ANSWER

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.gate is not None:
            await self.gate.wait()
        else:
            self.time += seconds


async def test_what_nobody_limits_goes_through_at_once() -> None:
    bench = Bench()
    bench.pace.saw({"content-type": "application/json"})
    await bench.call(1000)
    assert (bench.slept, bench.pace.is_free) == ([], True)


async def test_no_more_than_the_rate_go_out_in_any_minute() -> None:
    bench = Bench(PaceSettings(rpm=3, wait=60))
    await bench.call()
    bench.time += 20
    await bench.call(5)
    assert bench.asked == [1000, 1020, 1020, 1060, 1080, 1080]
    assert bench.slept == [40, 20]


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    bench = Bench(PaceSettings(rpm=1))
    await bench.call()
    bench.time += 49
    assert await bench.refused() == 11
    bench.time += 1
    await bench.call()
    assert bench.slept == [10]


async def test_nobody_waits_for_longer_than_a_call_may_take() -> None:
    bench = Bench(PaceSettings(rpm=1))
    await bench.call()
    bench.time += 55
    call = bench.make()
    call.deadline = bench.time + 4
    assert await bench.refused(call) == 5
    assert bench.slept == []


async def test_those_who_wait_are_served_in_turn_and_no_more_of_them_than_agreed() -> None:
    bench = Bench(PaceSettings(rpm=2, waiters=2))
    await bench.call()
    bench.time += 1
    await bench.call()
    bench.time += 58
    bench.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(bench.call())
        await asyncio.sleep(0)
        assert bench.slept == [1, 2]
        assert await bench.refused() == 60
        bench.time += 2
        bench.gate.set()
    assert bench.asked == [1000, 1001, 1061, 1061]


async def test_one_too_many_is_refused_however_short_the_wait() -> None:
    bench = Bench(PaceSettings(rpm=2, waiters=1))
    await bench.call(2)
    bench.time += 59
    bench.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.call())
        await asyncio.sleep(0)
        assert await bench.refused() == 1
        bench.time += 1
        bench.gate.set()


async def test_who_leaves_the_queue_makes_room() -> None:
    bench = Bench(PaceSettings(rpm=1, waiters=1))
    await bench.call()
    bench.time += 59
    bench.gate = asyncio.Event()
    waiting = asyncio.create_task(bench.call())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    bench.gate = None
    await bench.call()
    assert bench.slept == [1, 1]


async def test_a_timer_that_is_early_is_set_again() -> None:
    bench = Bench(PaceSettings(rpm=1))
    await bench.call()
    bench.time += 55
    bench.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.call())
        await asyncio.sleep(0)
        bench.time += 2
        bench.gate.set()
        bench.gate = None
    assert bench.slept == [5, 3]


async def test_a_wait_of_less_than_a_millisecond_is_none() -> None:
    bench = Bench(PaceSettings(rpm=1))
    await bench.call()
    bench.time += 59.9995
    await bench.call()
    assert bench.slept == []


async def test_a_retry_is_not_made_once_the_client_was_told_to_wait() -> None:
    bench = Bench(PaceSettings(rpm=1))
    first, again = bench.make(), bench.make()
    first.committed = again.committed = True
    again.attempts = 1
    await bench.call()
    bench.time += 55
    assert await bench.ask(first) is ANSWER
    bench.time += 55
    assert await bench.refused(again) == 0.001


async def test_a_window_that_is_used_up_lets_nobody_through_until_it_ends() -> None:
    bench = Bench()
    bench.tell(2, "30")
    await bench.call(2)
    assert await bench.refused() == 30
    bench.time += 25
    await bench.call(3)
    assert (bench.slept, bench.asked[2:]) == ([5], [1030, 1030, 1030])


async def test_after_the_window_there_is_the_limit_and_no_more() -> None:
    bench = Bench()
    bench.tell(0, "5", limit=3)
    await bench.call(3)
    assert await bench.refused() == 60
    assert bench.slept == [5]


async def test_a_window_without_a_limit_ends_all_the_same() -> None:
    bench = Bench()
    bench.tell(0, "5", limit=None)
    await bench.call(50)
    assert bench.slept == [5]
    bench.tell(1, "6", limit=None)
    await bench.call(2)
    assert bench.slept == [5, 6]


async def test_a_bucket_fills_one_by_one() -> None:
    bench = Bench()
    bench.tell(0, "50s", limit=100)  # two a second
    await bench.call(3)
    assert bench.slept == [0.5, 0.5, 0.5]
    bench.time += 1
    await bench.call(2)
    assert len(bench.slept) == 3


async def test_a_full_bucket_is_just_full() -> None:
    bench = Bench()
    bench.tell(0, "1s", limit=4)
    bench.time += 30
    await bench.call(4)
    assert await bench.refused() == 60


async def test_a_limit_that_lasts_for_long_is_tried_each_minute() -> None:
    bench = Bench()
    bench.tell(0, "24h0m0s", limit=200)
    assert await bench.refused() == 60
    bench.time += 60
    await bench.call()
    assert await bench.refused() == 60


async def test_nothing_left_until_now_is_no_limit() -> None:
    bench = Bench()
    bench.tell(0, "0s", limit=500)
    await bench.call()
    bench.tell(500, "20s", limit=500)
    await bench.call(500)
    assert await bench.refused() == 20


async def test_others_may_use_the_same_account() -> None:
    bench = Bench()
    bench.tell(400, "40")
    await bench.call()
    bench.tell(1, "39")
    await bench.call()
    assert await bench.refused() == 39


async def test_what_the_upstream_has_not_counted_yet_is_counted_here() -> None:
    bench = Bench()
    bench.tell(10, "40")
    bench.pace.busy = 4
    for _ in range(4):
        await bench.pace.enter(bench.make())
    bench.tell(9, "40")  # the answer to the first of the four
    await bench.call(6)
    assert await bench.refused() == 40


async def test_a_new_window_is_noticed_by_what_is_left_in_it() -> None:
    bench = Bench(headers={"x-ratelimit-remaining-requests": "499", "x-ratelimit-reset-requests": "59"})
    bench.tell(1, "40")
    await bench.call(100)
    assert bench.slept == []


async def test_both_limits_hold() -> None:
    bench = Bench(PaceSettings(rpm=2))
    bench.tell(1, "9")
    await bench.call(2)
    assert bench.slept == [9]
    assert await bench.refused() == 51
    assert bench.pace.busy == 0
