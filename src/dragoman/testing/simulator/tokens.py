"""Text in token-like pieces, and how many of them there are: no vocabulary, the same on every machine."""

from __future__ import annotations

import re

from msgspec import Raw, UnsetType

from dragoman.core import message as msg

IMAGE = 85
"""Tokens of one picture. Source: OpenAI vision guide (low detail), 2026."""
SOUND = 64
"""Tokens of one sound or video."""
DOCUMENT = 256
"""Tokens of one file."""
TURN = 3
"""Tokens that a message takes besides its text."""
_TOKEN = re.compile(r" ?[A-Za-z]{1,7}| ?[0-9]{1,3}|[^\W_]{1,2}|_+| ?[^\w\s]{1,3}|\s{1,8}")


def cut(text: str) -> list[str]:
    """Return `text` in pieces of a few characters, words with the space before them; joined they give it back."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """Return how many tokens `text` has."""
    return len(cut(text))


def count_request(request: msg.Request) -> int:
    """Return the tokens of a whole prompt: messages, tools and the schema of the answer."""
    turns = sum(TURN + count_parts(turn.parts) for turn in request.messages)
    tools = sum(
        TURN + count(tool.name + " " + tool.description) + _count_raw(tool.parameters) for tool in request.tools
    )
    return turns + tools + _count_raw(request.format.schema)


def count_parts(parts: list[msg.Part]) -> int:
    """Return the tokens of what one message holds."""
    return sum(_count_part(part) for part in parts)


def _count_part(part: msg.Part) -> int:
    match part:
        case msg.Text() | msg.Refusal() | msg.Thinking():
            return count(part.text)
        case msg.Image():
            return IMAGE
        case msg.Audio() | msg.Video():
            return SOUND
        case msg.File():
            return DOCUMENT
        case msg.ToolCall():
            return TURN + count(part.name) + count(part.arguments)
        case msg.ToolResult():
            return TURN + count_parts(part.content)


def _count_raw(schema: Raw | UnsetType) -> int:
    return 0 if isinstance(schema, UnsetType) else count(bytes(schema).decode("utf-8", "replace"))
