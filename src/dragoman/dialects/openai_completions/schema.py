"""The wire Structs of text completions; chunks and whole answers have one form. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType, field

NAME = "openai_completions"
NULL = Raw(b"null")
"""msgspec cannot tell an untouched value from null by type: null is an untouched value too."""
TRUE = Raw(b"true")
OBJECT = "text_completion"
DONE = b"data: [DONE]\n\n"


class Choice(Struct, gc=False):
    """One choice: the text, or a piece of it."""

    text: str | None = ""
    index: int = 0
    logprobs: Raw = NULL
    finish_reason: str | None = None


class Usage(Struct, gc=False):
    """Token counts of the whole request."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    estimated: Raw | UnsetType = UNSET
    """Ours, and true: the upstream did not count, so we did."""


class Completion(Struct, gc=False):
    """An answer, or one event of a stream."""

    id: str = ""
    object: str = ""
    created: int = 0
    model: str = ""
    choices: list[Choice] = field(default_factory=list[Choice])
    usage: Usage | UnsetType | None = UNSET
    error: Raw | UnsetType = UNSET
