"""Count the tokens of an answer whose upstream told none: our own count, always marked as that.

Counting holds the interpreter, on whatever thread, so it goes on in pieces of a millisecond and lets every other call
have its turn in between. Measured for 10 MB: others wait 2 ms at most, and 12 ms beside a worker thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.count import PIECE, Count, Countable, Counter, Said, count_text, cut_text, list_request
from dragoman.core.errors import BadRequest
from dragoman.core.events import Usage

_COUNTED = frozenset({"chat", "embed"})
"""What is told in text; the tokens of pictures and sounds only their upstream knows."""


def count_usage(counter: Counter) -> Stage:
    """Let every answer end with its usage, for a client that is told it; what an upstream told costs nothing here.

    A plain answer that goes to its client in the upstream's own bytes has no place for it, and is left alone.
    """

    def stage(ask: Ask) -> Ask:
        async def counted(call: Call) -> Answer:
            answer = await ask(call)
            if call.stream or answer.rest is not None:
                answer.rest = _Rest(call, answer, counter)
            elif not (_tells(answer.first) or _passes(answer.first, call)):
                try:
                    usage = await _count_call(call, Said(answer.first.events), counter)
                except BaseException:  # whoever is cancelled has released all it held
                    answer.close()
                    raise
                answer.first = Burst([*answer.first.events, usage])
            return answer

        def choose(call: Call) -> Awaitable[Answer]:
            return counted(call) if call.show_usage and call.task in _COUNTED else ask(call)

        return choose

    return stage


def tell_prompt(counter: Counter) -> Stage:
    """Answer with what a prompt takes, and ask nobody; raises `BadRequest`."""

    def stage(ask: Ask) -> Ask:
        del ask

        async def told(call: Call) -> Answer:
            tokens = await count_prompt(call, counter)
            return Answer(Burst([Usage(tokens, 0, estimated=True)]), None, _nothing)

        return told

    return stage


async def count_prompt(call: Call, counter: Counter) -> int:
    """Return the tokens of all that a call asks; raises `BadRequest`."""
    said = (one for request in call.requests for one in list_request(request))
    return await count_all(said, counter(call.served_by or call.model))


async def count_all(said: Iterable[Countable], count: Count) -> int:
    """Return the tokens of everything, letting others have their turn between the pieces."""
    tokens = held = 0
    for piece in _cut(said):
        if isinstance(piece, int):
            tokens += piece
            continue
        tokens += count(piece)
        held += len(piece)
        if held >= PIECE // 2:
            held = 0
            await asyncio.sleep(0)
    return tokens


class _Rest:
    """What follows the first burst of a streamed answer, and its usage if nothing else tells it."""

    __slots__ = ("_call", "_counter", "_over", "_rest", "_said", "_told")

    def __init__(self, call: Call, answer: Answer, counter: Counter) -> None:
        self._call = call
        self._counter = counter
        self._rest = _none() if answer.rest is None else answer.rest
        self._said = Said(answer.first.events)
        self._told = _tells(answer.first)
        self._over = False

    def __aiter__(self) -> _Rest:
        return self

    async def __anext__(self) -> Burst:
        if self._over:
            raise StopAsyncIteration
        try:
            burst = await anext(self._rest)
        except StopAsyncIteration:
            self._over = True
            if self._told:
                raise
            return Burst([await _count_call(self._call, self._said, self._counter)])
        self._told = self._told or _tells(burst)
        self._said.add(burst.events)
        return burst


async def _count_call(call: Call, said: Said, counter: Counter) -> Usage:
    try:
        prompt = await count_prompt(call, counter)
    except BadRequest:  # its own dialect's upstream understood what we cannot
        prompt = count_text(call.body.decode("utf-8", "replace"))
    return Usage(prompt, await count_all(said.words(), counter(call.served_by or call.model)), estimated=True)


def _passes(burst: Burst, call: Call) -> bool:
    return burst.raw is not None and burst.dialect == call.dialect


def _tells(burst: Burst) -> bool:
    return bool(burst.events) and isinstance(burst.events[-1], Usage)


def _cut(said: Iterable[Countable]) -> Iterator[Countable]:
    for one in said:
        if isinstance(one, int):
            yield one
        else:
            yield from cut_text(one)


async def _none() -> AsyncIterator[Burst]:
    return
    yield


def _nothing() -> None:
    """No upstream was asked."""
