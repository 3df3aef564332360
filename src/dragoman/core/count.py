"""How many tokens a text has, as near as one comes without the model's vocabulary: an estimate, always marked as one.

Four bytes a token holds for English and for code; other scripts take more bytes a character and more tokens as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw

from dragoman.core.message import Message, Part, Request, Text, Thinking, Tool, ToolCall, ToolResult

TURN = 4
"""Tokens that mark the beginning and the end of a turn."""
MEDIUM = 1_000
"""Tokens of a picture, a sound or a document, whose size nobody tells."""
_BYTES = 4


def count_text(text: str) -> int:
    """Return the estimated tokens of `text`."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES)


def count_request(request: Request) -> int:
    """Return the estimated tokens of all that a request says: turns, tools and the form of the answer."""
    turns = sum(_count_message(message) for message in request.messages)
    tools = sum(_count_tool(tool) for tool in request.tools)
    schema = _count_raw(request.format.schema) if isinstance(request.format.schema, Raw) else 0
    inputs = sum(count_text(text) if isinstance(text, str) else len(text) for text in request.inputs)
    return turns + tools + schema + inputs


def _count_tool(tool: Tool) -> int:
    words = count_text(tool.name + tool.description)
    return words + (_count_raw(tool.parameters) if isinstance(tool.parameters, Raw) else 0)


def _count_message(message: Message) -> int:
    return TURN + _count_parts(message.parts)


def _count_parts(parts: Iterable[Part]) -> int:
    return sum(_count_part(part) for part in parts)


def _count_part(part: Part) -> int:
    match part:
        case Text() | Thinking():
            return count_text(part.text)
        case ToolCall():
            return count_text(part.name) + count_text(part.arguments)
        case ToolResult():
            return _count_parts(part.content)
        case _:
            return MEDIUM


def _count_raw(raw: Raw) -> int:
    return -(-memoryview(raw).nbytes // _BYTES)
