"""The wire Structs of Responses as we write them: every field that OpenAI always sends is set.

Source: OpenAI OpenAPI specification 2.3.0, 2026; Open Responses, 2026. UNSET stays out, None is JSON null.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.message import Extra

NAME = "openai_responses"
NULL = Raw(b"null")
NO_RAWS = Raw(b"[]")
KIND = "response"
"""What a stored response is called in the store."""
RESPONSE = "resp_"
REDACTED = "redacted:"
"""Begins an `encrypted_content` that holds the reasoning itself, not only the proof of it."""
Status = Literal["in_progress", "completed", "incomplete"]


class OutputText(Struct, tag="output_text", tag_field="type"):
    """A piece of text in a message."""

    text: str
    annotations: Raw = NO_RAWS
    logprobs: list[Raw] = []


class RefusalPart(Struct, tag="refusal", tag_field="type"):
    """Why the model would not answer."""

    refusal: str


class SummaryText(Struct, tag="summary_text", tag_field="type"):
    """A part of the summary of a reasoning."""

    text: str


class ReasoningText(Struct, tag="reasoning_text", tag_field="type"):
    """A part of a reasoning as it went."""

    text: str


class MessageItem(Struct, tag="message", tag_field="type"):
    """What the model said."""

    id: str
    status: Status
    content: list[OutputText | RefusalPart]
    role: str = "assistant"


class ReasoningItem(Struct, tag="reasoning", tag_field="type"):
    """What the model thought: as a summary for those who ask for one, else as it went."""

    id: str
    summary: list[SummaryText]
    content: list[ReasoningText] | UnsetType = UNSET
    encrypted_content: str | UnsetType | None = UNSET


class FunctionItem(Struct, tag="function_call", tag_field="type"):
    """A function the model calls."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status
    namespace: str | UnsetType = UNSET


class CustomItem(Struct, tag="custom_tool_call", tag_field="type"):
    """A tool that takes free text the model calls."""

    id: str
    call_id: str
    name: str
    input: str
    status: Status
    namespace: str | UnsetType = UNSET


class ImageItem(Struct, tag="image_generation_call", tag_field="type"):
    """A picture the model made; `result` is base64."""

    id: str
    status: Literal["in_progress", "completed"]
    result: str | None


Item = MessageItem | ReasoningItem | FunctionItem | CustomItem | ImageItem


class InputDetails(Struct):
    """Parts of the prompt's tokens."""

    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(Struct):
    """Parts of the answer's tokens."""

    reasoning_tokens: int


class Usage(Struct):
    """Token counts of the whole response."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int
    estimated: bool | UnsetType = UNSET
    """Ours: the upstream did not count, so we did."""


class Fault(Struct):
    """Why a response failed."""

    code: str
    message: str


class Incomplete(Struct):
    """Why a response ended before it was done."""

    reason: Literal["max_output_tokens", "content_filter"]


class Response(Struct):
    """The whole response; what it repeats of its request has OpenAI's documented defaults."""

    id: str = ""
    object: str = "response"
    created_at: int = 0
    status: Literal["in_progress", "completed", "incomplete", "failed"] = "in_progress"
    completed_at: int | None = None
    error: Fault | None = None
    incomplete_details: Incomplete | None = None
    model: str = ""
    output: list[Item] = []
    usage: Usage | None = None
    store: bool = True
    background: bool = False
    conversation: None = None
    frequency_penalty: Raw = Raw(b"0.0")
    instructions: Raw = NULL
    max_output_tokens: Raw = NULL
    max_tool_calls: Raw = NULL
    metadata: Raw = Raw(b"{}")
    parallel_tool_calls: Raw = Raw(b"true")
    presence_penalty: Raw = Raw(b"0.0")
    previous_response_id: Raw = NULL
    prompt_cache_key: Raw = NULL
    prompt_cache_retention: Raw = NULL
    reasoning: Raw = Raw(b'{"effort":null,"summary":null}')
    safety_identifier: Raw = NULL
    service_tier: Raw = Raw(b'"default"')
    temperature: Raw = Raw(b"1.0")
    text: Raw = Raw(b'{"format":{"type":"text"}}')
    tool_choice: Raw = Raw(b'"auto"')
    tools: Raw = NO_RAWS
    top_logprobs: Raw = Raw(b"0")
    top_p: Raw = Raw(b"1.0")
    truncation: Raw = Raw(b'"disabled"')
    user: Raw = NULL


class Event(Struct, tag_field="type", kw_only=True):
    """What all events of a stream have; numbered when it is sent."""

    sequence_number: int = 0


class Lifecycle(Event):
    """A response at one moment; one class for each `type`."""

    response: Response


class Created(Lifecycle, tag="response.created"):
    """The first event of a stream."""


class InProgress(Lifecycle, tag="response.in_progress"):
    """The second event of a stream."""


class Completed(Lifecycle, tag="response.completed"):
    """The last event of a stream: all went well."""


class Ended(Lifecycle, tag="response.incomplete"):
    """The last event of a stream: the model was stopped."""


class Failed(Lifecycle, tag="response.failed"):
    """The last event of a stream: it broke."""


class ItemAdded(Event, tag="response.output_item.added"):
    """An item begins."""

    output_index: int
    item: Item


class ItemDone(Event, tag="response.output_item.done"):
    """An item is complete."""

    output_index: int
    item: Item


class PartAdded(Event, tag="response.content_part.added"):
    """A part of an item's content begins."""

    item_id: str
    output_index: int
    content_index: int
    part: OutputText | RefusalPart | ReasoningText


class PartDone(Event, tag="response.content_part.done"):
    """A part of an item's content is complete."""

    item_id: str
    output_index: int
    content_index: int
    part: OutputText | RefusalPart | ReasoningText


class SummaryAdded(Event, tag="response.reasoning_summary_part.added"):
    """A part of a summary begins."""

    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryDone(Event, tag="response.reasoning_summary_part.done"):
    """A part of a summary is complete."""

    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryTextDone(Event, tag="response.reasoning_summary_text.done"):
    """The text of a summary's part is complete."""

    item_id: str
    output_index: int
    summary_index: int
    text: str


class ReasoningTextDone(Event, tag="response.reasoning_text.done"):
    """The text of a reasoning's part is complete."""

    item_id: str
    output_index: int
    content_index: int
    text: str


class TextDone(Event, tag="response.output_text.done"):
    """A text is complete."""

    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: list[Raw]


class RefusalDone(Event, tag="response.refusal.done"):
    """A refusal is complete."""

    item_id: str
    output_index: int
    content_index: int
    refusal: str


class ArgumentsDone(Event, tag="response.function_call_arguments.done"):
    """The arguments of a function are complete."""

    item_id: str
    output_index: int
    name: str
    arguments: str


class InputDone(Event, tag="response.custom_tool_call_input.done"):
    """The free text for a tool is complete."""

    item_id: str
    output_index: int
    input: str


class ImageCompleted(Event, tag="response.image_generation_call.completed"):
    """A picture is complete."""

    item_id: str
    output_index: int


class Turn(Struct):
    """A response as it is stored: with the items it answered."""

    response: Raw
    input: list[Raw]


class ItemList(Struct):
    """A page of items."""

    data: list[Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: str = "list"


class Deleted(Struct):
    """What is said of a response that is no more."""

    id: str
    object: str = "response"
    deleted: bool = True


class Counted(Struct):
    """How many tokens a request has, as near as we can tell."""

    input_tokens: int
    object: str = "response.input_tokens"
    estimated: bool = True
    """Ours: nobody was asked."""


def write_usage(usage: ev.Usage) -> Usage:
    """Return the wire form of `usage`; the totals hold the cached and the reasoning tokens."""
    return Usage(
        usage.prompt,
        InputDetails(usage.cached, usage.cache_write),
        usage.completion,
        OutputDetails(usage.reasoning),
        usage.prompt + usage.completion,
        True if usage.estimated else UNSET,
    )


def name_item(prefix: str, response_id: str, index: int, part: str = "o") -> str:
    """Return the id of an item: what it is, its response's own, and its number in the output (`i`: in the input)."""
    return f"{prefix}_{response_id.removeprefix(RESPONSE)}{part}{index}"


def is_made_here(item_id: str) -> bool:
    """Tell whether the id of an item is of our making, so that no upstream knows it."""
    return _MADE.fullmatch(item_id) is not None


def find_response(item_id: str) -> str:
    """Return the id of the response that an item of this id belongs to, empty when its id is not of our making."""
    stem = item_id.partition("_")[2]
    return RESPONSE + stem[:_STEM] if len(stem) > _STEM else ""


def drop(fields: Extra, known: frozenset[str]) -> Extra:
    """Return the members that are not known."""
    return {name: raw for name, raw in fields.items() if name not in known}


_STEM = 32
"""Length of what is unique in the id of a response."""
_MADE = re.compile(r"[a-z]+_[0-9a-f]{32}[io][0-9]+")
