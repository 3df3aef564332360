"""What comes as chunks of chat completions: calls of tools above all, and whatever else a model says beside them."""

from __future__ import annotations

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_chat.schema import MAX_TOOL_INDEX, Delta, Function, ToolCall, read_usage
from dragoman.dialects.poe_bot.schema import Json
from dragoman.dialects.poe_bot.speech import Speech


class Calls:
    """The tool calls of one answer, numbered without gaps whatever their numbers are."""

    def __init__(self) -> None:
        self._numbers: dict[int | str, int] = {}
        """The upstream's number of a call, or its id where there is no number → ours."""
        self._filled: list[bool] = []
        """Of each call, whether it has arguments."""

    @property
    def count(self) -> int:
        """How many tools were called so far."""
        return len(self._filled)

    def say(self, delta: Delta, speech: Speech, events: list[ev.Event]) -> None:
        """Tell what a chunk adds."""
        if thought := delta.reasoning_content or delta.reasoning:
            speech.think(thought, events)
        if delta.content:
            speech.say(delta.content, events)
        if delta.refusal:
            speech.settle(events)
            events.append(ev.Refusal(delta.refusal))
        if delta.tool_calls:
            speech.settle(events)
            events.extend([self._call(tool) for tool in delta.tool_calls])

    def end(self, events: list[ev.Event]) -> None:
        """Give every call that has no arguments an empty object."""
        events.extend([ev.ToolDelta(index, "{}") for index, filled in enumerate(self._filled) if not filled])

    def read_usage(self, chunk: Json) -> ev.Usage | None:
        """Return the usage that a chunk tells, None for none, and for nonsense."""
        return read_usage(chunk.usage)

    def _call(self, tool: ToolCall) -> ev.ToolDelta:
        function = tool.function or Function()
        arguments = function.arguments or ""
        index = self._find(tool)
        if index < len(self._filled):
            self._filled[index] = self._filled[index] or bool(arguments)
            return ev.ToolDelta(index, arguments, extra=tool.extra_content)
        if not function.name:
            raise UpstreamInvalid(detail="a tool call without a name")
        self._filled.append(bool(arguments))
        return ev.ToolDelta(index, arguments, tool.id or f"call_{index}", function.name, extra=tool.extra_content)

    def _find(self, tool: ToolCall) -> int:
        """Return our number of the call that a piece belongs to, that of a new one for a call not seen before."""
        count = len(self._filled)
        number = tool.index if isinstance(tool.index, int) else tool.id
        if not isinstance(number, int | str):
            return max(0, count - 1)
        if isinstance(number, int) and not 0 <= number <= MAX_TOOL_INDEX:
            raise UpstreamInvalid(detail="a tool call with a number that makes no sense")
        return self._numbers.setdefault(number, count)
