"""How many calls may be under way: over it, a call is turned away before its body is read."""

from __future__ import annotations

from dragoman.core.call import Caller
from dragoman.core.errors import Overloaded


class Gate:
    """Counts the calls under way, all together and for each key."""

    def __init__(self, in_flight: int, per_key: int) -> None:
        self._in_flight = in_flight
        self._per_key = per_key
        self._count = 0
        self._counts: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many calls are under way."""
        return self._count

    def enter(self, caller: Caller) -> None:
        """Count a call in; raises `Overloaded`. Whoever enters leaves."""
        held = self._counts.get(caller.name, 0)
        if self._count >= self._in_flight or (caller.name and held >= self._per_key):
            raise Overloaded("too many requests are under way", code="server_overloaded", retry_after=1)
        self._count += 1
        self._counts[caller.name] = held + 1

    def leave(self, caller: Caller) -> None:
        """Count it out."""
        self._count -= 1
        held = self._counts[caller.name] - 1
        if held:
            self._counts[caller.name] = held
        else:
            del self._counts[caller.name]
