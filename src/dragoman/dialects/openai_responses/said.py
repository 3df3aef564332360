"""What has been said of the items of an answer, and the events that say the rest.

A text comes in pieces, and once more whole when it ends, when its item ends and when the response does; servers leave
out any of them. Each time only what is new is said.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_chat.schema import custom_arguments
from dragoman.dialects.openai_responses.heard import Item, Part, arguments_of, logprobs_of, read_item
from dragoman.dialects.openai_responses.schema import NULL
from dragoman.dialects.openai_responses.tools import flat_name

MAX_TOOLS = 128
"""Tool calls of one answer."""
Kind = Literal["text", "refusal", "summary", "thought", "arguments", "input"]
"""What a text is a part of: a message, a reasoning, the call of a function, of a custom tool."""
_TYPES: dict[Kind, str] = {"text": "message", "refusal": "message", "summary": "reasoning", "thought": "reasoning"}
_CALLS = frozenset({"function_call", "custom_tool_call"})
_BREAK = "\n\n"
"""Between the parts of one reasoning."""


class _Tool(Struct):
    index: int
    custom: bool
    closed: bool = False


class Said:
    """Follows the items of one answer, each by its number in the output."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []
        """Where the next events go."""
        self._told: dict[tuple[Kind, int, int], int] = {}
        """How many characters of each text have been said."""
        self._tools: dict[int, _Tool] = {}
        self._thoughts: dict[int, tuple[Kind, int]] = {}
        """What of each reasoning is told, its summary or itself, and the part that came last."""
        self._once: set[int] = set()
        """Items whose proof or picture has been told."""
        self._ids: dict[str, int] = {}
        self._types: set[str] = set()
        self._last = -1
        """The item that began last."""

    @property
    def called(self) -> bool:
        """Whether a tool has been called."""
        return bool(self._tools)

    def say(self, kind: Kind, at: int, number: int, text: str, logprobs: Raw = NULL) -> None:
        """Say a piece of text `number` of item `at`."""
        if kind == "text":
            likely: Raw | UnsetType = UNSET if logprobs is NULL else logprobs_of(logprobs)
            if text or likely is not UNSET:
                self.events.append(ev.Text(text, 0, likely))
        elif not text:
            return
        elif kind == "refusal":
            self.events.append(ev.Refusal(text))
        elif kind in ("summary", "thought"):
            if not self._think(kind, at, number, text):
                return
        elif not self._call(at, text):
            return
        key = (kind, at, number)
        self._told[key] = self._told.get(key, 0) + len(text)

    def rest(self, kind: Kind, at: int, number: int, whole: str, logprobs: Raw = NULL) -> None:
        """Say what has not been said of a text that is known now."""
        told = self._told.get((kind, at, number), 0)
        if len(whole) > told:
            self.say(kind, at, number, whole[told:], NULL if told else logprobs)

    def place(self, at: int) -> int:
        """Return the number of an item that an event belongs to; where a server tells none, of the last that began."""
        return at if at >= 0 else max(self._last, 0)

    def begin(self, at: int, raw: Raw) -> None:
        """An item begins; a call of a tool is told at once, for its arguments follow."""
        at = self._last = at if at >= 0 else self._last + 1
        item = self._note(at, raw)
        if item.type in _CALLS and item.name:
            self._begin_call(at, item)

    def end(self, at: int, raw: Raw) -> None:
        """An item is whole."""
        if at < 0:
            at = self._ids.get(read_item(raw).id or "", self.place(at))
        self._say_item(at, self._note(at, raw))

    def finish(self, output: list[Raw]) -> None:
        """The response is whole: say of its items what nobody has told before.

        Items are known by their ids, for a server may leave some out; by their numbers, where pieces came of items that
        never began; with ids that change, by their types.
        """
        types = self._types | {_TYPES[kind] for kind, _, _ in self._told if kind in _TYPES}
        unnamed = {at for _, at, _ in self._told} - set(self._ids.values())
        for number, raw in enumerate(output):
            item = read_item(raw)
            at = self._ids.get(item.id or "", number if number in unnamed else None)
            if at is not None:
                self._say_item(at, item)
            elif item.type not in types:
                self._say_item(-1 - number, item)
        for tool in self._tools:
            self._close(tool)

    def _note(self, at: int, raw: Raw) -> Item:
        item = read_item(raw)
        self._types.add(item.type)
        if item.id:
            self._ids[item.id] = at
        return item

    def _say_item(self, at: int, item: Item) -> None:
        match item.type:
            case "message":
                for number, part in enumerate(item.content or ()):
                    self._say_part(at, number, part)
            case "reasoning":
                self._say_reasoning(at, item)
            case "function_call" | "custom_tool_call":
                self._say_call(at, item)
            case "image_generation_call" if item.result and at not in self._once:
                self._once.add(at)
                self.events.append(ev.Media(f"image/{item.output_format or 'png'}", item.result))
            case _:
                pass  # what OpenAI's own tools do is told to its own clients alone

    def _say_part(self, at: int, number: int, part: Part) -> None:
        if part.type == "refusal":
            self.rest("refusal", at, number, part.refusal or "")
        else:
            self.rest("text", at, number, part.text or "", part.logprobs)

    def _say_reasoning(self, at: int, item: Item) -> None:
        kind = self._thoughts[at][0] if at in self._thoughts else "thought" if item.content else "summary"
        parts = item.content if kind == "thought" else item.summary
        for number, part in enumerate(parts or ()):
            self.rest(kind, at, number, part.text or "")
        if item.encrypted_content and at not in self._once:
            self._once.add(at)
            self.events.append(ev.Thinking("", signature=item.encrypted_content))

    def _say_call(self, at: int, item: Item) -> None:
        self._begin_call(at, item)
        if item.type == "custom_tool_call":
            self.rest("input", at, 0, item.input or "")
        else:
            self.rest("arguments", at, 0, arguments_of(item.arguments))
        self._close(at)

    def _think(self, kind: Kind, at: int, number: int, text: str) -> bool:
        """Say a piece of a reasoning; what is told both as it went and as a summary is said once."""
        told, part = self._thoughts.setdefault(at, (kind, number))
        if told != kind:
            return False
        if part != number:
            self._thoughts[at] = (kind, number)
            text = _BREAK + text
        self.events.append(ev.Thinking(text))
        return True

    def _begin_call(self, at: int, item: Item) -> None:
        if at in self._tools:
            return
        if not item.name:
            raise UpstreamInvalid(detail="a tool call has no name")
        index, custom = len(self._tools), item.type == "custom_tool_call"
        if index >= MAX_TOOLS:
            raise UpstreamInvalid(detail="too many tool calls")
        self._tools[at] = _Tool(index, custom)
        name = flat_name(item.name, item.namespace or "")
        begun = custom_arguments("", first=True) if custom else ""
        self.events.append(ev.ToolDelta(index, begun, item.call_id or item.id or f"call_{index}", name))

    def _call(self, at: int, text: str) -> bool:
        """Say a piece of what a tool is called with; before its call has begun nobody knows which, and it is held."""
        tool = self._tools.get(at)
        if tool is None or tool.closed:
            return False
        self.events.append(ev.ToolDelta(tool.index, custom_arguments(text, first=False) if tool.custom else text))
        return True

    def _close(self, at: int) -> None:
        tool = self._tools[at]
        if tool.closed:
            return
        tool.closed = True
        if tool.custom:
            self.events.append(ev.ToolDelta(tool.index, '"}'))
        elif not self._told.get(("arguments", at, 0)):
            self.events.append(ev.ToolDelta(tool.index, "{}"))
