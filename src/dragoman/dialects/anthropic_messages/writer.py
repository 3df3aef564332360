"""Write answers as Messages: the upstream's own bytes where they serve, else blocks made from what it said."""

from __future__ import annotations

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.fold import fold
from dragoman.core.say import say_instead, say_part
from dragoman.dialects.anthropic_messages.blocks import Blocks
from dragoman.dialects.anthropic_messages.errors import write_stream_error
from dragoman.dialects.anthropic_messages.output import make_id, write_content, write_stop, write_usage
from dragoman.dialects.anthropic_messages.schema import NAME, Message, MessageDelta, MessageStart, ToolUse
from dragoman.wire.json import encode
from dragoman.wire.sse import PING

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_PREFIX = "msg_"
_Rare = ev.Refusal | ev.Thinking | ev.ToolDelta | ev.Media | ev.Replace | ev.Finish


class Writer:
    """Writes one streamed answer; of several choices the first."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._blocks = Blocks()
        self._begun = False
        self._raw = False
        self._text: list[str] = []
        self._beside: list[str] = []
        """What else was said, which nothing replaces: reasoning, arguments, refusals, links."""
        self._finish = ev.Finish("stop")
        self._refused = False
        self._usage: ev.Usage | None = None

    def write(self, burst: Burst) -> bytes:
        """Return the events of `burst`.

        Raises `UpstreamInvalid` for what none can tell: arguments that are no object.
        """
        if burst.raw is not None and burst.dialect == NAME:
            self._begun = self._raw = True
            return burst.raw
        return b"".join([self._write_event(event) for event in burst.events])

    def end(self) -> bytes:
        """Return why the answer ended, what it took, and the success marker; an upstream's bytes lack the last only."""
        if self._raw:
            return _STOP
        stop = write_stop(self._finish, refused=self._refused)
        usage = write_usage(self._call, self._usage, "".join([*self._text, *self._beside]))
        return b"event: message_delta\ndata: %b\n\n%b" % (encode(MessageDelta(stop, usage)), _STOP)

    def fail(self, error: DragomanError) -> bytes:
        """Return the event that says the answer broke; no success marker follows."""
        return write_stream_error(error, self._call.id)

    def ping(self) -> bytes:
        """Return this API's own ping, or a comment before the answer has begun: nothing may precede its beginning."""
        return _PING if self._begun else PING

    def _write_event(self, event: ev.Event) -> bytes:
        match event:
            case ev.Text():
                return b"" if event.choice or not event.text else self._say(event.text)
            case ev.Start():
                self._begun = True
                start = MessageStart(_message(self._call, event.id, event.model))
                return b"event: message_start\ndata: %b\n\n" % encode(start)
            case ev.Usage():
                self._usage = event
                return b""
            case ev.Note() | ev.Vector():
                return b""
            case _:
                return b"" if event.choice else self._write_rare(event)

    def _write_rare(self, event: _Rare) -> bytes:
        match event:
            case ev.Thinking():
                self._beside.append(event.text)
                return self._blocks.add_thinking(event)
            case ev.ToolDelta():
                return self._write_tool(event)
            case ev.Finish():
                self._finish = event
                return self._blocks.end(cut=event.reason == "length")
            case ev.Replace():
                return self._replace(event.text)
            case _:
                self._refused = self._refused or isinstance(event, ev.Refusal)
                text = "".join(say_part(part) for part in fold([event]).choices[0].parts)
                self._beside.append(text)
                return self._blocks.add_text(text) if text else b""

    def _say(self, text: str) -> bytes:
        self._text.append(text)
        return self._blocks.add_text(text)

    def _write_tool(self, event: ev.ToolDelta) -> bytes:
        self._beside.append(event.arguments)
        content = None
        if event.id is not None:
            content = ToolUse(make_id(event.id, event.index, self._call), event.name or "", extra_content=event.extra)
        return self._blocks.add_tool(event, content)

    def _replace(self, text: str) -> bytes:
        """A stream cannot take back what it has said, only go on."""
        more = say_instead("".join(self._text), text)
        self._text = [text]
        return self._blocks.add_text(more) if more else b""


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of a plain answer: the upstream's own, else one made from its events.

    Raises `UpstreamInvalid` for arguments that are no object.
    """
    if burst.raw is not None and burst.dialect == NAME:
        return burst.raw
    reply = fold(burst.events)
    choice = reply.choices[0]
    message = _message(call, reply.id, reply.model)
    message.content = write_content(choice, call)
    stop = write_stop(choice, refused=any(isinstance(part, msg.Refusal) for part in choice.parts))
    message.stop_reason, message.stop_sequence = stop.stop_reason, stop.stop_sequence
    message.usage = write_usage(call, reply.usage, "".join(map(_words, choice.parts)))
    return encode(message)


def _message(call: Call, answer_id: str, model: str) -> Message:
    own = answer_id.startswith(_PREFIX)
    return Message(id=answer_id if own else f"{_PREFIX}{call.serial}", model=model or call.model, content=[])


def _words(part: msg.Part) -> str:
    match part:
        case msg.ToolCall():
            return part.arguments
        case msg.Thinking():
            return part.text
        case _:
            return say_part(part)
