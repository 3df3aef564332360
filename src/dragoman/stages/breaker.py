"""Leave a model alone that keeps failing, and try it again from time to time.

A breaker belongs to one model of one upstream. While all is well it is *closed* and only counts. Too many failures in
a row, or among the last calls, *open* it: for a while the model had better not be asked. After that one call is let
through as a trial; if it is answered the breaker closes, else it stays open for longer.

The breaker itself refuses nothing: whoever has a choice (`route.fallback`) looks at `Breaker.shut` and asks another
target first. So the last target of a route is never left out, nor is a model that has no stand-in, without anybody
having to count how many are left.

A stream that has begun counts as answered, until it dies: then it is counted as the failure that it was, for which the
call tells of its end (`Call.watch`). Nothing is done for each burst.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call
from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
    UpstreamTooLarge,
)

SLICES = 10
"""Parts of the time over which calls are counted; the oldest is forgotten as a whole."""
JITTER = 0.1
"""Part of a pause by which it is made shorter or longer, so that breakers do not all try at once."""
FAULTS = frozenset(
    {
        "connect",
        "connect_timeout",
        "first_byte_timeout",
        "idle_timeout",
        "incomplete",
        "overloaded",
        "reset",
        "timeout",
        "5xx",
    }
)
"""The classes of faults that say something of an upstream's health; that it calls a request wrong says nothing."""
_OURS = "pool_exhausted"
_UNHARMED = UpstreamAuth | UpstreamRejected | UpstreamTooLarge
"""How a stream may end without the upstream being ill."""
_BLIND = 0
"""The ticket of a call whose outcome tells nothing: it was asked although the breaker was open."""


class BreakerSettings(Struct, frozen=True):
    """When a breaker opens, and for how long."""

    failures: int = 5
    """Failures in a row that open it."""
    share: float = 0.5
    """Of the last calls; if more of them failed it opens too."""
    calls: int = 20
    """Fewer than these have no share worth speaking of."""
    window: float = 30.0
    """Seconds over which calls are counted for the share."""
    pause: float = 30.0
    """Seconds for which it stays open the first time; the second time twice as long, and so on."""
    longest: float = 300.0
    """Seconds for which it stays open at most; after as long without trouble the next time is again the first."""


def nobody(seconds: float) -> None:
    """Be told of an opening, and do nothing about it."""


class Breaker:
    """The health of one model, as far as its calls have told."""

    __slots__ = (
        "__weakref__",
        "_closed",
        "_draw",
        "_now",
        "_openings",
        "_run",
        "_settings",
        "_sure",
        "_tally",
        "_tell",
        "_trying",
        "_turn",
        "_until",
    )

    def __init__(
        self,
        settings: BreakerSettings,
        now: Callable[[], float],
        tell: Callable[[float], None] = nobody,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`now` is the loop's time in seconds; `tell` is told of every opening, and for how many seconds it is."""
        self._settings = settings
        self._now = now
        self._tell = tell
        self._draw = draw
        self._tally = _Tally(settings.window)
        self._run = 0
        self._sure = 0
        """Calls that were answered to the end; between two of these numbers nothing went well for certain."""
        self._openings = 0
        self._closed = float("-inf")
        """When it closed last."""
        self._until: float | None = None
        """When the next trial is due; None: closed."""
        self._trying = False
        self._turn = _BLIND + 1
        """Grows with every opening and closing, so that what began before is known for what it is: yesterday's news."""

    def shut(self) -> bool:
        """Tell whether the model had better not be asked now: it is ill, and a trial is not due or already running."""
        return self._until is not None and (self._trying or self._now() < self._until)

    def enter(self) -> int:
        """Return a ticket for a call that is about to ask, which becomes the trial if one is due."""
        if self._until is None:
            return self._turn
        if self.shut():
            return _BLIND
        self._trying = True
        return self._turn

    def fail(self, ticket: int, error: BaseException) -> None:
        """Take note that a call was not answered, for whatever reason; a trial is over then."""
        if ticket != self._turn:
            return
        self._trying = False
        if isinstance(error, DragomanError) and error.fault in FAULTS and error.code != _OURS:
            self._tally.add(self._now(), asked=1)
            self._count_failure()

    def succeed(self, ticket: int, call: Call, answer: Answer) -> None:
        """Take note of an answer; what becomes of a stream is told by its call."""
        if ticket != self._turn:
            return
        before = self._run
        if self._until is not None:
            before = self._settings.failures - 1  # a trial that dies after all needs no others to fail with it
            self._close()
        self._run = 0
        self._tally.add(self._now(), asked=1)
        if answer.rest is None:
            self._sure += 1
        else:
            call.watch(partial(self._die, self._turn, self._sure, before))

    def _die(self, turn: int, sure: int, before: int, error: DragomanError) -> None:
        """Take back that a stream was a success: all is as it was `before`, and one failure more."""
        is_illness = isinstance(error, UpstreamError | Overloaded) and not isinstance(error, _UNHARMED)
        if turn != self._turn or not is_illness:
            return
        if sure == self._sure:
            self._run = max(self._run, before)
        self._count_failure()

    def _count_failure(self) -> None:
        settings = self._settings
        self._run += 1
        self._tally.add(self._now(), failed=1)
        ill = self._until is not None or self._run >= settings.failures
        if ill or self._tally.exceeds(settings.share, settings.calls):
            self._open()

    def _open(self) -> None:
        now, settings = self._now(), self._settings
        has_been_well = self._until is None and now - self._closed >= settings.longest
        self._openings = 1 if has_been_well else self._openings + 1
        pause = settings.pause * self._openings * self._draw(1 - JITTER, 1 + JITTER)
        self._until = now + min(settings.longest, pause)
        self._turn += 1
        self._tell(self._until - now)

    def _close(self) -> None:
        self._closed = self._now()
        self._until = None
        self._trying = False
        self._turn += 1
        self._tally = _Tally(self._settings.window)


def breaker(state: Breaker) -> Stage:
    """Tell `state` what becomes of every call; nothing is refused here."""

    def stage(ask: Ask) -> Ask:
        async def watching(call: Call) -> Answer:
            ticket = state.enter()
            try:
                answer = await ask(call)
            except BaseException as error:
                state.fail(ticket, error)
                raise
            state.succeed(ticket, call, answer)
            return answer

        return watching

    return stage


class _Slice(Struct):
    """What happened in one part of the window."""

    number: int
    asked: int = 0
    failed: int = 0


class _Tally:
    """Calls and failures of the last seconds, forgotten a slice at a time: at least nine tenths of the window count."""

    __slots__ = ("_slices", "_width")

    def __init__(self, window: float) -> None:
        self._width = window / SLICES
        self._slices: deque[_Slice] = deque([_Slice(0)])

    def add(self, now: float, *, asked: int = 0, failed: int = 0) -> None:
        number = int(now / self._width)
        last = self._slices[-1]
        if last.number != number:
            last = _Slice(number)
            self._slices.append(last)
            while self._slices[0].number <= number - SLICES:
                self._slices.popleft()
        last.asked += asked
        last.failed += failed

    def exceeds(self, share: float, calls: int) -> bool:
        """Tell whether more than `share` of at least `calls` have failed, as of the last that was added."""
        failed = sum(part.failed for part in self._slices)
        asked = max(failed, sum(part.asked for part in self._slices))  # a stream may die long after it was asked for
        return asked >= calls and failed > share * asked
