"""Stay under the rate that an upstream allows, instead of running into it.

One `Pace` belongs to one upstream, whatever the model: rates are per account. It knows two things:

- the requests a minute that the configuration allows (`rpm`): never more than these go out in any 60 seconds;
- the requests that the upstream says are left (`saw` reads it from every response, see `quota`), less those that were
  made since. Others may use the same account, so what the upstream says is believed before our own count.

A call that would be too much waits for its turn, in the order of arrival, if that comes soon enough; else it is refused
at once with the seconds to wait, and another target may take it. What nobody has told of a rate limits nothing.

The numbers are those of one process: with several, each is given its part of `rpm`; what is left is told to each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call, Clock
from dragoman.core.errors import RateLimited
from dragoman.stages.quota import MINUTE, Quota, read_quota

SOON = 0.001
"""Seconds that are not worth a wait: timers are no better than this."""
UNLIMITED = float("inf")


class PaceSettings(Struct, frozen=True):
    """How fast an upstream is asked."""

    rpm: int | None = None
    """Requests a minute; None: as many as the upstream says."""
    wait: float = 10.0
    """Seconds that a call waits for its turn at most."""
    waiters: int = 100
    """Calls that wait at the same time."""


class Pace:
    """The rate of one upstream."""

    __slots__ = ("_clock", "_credit", "_settings", "_sleep", "_waiting", "_window", "busy")

    def __init__(
        self, settings: PaceSettings, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """`sleep` can be replaced."""
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._window = None if settings.rpm is None else _Window(settings.rpm)
        self._credit: _Credit | None = None
        self._waiting = 0
        self.busy = 0
        """Requests that are made now, so that the upstream may not have counted them in what it said last."""

    @property
    def is_free(self) -> bool:
        """Whether nothing limits the upstream."""
        return self._window is None and self._credit is None

    def saw(self, headers: Mapping[str, str]) -> None:
        """Learn from the headers of a response, their names in lower case.

        They tell of the key that was used: for an upstream with several, only `rpm` can be kept.
        """
        quota = read_quota(headers, self._clock.epoch)
        if quota is None:
            return
        if self._credit is None:
            self._credit = _Credit()
        self._credit.tell(quota, self._clock.now(), max(0, self.busy - 1))

    async def enter(self, call: Call) -> None:
        """Return when it is the call's turn, which it takes; raises `RateLimited` when that would be too late."""
        now = self._clock.now()
        wait = self._wait(now, self._waiting)
        if wait:
            await self._queue(call, now, wait)
            now = self._clock.now()
        if self._window is not None:
            self._window.take(now)
        if self._credit is not None:
            self._credit.left -= 1

    async def _queue(self, call: Call, now: float, wait: float) -> None:
        latest = min(now + self._settings.wait, call.deadline)
        if self._waiting >= self._settings.waiters:
            raise _refusal(wait)
        self._waiting += 1
        try:
            while wait:
                if now + wait > latest:
                    raise _refusal(wait)
                await self._sleep(wait)
                now = self._clock.now()
                wait = self._wait(now, 0)
        finally:
            self._waiting -= 1
        if call.committed and call.attempts:  # meanwhile the client was told to go on waiting: no second attempt
            raise _refusal(SOON)

    def _wait(self, now: float, ahead: int) -> float:
        """Return the seconds until it is the turn of a call with so many others ahead of it."""
        window = 0.0 if self._window is None else self._window.wait(now, ahead)
        credit = 0.0 if self._credit is None else self._credit.wait(now, ahead)
        wait = max(window, credit)
        return wait if wait > SOON else 0.0


def pace(state: Pace) -> Stage:
    """Let calls through as fast as `state` allows; raises `RateLimited`, for which another target may be asked."""

    def stage(ask: Ask) -> Ask:
        async def in_turn(call: Call) -> Answer:
            await state.enter(call)
            state.busy += 1
            try:
                return await ask(call)
            finally:
                state.busy -= 1

        def paced(call: Call) -> Awaitable[Answer]:
            return ask(call) if state.is_free else in_turn(call)

        return paced

    return stage


def _refusal(wait: float) -> RateLimited:
    error = RateLimited("the upstream's rate limit is reached", retry_after=wait)
    error.retry = "elsewhere"
    return error


class _Window:
    """So many in any 60 seconds."""

    __slots__ = ("_most", "_times")

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque()

    def wait(self, now: float, ahead: int) -> float:
        times = self._times
        while times and times[0] <= now - MINUTE:
            times.popleft()
        first = len(times) + ahead - self._most
        if first < 0:
            return 0.0
        # What `ahead` of us take will itself only be free again a minute later: that is too late for anybody.
        return times[first] + MINUTE - now if first < len(times) else MINUTE

    def take(self, now: float) -> None:
        self._times.append(now)


class _Credit:
    """How many requests an upstream has left for us, as far as it has told."""

    __slots__ = ("_again", "_full", "_rate", "_since", "left")

    def __init__(self) -> None:
        self.left = UNLIMITED
        """At the time `_since`, less those that were made after it."""
        self._since = 0.0
        self._rate = 0.0
        """Requests that come back each second."""
        self._full = 0.0
        self._again = UNLIMITED
        """How many there are at the time `_full`: all, or one to see whether there are any."""

    def tell(self, quota: Quota, now: float, busy: int) -> None:
        """Believe the upstream, which may or may not have counted `busy` requests that are still being made."""
        self._grow(now)
        least = quota.remaining - busy
        self.left = least if self.left == UNLIMITED else min(max(self.left, least), quota.remaining)
        gone = quota.limit - quota.remaining
        self._rate = gone / quota.seconds if quota.drips and gone > 0 and quota.seconds > 0 else 0.0
        self._full = now + min(quota.seconds, MINUTE)
        self._again = quota.limit or UNLIMITED if quota.seconds <= MINUTE else 1

    def wait(self, now: float, ahead: int) -> float:
        missing = ahead + 1 - self.left
        if missing <= 0:
            return 0.0
        self._grow(now)
        missing = ahead + 1 - self.left
        if missing <= 0:
            return 0.0
        back = self._full - now
        return min(back, missing / self._rate) if self._rate else back

    def _grow(self, now: float) -> None:
        """Count what has come back.

        A limit that is said to last for longer than a minute is tried each minute: a response tells more than any sum.
        """
        self.left += (min(now, self._full) - self._since) * self._rate
        self._since = now
        if now >= self._full:
            self.left = max(self.left, self._again)
            self._full = now + MINUTE
            self._rate = 0.0
