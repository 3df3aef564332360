"""A client of one dialect, written from its documentation: it shares no code with the gateway's reading and writing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from msgspec import Struct

from dragoman.core import message as msg
from dragoman.core.events import Event
from dragoman.core.fold import fold

Json = dict[str, object]
Call = tuple[str, object]
"""The name of a tool and what it is called with, decoded."""


class Said(Struct):
    """What a client hears of one choice."""

    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[Call] = []
    finish: str = ""


class Heard(Struct):
    """What a client hears of a whole answer."""

    choices: list[Said]
    usage: tuple[int, int] | None = None
    cached: int = 0
    reasoning: int = 0
    broken: bool = False
    """It ended with an error."""


class Speaker(Struct, frozen=True):
    """A client of one dialect."""

    ask: Callable[[msg.Request, bool], Json]
    """The body that asks for this, streamed or not."""
    hear: Callable[[bytes], Heard]
    """Reads a plain answer."""
    hear_stream: Callable[[bytes], Heard]
    hear_error: Callable[[bytes], str]
    """The message of an error."""
    unasked: Mapping[str, str] = {}
    """A scenario that this dialect has no words to ask for → why."""
    lacks: Mapping[str, str] = {}
    """What of an answer has no place of its own in this dialect → what becomes of it."""


def meant(events: list[Event]) -> Heard:
    """Return what a client hears that lacks nothing."""
    reply = fold(events)
    heard = Heard([_said(choice) for choice in reply.choices])
    if reply.usage is not None:
        heard.usage = (reply.usage.prompt, reply.usage.completion)
        heard.cached, heard.reasoning = reply.usage.cached, reply.usage.reasoning
    return heard


def expected(events: list[Event], speaker: Speaker, untold: Collection[str] = ()) -> Heard:
    """Return what a client of this dialect can hear of an answer, of which the upstream's leaves parts `untold`."""
    heard = meant(events)
    _lose(heard, untold)
    _lose(heard, speaker.lacks)
    return heard


def _lose(heard: Heard, lacks: Collection[str]) -> None:
    if "choices" in lacks:
        del heard.choices[1:]
    for said in heard.choices:
        if "refused" in lacks and said.refusal:
            said.finish = "content_filter"
        if "refusal" in lacks:
            said.text, said.refusal = said.text + said.refusal, ""
        if "thinking" in lacks:
            said.thinking = ""
        said.finish = "stop" if said.finish in lacks else said.finish
    heard.cached = 0 if "cached" in lacks else heard.cached
    heard.reasoning = 0 if "reasoning" in lacks else heard.reasoning


def decode(data: str | bytes) -> object:
    """Return what a JSON text holds."""
    return msgspec.json.decode(data)


def text_of(parts: Sequence[msg.Part]) -> str:
    """Return the text of a message."""
    return "".join(part.text for part in parts if isinstance(part, msg.Text))


def sampling_of(request: msg.Request, names: Mapping[str, str], *unknown: str) -> Json:
    """Return what is asked of sampling, by the hub's names where `names` has no other, without what is `unknown`."""
    asked = msgspec.structs.asdict(request.sampling)
    return {
        names.get(name, name): value for name, value in asked.items() if value not in (None, []) and name not in unknown
    }


def _said(choice: msg.Choice) -> Said:
    said = Said(finish=choice.finish)
    for part in choice.parts:
        match part:
            case msg.Text():
                said.text += part.text
            case msg.Thinking():
                said.thinking += part.text
            case msg.Refusal():
                said.refusal += part.text
            case msg.ToolCall():
                said.calls.append((part.name, decode(part.arguments)))
            case _:
                raise AssertionError(part)
    return said
