"""What a model says, in the order it says it: the hub every dialect is read into and written from.

An answer is legal when it matches ``Start (Text|Refusal|Thinking|ToolDelta|Media|Vector|Replace|Note)* Finish+
Usage?``, seen choice by choice (see `core.legal`). What breaks half-way is raised as a `DragomanError`, not said as an
event.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class Start(Struct, frozen=True, tag=True, gc=False):
    """The model has begun to answer; exactly once, before everything else."""

    id: str
    """The upstream's own id of this answer, or empty."""
    model: str
    """What the upstream calls the model that answers, or empty."""
    created: int = 0
    """Seconds since the Unix epoch; 0 when the upstream does not say."""


class Text(Struct, frozen=True, tag=True, gc=False):
    """A piece of the visible answer; never empty."""

    text: str
    choice: int = 0
    logprobs: Raw | UnsetType = UNSET
    """Log probabilities of this piece's tokens, as OpenAI's chat dialect writes them."""


class Refusal(Struct, frozen=True, tag=True, gc=False):
    """A piece of the model's explanation why it will not answer."""

    text: str
    choice: int = 0


class Thinking(Struct, frozen=True, tag=True, gc=False):
    """A piece of the model's reasoning."""

    text: str
    choice: int = 0
    signature: str | UnsetType = UNSET
    """Proof that the reasoning is the model's own; ends a block of thinking (Anthropic)."""
    redacted: bool = False
    """The reasoning itself is withheld: `signature` holds it, readable for its vendor alone."""


class ToolDelta(Struct, frozen=True, tag=True, gc=False):
    """A piece of tool call number `index`; the first piece, and only it, carries `id` and `name`."""

    index: int
    """Counts the tool calls of one choice from 0, without gaps."""
    arguments: str
    """JSON text; only the concatenation of all pieces parses."""
    id: str | None = None
    name: str | None = None
    choice: int = 0
    extra: Raw | UnsetType = UNSET
    """Fields we do not understand, handed back untouched (Gemini thought signatures)."""


class Media(Struct, frozen=True, tag=True, gc=False):
    """An image, a sound or a video in the answer."""

    media_type: str
    """MIME type, e.g. ``audio/wav``."""
    data: str = ""
    """Base64, when the bytes came with the answer; empty too while they are the raw bytes of the burst."""
    url: str = ""
    choice: int = 0
    extra: Raw | UnsetType = UNSET


class Vector(Struct, frozen=True, tag=True, gc=False):
    """The embedding of input number `index`."""

    index: int
    values: Raw
    """As it came: a JSON list of numbers, or a JSON string, base64 of little-endian 32-bit floats."""


class Replace(Struct, frozen=True, tag=True, gc=False):
    """All text so far is void; this stands in its place (Poe)."""

    text: str
    choice: int = 0


class Note(Struct, frozen=True, tag=True, gc=False):
    """Something said beside the answer, e.g. a suggested reply; a dialect without a place for it drops it."""

    kind: str
    text: str


class Finish(Struct, frozen=True, tag=True, gc=False):
    """One choice is complete; exactly once for each choice, and only because the upstream said so."""

    reason: FinishReason
    choice: int = 0
    stop: str = ""
    """The stop sequence that ended it, where the upstream tells."""


class Usage(Struct, frozen=True, tag=True, gc=False):
    """Tokens of the whole call, as the upstream counted them; `cached`, `cache_write` and `reasoning` are parts of the
    totals."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0
    estimated: bool = False
    """True when we counted because the upstream did not."""
    cache_write: int = 0
    """Tokens of the prompt that were put into the upstream's cache."""


Event = Start | Text | Refusal | Thinking | ToolDelta | Media | Vector | Replace | Note | Finish | Usage
