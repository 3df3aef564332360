"""What is asked of a model, and what a whole answer is, in no vendor's words: messages made of parts.

The superset every dialect is read into when it has to be written in another one. Fields of a wire format that have no
place here ride along in `extra` and return to the dialect they came from.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core.events import FinishReason, Usage, Vector

Extra = dict[str, Raw]
"""Fields of the wire format that the hub has no word for: name → untouched JSON."""
Role = Literal["system", "developer", "user", "assistant", "tool"]


class Text(Struct, frozen=True, tag=True):
    """Plain text."""

    text: str
    extra: Extra = {}


class Image(Struct, frozen=True, tag=True):
    """A picture: by address, or its bytes in a ``data:`` URL."""

    url: str
    """``https:`` or ``data:`` URL, or empty when `file` names it."""
    detail: str = ""
    """How closely to look (``auto``, ``low``, ``high``), empty when not said."""
    extra: Extra = {}


class Audio(Struct, frozen=True, tag=True):
    """A sound."""

    data: str
    """Base64, or empty when it is at `url`."""
    format: str
    """``wav``, ``mp3``, …"""
    extra: Extra = {}
    url: str = ""


class Video(Struct, frozen=True, tag=True):
    """A moving picture."""

    url: str
    extra: Extra = {}


class File(Struct, frozen=True, tag=True):
    """A document: its bytes in a ``data:`` URL, or the id of an upload."""

    data: str = ""
    id: str = ""
    name: str = ""
    extra: Extra = {}


class Thinking(Struct, frozen=True, tag=True):
    """Reasoning the model did in an earlier turn, or before its answer."""

    text: str
    signature: str | UnsetType = UNSET
    extra: Extra = {}
    redacted: bool = False
    """`signature` holds what was thought, for its vendor alone to read."""


class ToolCall(Struct, frozen=True, tag=True):
    """The model wants a tool run."""

    id: str
    name: str
    arguments: str
    """JSON text of an object."""
    extra: Extra = {}


class ToolResult(Struct, frozen=True, tag=True):
    """What a tool answered to call `id`."""

    id: str
    content: list[Part]
    name: str = ""
    failed: bool = False
    extra: Extra = {}


class Refusal(Struct, frozen=True, tag=True):
    """Why the model would not answer."""

    text: str
    extra: Extra = {}


Part = Text | Image | Audio | Video | File | Thinking | ToolCall | ToolResult | Refusal


class Message(Struct, frozen=True):
    """One turn; a `tool` message holds `ToolResult`s only."""

    role: Role
    parts: list[Part]
    name: str = ""
    extra: Extra = {}


class Tool(Struct, frozen=True):
    """A function the model may call."""

    name: str
    description: str = ""
    parameters: Raw | UnsetType = UNSET
    """JSON Schema of the arguments."""
    strict: bool | None = None
    extra: Extra = {}


class ToolChoice(Struct, frozen=True):
    """Whether the model calls tools: `named` means exactly the tool `name`."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""
    allowed: list[str] | None = None
    """Only these tools, when given."""


class Sampling(Struct, frozen=True):
    """How the next token is chosen and when to stop; None = the upstream decides."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    """Tokens the answer may have, reasoning included."""
    stop: list[str] = []
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None
    """Factor on the scores of tokens that occurred, 1 = none (Ollama, vLLM)."""
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    """How many alternatives to tell for each token; 0 = only the token's own; None = nothing."""


class Reasoning(Struct, frozen=True):
    """How much to think before answering; None = the upstream decides."""

    effort: str | None = None
    """``none``, ``minimal``, ``low``, ``medium``, ``high``, ``xhigh`` or ``max``."""
    budget: int | None = None
    """Tokens."""


class Format(Struct, frozen=True):
    """The form the answer must have."""

    kind: Literal["text", "json", "schema"] = "text"
    name: str = ""
    description: str = ""
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class Request(Struct, frozen=True):
    """All that is asked in one call."""

    model: str
    messages: list[Message]
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning = Reasoning()
    format: Format = Format()
    n: int = 1
    """How many answers (choices) to give."""
    inputs: list[str | list[int]] = []
    """Texts (or their tokens) to embed, where vectors are asked for instead of an answer; `messages` is empty then."""
    dimensions: int | None = None
    """Numbers that each vector is to have."""
    stream: bool = False
    user: str = ""
    metadata: dict[str, str] = {}
    extra: Extra = {}


class Choice(Struct):
    """One finished answer of possibly several."""

    parts: list[Part]
    finish: FinishReason
    logprobs: list[Raw] = []
    stop: str = ""
    """The stop sequence that ended it, where the upstream tells."""


class Reply(Struct):
    """A whole answer: what `fold` makes of its events."""

    id: str
    model: str
    created: int
    choices: list[Choice]
    usage: Usage | None = None
    vectors: list[Vector] = []
