"""Do not ask a model before the time that its upstream has named.

An upstream that has no room answers 429 or 503 with ``retry-after``. Until then every other call would get the same
answer, and many upstreams count it against us; so it is given here, without asking: the same error, with the seconds
that are left. The stage stands inside `retry`, which waits for a short while and leaves a long one to the client;
whoever has a choice (`route.fallback`) looks at `Hold.shut` and asks another target first.

What the upstream says holds even for the only target of a route: unlike a breaker's guess it is no mistake of ours.
Source: docs/errors.md (our rules for each fault); RFC 9110 §10.2.3.
"""

from __future__ import annotations

from collections.abc import Callable

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call
from dragoman.core.errors import Overloaded, RateLimited

LONGEST = 86_400.0
"""Seconds that an upstream can be held at most."""
SLACK = 0.01
"""Seconds by which a timer may be early; whoever has waited for the end of a hold must not find it still there."""


class Hold:
    """Until when a model is not asked."""

    __slots__ = ("__weakref__", "_now", "_said", "_until")

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is the loop's time in seconds."""
        self._now = now
        self._until = 0.0
        """0: not held."""
        self._said: RateLimited | Overloaded = RateLimited()

    def shut(self) -> bool:
        """Tell whether the model must not be asked now."""
        return self._until > 0 and self._left() > 0

    def check(self) -> None:
        """Raise what the upstream said, and how many seconds are left of it, while it holds."""
        if self._until == 0:
            return
        left = self._left()
        if left > 0:
            raise _like(self._said, left)

    def heed(self, error: RateLimited | Overloaded) -> None:
        """Remember when an upstream wants to be asked again; of several such times the latest."""
        if not error.retry_after:
            return
        until = self._now() + min(LONGEST, error.retry_after)
        if until > self._until:
            self._until, self._said = until, _like(error)

    def _left(self) -> float:
        left = self._until - self._now()
        if left > SLACK:
            return left
        self._until = 0.0
        return 0.0


def _like(error: RateLimited | Overloaded, wait: float | None = None) -> RateLimited | Overloaded:
    """Return an error that says the same; the one that was raised holds on to everything it came through."""
    return type(error)(error.message, code=error.code, retry_after=wait)


def hold(state: Hold) -> Stage:
    """Raise `RateLimited` or `Overloaded`, as the upstream did, while it has asked not to be asked."""

    def stage(ask: Ask) -> Ask:
        async def holding(call: Call) -> Answer:
            state.check()
            try:
                return await ask(call)
            except (RateLimited, Overloaded) as error:
                state.heed(error)
                raise

        return holding

    return stage
