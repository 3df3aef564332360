"""Conversations that the gateway remembers for its clients: each answer is kept before its client is told it is whole.

How a turn is read and written is the business of the client's dialect: it comes as `Custom`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from msgspec import Struct

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Thread
from dragoman.core.errors import BadRequest, DragomanError
from dragoman.core.ports import Record, Store

MAX_TURNS = 1_000
"""Turns that one conversation may have, and that one call may refer to."""
UNKEPT = "the store failed: the answer cannot be continued"
"""Why `store` is told as lost."""
_PART = "_part"
"""Behind the kind of a turn: that of a record which tells the turn of a part."""
Note = Callable[[Call, DragomanError], None]


def no_parts(record: Record) -> Sequence[str]:
    """Return nothing: each part of a turn tells which turn it belongs to."""
    return ()


class Custom(Struct, frozen=True):
    """How a dialect's turns are kept."""

    kind: str
    """What its records are called."""
    find: Callable[[Call], Sequence[str]]
    """The ids of the turns that a call takes parts of, or those of the parts; raises `BadRequest`."""
    recall: Callable[[Call, Sequence[Record], Sequence[Record]], None]
    """Give a call the turns it continues, the oldest first, and those that it takes parts of."""
    write: Callable[[Call, Burst], Record]
    """What is kept of a call that was answered so: all events, and the bytes of the last burst, unless a stage has
    changed the answer."""
    parts: Callable[[Record], Sequence[str]] = no_parts
    """The ids of the parts of a turn that do not tell which turn they belong to."""


def session(store: Store, custom: Custom, note: Note) -> Stage:
    """Give each call what it continues, and keep its answer if it wants that.

    An answer that cannot be kept is given all the same, for it is paid for: `thread.keep` is false then, which the
    dialect tells, `call.losses` names it, and `note` is told.
    """

    async def keep(call: Call, thread: Thread, told: Burst) -> None:
        try:
            turn = custom.write(call, told)
            await store.put(turn)
            for part in custom.parts(turn):
                await store.put(Record(custom.kind + _PART, turn.owner, part, turn.id.encode()))
        except DragomanError as error:
            thread.keep = False
            call.losses = call.losses | {"store": UNKEPT}
            note(call, error)

    def stage(ask: Ask) -> Ask:
        async def remembering(call: Call) -> Answer:
            thread = call.thread
            if thread is None:
                return await ask(call)
            await recall(store, custom, call)
            answer = await ask(call)
            if not thread.keep:
                return answer
            if answer.rest is not None:
                rest = _Rest(answer.first, answer.rest, lambda told: keep(call, thread, told))
                return Answer(answer.first, rest, answer.close)
            try:
                await keep(call, thread, answer.first)
            except BaseException:  # whoever is cancelled has released all it held
                answer.close()
                raise
            return answer

        return remembering

    return stage


class _Rest:
    """What follows the first burst of an answer that is kept when all has been said."""

    def __init__(self, first: Burst, rest: AsyncIterator[Burst], keep: Callable[[Burst], Awaitable[None]]) -> None:
        self._events = list(first.events)
        self._last = first
        self._rest = rest
        self._keep = keep

    def __aiter__(self) -> _Rest:
        return self

    async def __anext__(self) -> Burst:
        try:
            burst = await anext(self._rest)
        except StopAsyncIteration:
            await self._keep(Burst(self._events, self._last.raw, self._last.dialect))
            raise
        self._events += burst.events
        self._last = burst
        return burst


async def recall(store: Store, custom: Custom, call: Call) -> None:
    """Give a call what it continues and refers to; raises `BadRequest` for what its client does not have (any more)."""
    thread = call.thread
    if thread is None:
        return
    owner = call.caller.name
    trail = await _follow(store, custom.kind, owner, thread.previous) if thread.previous else []
    known = {record.id for record in trail}
    wanted = [turn for turn in custom.find(call) if turn not in known]
    if len(wanted) > MAX_TURNS:
        raise BadRequest(f"more than {MAX_TURNS} responses are referred to", param="input", code="invalid_value")
    found = [await _find(store, custom.kind, owner, turn) for turn in wanted]
    custom.recall(call, trail, [record for record in found if record is not None])


async def _find(store: Store, kind: str, owner: str, name: str) -> Record | None:
    """Return the turn of this id, or the one that has a part of this id."""
    turn = await store.get(kind, owner, name)
    if turn is None and (part := await store.get(kind + _PART, owner, name)) is not None:
        turn = await store.get(kind, owner, part.body.decode())
    return turn


async def _follow(store: Store, kind: str, owner: str, previous: str) -> list[Record]:
    trail = await store.trail(kind, owner, previous, MAX_TURNS)
    if not trail:
        reason = f"previous response with id '{previous}' not found"
    elif trail[0].previous:
        reason = f"what was said before '{previous}' is no longer whole: deleted, expired or too long"
    else:
        return trail
    raise BadRequest(reason, param="previous_response_id", code="previous_response_not_found")
