"""The body of a Responses request, and its meaning in the hub's words. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from dragoman.core import message as msg
from dragoman.core.call import Thread
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_body import DESTINATION
from dragoman.dialects.openai_responses.items import read_items
from dragoman.dialects.openai_responses.read import read_at
from dragoman.dialects.openai_responses.schema import NULL, drop
from dragoman.dialects.openai_responses.tools import find_tools, read_tool_choice, read_tools
from dragoman.wire.json import Fields, read_json

LOGPROBS = "message.output_text.logprobs"
ENCRYPTED = "reasoning.encrypted_content"


class Session(Thread):
    """A conversation, and the items in it that a call refers to by their ids."""

    known: dict[str, Raw] = field(default_factory=dict[str, Raw])


class Reasoning(Struct):
    """How to think."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    """Its older name."""


class Format(Struct):
    """The form the answer must have."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = ""
    description: str | None = None
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class Text(Struct):
    """How the answer is written."""

    format: Format | None = None
    verbosity: Raw | UnsetType = UNSET


class Body(Struct):
    """All parameters the hub has a word for; the others ride along."""

    model: str
    input: str | list[Raw]
    instructions: str | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_output_tokens: int | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: Text | None = None
    user: str | None = None
    tools: Raw = NULL
    tool_choice: Raw = NULL


class _Members(Struct):
    """The objects of a body by name, where the members are that the hub has no word for."""

    reasoning: Fields | None = None
    text: Fields | None = None


_body = msgspec.json.Decoder(Body)
_reasoning: msgspec.json.Decoder[Reasoning | None] = msgspec.json.Decoder(Reasoning | None)
_include: msgspec.json.Decoder[list[str] | None] = msgspec.json.Decoder(list[str] | None)
_members = msgspec.json.Decoder(_Members)
_OURS = frozenset(
    {"store", "previous_response_id", "metadata", "conversation", "background", "prompt", "stream_options"}
)
"""What the gateway itself does, or has refused already."""
_KNOWN = _OURS | DESTINATION | frozenset(Body.__struct_fields__)
_REASONING = frozenset(Reasoning.__struct_fields__)
_TEXT = frozenset({"format", "verbosity"})


def read_request(body: bytes, fields: Fields, session: Session) -> msg.Request:
    """Return what a body asks for, all turns before it included; raises `BadRequest` with the first wrong field's path.

    What can be said in no other dialect is noted in `extra`, tools and items by their path.
    """
    said = read_json(_body, body)
    extra = _foreign(fields) | _inner(body, said)
    choice = read_tool_choice(said.tool_choice, extra)
    return msg.Request(
        model=said.model,
        messages=_messages(said, session, extra),
        tools=read_tools(find_tools(said.tools, fields["input"]), extra),
        tool_choice=choice,
        parallel_tools=said.parallel_tool_calls,
        sampling=_sampling(said),
        reasoning=msg.Reasoning(effort=said.reasoning.effort if said.reasoning else None),
        format=_format(said.text),
        stream=bool(said.stream),
        user=said.user or "",
        extra=extra,
    )


def _foreign(fields: Fields) -> msg.Extra:
    """What the hub has no word for, without what asks for nothing."""
    if bytes(fields.get("truncation", NULL)) == b'"disabled"':
        fields = {name: raw for name, raw in fields.items() if name != "truncation"}
    return {name: raw for name, raw in drop(fields, _KNOWN).items() if bytes(raw) != b"null"}


def read_reasoning(fields: Fields) -> Reasoning:
    """Return what a body says about reasoning; raises `BadRequest`."""
    return read_at(_reasoning, fields.get("reasoning", NULL), "reasoning") or Reasoning()


def read_include(fields: Fields) -> list[str]:
    """Return what a body wants to be told besides; raises `BadRequest`."""
    return read_at(_include, fields.get("include", NULL), "include") or []


def _messages(said: Body, session: Session, extra: msg.Extra) -> list[msg.Message]:
    """The instructions are those of this call alone."""
    messages = [msg.Message("system", [msg.Text(said.instructions)])] if said.instructions else []
    messages += read_items(session.history, "previous", {}, extra)
    if isinstance(said.input, str):
        return [*messages, msg.Message("user", [msg.Text(said.input)])]
    messages += read_items(said.input, "input", session.known, extra)
    if not messages:
        reason = "invalid 'input': expected at least one item that says something"
        raise BadRequest(reason, param="input", code="invalid_value")
    return messages


def _inner(body: bytes, said: Body) -> msg.Extra:
    """What `reasoning` and `text` hold besides what the hub knows; the verbosity under chat's name for it."""
    members = read_json(_members, body)
    extra: msg.Extra = {}
    for name, fields, known in (("reasoning", members.reasoning, _REASONING), ("text", members.text, _TEXT)):
        extra |= {f"{name}.{member}": raw for member, raw in drop(fields or {}, known).items()}
    if said.text and isinstance(said.text.verbosity, Raw) and bytes(said.text.verbosity) != b"null":
        extra["verbosity"] = said.text.verbosity
    return extra


def _sampling(said: Body) -> msg.Sampling:
    wanted = said.top_logprobs or (0 if LOGPROBS in (said.include or ()) else None)
    return msg.Sampling(
        temperature=said.temperature,
        top_p=said.top_p,
        max_tokens=said.max_output_tokens,
        presence_penalty=said.presence_penalty,
        frequency_penalty=said.frequency_penalty,
        logprobs=wanted,
    )


def _format(text: Text | None) -> msg.Format:
    form = text.format if text else None
    if form is None or form.type == "text":
        return msg.Format()
    if form.type == "json_object":
        return msg.Format("json")
    return msg.Format("schema", form.name, form.description or "", form.schema, form.strict)
