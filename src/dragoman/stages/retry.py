"""Ask again when that may help, never after the client has seen a byte, never longer than the call may take."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError

MAX_WAIT = 10.0
"""Seconds an upstream may ask us to wait; longer is for the client to decide."""


Note = Callable[[Call, DragomanError], None]
"""Told of every failure that the client does not see because something else is tried."""


def retry(
    attempts: int,
    now: Callable[[], float],
    note: Note,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    draw: Callable[[float, float], float] = random.uniform,
) -> Stage:
    """Ask up to `attempts` times in all, counting what other targets were asked for the same call.

    `now` is the loop's time in seconds; `sleep` and `draw` (a random number between two bounds) can be replaced.
    """

    def stage(ask: Ask) -> Ask:
        async def retrying(call: Call) -> Answer:
            asked = 0
            while True:
                try:
                    return await ask(call)
                except DragomanError as error:
                    asked += 1
                    if not _worth_it(error, asked, call, attempts):
                        raise
                    wait = retry_delay(asked, error.retry_after, draw)
                    if wait > MAX_WAIT or now() + wait >= call.deadline:
                        raise
                    note(call, error)
                    await sleep(wait)
                    if call.committed:  # meanwhile the client was told to go on waiting
                        raise

        return retrying

    return stage


def retry_delay(attempt: int, retry_after: float | None, draw: Callable[[float, float], float]) -> float:
    """Return the seconds to wait before retry number `attempt` (the first is 1).

    The upstream's own `retry_after` wins, uncut; otherwise full jitter: anything up to 0.25 s doubled each time, at
    most 8 s. Source: AWS Builders' Library, "Timeouts, retries and backoff with jitter".
    """
    return retry_after if retry_after is not None else draw(0.0, min(8.0, 0.25 * 2**attempt))


def _worth_it(error: DragomanError, asked: int, call: Call, attempts: int) -> bool:
    if call.attempts >= attempts or call.committed:
        return False
    return error.retry == "again" or (error.retry == "once" and asked == 1)
