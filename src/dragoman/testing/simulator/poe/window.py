"""Poe's rate limit: so many requests in any minute."""

from __future__ import annotations

from collections import deque

SECONDS = 60


class Window:
    """The requests of one user in the last minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._times: deque[int] = deque()

    def admit(self, now: int) -> bool:
        """Tell whether there is room for one more request at `now`, and count it if so."""
        while self._times and self._times[0] <= now - SECONDS:
            self._times.popleft()
        if len(self._times) >= self.limit:
            return False
        self._times.append(now)
        return True

    @property
    def remaining(self) -> int:
        """How many more requests there is room for."""
        return self.limit - len(self._times)

    def reset(self, now: int) -> int:
        """Return the seconds until the oldest request no longer counts, at least 1."""
        return max(1, self._times[0] + SECONDS - now) if self._times else SECONDS
