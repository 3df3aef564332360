"""Long work on the event loop, a little at a time, so that nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

SLICE = 64
"""Things that are made without a break: models of a catalogue, which take up to 50 µs each."""
_Made = TypeVar("_Made")


async def in_slices(things: Iterable[_Made]) -> list[_Made]:
    """Return all `things`; after each few of them everybody else has a turn."""
    made: list[_Made] = []
    for thing in things:
        made.append(thing)
        if len(made) % SLICE == 0:
            await asyncio.sleep(0)
    return made
