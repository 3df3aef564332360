"""The wire Structs of Messages: what a request may hold, what an answer is made of, and the events that stream it.

Reading is lenient: what no Struct names rides along, and only the fields that the hub has a word for have a type.
Source: Claude platform documentation (API version 2026-10-21) and the `anthropic` SDK 2.11, 2026.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.wire.json import Fields

NAME = "anthropic_messages"
TOKENS = "anthropic_tokens"
"""The dialect of the endpoint that only counts."""
STREAM_TYPE = b"text/event-stream; charset=utf-8"
ID_HEADER = b"request-id"
UNSIGNED = "ZHJhZ29tYW46dW5zaWduZWQ="
"""The signature of thinking that its upstream did not sign (base64 of ``dragoman:unsigned``).

Clients insist on one and hand it back with the next turn, where it is taken away again without a word: it proves
nothing, and nobody ever trusts it. So it needs no secret and is the same everywhere.
"""


class Source(Struct):
    """Where a picture or a document is."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""
    content: str | list[Block] = ""


class Block(Struct):
    """One block of a turn's content, whatever its type."""

    type: str
    text: str | UnsetType = UNSET
    source: Source | str | UnsetType = UNSET
    title: str | None = None
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    input: Raw | UnsetType = UNSET
    tool_use_id: str | UnsetType = UNSET
    content: str | list[Block] | Fields | None = None
    is_error: bool | None = None
    thinking: str | UnsetType = UNSET
    signature: str | None = None
    data: str | UnsetType = UNSET
    extra_content: Raw | UnsetType = UNSET
    """Gemini's thought signatures: told with a call, and handed back with it."""


class Turn(Struct):
    """One message."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class ToolSpec(Struct):
    """One entry of `tools`: the client's own if it has a schema, else one that Anthropic itself would run."""

    name: str = ""
    description: str | None = None
    input_schema: Raw | UnsetType = UNSET
    strict: bool | None = None
    type: str | None = None


class ToolChoice(Struct):
    """Whether the model calls tools."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class ThinkingConfig(Struct):
    """How the model may think."""

    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    budget_tokens: int | None = None


class OutputFormat(Struct):
    """The schema that the answer must have."""

    type: Literal["json_schema"]
    schema: Raw


class OutputConfig(Struct):
    """How much effort the answer is worth, and its form."""

    effort: str | None = None
    format: OutputFormat | None = None


class Metadata(Struct):
    """About the request."""

    user_id: str | None = None


class Body(Struct):
    """All of a request that the hub has a word for; the rest rides along."""

    model: str
    messages: list[Turn]
    system: str | list[Block] | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    """The former name of `output_config.format`."""
    metadata: Metadata | None = None


class Text(Struct, tag="text"):
    """A block of visible text."""

    text: str = ""


class Thinking(Struct, tag="thinking"):
    """A block of reasoning."""

    thinking: str = ""
    signature: str = ""


class Redacted(Struct, tag="redacted_thinking"):
    """Reasoning that only its vendor can read."""

    data: str


class ToolUse(Struct, tag="tool_use"):
    """A tool call; in a stream its input begins empty."""

    id: str
    name: str
    input: Raw = Raw(b"{}")
    extra_content: Raw | UnsetType = UNSET


Content = Text | Thinking | Redacted | ToolUse


class OutputDetails(Struct):
    """Parts of the answer's tokens."""

    thinking_tokens: int


class Usage(Struct, frozen=True):
    """Token counts; the three kinds of input exclude each other."""

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0
    output_tokens_details: OutputDetails | UnsetType = UNSET
    estimated: bool | UnsetType = UNSET
    """Ours: the upstream did not count, so we did, roughly."""


class Message(Struct, tag="message", kw_only=True):
    """A whole answer, or how one begins: without content, and with zeros where nobody has counted yet."""

    id: str
    role: str = "assistant"
    model: str
    content: list[Content]
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Usage = Usage()


class Stop(Struct):
    """Why an answer ended."""

    stop_reason: str | None = None
    stop_sequence: str | None = None


class MessageStart(Struct, tag="message_start"):
    """The first event of a stream."""

    message: Message


class BlockStart(Struct, tag="content_block_start"):
    """A block begins; only one is open at a time."""

    index: int
    content_block: Content


class MessageDelta(Struct, tag="message_delta"):
    """The answer is complete; the usage is that of all of it."""

    delta: Stop
    usage: Usage


class Error(Struct):
    """What went wrong."""

    type: str
    message: str


class ErrorBody(Struct, tag="error"):
    """The body of an error, and the event that breaks off a stream."""

    error: Error
    request_id: str | None = None
