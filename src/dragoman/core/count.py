"""How many tokens is said, where no upstream tells: what there is to count, and an estimate that needs no vocabulary.

Four bytes a token holds for English and for code; other scripts take more bytes a character and more tokens as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.message import Message, Part, Request, Text, Thinking, Tool, ToolCall, ToolResult

TURN = 4
"""Tokens that mark the beginning and the end of a turn."""
MEDIUM = 1_000
"""Tokens of a picture, a sound or a document, whose size nobody tells."""
PIECE = 8_000
"""Characters that are counted at once: about a millisecond by a vocabulary."""
_BYTES = 4
_GAP = re.compile(r"\S ")
_MANY = 1_000
"""Events after which only their words are kept."""
Count = Callable[[str], int]
"""Returns the tokens of a text."""
Counter = Callable[[str], Count]
"""Returns what counts for a model of this name, with or without the name of its upstream in front."""
Countable = str | int
"""A text, or the tokens of what is no text."""


def count_text(text: str) -> int:
    """Return the estimated tokens of `text`."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES)


def estimate(model: str) -> Count:
    """Return what counts for every model where there are no vocabularies."""
    del model
    return count_text


def count_request(request: Request, count: Count = count_text) -> int:
    """Return the tokens of all that a request says: turns, tools and the form of the answer."""
    return sum(count(said) if isinstance(said, str) else said for said in list_request(request))


def list_request(request: Request) -> Iterator[Countable]:
    """Yield all that a request says."""
    for message in request.messages:
        yield from _list_message(message)
    for tool in request.tools:
        yield from _list_tool(tool)
    if isinstance(request.format.schema, Raw):
        yield _decode(request.format.schema)
    for text in request.inputs:
        yield text if isinstance(text, str) else len(text)


def cut_text(text: str) -> Iterator[str]:
    """Yield `text` in pieces of at most `PIECE` characters that have as many tokens as the whole.

    A blank behind anything else always begins a token in the vocabularies of OpenAI, so a piece ends before one; only
    where there is none in reach (a picture in base64) a token may be cut.
    """
    at = 0
    while len(text) - at > PIECE:
        gap = _GAP.search(text, at + PIECE // 2, at + PIECE)
        end = at + PIECE if gap is None else gap.end() - 1
        yield text[at:end]
        at = end
    yield text[at:] if at else text


class Said:
    """What an answer says, for whoever counts it at its end; what was taken back does not count."""

    __slots__ = ("_events", "_media", "_texts")

    def __init__(self, events: Sequence[ev.Event] = ()) -> None:
        self._events = list(events)
        self._media = 0
        self._texts: dict[tuple[object, ...], list[str]] = {}

    def add(self, events: Sequence[ev.Event]) -> None:
        """Add what comes next."""
        self._events += events
        if len(self._events) > _MANY:
            self._settle()

    def words(self) -> Iterator[Countable]:
        """Yield all that was said."""
        self._settle()
        yield self._media * MEDIUM
        for pieces in self._texts.values():
            yield pieces[0]

    def _settle(self) -> None:
        """Keep the words of the events alone."""
        for event in self._events:
            match event:
                case ev.Text() | ev.Refusal() | ev.Thinking():
                    self._texts.setdefault((type(event), event.choice), []).append(event.text)
                case ev.Replace():
                    self._texts[ev.Text, event.choice] = [event.text]
                case ev.ToolDelta():
                    words = self._texts.setdefault((event.choice, event.index), [])
                    words += (event.name or "", event.arguments)
                case ev.Media():
                    self._media += 1
                case _:
                    pass
        self._events.clear()
        self._texts = {place: ["".join(pieces)] for place, pieces in self._texts.items()}


def _list_message(message: Message) -> Iterator[Countable]:
    yield TURN
    yield from _list_parts(message.parts)


def _list_parts(parts: Iterable[Part]) -> Iterator[Countable]:
    for part in parts:
        match part:
            case Text() | Thinking():
                yield part.text
            case ToolCall():
                yield part.name
                yield part.arguments
            case ToolResult():
                yield from _list_parts(part.content)
            case _:
                yield MEDIUM


def _list_tool(tool: Tool) -> Iterator[Countable]:
    yield tool.name + tool.description
    if isinstance(tool.parameters, Raw):
        yield _decode(tool.parameters)


def _decode(raw: Raw) -> str:
    return bytes(raw).decode("utf-8", "replace")
