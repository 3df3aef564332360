"""Examples of what Ollama's API is asked and answers, and how to tell whether an answer is built like another.

Each line of the file is one exchange; the answers were parsed by Ollama's own clients for Python and JavaScript.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

FILE = Path(__file__).parent / "data" / "ollama-examples.jsonl"


class Asked(Struct, frozen=True):
    """A request."""

    method: str
    path: str
    body: Raw | UnsetType = UNSET

    @property
    def data(self) -> bytes:
        """Its body, which may be empty."""
        return b"" if isinstance(self.body, UnsetType) else bytes(self.body)


class Answered(Struct, frozen=True):
    """A response."""

    status: int
    content_type: str = ""
    body: Raw | UnsetType = UNSET
    lines: list[Raw] = field(default_factory=list[Raw])

    @property
    def objects(self) -> list[bytes]:
        """The JSON texts in it: the lines of a stream, else the body."""
        body = [] if isinstance(self.body, UnsetType) else [bytes(self.body)]
        return body + [bytes(line) for line in self.lines]


class Example(Struct, frozen=True):
    """An exchange."""

    id: str
    endpoint: str
    mode: str
    """``json``, ``stream``, ``sse``, ``text``, ``error`` or ``stream-error``."""
    request: Asked
    response: Answered


@cache
def read_examples() -> dict[str, Example]:
    """Return all examples by their id."""
    examples = [msgspec.json.decode(line, type=Example) for line in FILE.read_bytes().splitlines()]
    return {example.id: example for example in examples}


def examples_of(endpoint: str, *modes: str) -> list[Example]:
    """Return the examples of an endpoint such as ``POST /api/chat`` in some of the modes."""
    return [example for example in read_examples().values() if example.endpoint == endpoint and example.mode in modes]


def shape(value: object) -> object:
    """Return how a decoded JSON value is built: names and types, not what it says."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in msgspec.convert(value, dict[str, object]).items()}
    if isinstance(value, list):
        return [shape(item) for item in msgspec.convert(value, list[object])]
    return type(value).__name__


def shape_of(data: bytes) -> object:
    """Return how a JSON text is built."""
    return shape(msgspec.json.decode(data))
