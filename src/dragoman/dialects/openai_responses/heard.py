"""What an upstream says in Responses, as leniently as it can be read: the wire Structs of answers, and their words.

Sources: OpenAI OpenAPI 2.3.0, 2026; Poe's endpoint (parts without a text, no `output_text`).
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_responses.faults import read_failure
from dragoman.dialects.openai_responses.schema import NULL
from dragoman.wire.json import Fields, encode, repair_text

_MAX_COUNT = 2**53
"""No usage is larger; beyond it a number is nonsense, and inexact for most clients."""
_KNOWN = frozenset({"message", "reasoning", "function_call", "custom_tool_call", "image_generation_call"})
"""Items that the hub has a word for."""
_FAILED = frozenset({"failed", "cancelled"})
_UNDONE = ("queued", "in_progress")
_QUOTE = b'"'


class Event(Struct, gc=False):
    """Any event of a stream; what is rare is decoded when it comes."""

    type: str = ""
    output_index: int = -1
    content_index: int = 0
    summary_index: int = 0
    delta: str | None = None
    logprobs: Raw = NULL
    item: Raw = NULL
    response: Raw = NULL
    error: Raw = NULL


class Done(Struct):
    """What an event tells that ends a text: all of it."""

    text: str | None = None
    refusal: str | None = None
    arguments: Raw = NULL
    input: str | None = None


class Part(Struct):
    """A part of a message or of a reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    logprobs: Raw = NULL


class Item(Struct):
    """An item of the output, as it begins or whole."""

    type: str = ""
    id: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Raw = NULL
    input: str | None = None
    result: str | None = None
    output_format: str | None = None


class _Incomplete(Struct):
    reason: str | None = None


class Response(Struct):
    """The whole response, at any moment."""

    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    error: Raw = NULL
    incomplete_details: _Incomplete | None = None
    output: list[Raw] | None = None
    usage: Raw = NULL


class _Type(Struct):
    type: str = ""


class _InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None


class _Counts(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None
    estimated: bool | None = None
    """Said by gateways such as ours."""


class _Alternative(Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Logprob(_Alternative):
    top_logprobs: list[_Alternative] = []


_response = msgspec.json.Decoder(Response)
_item = msgspec.json.Decoder(Item)
_type = msgspec.json.Decoder(_Type)
_counts: msgspec.json.Decoder[_Counts | None] = msgspec.json.Decoder(_Counts | None)
_logprobs = msgspec.json.Decoder(list[_Logprob])
_string = msgspec.json.Decoder(str)
_fields = msgspec.json.Decoder(Fields)


def read_response(raw: bytes | Raw) -> Response:
    """Return a response; raises `UpstreamInvalid` for what is none."""
    try:
        return _response.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        pass  # perhaps only its text is bad
    try:
        return _response.decode(repair_text(bytes(raw)))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a response has fields of the wrong type, or is no JSON") from None


def read_object(data: bytes) -> Fields:
    """Return the members of an object; raises `UpstreamInvalid`."""
    try:
        return _fields.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the answer is no JSON object") from None


def read_item(raw: Raw) -> Item:
    """Return an item of the output; of one that nobody knows the type alone. Raises `UpstreamInvalid`."""
    try:
        return _item.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raw = Raw(repair_text(bytes(raw)))
    try:
        kind = _type.decode(raw).type
        return _item.decode(raw) if kind in _KNOWN else Item(kind)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="an item has fields of the wrong type") from None


def start_of(response: Response, fallback: ev.Start) -> ev.Start:
    """Return the beginning of an answer."""
    created = int(response.created_at or 0) or fallback.created
    return ev.Start(response.id or fallback.id, response.model or fallback.model, created)


def finish_of(response: Response, status: str, *, called: bool) -> ev.Finish:
    """Return why a response ended that has `called` tools or not; `status` counts where its own tells no end.

    Raises a `DragomanError` for one that failed, `UpstreamInvalid` for one that has not ended.
    """
    told = status if response.status in (None, *_UNDONE) else response.status
    if told in _FAILED:
        raise read_failure(response.error)
    if not told and response.status is not None:
        raise UpstreamInvalid(detail="the response is made in the background")
    if told != "incomplete":
        return ev.Finish("tool_calls" if called else "stop")
    reason = response.incomplete_details.reason if response.incomplete_details else None
    return ev.Finish("content_filter" if reason == "content_filter" else "length")


def usage_of(raw: Raw) -> ev.Usage | None:
    """Return token counts in the hub's words, None for what are none: of another type, negative, beyond all measure."""
    try:
        told = _counts.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if told is None or (told.input_tokens is None and told.output_tokens is None):
        return None
    given, made = told.input_tokens_details or _InputDetails(), told.output_tokens_details or _OutputDetails()
    counts = [
        number or 0
        for number in (
            told.input_tokens, told.output_tokens, given.cached_tokens, made.reasoning_tokens, given.cache_write_tokens,
        )
    ]  # fmt: skip
    if not all(0 <= number <= _MAX_COUNT for number in counts):
        return None
    prompt, completion, cached, reasoning, cache_write = counts
    return ev.Usage(prompt, completion, cached, reasoning, bool(told.estimated), cache_write)


def leave_out_usage(response: bytes) -> bytes:
    """Return a response without token counts, where it tells some."""
    fields = read_object(response)
    return encode(fields | {"usage": NULL}) if tells_usage(fields.get("usage", NULL)) else response


def tells_usage(raw: Raw) -> bool:
    """Tell whether usage is there and holds something, sense or nonsense."""
    return bytes(raw) not in (b"null", b"{}")


def logprobs_of(raw: Raw) -> Raw | UnsetType:
    """Return the tokens of a text as chat completions tell them; UNSET for none, and for what is no such list."""
    if bytes(raw) in (b"null", b"[]"):
        return UNSET
    try:
        tokens = _logprobs.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return UNSET
    return Raw(encode({"content": tokens, "refusal": None})) if tokens else UNSET


def arguments_of(raw: Raw) -> str:
    """Return the arguments of a call, which are a text; some servers send the object itself."""
    text = bytes(raw)
    if text == b"null":
        return ""
    try:
        return _string.decode(text) if text.startswith(_QUOTE) else text.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _string.decode(repair_text(text)) if text.startswith(_QUOTE) else repair_text(text).decode()
