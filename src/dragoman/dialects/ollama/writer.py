"""Write answers as Ollama does: a line for each piece, all tool calls in one line, and a last line that only counts.

What an upstream said in the same dialect goes out in its own bytes, the last line only at the end.

A line that is not the last has no field that is empty, because clients drop lines with nulls. Source: Ollama API 0.33,
2026, and the parsers of its Python and JS clients, LangChain and the AI SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.fold import fold
from dragoman.core.say import say_instead, say_part
from dragoman.dialects.ollama.ascii import write_line, write_text
from dragoman.dialects.ollama.errors import write_stream_error
from dragoman.dialects.ollama.inline import Inline
from dragoman.dialects.ollama.meter import Meter, count_tokens
from dragoman.dialects.ollama.said import read_logprobs, write_calls
from dragoman.dialects.ollama.schema import Logprob
from dragoman.wire.json import encode

MAX_PIECE = 5_000
"""Characters of one line: as escapes of 12 bytes each they stay under the 64 KiB that clients take in one line."""
Members = dict[str, object]


class Shape(Struct, frozen=True):
    """Where the parts of an answer stand: in a message (chat), or beside each other (generate)."""

    dialect: str
    text: bytes
    """What stands between the time and a piece of text."""
    thinking: bytes
    """What stands between the time and a piece of reasoning."""
    closing: bytes
    """What stands behind either."""
    put: Callable[[str, Members], Members]
    """Puts a text, and what else is said, in its place."""


class Writer:
    """Writes one streamed answer; of several choices the first."""

    def __init__(self, shape: Shape, call: Call) -> None:
        self._shape = shape
        self._call = call
        self._meter = Meter(call)
        self._head = b'{"model":%b,"created_at":"' % write_text(call.model)
        self._opening = b""
        self._inline = Inline()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[ev.ToolDelta] = []
        self._reason = "stop"
        self._usage: ev.Usage | None = None
        self._last = b""

    def write(self, burst: Burst) -> bytes:
        """Return the lines of `burst`.

        Raises `UpstreamInvalid` for what no line can tell: arguments that are no object.
        """
        if burst.raw is not None and burst.dialect == self._shape.dialect:
            return self._pass(burst.raw, burst.events)
        self._meter.begin()
        self._opening = self._head + self._meter.stamp()
        return b"".join([self._write_event(event) for event in burst.events])

    def end(self) -> bytes:
        """Return the last line, the success marker."""
        if self._last:
            return self._last
        said = "".join([*self._text, *self._thoughts, _arguments(self._calls)])
        counts = count_tokens(self._call, self._usage, said)
        head, tail = _head(self._call, self._meter), _tail(self._meter, self._reason, counts)
        return write_line(head | self._shape.put("", {}) | tail)

    def fail(self, error: DragomanError) -> bytes:
        """Return the line that says the answer broke; no last line follows."""
        return write_stream_error(error)

    def ping(self) -> bytes:
        """Return a line that says nothing: clients know no comments, and a blank line kills the Python client."""
        shape = self._shape
        return b'%b%b%b""%b' % (self._head, self._meter.stamp(), shape.text, shape.closing)

    def _pass(self, lines: bytes, events: Sequence[ev.Event]) -> bytes:
        """Return the upstream's own lines but for the last one of all, which is where it says that it is done."""
        if not (events and isinstance(events[-1], ev.Finish | ev.Usage)):
            return lines
        cut = lines.rfind(b"\n", 0, -1) + 1
        self._last = lines[cut:]
        return lines[:cut]

    def _write_event(self, event: ev.Event) -> bytes:
        match event:
            case ev.Text():
                return b"" if event.choice else self._say_text(event)
            case ev.Thinking():
                return b"" if event.choice else self._think(event.text)
            case ev.Start() | ev.Note() | ev.Vector():
                return b""
            case ev.Usage():
                self._usage = event
                return b""
            case _:
                return b"" if event.choice else self._settle(event) + self._write_rare(event)

    def _say_text(self, event: ev.Text) -> bytes:
        if event.logprobs is not UNSET and (told := read_logprobs([event.logprobs])):
            return self._say_likely(event.text, told)
        return self._say(event.text) if self._inline.settled else self._part(*self._inline.split(event.text))

    def _write_rare(self, event: ev.Refusal | ev.ToolDelta | ev.Media | ev.Replace | ev.Finish) -> bytes:
        match event:
            case ev.ToolDelta():
                self._calls.append(event)
                return b""
            case ev.Finish():
                return self._finish(event)
            case ev.Replace():
                return self._replace(event.text)
            case _:
                return self._say("".join(map(say_part, fold([event]).choices[0].parts)))

    def _settle(self, event: ev.Event) -> bytes:
        """Say what was held back before something else is said."""
        if self._inline.settled or isinstance(event, ev.ToolDelta):
            return b""
        thought, said = self._inline.rest()
        return b"" if isinstance(event, ev.Replace) else self._part(thought, said)

    def _part(self, thought: str, said: str) -> bytes:
        return (self._think(thought) if thought else b"") + (self._say(said) if said else b"")

    def _think(self, thought: str) -> bytes:
        self._thoughts.append(thought)
        return self._lines(self._shape.thinking, thought)

    def _say(self, text: str) -> bytes:
        self._text.append(text)
        return self._lines(self._shape.text, text)

    def _lines(self, place: bytes, text: str) -> bytes:
        opening, closing = self._opening + place, self._shape.closing
        if len(text) <= MAX_PIECE:
            return opening + write_text(text) + closing if text else b""
        pieces = [text[at : at + MAX_PIECE] for at in range(0, len(text), MAX_PIECE)]
        return b"".join([opening + write_text(piece) + closing for piece in pieces])

    def _say_likely(self, text: str, told: list[Logprob]) -> bytes:
        """A piece of text with the likelihoods of its tokens, on a line of its own even while the text is held back."""
        thought, said = ("", text) if self._inline.settled else self._inline.split(text)
        self._thoughts.append(thought)
        self._text.append(said)
        return self._line(self._shape.put(said, {"thinking": thought} if thought else {}), {"logprobs": told})

    def _replace(self, text: str) -> bytes:
        """A stream cannot take back what it has said, only go on."""
        more = say_instead("".join(self._text), text)
        self._text = [text]
        return self._lines(self._shape.text, more)

    def _finish(self, finish: ev.Finish) -> bytes:
        self._reason = _reason(finish.reason)
        if not self._calls:
            return b""
        calls = write_calls(fold(self._calls).choices[0].parts, cut=finish.reason == "length")
        return self._line(self._shape.put("", {"tool_calls": calls}), {}) if calls else b""

    def _line(self, said: Members, beside: Members) -> bytes:
        return write_line(_head(self._call, self._meter) | said | {"done": False} | beside)


def write_reply(shape: Shape, call: Call, burst: Burst) -> bytes:
    """Return the body of a plain answer: the upstream's own, else all pieces in one object.

    Raises `UpstreamInvalid` as a stream does.
    """
    meter = Meter(call)
    if call.ready is not None:
        return encode(_head(call, meter) | shape.put("", {}) | {"done": True, "done_reason": _loaded(call.ready)})
    if burst.raw is not None and burst.dialect == shape.dialect:
        return burst.raw
    reply = fold(burst.events)
    choice = reply.choices[0]
    thought, text = _split(choice.parts)
    calls = write_calls(choice.parts, cut=choice.finish == "length")
    members: Members = {"thinking": thought, "tool_calls": calls}
    said = shape.put(text, {name: value for name, value in members.items() if value})
    told = read_logprobs(choice.logprobs)
    counts = count_tokens(call, reply.usage, text + thought + _arguments(burst.events))
    last = _head(call, meter) | said | _tail(meter, _reason(choice.finish), counts)
    return encode(last | {"logprobs": told} if told else last)


def _split(parts: Sequence[msg.Part]) -> tuple[str, str]:
    """Return what is thought and what is said, by the same steps as a stream."""
    inline, thoughts, texts = Inline(), list[str](), list[str]()
    for part in parts:
        thought, said = "", say_part(part)
        if isinstance(part, msg.Thinking):
            thought = part.text
        elif isinstance(part, msg.Text) and not inline.settled:
            thought, said = inline.split(part.text)
        elif said and not inline.settled:
            thought, held = inline.rest()
            said = held + said
        thoughts.append(thought)
        texts.append(said)
    rest = ("", "") if inline.settled else inline.rest()
    return "".join([*thoughts, rest[0]]), "".join([*texts, rest[1]])


def _head(call: Call, meter: Meter) -> Members:
    return {"model": call.model, "created_at": meter.stamp().decode()}


def _tail(meter: Meter, reason: str, counts: Mapping[str, int | bool]) -> Members:
    return {"done": True, "done_reason": reason, **meter.durations(), **counts}


def _arguments(events: Sequence[ev.Event]) -> str:
    """All that the first choice's calls are given."""
    return "".join(event.arguments for event in events if isinstance(event, ev.ToolDelta) and not event.choice)


def _reason(finish: ev.FinishReason) -> str:
    """Only two reasons are known here; an answer that calls tools just stops."""
    return "length" if finish == "length" else "stop"


def _loaded(ready: Burst) -> str:
    return next(event.kind for event in ready.events if isinstance(event, ev.Note))
