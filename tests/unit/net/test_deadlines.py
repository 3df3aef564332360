"""One timer for all: who is late is told, who is not is left alone, and an idle watch does not tick."""

import asyncio
from math import inf

from dragoman.net.deadlines import Deadlines
from tests.unit.net.loopback import Clock


class Wait:
    """Something that waits until its deadline, and may leave or wait anew when it is told."""

    def __init__(self, deadline: float, then: float = inf) -> None:
        self.deadline = deadline
        self.then = then
        self.told = 0

    def expire(self) -> None:
        self.told += 1
        self.deadline = self.then


async def test_who_is_late_is_told_and_who_is_not_is_left_alone(clock: Clock) -> None:
    deadlines = Deadlines(clock)
    late, patient = Wait(deadlines.now() + 5), Wait(inf)
    deadlines.watch(late)
    deadlines.watch(patient)
    await clock.pass_by(4)
    assert late.told == 0
    await clock.pass_by(2)
    assert (late.told, patient.told) == (1, 0)


async def test_who_sets_no_new_deadline_is_told_again(clock: Clock) -> None:
    deadlines = Deadlines(clock)
    stubborn = Wait(0, then=0)
    deadlines.watch(stubborn)
    await clock.pass_by(1)
    await clock.pass_by(1)
    assert stubborn.told == 2


async def test_who_is_forgotten_is_not_told(clock: Clock) -> None:
    deadlines = Deadlines(clock)
    gone = Wait(0)
    deadlines.watch(gone)
    deadlines.forget(gone)
    deadlines.forget(gone)
    await clock.pass_by(1)
    assert gone.told == 0


async def test_who_leaves_while_it_is_told_does_not_disturb_the_others(clock: Clock) -> None:
    deadlines = Deadlines(clock)

    class Leaver(Wait):
        def expire(self) -> None:
            super().expire()
            deadlines.forget(self)

    leavers = [Leaver(0) for _ in range(3)]
    for leaver in leavers:
        deadlines.watch(leaver)
    await clock.pass_by(1)
    assert [leaver.told for leaver in leavers] == [1, 1, 1]


async def test_the_timer_stops_when_nobody_waits_and_starts_again(clock: Clock) -> None:
    deadlines = Deadlines(clock)
    first = Wait(inf)
    deadlines.watch(first)
    deadlines.forget(first)
    await clock.pass_by(1)
    second = Wait(0)
    deadlines.watch(second)
    await clock.pass_by(1)
    assert second.told == 1


async def test_now_is_the_time_of_the_loop() -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert before <= Deadlines(loop).now() <= loop.time()
