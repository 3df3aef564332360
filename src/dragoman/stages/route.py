"""Several targets behind one name: ask the next when one cannot answer, as long as nothing has been promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dragoman.core.ask import Answer, Ask
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.stages.retry import Note


def fallback(asks: Sequence[Ask], attempts: int, now: Callable[[], float], note: Note) -> Ask:
    """Ask each of `asks` in order until one answers, upstreams asked `attempts` times in all; raises the last error.

    `now` is the loop's time in seconds: none is asked once the time of the call is over.
    """
    if len(asks) == 1:
        return asks[0]

    async def routed(call: Call) -> Answer:
        for ask in asks[:-1]:
            try:
                return await ask(call)
            except DragomanError as error:
                if error.retry == "never" or call.committed or call.attempts >= attempts or now() >= call.deadline:
                    raise
                note(call, error)
        return await asks[-1](call)

    return routed
