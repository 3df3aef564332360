"""The wire Structs of Ollama's requests and answers, as wide as its clients and servers are different.

The Python client leaves out whatever is empty, the JS client sends what it is given: nothing but a model is required.
The server leaves out whatever is zero. Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.wire.json import Fields

CHAT = "ollama_chat"
GENERATE = "ollama_generate"
EMBED = "ollama_embed"
EMBEDDINGS = "ollama_embeddings"
STREAM_TYPE = b"application/x-ndjson"
JSON_TYPE = "application/json; charset=utf-8"


class Image(Struct):
    """Where a picture is, as OpenAI says it."""

    url: str


class Part(Struct):
    """One part of a content that is a list, as OpenAI writes it."""

    type: str
    text: str | UnsetType = UNSET
    image_url: Image | str | UnsetType = UNSET


class Function(Struct):
    """What an earlier turn called."""

    name: str
    arguments: Raw = Raw(b"{}")
    """An object, or (not by Ollama's rules) the text of one."""
    index: int | None = None


class Called(Struct):
    """A tool call of an earlier turn."""

    function: Function
    id: str | None = None
    type: str | None = None


class Turn(Struct):
    """One message."""

    role: str
    content: str | list[Part] | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[Called] | None = None
    tool_name: str | None = None
    name: str | None = None
    """What `tool_name` was called before."""
    tool_call_id: str | None = None


class ToolFunction(Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None


class ToolSpec(Struct):
    """One entry of `tools`."""

    function: ToolFunction
    type: str | None = None


class ChatBody(Struct):
    """What makes a chat, beside what a chat and a single answer have in common."""

    messages: list[Turn] | None = None
    tools: list[ToolSpec] | None = None


class ChatMembers(Struct):
    """The same with its objects by name, where the members are that the hub has no word for."""

    messages: list[Fields] | None = None
    tools: list[Fields] | None = None


class GenerateBody(Struct):
    """What makes a single answer, beside what it and a chat have in common."""

    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None
    suffix: str | None = None
    template: str | None = None
    raw: bool | None = None
    context: list[int] | None = None


class Alternative(Struct, omit_defaults=True):
    """A token that might have come, and how likely."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class Logprob(Struct, omit_defaults=True):
    """A token that came, how likely it was, and what else might have come; the same here and in OpenAI's chat."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[Alternative] = []


class Said(Struct):
    """What an answer, or a piece of one, says."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Called] | None = None
    images: list[str] | None = None


class Line(Said):
    """A line of a stream, or a whole answer: what it says is in `message` (chat), or beside it (generate)."""

    model: str | None = None
    created_at: str | None = None
    message: Said | None = None
    response: str | None = None
    logprobs: Raw | UnsetType = UNSET
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: Raw | UnsetType = UNSET
    eval_count: Raw | UnsetType = UNSET
    estimated: Raw | UnsetType = UNSET
    """True where the server is one of ours, and counted what nobody had told it."""
    error: Raw | UnsetType = UNSET


class Vectors(Struct):
    """An answer to ``/api/embed``."""

    embeddings: list[Raw]
    model: str | None = None
    prompt_eval_count: int | None = None


class SingleVector(Struct):
    """An answer to ``/api/embeddings``."""

    embedding: Raw
