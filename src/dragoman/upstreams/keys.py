"""The keys of one upstream: used in turn, and left alone for a while when the upstream says that one is used up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dragoman.core.errors import DragomanError, RateLimited

SPENT = 600.0
"""Seconds for which a key rests that is refused, or whose credit is spent."""
LIMITED = 10.0
"""Seconds for which a key rests that is over its rate, where the upstream does not say."""

_LIMITED = 429
_ABOUT_THE_KEY = frozenset({401, 402, _LIMITED})


class KeyRing:
    """Header lines with a key each; one that is limited or spent makes room for the next."""

    def __init__(self, lines: Sequence[bytes], now: Callable[[], float]) -> None:
        """`lines` hold one credential each, none at all is the same as an empty one; `now` gives the loop's time."""
        self._lines = list(lines) or [b""]
        self._rests = [0.0] * len(self._lines)
        self._next = 0
        self._now = now

    def turns(self) -> Iterator[tuple[int, bytes]]:
        """Yield the keys that one request may be tried with, each once: the next in turn, then those that are rested.

        When all of them rest it is the one whose rest ends first.
        """
        if len(self._lines) == 1:
            yield 0, self._lines[0]
            return
        now, count = self._now(), len(self._lines)
        turn = [(self._next + step) % count for step in range(count)]
        rested = [number for number in turn if self._rests[number] <= now]
        chosen = rested or [min(turn, key=lambda number: self._rests[number])]
        self._next = (chosen[0] + 1) % count
        for number in chosen:
            yield number, self._lines[number]

    def blame(self, number: int, status: int, retry_after: float | None) -> bool:
        """Tell whether an answer with `status` concerns the key and nothing else; then that key rests.

        A 403 may be about what was asked (moderation), so it does not.
        """
        if status not in _ABOUT_THE_KEY:
            return False
        wait = (retry_after or LIMITED) if status == _LIMITED else SPENT
        self._rests[number] = self._now() + wait
        return True

    def sum_up(self, refusals: Sequence[DragomanError]) -> DragomanError:
        """Return the error that tells of a request whose every key was refused, one after the other.

        A limit passes, so of several reasons it is the one that is told, with the time until the first key is rested;
        an upstream with one key says itself how long to wait, or does not.
        """
        limits = [error for error in refusals if isinstance(error, RateLimited)]
        if not limits:
            return refusals[-1]
        if len(self._lines) > 1:
            limits[-1].retry_after = max(0.0, min(self._rests) - self._now())
        return limits[-1]
