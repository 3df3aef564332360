"""Everything between a call and one upstream, put together: how to ask it without doing it, or us, harm.

One `Care` belongs to one upstream. What concerns an account (its rate, how many calls are asked again) is known once;
the health of a model, and the time at which it wants to be asked again, are known for each model: a provider that is
out of room for one model often has room for the next, and its limits mostly differ by model. Where a limit is one for
the whole account its headers say so, and the pace is kept for all models together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from msgspec import Struct

from dragoman.core.ask import Ask, Stage
from dragoman.core.call import Clock
from dragoman.stages.breaker import Breaker, BreakerSettings, breaker
from dragoman.stages.hold import Hold, hold
from dragoman.stages.pace import Pace, PaceSettings, pace
from dragoman.stages.retry import Note, RetryBudget, retry
from dragoman.stages.route import Candidate

Ejected = Callable[[str, float], None]
"""Told that a model is left alone, and for how many seconds."""


class CareSettings(Struct, frozen=True):
    """How an upstream is treated."""

    attempts: int = 3
    """How often one call is tried at most."""
    breaker: BreakerSettings = BreakerSettings()
    pace: PaceSettings = PaceSettings()


class Care:
    """What is known of one upstream from its calls."""

    def __init__(self, settings: CareSettings, clock: Clock, note: Note, ejected: Ejected) -> None:
        """`note` is told of failures that the client does not see, `ejected` of every breaker that opens."""
        self._settings = settings
        self._clock = clock
        self._note = note
        self._ejected = ejected
        self._pace = Pace(settings.pace, clock)
        self._budget = RetryBudget()
        # A client may ask for any name, so what is known of a model lives only as long as an ask for it.
        self._breakers: WeakValueDictionary[str, Breaker] = WeakValueDictionary()
        self._holds: WeakValueDictionary[str, Hold] = WeakValueDictionary()

    def saw(self, headers: Mapping[str, str]) -> None:
        """Learn from the headers of any response of the upstream, their names in lower case."""
        self._pace.saw(headers)

    def stages(self, model: str, attempts: int) -> list[Stage]:
        """Return the stages for one model, the outermost first; a call is asked again until it has had `attempts`."""
        attempts = min(attempts, self._settings.attempts)
        stages = [pace(self._pace), hold(self._hold(model)), breaker(self._breaker(model))]
        if attempts > 1:
            stages.insert(0, retry(attempts, self._clock.now, self._note, self._budget))
        return stages

    def candidate(self, model: str, ask: Ask) -> Candidate:
        """Return `ask`, with its stages, as one target among several."""
        illness, pause = self._breaker(model), self._hold(model)
        return Candidate(ask, lambda: illness.shut() or pause.shut())

    def _breaker(self, model: str) -> Breaker:
        state = self._breakers.get(model)
        if state is None:
            settings = self._settings.breaker
            state = Breaker(settings, self._clock.now, lambda seconds: self._ejected(model, seconds))
            self._breakers[model] = state
        return state

    def _hold(self, model: str) -> Hold:
        state = self._holds.get(model)
        if state is None:
            state = self._holds[model] = Hold(self._clock.now)
        return state
