"""Several prompts in one call, for an upstream that takes one at a time: ask for all, answer as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from msgspec import structs

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.events import Event, Finish, Note, Start, Usage, Vector

AT_ONCE = 8
"""Prompts that are asked at the same time."""


async def ask_each(asks: Sequence[Callable[[], Awaitable[Answer]]], width: int) -> Answer:
    """Return one plain answer whose choices are those of every ask, `width` each, in the order of `asks`.

    Usage is the sum. The first failure is raised, and cancels the others. All is awaited before anything is said: the
    answer to several prompts is complete or an error.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def whole(ask: Callable[[], Awaitable[Answer]]) -> list[Event]:
        async with gate:
            answer = await ask()
            try:
                rest = _none() if answer.rest is None else answer.rest
                return [*answer.first.events, *[event async for burst in rest for event in burst.events]]
            finally:
                answer.close()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(whole(ask)) for ask in asks]
    except ExceptionGroup as failures:  # the first failure cancelled the others
        raise failures.exceptions[0] from None
    return Answer(Burst(merge([task.result() for task in tasks], width)), None, _nothing)


def merge(answers: Sequence[list[Event]], width: int) -> list[Event]:
    """Return the events of all answers as those of one: one start, choices numbered through, the sum of the usage."""
    events: list[Event] = [event for event in answers[0] if isinstance(event, Start)]
    usage: Usage | None = None
    for number, answer in enumerate(answers):
        for event in answer:
            match event:
                case Start() | Note() | Vector():
                    pass
                case Usage():
                    usage = event if usage is None else _add(usage, event)
                case _:
                    events.append(structs.replace(event, choice=event.choice + number * width))
    events.sort(key=lambda event: isinstance(event, Finish))
    return events if usage is None else [*events, usage]


def _add(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.prompt + other.prompt,
        one.completion + other.completion,
        one.cached + other.cached,
        one.reasoning + other.reasoning,
        one.estimated or other.estimated,
    )


async def _none() -> AsyncIterator[Burst]:
    return
    yield


def _nothing() -> None:
    """Every answer has been closed."""
