"""The wire Structs of chat completions, lenient where upstreams differ; what we write ourselves sets every field.

Source: OpenAI OpenAPI specification 2.3.0, 2026. Fields that are UNSET stay out of what is written, None is JSON null.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from dragoman.core import events as ev
from dragoman.wire.json import encode

NAME = "openai_chat"
NULL = Raw(b"null")
"""msgspec cannot tell an untouched value from null by type: null is an untouched value too."""
TRUE = Raw(b"true")
DONE = b"data: [DONE]\n\n"
CHUNK = "chat.completion.chunk"
WHOLE = "chat.completion"
MAX_TOOL_INDEX = 127
"""A tool call numbered higher is nonsense."""
MAX_COUNT = 2**53
"""A token count above it is nonsense."""


class Function(Struct, gc=False):
    """The name and (a piece of) the arguments of a called function."""

    name: str | UnsetType | None = UNSET
    arguments: str | UnsetType | None = UNSET


class Custom(Struct, gc=False):
    """The name and (a piece of) the input of a called tool that takes free text."""

    name: str | UnsetType | None = UNSET
    input: str | UnsetType | None = UNSET


class ToolCall(Struct, gc=False):
    """A tool call, whole or a piece of one; `index` only in streams."""

    index: int | UnsetType | None = UNSET
    id: str | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET
    function: Function | UnsetType | None = UNSET
    extra_content: Raw | UnsetType = UNSET
    """Gemini's thought signatures."""
    custom: Custom | UnsetType | None = UNSET


class Delta(Struct, gc=False):
    """What a chunk adds to a message; also the whole message of a plain answer."""

    role: str | UnsetType | None = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    reasoning: str | UnsetType | None = UNSET
    annotations: Raw | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType | None = UNSET
    function_call: Function | UnsetType | None = UNSET
    audio: Raw | UnsetType = UNSET


class Choice(Struct, gc=False):
    """One choice of a chunk."""

    index: int = -1
    """Negative: the upstream did not say."""
    delta: Delta | None = None
    logprobs: Raw = NULL
    finish_reason: str | None = None


class WholeChoice(Struct, gc=False):
    """One choice of a plain answer."""

    index: int = -1
    message: Delta | None = None
    logprobs: Raw = NULL
    finish_reason: str | None = None


class PromptDetails(Struct, gc=False):
    """Parts of the prompt's tokens."""

    cached_tokens: int | None = 0
    cache_write_tokens: int | UnsetType | None = UNSET


class CompletionDetails(Struct, gc=False):
    """Parts of the answer's tokens."""

    reasoning_tokens: int | None = 0


class Usage(Struct, gc=False):
    """Token counts of the whole request."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | UnsetType | None = UNSET
    completion_tokens_details: CompletionDetails | UnsetType | None = UNSET
    prompt_cache_hit_tokens: int | UnsetType | None = UNSET
    """DeepSeek's name for cached tokens."""
    estimated: Raw | UnsetType = UNSET
    """Ours, and true: the upstream did not count, so we did."""


class Chunk(Struct, gc=False):
    """One event of a stream."""

    id: str = ""
    object: str = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | UnsetType | None = UNSET
    choices: list[Choice] = field(default_factory=list[Choice])
    usage: Usage | UnsetType | None = UNSET
    error: Raw | UnsetType = UNSET


class Whole(Struct, gc=False):
    """A plain answer."""

    id: str = ""
    object: str = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | UnsetType | None = UNSET
    choices: list[WholeChoice] = field(default_factory=list[WholeChoice])
    usage: Usage | UnsetType | None = UNSET
    error: Raw | UnsetType = UNSET


def custom_arguments(text: str, *, first: bool) -> str:
    """Return (a piece of) the free text a custom tool is called with as arguments: an object, its end missing."""
    escaped = encode(text)[1:-1].decode()
    return f'{{"input":"{escaped}' if first else escaped


def read_usage(usage: Usage | UnsetType | None) -> ev.Usage | None:
    """Return what an upstream counted, None when it did not or the numbers are nonsense."""
    if not isinstance(usage, Usage):
        return None
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if prompt is None or (completion is None and usage.total_tokens is None):
        return None
    if completion is None:
        completion = (usage.total_tokens or 0) - prompt
    estimated = usage.estimated == TRUE
    counted = ev.Usage(prompt, completion, _cached(usage), _reasoning(usage), estimated, _cache_write(usage))
    numbers = (counted.prompt, counted.completion, counted.cached, counted.reasoning, counted.cache_write)
    return counted if min(numbers) >= 0 and max(numbers) <= MAX_COUNT else None


def write_usage(usage: ev.Usage) -> Usage:
    """Return the wire form of `usage`; the totals hold the cached and the reasoning tokens."""
    return Usage(
        usage.prompt,
        usage.completion,
        usage.prompt + usage.completion,
        PromptDetails(usage.cached, usage.cache_write or UNSET),
        CompletionDetails(usage.reasoning),
        estimated=TRUE if usage.estimated else UNSET,
    )


def _cached(usage: Usage) -> int:
    if isinstance(details := usage.prompt_tokens_details, PromptDetails) and details.cached_tokens:
        return details.cached_tokens
    return usage.prompt_cache_hit_tokens or 0 if isinstance(usage.prompt_cache_hit_tokens, int) else 0


def _cache_write(usage: Usage) -> int:
    details = usage.prompt_tokens_details
    return (details.cache_write_tokens or 0) if isinstance(details, PromptDetails) else 0


def _reasoning(usage: Usage) -> int:
    details = usage.completion_tokens_details
    return (details.reasoning_tokens or 0) if isinstance(details, CompletionDetails) else 0


def read_extra(raw: Raw | UnsetType) -> Raw | UnsetType:
    """Return what came along with a tool call; left out where no client could read it (a number without end, say)."""
    if isinstance(raw, Raw):
        try:
            msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return UNSET
    return raw
