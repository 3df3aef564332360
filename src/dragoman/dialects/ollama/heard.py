"""What one line of an Ollama server says, as events."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.ollama.images import sniff_image
from dragoman.dialects.ollama.schema import Called, Line
from dragoman.wire.json import Fields, encode

_COUNTS = ("prompt_eval_count", "eval_count")
_MAX_COUNT = 2**53
"""No usage is larger; beyond it a number is nonsense, and inexact for most clients."""
_TRUE = Raw(b"true")
_NOTHING = frozenset({b"{}", b"null", b'""'})
_count = msgspec.json.Decoder(int)
_object = msgspec.json.Decoder(Fields)
_text = msgspec.json.Decoder(str)


class _Alternative(Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Likelihood(_Alternative):
    """A token as OpenAI's chat tells it: nothing may be left out."""

    top_logprobs: list[_Alternative] = []


_likelihoods = msgspec.json.Decoder(list[_Likelihood])


class Listener:
    """Says what the lines of one answer say; knows how many tools were called before."""

    __slots__ = ("_calls", "_id")

    def __init__(self, start: ev.Start) -> None:
        self._id = start.id
        self._calls = 0

    def hear(self, line: Line, events: list[ev.Event]) -> None:
        """Add what a line says, whose parts stand in its message or beside each other; raises `UpstreamInvalid`."""
        said = line.message or line
        if said.thinking:
            events.append(ev.Thinking(said.thinking))
        text = said.content or line.response or ""
        if line.logprobs is not UNSET and (told := _read_likelihoods(line.logprobs)):
            events.append(ev.Text(text, 0, told))
        elif text:
            events.append(ev.Text(text))
        if said.tool_calls:
            events += [self._hear_call(called) for called in said.tool_calls]
        if said.images:
            events += [ev.Media(sniff_image(data) or "image/*", data) for data in said.images]

    def hear_end(self, line: Line, events: list[ev.Event]) -> None:
        """Add what the last line tells of the whole answer."""
        if line.done_reason == "length":
            events.append(ev.Finish("length"))
        else:
            events.append(ev.Finish("tool_calls" if self._calls else "stop"))
        counts = [_read_count(raw) for raw in (line.prompt_eval_count, line.eval_count)]
        if makes_sense(line) and counts != [None, None]:
            events.append(ev.Usage(counts[0] or 0, counts[1] or 0, estimated=line.estimated == _TRUE))

    def _hear_call(self, called: Called) -> ev.ToolDelta:
        number = self._calls
        self._calls += 1
        function = called.function
        return ev.ToolDelta(number, _read_arguments(function.arguments), called.id or self._make_id(), function.name)

    def _make_id(self) -> str:
        """An id for the call just counted, as Ollama makes them, different in every answer."""
        return f"call_{sha256(f'{self._id}/{self._calls}'.encode()).hexdigest()[:8]}"


def makes_sense(line: Line) -> bool:
    """Tell whether what a line counts can be true; a count that is zero is left out by Ollama."""
    return all(0 <= (_read_count(raw) or 0) <= _MAX_COUNT for raw in (line.prompt_eval_count, line.eval_count))


def leave_out_counts(data: bytes) -> bytes:
    """Return a line without its counts."""
    return encode({name: raw for name, raw in _object.decode(data).items() if name not in _COUNTS})


def _read_count(raw: Raw | UnsetType) -> int | None:
    """Return a count, None where there is none, a negative one for what is no number."""
    if raw is UNSET or bytes(raw) == b"null":
        return None
    try:
        return _count.decode(raw)
    except msgspec.DecodeError:
        return -1


def _read_arguments(raw: Raw) -> str:
    """Return the JSON text of an object, which some servers send as a string."""
    if bytes(raw) in _NOTHING:
        return "{}"
    try:
        arguments = _text.decode(raw) if bytes(raw)[:1] == b'"' else bytes(raw).decode()
        _object.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the arguments of a tool call are not a JSON object") from None
    return arguments


def _read_likelihoods(raw: Raw) -> Raw | None:
    """Return likelihoods as OpenAI's chat tells them; None for what is none."""
    try:
        told = _likelihoods.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Raw(b'{"content":%b,"refusal":null}' % encode(told)) if told else None
