"""Ask again when that may help, never after the client has seen a byte, never longer than the call may take.

Between two attempts there is a pause: what the upstream asked for (``retry-after``), else one drawn at random, from a
range that doubles each time, so that many calls that failed together do not come back together.

What an upstream can bear is not known, so retries are a budget that it shares (`RetryBudget`): when most calls fail,
asking all of them again would only triple the load on a server that is down because of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from msgspec import Struct

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, Overloaded, RateLimited

MAX_WAIT = 10.0
"""Seconds an upstream may ask us to wait; longer is for the client to decide."""
FIRST_CAP, LAST_CAP = 0.25, 8.0
"""Seconds that the first pause, and any pause, lasts at most."""
_COSTLY = frozenset({"image", "video"})
"""What is not made twice for one call."""
_UNSENT = frozenset({"connect", "connect_timeout"})
"""Faults that come before a request is sent."""

Note = Callable[[Call, DragomanError], None]
"""Told of every failure that the client does not see because something else is tried."""


class RetryBudget:
    """How many calls may be asked again at the same time; one for each upstream.

    A call is counted until it is answered, which a stream is as soon as it begins.
    """

    __slots__ = ("_least", "_share", "asking", "retrying")

    def __init__(self, least: int = 3, share: float = 0.2) -> None:
        """Calls that may always be asked again, and the part of all calls that may when that is more."""
        self._least = least
        self._share = share
        self.asking = 0
        """Calls that are being asked, retries included."""
        self.retrying = 0
        """Those among them that are asked again, or wait for it."""

    def allows_one_more(self) -> bool:
        """Tell whether one more call may be asked again."""
        return self.retrying + 1 <= max(self._least, self._share * self.asking)


def retry(
    attempts: int,
    now: Callable[[], float],
    note: Note,
    budget: RetryBudget | None = None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    draw: Callable[[float, float], float] = random.uniform,
) -> Stage:
    """Ask up to `attempts` times in all, counting what other targets were asked for the same call.

    `now` is the loop's time in seconds; `sleep` and `draw` (a random number between two bounds) can be replaced.
    """
    again = _Again(attempts, now, note, budget or RetryBudget(), sleep, draw)
    shared = again.budget

    def stage(ask: Ask) -> Ask:
        async def asking(call: Call) -> Answer:
            shared.asking += 1
            try:
                return await ask(call)
            except DragomanError as error:
                return await again.ask(ask, call, error)
            finally:
                shared.asking -= 1

        return asking

    return stage


class _Again(Struct, frozen=True):
    """What is done once a call has failed."""

    attempts: int
    now: Callable[[], float]
    note: Note
    budget: RetryBudget
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[float, float], float]

    async def ask(self, ask: Ask, call: Call, error: DragomanError) -> Answer:
        """Ask for as long as that may help; raises the last error."""
        asked = 1
        while (wait := self._pause(call, error, asked)) is not None:
            self.note(call, error)
            self.budget.retrying += 1
            try:
                await self.sleep(wait)
                if call.committed:  # meanwhile the client was told to go on waiting
                    break
                return await ask(call)
            except DragomanError as failure:
                error = failure
            finally:
                self.budget.retrying -= 1
            asked += 1
        raise error

    def _pause(self, call: Call, error: DragomanError, asked: int) -> float | None:
        """Return the seconds until the call is to be asked again; None: never."""
        if not (_worth_it(call, error, asked, self.attempts) and self.budget.allows_one_more()):
            return None
        wait = retry_delay(asked, error.retry_after, self.draw)
        return None if wait > MAX_WAIT or self.now() + wait >= call.deadline else wait


def retry_delay(attempt: int, retry_after: float | None, draw: Callable[[float, float], float]) -> float:
    """Return the seconds to wait before retry number `attempt` (the first is 1).

    The upstream's own `retry_after` wins, uncut; otherwise full jitter: anything up to 0.25 s, doubled each time, at
    most 8 s. Source: AWS Builders' Library, "Timeouts, retries and backoff with jitter".
    """
    return retry_after if retry_after is not None else draw(0.0, min(LAST_CAP, FIRST_CAP * 2.0 ** (attempt - 1)))


def _worth_it(call: Call, error: DragomanError, asked: int, attempts: int) -> bool:
    """`asked` counts calls that were refused before any upstream was asked, too: nobody waits for ever."""
    if max(asked, call.attempts) >= attempts or call.committed:
        return False
    if call.task in _COSTLY and not (isinstance(error, RateLimited | Overloaded) or error.fault in _UNSENT):
        return False  # it may have been made, and charged, although we were not told
    return error.retry == "again" or (error.retry == "once" and asked == 1)
