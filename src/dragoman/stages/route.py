"""Several targets behind one name: ask the next when one cannot answer, as long as nothing has been promised.

Targets are asked in the order of the list, but those that had better not be asked now (their breaker is open, or their
upstream has named a time to come back) only after all others. So they are left alone while there is a choice, and asked
all the same when there is none: a breaker can be wrong, and the last target of a route is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from dragoman.core.ask import Answer, Ask
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.stages.retry import Note


def never() -> bool:
    """Tell that a target may always be asked."""
    return False


class Candidate(Struct, frozen=True):
    """One of the targets of a route."""

    ask: Ask
    shut: Callable[[], bool] = never
    """Whether another target had better be asked first, now."""


def fallback(candidates: Sequence[Candidate], attempts: int, now: Callable[[], float], note: Note) -> Ask:
    """Ask each of `candidates` until one answers, upstreams asked `attempts` times in all; raises the best error.

    `now` is the loop's time in seconds: none is asked once the time of the call is over.
    """
    if len(candidates) == 1:
        return candidates[0].ask

    async def routed(call: Call) -> Answer:
        best: DragomanError | None = None
        left = len(candidates)
        turns = _in_turn(candidates)
        while True:
            ask = next(turns)
            left -= 1
            try:
                return await ask(call)
            except DragomanError as error:
                if error.retry == "never":
                    raise
                best = _more_telling(error, best)
                if not left or call.committed or call.attempts >= attempts or now() >= call.deadline:
                    raise best from None
                note(call, error)

    return routed


def _in_turn(candidates: Sequence[Candidate]) -> Iterator[Ask]:
    """Yield those that are not shut when it is their turn, then the others."""
    late: list[Ask] = []
    for candidate in candidates:
        if candidate.shut():
            late.append(candidate.ask)
        else:
            yield candidate.ask
    yield from late


def _more_telling(error: DragomanError, before: DragomanError | None) -> DragomanError:
    """Return what the client should hear: the last failure, but not that a stand-in could not stand in.

    A target that is not fit for a call (it would lose a part of it, it has no such model or endpoint) says nothing of
    why the call failed where it would have been in place.
    """
    return before if before is not None and _is_unfit(error) and not _is_unfit(before) else error


def _is_unfit(error: DragomanError) -> bool:
    return error.status < 500 and error.status != 429
