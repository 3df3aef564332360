"""Write answers as chat completions: the upstream's own bytes where they serve, else chunks made from events."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import UNSET, Raw, UnsetType

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.fold import fold
from dragoman.core.say import say_instead, say_part
from dragoman.dialects.openai_body import find_start, hide_usage
from dragoman.dialects.openai_chat.schema import (
    CHUNK,
    DONE,
    NAME,
    NULL,
    WHOLE,
    Choice,
    Chunk,
    Delta,
    Function,
    ToolCall,
    Usage,
    Whole,
    WholeChoice,
    write_usage,
)
from dragoman.dialects.openai_errors import write_stream_error
from dragoman.wire.json import encode
from dragoman.wire.sse import PING


class Writer:
    """Writes one streamed answer."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._start = ev.Start("", "", 0)
        self._begun: set[int] = set()
        self._said: list[ev.Text | ev.Replace] = []
        self._legacy = wants_function_call(call)
        self._usage: UnsetType | None = None if call.show_usage else UNSET

    def write(self, burst: Burst) -> bytes:
        """Return the frames of `burst`, without usage unless the client asked for it."""
        if burst.raw is None or burst.dialect != NAME:
            return b"".join([self._write_event(event) for event in burst.events])
        if self._usage is UNSET:
            return hide_usage(burst)
        if not self._start.id:
            self._start = find_start(burst)
        return burst.raw

    def end(self) -> bytes:
        """Return the success marker."""
        return DONE

    def fail(self, error: DragomanError) -> bytes:
        """Return the frame that says the answer broke; no success marker follows."""
        return write_stream_error(error)

    def ping(self) -> bytes:
        """Return a comment, which every reader of event streams skips."""
        return PING

    def _write_event(self, event: ev.Event) -> bytes:
        match event:
            case ev.Start():
                self._start = event
                return b""
            case ev.Note() | ev.Vector() | ev.Thinking(text=""):
                return b""  # reasoning without text is its proof alone, which has no place here
            case ev.Usage():
                return b"" if self._usage is UNSET else self._frame([], write_usage(event))
            case ev.Finish():
                return self._chunk(event.choice, Delta(), finish=_finish(event.reason, legacy=self._legacy))
            case ev.Text():
                self._said.append(event)
                return self._chunk(event.choice, Delta(content=event.text), logprobs=event.logprobs)
            case ev.ToolDelta() if self._legacy and event.index:
                return b""  # the deprecated form has room for one call
            case ev.Replace():
                return self._replace(event)
            case _:
                return self._chunk(event.choice, self._delta(event))

    def _replace(self, event: ev.Replace) -> bytes:
        more = say_instead("".join([said.text for said in self._said if said.choice == event.choice]), event.text)
        self._said = [*(said for said in self._said if said.choice != event.choice), event]
        return self._chunk(event.choice, Delta(content=more)) if more else b""

    def _delta(self, event: ev.Refusal | ev.Thinking | ev.ToolDelta | ev.Media) -> Delta:
        match event:
            case ev.Refusal():
                return Delta(refusal=event.text)
            case ev.Thinking():
                return Delta(reasoning_content=event.text)
            case ev.ToolDelta():
                return self._tool(event)
            case ev.Media():
                return Delta(audio=event.extra) if isinstance(event.extra, Raw) else Delta(content=_link(event))

    def _tool(self, event: ev.ToolDelta) -> Delta:
        first = event.id is not None
        function = Function(event.name if first else UNSET, event.arguments)
        if self._legacy:
            return Delta(function_call=function)
        call_id, kind = (event.id, "function") if first else (UNSET, UNSET)
        return Delta(tool_calls=[ToolCall(event.index, call_id, kind, function, event.extra)])

    def _chunk(
        self, index: int, delta: Delta, *, finish: str | None = None, logprobs: Raw | UnsetType = UNSET
    ) -> bytes:
        told = NULL if isinstance(logprobs, UnsetType) else logprobs
        frame = self._frame([Choice(index, delta, told, finish)])
        if index in self._begun:
            return frame
        self._begun.add(index)
        opening = Delta(role="assistant", content=None if isinstance(delta.tool_calls, list) else "", refusal=None)
        return self._frame([Choice(index, opening)]) + frame

    def _frame(self, choices: list[Choice], usage: Usage | None = None) -> bytes:
        start = self._start
        told = self._usage if usage is None else usage
        chunk = Chunk(start.id, CHUNK, start.created, start.model, UNSET, choices, told)
        return b"data: " + encode(chunk) + b"\n\n"


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of a plain answer: the upstream's own, else one made from its events."""
    if burst.raw is not None and burst.dialect == NAME:
        return burst.raw
    reply = fold(burst.events)
    choices = [_whole_choice(number, choice, call) for number, choice in enumerate(reply.choices)]
    usage = write_usage(reply.usage) if reply.usage is not None else UNSET
    return encode(Whole(reply.id, WHOLE, reply.created, reply.model, UNSET, choices, usage))


def wants_function_call(call: Call) -> bool:
    """Tell whether the client speaks the deprecated form: `functions` instead of `tools`."""
    return "functions" in call.fields and "tools" not in call.fields


def _whole_choice(number: int, choice: msg.Choice, call: Call) -> WholeChoice:
    legacy = wants_function_call(call)
    text = "".join(_said(part) for part in choice.parts)
    refusal = "".join(part.text for part in choice.parts if isinstance(part, msg.Refusal))
    thought = "".join(part.text for part in choice.parts if isinstance(part, msg.Thinking))
    called = [part for part in choice.parts if isinstance(part, msg.ToolCall)]
    message = Delta("assistant", text or (None if called or refusal else ""), refusal or None, annotations=Raw(b"[]"))
    if thought:
        message.reasoning_content = thought
    for audio in choice.parts:
        if isinstance(audio, msg.Audio) and "extra" in audio.extra:
            message.audio = audio.extra["extra"]
    if called and legacy:
        message.function_call = Function(called[0].name, called[0].arguments)
    elif called:
        message.tool_calls = [_whole_tool(part) for part in called]
    logprobs = _join_logprobs(choice.logprobs) if choice.logprobs else NULL
    return WholeChoice(number, message, logprobs, _finish(choice.finish, legacy=legacy))


def _said(part: msg.Part) -> str:
    """What a part is in the text, where it has no place of its own."""
    has_place = isinstance(part, msg.Refusal) or (isinstance(part, msg.Audio) and "extra" in part.extra)
    return "" if has_place else say_part(part)


def _whole_tool(part: msg.ToolCall) -> ToolCall:
    return ToolCall(UNSET, part.id, "function", Function(part.name, part.arguments), part.extra.get("extra", UNSET))


class _Logprobs(msgspec.Struct):
    content: list[Raw] | None = None
    refusal: list[Raw] | None = None


_logprobs = msgspec.json.Decoder(_Logprobs)


def _join_logprobs(pieces: list[Raw]) -> Raw:
    """One list of tokens out of the pieces that came with the text; what is no such list is left out."""
    if len(pieces) == 1:
        return pieces[0]
    whole = _Logprobs()
    for piece in pieces:
        with suppress(msgspec.DecodeError):
            more = _logprobs.decode(piece)
            whole.content = _join(whole.content, more.content)
            whole.refusal = _join(whole.refusal, more.refusal)
    return Raw(encode(whole))


def _join(one: list[Raw] | None, other: list[Raw] | None) -> list[Raw] | None:
    return [*one, *other] if one and other else one or other


def _finish(reason: ev.FinishReason, *, legacy: bool) -> str:
    return "function_call" if legacy and reason == "tool_calls" else reason


def _link(media: ev.Media) -> str:
    url = media.url or f"data:{media.media_type};base64,{media.data}"
    return f"![{media.media_type.partition('/')[0]}]({url})"
