"""Messages towards an upstream: what it can be told, and the client's own bytes for it."""

from __future__ import annotations

from functools import partial

import msgspec
from msgspec import Raw, structs

from dragoman.core.call import Call
from dragoman.core.loss import Terms
from dragoman.core.ports import Outbound
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.anthropic_messages.compose import compose
from dragoman.dialects.anthropic_messages.faults import read_error
from dragoman.dialects.anthropic_messages.narrow import narrow
from dragoman.dialects.anthropic_messages.reader import Reader
from dragoman.dialects.anthropic_messages.reply import read_reply
from dragoman.dialects.anthropic_messages.schema import NAME, UNSIGNED
from dragoman.dialects.openai_body import DESTINATION
from dragoman.wire.json import Fields, encode, read_fields, set_members

VERSION = "2023-06-01"
"""The version of the API in which the sampling can be told."""
NOT_TAKEN = "the upstream does not take this field"
_NO_FIELD = "Messages have no field for it"
TERMS = Terms(
    cannot={
        "min_p": _NO_FIELD,
        "seed": _NO_FIELD,
        "presence_penalty": _NO_FIELD,
        "frequency_penalty": _NO_FIELD,
        "repeat_penalty": _NO_FIELD,
        "logit_bias": _NO_FIELD,
        "logprobs": "Messages tell no probabilities",
        "n": "Messages give one answer",
        "metadata": "Messages take nothing about a request but its user",
        "name": "Messages have no names of speakers",
        "json": "Messages take a schema of the answer, but not just any JSON",
        "audio": "Messages take no sounds",
        "video": "Messages take no moving pictures",
    },
    kin={NAME: None, "openai_chat": frozenset({"cache_control"})},
    narrow=narrow,
)
_NEEDED = frozenset({"model", "messages", "max_tokens", "stream"})
_OURS = UNSIGNED.encode()
_items = msgspec.json.Decoder(list[Raw])


def patch_request(call: Call, model: str, quirks: Quirks = NO_QUIRKS) -> bytes:
    """Return the client's own body with the upstream's model name, and without thinking that nobody has signed.

    What the model's server does not take is left out and told; what it always wants is filled in.
    """
    body, fields = call.body, call.fields
    taken = None if quirks.fields is None else quirks.fields | quirks.parameters | _NEEDED
    refused = [name for name in fields if taken is not None and name not in taken]
    call.losses |= dict.fromkeys(refused, NOT_TAKEN)
    if refused or not DESTINATION.isdisjoint(fields):
        fields = {name: raw for name, raw in fields.items() if name not in DESTINATION and name not in refused}
        body = encode(fields)
    values: Fields = {name: raw for name, raw in quirks.always.items() if name not in fields}
    if quirks.plain and call.stream:
        values["stream"] = Raw(b"false")
    if call.model != model:
        values["model"] = Raw(encode(model))
    if body.find(_OURS) >= 0:
        values["messages"] = _without_ours(fields["messages"])
    return set_members(body, fields, values)


def _without_ours(messages: Raw) -> Raw:
    """Return the turns without blocks of thinking that carry the gateway's own signature; what is left is untouched."""
    turns: list[Raw] = []
    for raw in _items.decode(messages):
        turn = read_fields(raw) if _mentions_ours(raw) else {}
        content = turn.get("content", raw)
        if turn and bytes(content)[:1] == b"[":
            blocks = [block for block in _items.decode(content) if not _is_ours(block)]
            if not blocks:
                continue
            raw = Raw(encode({**turn, "content": blocks}))
        turns.append(raw)
    return Raw(encode(turns))


def _is_ours(block: Raw) -> bool:
    signature = read_fields(block).get("signature") if _mentions_ours(block) else None
    return signature is not None and bytes(signature) == b'"%b"' % _OURS


def _mentions_ours(raw: Raw) -> bool:
    return bytes(raw).find(_OURS) >= 0


def fitted(quirks: Quirks) -> Outbound:
    """Return this side for a model with these `quirks`."""
    if quirks is NO_QUIRKS:
        return OUTBOUND
    return structs.replace(
        OUTBOUND,
        terms=structs.replace(
            TERMS,
            cannot={**TERMS.cannot, **quirks.lacks},
            parameters=quirks.parameters,
            only=quirks.fields,
            narrow=partial(narrow, quirks=quirks),
        ),
        patch_request=partial(patch_request, quirks=quirks),
        write_request=partial(compose, quirks=quirks),
    )


OUTBOUND = Outbound(
    name=NAME,
    path=b"/messages",
    id_prefix="msg_",
    patch_request=patch_request,
    write_request=compose,
    reader=Reader,
    read_reply=read_reply,
    read_error=read_error,
    terms=TERMS,
    headers={"anthropic-version": VERSION},
    fitted=fitted,
)
