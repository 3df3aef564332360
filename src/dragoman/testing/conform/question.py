"""What is asked in every dialect, and what was said to it: the two sides of every check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

from dragoman.testing.conform.field import Json

TOOL = "get_weather"
TOOL_ABOUT = "Get the current weather of one city."
TOOL_FORM: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of the city"}},
    "required": ["city"],
    "additionalProperties": False,
}
"""Schema of the tool's arguments."""
ANSWER_FORM: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}
"""Schema of a structured answer."""
IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/B"
    "AjLD/C5w/SM9AAAAAElFTkSuQmCC"
)
"""A red square, a PNG of 32 by 32, in base64."""


class Question(Struct, frozen=True, kw_only=True):
    """One request, in the words of no dialect."""

    model: str
    prompt: str = "Say hello in one short sentence."
    stream: bool = False
    usage: bool = False
    """Whether a stream shall tell its usage, where the dialect leaves the choice."""
    tools: bool = False
    """Whether the tool is offered, and must be called where the dialect can say so."""
    form: bool = False
    """Whether the answer shall have the form of `ANSWER_FORM`."""
    image: bool = False
    think: bool = False
    stop: str = ""
    limit: int = 0
    """Most tokens of the answer; 0 = no matter."""


class Use(Struct):
    """One call of a tool."""

    id: str
    name: str
    arguments: str = ""
    """JSON text."""


class Said(Struct):
    """One answer, in the words of no dialect."""

    text: str = ""
    thinking: str = ""
    uses: list[Use] = field(default_factory=list[Use])
    finish: Literal["", "stop", "length", "tools"] = ""
    tokens: tuple[int, int] = (0, 0)
    """Read and written."""
    pieces: int = 0
    """In how many pieces the text came."""


class Speaker(Protocol):
    """Asks a server in one dialect, one way; every method raises `Mismatch` for what breaks a rule."""

    def ask(self, question: Question) -> Said:
        """Return the answer; raises `Refused` or, within a stream, `Broken`."""
        ...

    def leave(self, question: Question) -> None:
        """Begin a stream, and leave after its first event."""
        ...

    def send(self, question: Question, *, broken: bool) -> None:
        """Ask with broken JSON, or without a field that is required; raises `Refused` as it should."""
        ...

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return the embeddings of `texts`."""
        ...
