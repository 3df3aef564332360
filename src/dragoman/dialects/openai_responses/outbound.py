"""Responses towards an upstream: what it can be told, and the client's own bytes for it.

The conversation is kept by the gateway, never by the upstream: `store` is false, and all turns are told each time.
"""

from __future__ import annotations

from functools import partial

from msgspec import Raw, structs

from dragoman.core.call import Call
from dragoman.core.ports import Outbound
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_body import DESTINATION
from dragoman.dialects.openai_errors import read_error
from dragoman.dialects.openai_responses.clean import clean_input, fit_items, list_items
from dragoman.dialects.openai_responses.compose import compose
from dragoman.dialects.openai_responses.reader import Reader
from dragoman.dialects.openai_responses.reply import read_reply
from dragoman.dialects.openai_responses.request import ENCRYPTED, Session, read_include, read_reasoning
from dragoman.dialects.openai_responses.schema import NAME, NULL, RESPONSE
from dragoman.dialects.openai_responses.terms import TERMS, fit_terms
from dragoman.wire.json import Fields, encode, set_members

_FALSE = Raw(b"false")
_FIELDS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "top_logprobs": "logprobs",
    "parallel_tool_calls": "parallel_tools",
    "user": "user",
    "metadata": "metadata",
}
"""A field that a model may go without → the hub's word for it."""


def patch_request(call: Call, model: str, quirks: Quirks = NO_QUIRKS) -> bytes:
    """Return the client's own body with the upstream's model name, all turns before it, and nothing to be kept.

    What cannot be told is noted on the call. Raises `BadRequest` for a reference to what nobody keeps.
    """
    body, fields = call.body, call.fields
    dropped = _dropped(call, quirks)
    if dropped:
        fields = {name: raw for name, raw in fields.items() if name not in dropped}
        body = encode(fields)
    values: Fields = {name: raw for name, raw in quirks.always.items() if name not in fields}
    if call.model != model:
        values["model"] = Raw(encode(model))
    if bytes(fields.get("store", NULL)) != b"false":
        values["store"] = _FALSE
    if quirks.plain and call.stream:
        values["stream"] = _FALSE
    session = call.thread if isinstance(call.thread, Session) else Session(keep=False)
    told = _input(call, session, quirks)
    if told is not fields["input"]:
        values["input"] = told
    if session.keep and _reasons(fields):
        values["include"] = Raw(encode([*read_include(fields), ENCRYPTED]))
    return set_members(body, fields, values)


def _dropped(call: Call, quirks: Quirks) -> set[str]:
    """Return the fields that are not passed on; those that a model does not take are told as lost."""
    fields = call.fields
    lost = {name: quirks.lacks[word] for name, word in _FIELDS.items() if name in fields and word in quirks.lacks}
    call.losses |= {name: why for name, why in lost.items() if why and bytes(fields[name]) != b"null"}
    ours = ["previous_response_id"] if quirks.instructions else ["previous_response_id", "instructions"]
    told = {name for name in ours if bytes(fields.get(name, NULL)) != b"null"}
    return {*lost, *told, *(DESTINATION & fields.keys())}


def _input(call: Call, session: Session, quirks: Quirks) -> Raw:
    """Return the whole conversation as such a server wants it."""
    told = clean_input(call.fields["input"], session, call.losses)
    instructions = call.fields.get("instructions", NULL)
    if not quirks.instructions and bytes(instructions) != b"null":
        system = {"type": "message", "role": "system", "content": instructions}
        told = Raw(encode([system, *list_items(told)]))
    if not (quirks.developer_role and quirks.system_role):
        told = fit_items(told, quirks)
    return told


def _reasons(fields: Fields) -> bool:
    """Tell whether the model is asked to reason, and has not been asked to seal it: the next turn will need that."""
    asked = read_reasoning(fields)
    return asked.effort not in (None, "none") and ENCRYPTED not in read_include(fields)


def fitted(quirks: Quirks) -> Outbound:
    """Return this side for a model with these `quirks`."""
    return structs.replace(
        OUTBOUND,
        terms=fit_terms(quirks),
        patch_request=partial(patch_request, quirks=quirks),
        write_request=partial(compose, quirks=quirks),
    )


OUTBOUND = Outbound(
    name=NAME,
    path=b"/responses",
    id_prefix=RESPONSE,
    patch_request=patch_request,
    write_request=compose,
    reader=Reader,
    read_reply=read_reply,
    read_error=read_error,
    terms=TERMS,
    fitted=fitted,
)
