"""The output of a response: which item what a model says belongs to, and which of them count in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import UNSET, Struct

from dragoman.core import events as ev
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.speech import Custom, Function, Message, Reasoning, Sink, read_logprobs
from dragoman.dialects.openai_responses.tools import Name


class Wishes(Struct, frozen=True):
    """What of an answer the client asked for, and what it calls its tools."""

    names: Callable[[], Mapping[str, Name]]
    summary: bool = False
    encrypted: bool = False


class Output:
    """All items of one answer."""

    def __init__(self, sink: Sink, response_id: str, wishes: Wishes) -> None:
        self._sink = sink
        self._response_id = response_id
        self._wishes = wishes
        self._items: list[wire.Item] = []
        self._messages: list[Message] = []
        self._speech: Message | Reasoning | None = None
        self._names: Mapping[str, Name] | None = None
        self._tools: dict[int, Function | Custom] = {}
        self._open: dict[int, Message | Reasoning | Function | Custom] = {}

    def take(self, event: ev.Event) -> None:
        """Add what an event says; ends, counts, notes and other choices than the first are no part of the output."""
        match event:
            case ev.Text(choice=0):
                self._message().say(event.text, read_logprobs(event.logprobs))
            case ev.ToolDelta(choice=0):
                self._tool(event).say(event.arguments)
            case ev.Thinking(choice=0):
                self._think(event)
            case ev.Refusal(choice=0):
                self._message().refuse(event.text)
            case ev.Media(choice=0):
                self._show(event)
            case ev.Replace(choice=0):
                self._replace(event.text)
            case _:
                pass

    def end(self, *, whole: bool) -> None:
        """Nothing follows; unless the answer is `whole`, the last item, if it was still open, is incomplete."""
        last = len(self._items) - 1
        for index in sorted(self._open):
            self._open[index].end("completed" if whole or index < last else "incomplete")
        self._open.clear()
        self._speech = None

    def items(self) -> list[wire.Item]:
        """Return the items that count: those of which everything was taken back do not."""
        return [item for item in self._items if not isinstance(item, wire.MessageItem) or item.content]

    def _begin(self, prefix: str) -> tuple[int, str]:
        """Return the place of the next item, and its id."""
        index = len(self._items)
        return index, wire.name_item(prefix, self._response_id, index)

    def _end_speech(self, status: wire.Status = "completed") -> None:
        if self._speech is not None:
            self._speech.end(status)
            del self._open[next(index for index, known in self._open.items() if known is self._speech)]
            self._speech = None

    def _message(self) -> Message:
        speech = self._speech
        if isinstance(speech, Message):
            return speech
        self._end_speech()
        index, item_id = self._begin("msg")
        message = self._speech = self._open[index] = Message(self._sink, index, item_id)
        self._items.append(message.item)
        self._messages.append(message)
        return message

    def _think(self, event: ev.Thinking) -> None:
        if not event.text and event.signature is UNSET:
            return
        reasoning = self._speech
        if not isinstance(reasoning, Reasoning) or event.redacted:
            self._end_speech()
            index, item_id = self._begin("rs")
            wishes = self._wishes
            reasoning = Reasoning(self._sink, index, item_id, summary=wishes.summary, encrypted=wishes.encrypted)
            self._speech = self._open[index] = reasoning
            self._items.append(reasoning.item)
        reasoning.say(event.text)
        if isinstance(event.signature, str):
            reasoning.sign(event.signature, redacted=event.redacted)
            self._end_speech()

    def _tool(self, delta: ev.ToolDelta) -> Function | Custom:
        tool = self._tools.get(delta.index)
        if tool is None:
            self._end_speech()
            called = self._find(delta.name or "")
            index, item_id = self._begin("ctc" if called.custom else "fc")
            kind = Custom if called.custom else Function
            tool = kind(self._sink, index, item_id, delta.id or "", called)
            self._tools[delta.index] = self._open[index] = tool
            self._items.append(tool.item)
        return tool

    def _find(self, name: str) -> Name:
        """Return what the client calls a tool; a name that it never gave is left as it is."""
        if self._names is None:
            self._names = self._wishes.names()
        return self._names.get(name) or Name(name)

    def _show(self, media: ev.Media) -> None:
        """A picture whose bytes are here is an item of its own; everything else is a link in the text."""
        kind = media.media_type.partition("/")[0]
        if kind != "image" or not media.data:
            url = media.url or (f"data:{media.media_type};base64,{media.data}" if media.data else "")
            if url:
                self._message().say(f"![{kind}]({url})", [])
            return
        self._end_speech()
        index, item_id = self._begin("ig")
        item = wire.ImageItem(item_id, "in_progress", None)
        self._items.append(item)
        self._sink.say(wire.ItemAdded(index, item))
        item.status, item.result = "completed", media.data
        self._sink.say(wire.ImageCompleted(item_id, index))
        self._sink.say(wire.ItemDone(index, item))

    def _replace(self, text: str) -> None:
        """Take back what was said: its items are told as incomplete, and the whole response does not hold them.

        An answer that only repeats itself and goes on takes nothing back.
        """
        speech = self._speech
        said = speech.has_said() if isinstance(speech, Message) and len(self._messages) == 1 else None
        if isinstance(speech, Message) and said is not None and text.startswith(said):
            if len(text) > len(said):
                speech.say(text[len(said) :], [])
            return
        self._end_speech("incomplete")
        for message in self._messages:
            message.void()
        if text:
            self._message().say(text, [])
