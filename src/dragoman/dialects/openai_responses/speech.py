"""Items while a model is still saying them: each begins when it is made, grows piece by piece, and ends once.

What a stream is told of them goes to a `Sink`; a plain answer needs what is in the items alone.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.free_text import FreeText
from dragoman.dialects.openai_responses.tools import Name
from dragoman.wire.json import encode

_MIDDLE = b',"delta":'


class Delta(Struct, frozen=True):
    """The event of a growing text, prepared: what stands before its number and what behind."""

    head: bytes
    middle: bytes


class Sink(Protocol):
    """Where the events of a stream go."""

    def say(self, event: wire.Event) -> None:
        """Tell an event."""
        ...

    def grow(self, delta: Delta, text: str) -> None:
        """Tell a piece of a text."""
        ...


class Message:
    """A message that is being said, one part after the other."""

    def __init__(self, sink: Sink, index: int, item_id: str) -> None:
        self.item = wire.MessageItem(item_id, "in_progress", [])
        self._sink = sink
        self._index = index
        self._part: wire.OutputText | wire.RefusalPart | None = None
        self._pieces: list[str] = []
        self._delta = Delta(b"", b"")
        sink.say(wire.ItemAdded(index, self.item))

    def say(self, text: str, logprobs: list[Raw]) -> None:
        """Say a piece of text."""
        if not isinstance(self._part, wire.OutputText):
            self._begin(wire.OutputText(""), _TEXT, b',"logprobs":[],"delta":')
        self._pieces.append(text)
        delta = self._delta
        if logprobs and isinstance(self._part, wire.OutputText):
            self._part.logprobs = self._part.logprobs + logprobs
            delta = Delta(delta.head, b',"logprobs":%b,"delta":' % encode(logprobs))
        self._sink.grow(delta, text)

    def refuse(self, text: str) -> None:
        """Say a piece of a refusal."""
        if not isinstance(self._part, wire.RefusalPart):
            self._begin(wire.RefusalPart(""), _REFUSAL)
        self._pieces.append(text)
        self._sink.grow(self._delta, text)

    def has_said(self) -> str | None:
        """Return the text, if it is all that the message holds."""
        only = not self.item.content and isinstance(self._part, wire.OutputText)
        return "".join(self._pieces) if only else None

    def void(self) -> None:
        """Take back all text."""
        self.item.content = [part for part in self.item.content if isinstance(part, wire.RefusalPart)]

    def end(self, status: wire.Status) -> None:
        """The message is over."""
        self._end_part()
        self.item.status = status
        self._sink.say(wire.ItemDone(self._index, self.item))

    def _begin(self, part: wire.OutputText | wire.RefusalPart, kind: str, middle: bytes = _MIDDLE) -> None:
        self._end_part()
        self._part, self._pieces = part, []
        number = len(self.item.content)
        self._delta = _delta(kind, self.item.id, self._index, b',"content_index":%d' % number, middle)
        self._sink.say(wire.PartAdded(self.item.id, self._index, number, part))

    def _end_part(self) -> None:
        part, text, number = self._part, "".join(self._pieces), len(self.item.content)
        at = (self.item.id, self._index, number)
        if isinstance(part, wire.OutputText):
            part.text = text
            self._sink.say(wire.TextDone(*at, text, part.logprobs))
        elif part is not None:
            part.refusal = text
            self._sink.say(wire.RefusalDone(*at, text))
        if part is not None:
            self._sink.say(wire.PartDone(*at, part))
            self.item.content.append(part)
            self._part = None


class Reasoning:
    """A reasoning under way: a summary for whoever asked for one, else the thoughts themselves."""

    def __init__(self, sink: Sink, index: int, item_id: str, *, summary: bool, encrypted: bool) -> None:
        self.item = wire.ReasoningItem(item_id, [], encrypted_content=None if encrypted else UNSET)
        self._sink = sink
        self._index = index
        self._summary = summary
        self._encrypted = encrypted
        self._pieces: list[str] = []
        self._delta = Delta(b"", b"")
        sink.say(wire.ItemAdded(index, self.item))

    def say(self, text: str) -> None:
        """Think a piece."""
        if not text:
            return
        if not self._pieces:
            self._begin()
        self._pieces.append(text)
        self._sink.grow(self._delta, text)

    def sign(self, signature: str, *, redacted: bool) -> None:
        """Add the proof, for whoever will bring it back."""
        if self._encrypted:
            self.item.encrypted_content = wire.REDACTED + signature if redacted else signature

    def end(self, status: wire.Status) -> None:
        """The reasoning is over; its item has no status of its own."""
        del status
        if self._pieces:
            self._end_part("".join(self._pieces))
        self._sink.say(wire.ItemDone(self._index, self.item))

    def _begin(self) -> None:
        at = (self.item.id, self._index, 0)
        if self._summary:
            self._delta = _delta(_SUMMARY, self.item.id, self._index, b',"summary_index":0')
            self._sink.say(wire.SummaryAdded(*at, wire.SummaryText("")))
        else:
            self._delta = _delta(_REASONING, self.item.id, self._index, b',"content_index":0')
            self._sink.say(wire.PartAdded(*at, wire.ReasoningText("")))

    def _end_part(self, text: str) -> None:
        at = (self.item.id, self._index, 0)
        if self._summary:
            self.item.summary = [wire.SummaryText(text)]
            self._sink.say(wire.SummaryTextDone(*at, text))
            self._sink.say(wire.SummaryDone(*at, wire.SummaryText(text)))
        else:
            self.item.content = [wire.ReasoningText(text)]
            self._sink.say(wire.ReasoningTextDone(*at, text))
            self._sink.say(wire.PartDone(*at, wire.ReasoningText(text)))


class Function:
    """A function whose arguments are still coming."""

    def __init__(self, sink: Sink, index: int, item_id: str, call_id: str, called: Name) -> None:
        self.item = wire.FunctionItem(item_id, call_id, called.name, "", "in_progress", called.namespace)
        self._sink = sink
        self._index = index
        self._pieces: list[str] = []
        self._delta = _delta(_ARGUMENTS, item_id, index)
        sink.say(wire.ItemAdded(index, self.item))

    def say(self, arguments: str) -> None:
        """Add a piece of the arguments."""
        if arguments:
            self._pieces.append(arguments)
            self._sink.grow(self._delta, arguments)

    def end(self, status: wire.Status) -> None:
        """The arguments are whole; none at all are an empty object."""
        if not self._pieces and status == "completed":
            self.say("{}")
        self.item.arguments, self.item.status = "".join(self._pieces), status
        self._sink.say(wire.ArgumentsDone(self.item.id, self._index, self.item.name, self.item.arguments))
        self._sink.say(wire.ItemDone(self._index, self.item))


class Custom:
    """A custom tool whose free text is still coming, as the arguments of a function."""

    def __init__(self, sink: Sink, index: int, item_id: str, call_id: str, called: Name) -> None:
        self.item = wire.CustomItem(item_id, call_id, called.name, "", "in_progress", called.namespace)
        self._sink = sink
        self._index = index
        self._text = FreeText()
        self._delta = _delta(_INPUT, item_id, index)
        sink.say(wire.ItemAdded(index, self.item))

    def say(self, arguments: str) -> None:
        """Add a piece of the arguments."""
        self._grow(self._text.feed(arguments))

    def end(self, status: wire.Status) -> None:
        """The text is whole."""
        rest, whole = self._text.end()
        self._grow(rest)
        self.item.input, self.item.status = whole, status
        self._sink.say(wire.InputDone(self.item.id, self._index, whole))
        self._sink.say(wire.ItemDone(self._index, self.item))

    def _grow(self, text: str) -> None:
        if text:
            self._sink.grow(self._delta, text)


def read_logprobs(told: Raw | UnsetType) -> list[Raw]:
    """Return the tokens of a text in this dialect's form, which has no nulls; what is no such list is left out."""
    if isinstance(told, UnsetType):
        return []
    try:
        tokens = _decoder.decode(told).content or []
    except msgspec.DecodeError:
        return []
    for token in tokens:
        token.bytes = token.bytes or []
        token.top_logprobs = token.top_logprobs or []
        for other in token.top_logprobs:
            other.bytes = other.bytes or []
    return [Raw(encode(token)) for token in tokens]


class _Logprob(Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[_Logprob] | UnsetType | None = UNSET


class _Logprobs(Struct):
    content: list[_Logprob] | None = None
    refusal: list[_Logprob] | None = None


_decoder = msgspec.json.Decoder(_Logprobs)
_TEXT = "response.output_text.delta"
_REFUSAL = "response.refusal.delta"
_SUMMARY = "response.reasoning_summary_text.delta"
_REASONING = "response.reasoning_text.delta"
_ARGUMENTS = "response.function_call_arguments.delta"
_INPUT = "response.custom_tool_call_input.delta"


def _delta(kind: str, item_id: str, index: int, place: bytes = b"", middle: bytes = _MIDDLE) -> Delta:
    head = b'event: %b\ndata: {"type":"%b","item_id":%b,"output_index":%d%b,"sequence_number":'
    name = kind.encode()
    return Delta(head % (name, name, encode(item_id), index, place), middle)
