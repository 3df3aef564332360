"""One timer for thousands of waits: whoever must not wait for ever is looked at a few times a second.

A timer of its own for every read costs 2 µs to make and to cancel; a float that is compared now and then costs nothing.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Watched(Protocol):
    """Something that may wait too long."""

    deadline: float
    """Loop time after which `expire` is called; infinity while nothing is awaited."""

    def expire(self) -> None:
        """Give up what is awaited and set a new `deadline` (or leave the watch), else it is called again."""


class Deadlines:
    """Look at every watched thing each `tick` seconds and tell the late ones."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: float = 0.2) -> None:
        self._loop = loop
        self._tick = tick
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, item: Watched) -> None:
        """Begin to look at `item`."""
        self._watched.add(item)
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick, self._look)

    def forget(self, item: Watched) -> None:
        """Stop looking at `item`; harmless when it is not watched."""
        self._watched.discard(item)

    def now(self) -> float:
        """Return the loop's time in seconds, the scale of every deadline."""
        return self._loop.time()

    def _look(self) -> None:
        now = self._loop.time()
        for item in [item for item in self._watched if item.deadline <= now]:
            item.expire()
        self._timer = self._loop.call_later(self._tick, self._look) if self._watched else None
