"""Calls of tools: the protocol carries one round of them, so the earlier ones become text of the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from dragoman.core import message as msg
from dragoman.dialects.poe_bot import schema as wire

_MEDIA = (msg.Image, msg.Audio, msg.Video, msg.File)
_FAILED = "Error: "
"""What the result of a tool that failed begins with: there is no other place for it."""
Round = tuple[list[msg.Message], list[wire.ToolCall], list[wire.ToolResult]]


def last_round(turns: Sequence[msg.Message]) -> Round:
    """Return the conversation up to the calls whose results it ends with, these calls, and these results.

    What the results show, the user shows at the end of the conversation.
    """
    end = len(turns)
    while end and turns[end - 1].role == "tool":
        end -= 1
    results = [part for turn in turns[end:] for part in turn.parts if isinstance(part, msg.ToolResult)]
    if not results or not end or turns[end - 1].role != "assistant":
        return list(turns), [], []
    calls = [part for part in turns[end - 1].parts if isinstance(part, msg.ToolCall)]
    names = {call.id: call.name for call in calls}
    if not all(result.id in names for result in results):
        return list(turns), [], []
    said = [part for part in turns[end - 1].parts if not isinstance(part, msg.ToolCall)]
    before = [*turns[: end - 1], *([structs.replace(turns[end - 1], parts=said)] if said else [])]
    told = [wire.ToolResult(names[result.id], result.id, _say_result(result)) for result in results]
    return before + _show(results), [_call(call) for call in calls], told


def tell_rounds(turns: Sequence[msg.Message]) -> list[msg.Message]:
    """Return the conversation with every call and every result told as text."""
    names: dict[str, str] = {}
    told: list[msg.Message] = []
    for turn in turns:
        names |= {part.id: part.name for part in turn.parts if isinstance(part, msg.ToolCall)}
        if turn.role == "tool":
            results = [part for part in turn.parts if isinstance(part, msg.ToolResult)]
            told.append(msg.Message("user", [msg.Text("\n\n".join(_tell(result, names) for result in results))]))
            told += _show(results)
        else:
            told.append(structs.replace(turn, parts=[_tell_call(part) for part in turn.parts]))
    return told


def _call(call: msg.ToolCall) -> wire.ToolCall:
    return wire.ToolCall(call.id, wire.FunctionCall(call.name, call.arguments))


def _tell_call(part: msg.Part) -> msg.Part:
    if not isinstance(part, msg.ToolCall):
        return part
    return msg.Text(f"[Called the tool {part.name} with {part.arguments}]")


def _tell(result: msg.ToolResult, names: Mapping[str, str]) -> str:
    return f"[The tool {result.name or names.get(result.id, result.id)} answered]\n{_say_result(result)}"


def _say_result(result: msg.ToolResult) -> str:
    text = "\n".join(part.text for part in result.content if isinstance(part, msg.Text))
    if not result.failed or text[: len(_FAILED)].lower() == _FAILED.lower():
        return text
    return f"{_FAILED}{text}".rstrip()


def _show(results: Sequence[msg.ToolResult]) -> list[msg.Message]:
    shown = [part for result in results for part in result.content if isinstance(part, _MEDIA)]
    return [msg.Message("user", [msg.Text("This is what the tools show."), *shown])] if shown else []
