"""Turn events into a whole answer and back: a plain answer is a stream of one burst."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.core import message as msg

_Said = ev.Text | ev.Refusal | ev.Thinking | ev.ToolDelta | ev.Media | ev.Replace | ev.Finish
"""The events of one choice."""


class _Tool:
    """A tool call whose arguments are still arriving."""

    def __init__(self, delta: ev.ToolDelta) -> None:
        self.id, self.name, self.arguments = delta.id or "", delta.name or "", [delta.arguments]
        self.extra: msg.Extra = {} if delta.extra is UNSET else {"extra": delta.extra}

    def part(self) -> msg.ToolCall:
        return msg.ToolCall(self.id, self.name, "".join(self.arguments) or "{}", self.extra)


class _Choice:
    """The parts of one choice, in the order they began; neighbours of one kind are one part."""

    def __init__(self) -> None:
        self.parts: list[msg.Part | _Tool] = []
        self.tools: dict[int, _Tool] = {}
        self.logprobs: list[Raw] = []
        self.finish: ev.FinishReason | None = None
        self.stop = ""

    def add(self, event: _Said) -> None:
        match event:
            case ev.Text():
                self._text(event)
            case ev.Refusal():
                self._grow(msg.Refusal(event.text))
            case ev.Thinking():
                self._grow(msg.Thinking(event.text, event.signature, redacted=event.redacted))
            case ev.ToolDelta():
                self._tool(event)
            case ev.Media():
                self.parts.append(_media(event))
            case ev.Replace():
                self.parts = [part for part in self.parts if not isinstance(part, msg.Text)]
                self._grow(msg.Text(event.text))
            case _:
                self.finish, self.stop = event.reason, event.stop

    def _text(self, event: ev.Text) -> None:
        self._grow(msg.Text(event.text))
        if event.logprobs is not UNSET:
            self.logprobs.append(event.logprobs)

    def _grow(self, part: msg.Text | msg.Refusal | msg.Thinking) -> None:
        if not part.text and not isinstance(part, msg.Thinking):
            return
        last = self.parts[-1] if self.parts else None
        match last, part:
            case (msg.Text(), msg.Text()):
                self.parts[-1] = msg.Text(last.text + part.text)
            case (msg.Refusal(), msg.Refusal()):
                self.parts[-1] = msg.Refusal(last.text + part.text)
            case (msg.Thinking(), msg.Thinking()) if last.signature is UNSET and not part.redacted:
                self.parts[-1] = msg.Thinking(last.text + part.text, part.signature)
            case _:
                self.parts.append(part)

    def _tool(self, delta: ev.ToolDelta) -> None:
        tool = self.tools.get(delta.index)
        if tool is None:
            tool = self.tools[delta.index] = _Tool(delta)
            self.parts.append(tool)
        else:
            tool.arguments.append(delta.arguments)

    def whole(self) -> msg.Choice:
        parts = [part.part() if isinstance(part, _Tool) else part for part in self.parts]
        return msg.Choice(parts, self.finish or "stop", self.logprobs, self.stop)


def fold(events: Iterable[ev.Event]) -> msg.Reply:
    """Return the whole answer that legal `events` make; choices in the order of their numbers."""
    reply = msg.Reply("", "", 0, [])
    choices: dict[int, _Choice] = {}
    for event in events:
        match event:
            case ev.Start():
                reply.id, reply.model, reply.created = event.id, event.model, event.created
            case ev.Usage():
                reply.usage = event
            case ev.Vector():
                reply.vectors.append(event)
            case ev.Note():
                pass
            case _:
                choices.setdefault(event.choice, _Choice()).add(event)
    reply.choices = [choices[number].whole() for number in sorted(choices)]
    return reply


def unfold(reply: msg.Reply) -> list[ev.Event]:
    """Return the events that say `reply`: the inverse of `fold`."""
    events: list[ev.Event] = [ev.Start(reply.id, reply.model, reply.created), *reply.vectors]
    for number, choice in enumerate(reply.choices):
        events += _say(choice, number)
        events.append(ev.Finish(choice.finish, number, choice.stop))
    if reply.usage is not None:
        events.append(reply.usage)
    return events


def _say(choice: msg.Choice, number: int) -> list[ev.Event]:
    events: list[ev.Event] = []
    tools = 0
    for part in choice.parts:
        match part:
            case msg.Text():
                events.append(ev.Text(part.text, number))
            case msg.Refusal():
                events.append(ev.Refusal(part.text, number))
            case msg.Thinking():
                events.append(ev.Thinking(part.text, number, part.signature, part.redacted))
            case msg.ToolCall():
                extra = part.extra.get("extra", UNSET)
                events.append(ev.ToolDelta(tools, part.arguments, part.id, part.name, number, extra))
                tools += 1
            case msg.Image() | msg.Video():
                kind = "image/*" if isinstance(part, msg.Image) else "video/*"
                events.append(ev.Media(kind, "", part.url, number, part.extra.get("extra", UNSET)))
            case msg.Audio():
                extra = part.extra.get("extra", UNSET)
                events.append(ev.Media(f"audio/{part.format}", part.data, part.url, number, extra))
            case _:
                pass  # a model's answer holds neither files nor results
    events += [ev.Text("", number, logprobs) for logprobs in choice.logprobs]
    return events


def _media(event: ev.Media) -> msg.Part:
    kind, _, form = event.media_type.partition("/")
    extra: msg.Extra = {} if event.extra is UNSET else {"extra": event.extra}
    if kind == "audio":
        return msg.Audio(event.data, form, extra, event.url)
    url = event.url or f"data:{event.media_type};base64,{event.data}"
    return msg.Video(url, extra) if kind == "video" else msg.Image(url, extra=extra)
