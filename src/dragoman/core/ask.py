"""The one idea: whatever answers a call is an `Ask`, whatever changes how it is answered is a `Stage`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import Struct

from dragoman.core.burst import Burst
from dragoman.core.call import Call


class Answer(Struct):
    """An answer that has begun: it exists only once its first burst has arrived, so whoever holds one is committed.

    Whoever holds an answer closes it, exactly once, whatever happens; closing is immediate and never waits.
    """

    first: Burst
    rest: AsyncIterator[Burst] | None
    """The bursts that follow, ended only after the upstream's own completion signal, else raising a `DragomanError`;
    None when the first was all (a plain answer is a stream of one burst)."""
    close: Callable[[], None]
    """Give the upstream connection back if it is clean, else cut it."""


Ask = Callable[[Call], Awaitable[Answer]]
"""Raises a `DragomanError` before anything is promised, or returns an answer.

An ask that raises or is cancelled has released all it held.
"""
Stage = Callable[[Ask], Ask]


def chain(ask: Ask, *stages: Stage) -> Ask:
    """Wrap `ask` in `stages`, the first one outermost."""
    for stage in reversed(stages):
        ask = stage(ask)
    return ask
