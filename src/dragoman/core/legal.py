"""The verifier: says whether a sequence of events is legal. Tests and the debug mode run it over what a reader says."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dragoman.core.events import (
    Event,
    Finish,
    Media,
    Note,
    Refusal,
    Replace,
    Start,
    Text,
    Thinking,
    ToolDelta,
    Usage,
    Vector,
)


class _Choice:
    """What one choice has said so far."""

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.arguments: list[str] = []


class _Verifier:
    def __init__(self) -> None:
        self.breaches: list[str] = []
        self.started = False
        self.usage = False
        self.vectors = False
        self.choices: dict[int, _Choice] = {}

    def see(self, event: Event) -> None:
        if self.usage:
            self._breach(event, "after usage")
        if isinstance(event, Start) == self.started:
            self._breach(event, "before start" if not self.started else "twice")
        self.started = True
        match event:
            case Start() | Note():
                pass
            case Vector():
                self.vectors = True
            case Usage():
                self._see_usage(event)
            case _:
                self._see_choice(event, self.choices.setdefault(event.choice, _Choice()))

    def _see_usage(self, usage: Usage) -> None:
        self.usage = True
        if min(usage.prompt, usage.completion, usage.cached, usage.reasoning, usage.cache_write) < 0:
            self._breach(usage, "negative")
        if any(choice.finish is None for choice in self.choices.values()):
            self._breach(usage, "before every choice is finished")

    def _see_choice(
        self, event: Text | Refusal | Thinking | ToolDelta | Media | Replace | Finish, choice: _Choice
    ) -> None:
        if event.choice < 0:
            self._breach(event, "negative choice")
        if choice.finish is not None:
            self._breach(event, "after finish")
        match event:
            case ToolDelta():
                self._see_tool(event, choice)
            case Finish():
                choice.finish = event
            case Text() if not event.text and isinstance(event.logprobs, msgspec.UnsetType):
                self._breach(event, "empty")
            case _:
                pass

    def _see_tool(self, delta: ToolDelta, choice: _Choice) -> None:
        first = delta.index == len(choice.arguments)
        if not 0 <= delta.index <= len(choice.arguments):
            self._breach(delta, "index out of order")
            return
        if first != (delta.id is not None) or first != (delta.name is not None):
            self._breach(delta, "id and name belong to the first piece only")
        if first:
            choice.arguments.append("")
        choice.arguments[delta.index] += delta.arguments

    def end(self, *, complete: bool) -> list[str]:
        for number, choice in self.choices.items():
            if choice.finish is None:
                if complete:
                    self.breaches.append(f"choice {number} has no finish")
            elif choice.finish.reason != "length":
                self._check_arguments(number, choice)
        if complete and not (self.choices or self.vectors):
            self.breaches.append("nothing was said")
        return self.breaches

    def _check_arguments(self, number: int, choice: _Choice) -> None:
        for index, arguments in enumerate(choice.arguments):
            try:
                msgspec.json.decode(arguments, type=dict[str, msgspec.Raw])
            except msgspec.DecodeError:
                self.breaches.append(f"choice {number}: the arguments of tool call {index} are not a JSON object")

    def _breach(self, event: Event, what: str) -> None:
        self.breaches.append(f"{type(event).__name__} {what}")


def breaches(events: Iterable[Event], *, complete: bool = True) -> list[str]:
    """Return what is wrong with `events`, nothing when they are legal; a stream that broke is not `complete`."""
    verifier = _Verifier()
    for event in events:
        verifier.see(event)
    return verifier.end(complete=complete)
