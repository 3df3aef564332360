"""Long work, a little at a time."""

import asyncio

from dragoman.upstreams.slices import SLICE, in_slices


async def test_everybody_else_has_turns_meanwhile() -> None:
    done: list[int] = []
    seen: list[int] = []

    async def look() -> None:
        while len(done) < 3 * SLICE:
            seen.append(len(done))
            await asyncio.sleep(0)

    def work() -> int:
        done.append(1)
        return len(done)

    async with asyncio.TaskGroup() as group:
        group.create_task(look())
        made = await in_slices(work() for _ in range(3 * SLICE))
    assert made == list(range(1, 3 * SLICE + 1))
    assert {SLICE, 2 * SLICE} <= set(seen)


async def test_nothing_is_made_of_nothing() -> None:
    assert await in_slices(()) == []
