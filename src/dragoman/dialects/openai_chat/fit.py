"""Chat completions as one server wants them: what its quirks change in a body, and what it cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec import Raw, structs

from dragoman.core.call import Call
from dragoman.core.effort import tell_reasoning
from dragoman.core.loss import Terms
from dragoman.core.message import Message, Reasoning, Role
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_body import patch_body
from dragoman.dialects.openai_chat.shape import SIZE, tell_shape
from dragoman.dialects.openai_chat.sounds import file_messages, file_turns
from dragoman.wire.json import Fields, encode, read_fields, set_members

NOT_TAKEN = "this model does not take it"
_WORDS = {
    "logprobs": ("logprobs",),
    "top_logprobs": ("logprobs",),
    "max_tokens": ("max_tokens",),
    "parallel_tool_calls": ("parallel_tools",),
    "response_format": ("json", "schema"),
    **{
        name: (name,)
        for name in (
            "temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "n", "user",
            "metadata",
        )
    },
}  # fmt: skip
"""A field of the dialect → the hub's words for it."""
_SYSTEM: tuple[Role, ...] = ("developer", "system")
_LIMITS = ("max_tokens", "max_completion_tokens")
_effort = msgspec.json.Decoder(str | None)
_ALWAYS = frozenset({"model", "messages", "stream", "stream_options"})
_FALSE, _TRUE = Raw(b"false"), Raw(b"true")
_USAGE = Raw(b'{"include_usage":true}')


def fit_terms(terms: Terms, quirks: Quirks) -> Terms:
    """Return what such a server can be told of another dialect's request."""
    cannot = {word: why for word, why in terms.cannot.items() if word not in quirks.sampling}
    if quirks.budget:
        cannot.pop("budget", None)
    if not (quirks.effort or quirks.budget or quirks.switch):
        cannot["effort"] = NOT_TAKEN
    if quirks.fields is not None:
        refused = [field for field in _WORDS if _refused(field, quirks) is not None and field not in _LIMITS]
        cannot |= {word: NOT_TAKEN for field in refused for word in _WORDS[field]}
    fitted = Terms({**cannot, **quirks.lacks}, terms.kin, quirks.parameters, quirks.fields)
    if not quirks.shape:
        return fitted
    narrow = partial(tell_shape, quirks=quirks)
    return structs.replace(fitted, parameters=quirks.parameters | {SIZE}, narrow=narrow)


def patch_fitted(call: Call, model: str, quirks: Quirks) -> bytes:
    """Return the client's own body as such a server wants it; what it does not take is noted on the call."""
    body = patch_body(call, model)
    fields = read_fields(Raw(body))
    changed = dict(fields)
    _rename_limit(changed, quirks)
    _rename_sampling(changed, quirks)
    _tell_effort(changed, quirks)
    _drop(changed, quirks, call.losses)
    _set_stream(changed, quirks)
    for name, value in quirks.always.items():
        changed.setdefault(name, value)
    if not (quirks.developer_role and quirks.system_role) and "messages" in changed:
        changed["messages"] = rename_roles(changed["messages"], quirks)
    if quirks.sounds_as_files and "messages" in changed:
        changed["messages"] = file_messages(changed["messages"])
    if changed.keys() == fields.keys():
        return set_members(body, fields, {name: raw for name, raw in changed.items() if raw is not fields[name]})
    return encode(changed)


def rename_roles(messages: Raw, quirks: Quirks) -> Raw:
    """Return the messages with the roles that the server knows; the same bytes where nothing has to change."""
    text = bytes(messages)
    if b'"developer"' not in text and (quirks.system_role or b'"system"' not in text):
        return messages
    try:
        turns = msgspec.json.decode(text, type=list[Fields])
    except msgspec.DecodeError:
        return messages  # for the server to refuse
    return Raw(encode([_rename(turn, quirks) for turn in turns]))


def fit_role(role: Role, quirks: Quirks) -> Role:
    """Return a role in the words of the server."""
    if role == "developer" and not quirks.developer_role:
        role = "system"
    return "user" if role in _SYSTEM and not quirks.system_role else role


def fit_turns(turns: Sequence[Message], quirks: Quirks) -> Sequence[Message]:
    """Return the turns with the roles and the parts that the server knows."""
    if quirks.sounds_as_files:
        turns = file_turns(turns)
    if quirks.developer_role and quirks.system_role:
        return turns
    return [structs.replace(turn, role=fit_role(turn.role, quirks)) for turn in turns]


def _rename(turn: Fields, quirks: Quirks) -> Fields:
    for role in _SYSTEM:
        if bytes(turn.get("role", b"")) == encode(role):
            return {**turn, "role": Raw(encode(fit_role(role, quirks)))}
    return turn


def _rename_limit(fields: Fields, quirks: Quirks) -> None:
    """Both names mean the same; a server may know one of them."""
    for name in _LIMITS:
        if quirks.max_tokens and name in fields and name != quirks.max_tokens:
            limit = fields.pop(name)
            fields.setdefault(quirks.max_tokens, limit)


def _rename_sampling(fields: Fields, quirks: Quirks) -> None:
    for word, name in quirks.sampling.items():
        if word in _WORDS and word in fields:
            fields.setdefault(name, fields.pop(word))


def _tell_effort(fields: Fields, quirks: Quirks) -> None:
    """Say the effort in the server's own field, unless the client does so itself."""
    own = {quirks.budget, quirks.switch} & fields.keys()
    if "reasoning_effort" not in fields or own:
        return
    try:
        effort = _effort.decode(fields["reasoning_effort"])
    except msgspec.DecodeError:
        return  # for the server to refuse
    told = tell_reasoning(Reasoning(effort), quirks)
    if effort is None or not told:
        return
    if quirks.effort != "reasoning_effort" or quirks.budget:
        del fields["reasoning_effort"]
    for name, value in told.items():
        if bytes(fields.get(name, b"")) != encode(value):
            fields[name] = Raw(encode(value))


def _drop(fields: Fields, quirks: Quirks, losses: dict[str, str]) -> None:
    for name in list(fields):
        reason = _refused(name, quirks)
        if reason is not None and bytes(fields.pop(name)) != b"null" and reason:
            losses[name[:64]] = reason


def _refused(name: str, quirks: Quirks) -> str | None:
    """Return why a field is left out, None when it stays."""
    words = _WORDS.get(name, ())
    why = next((quirks.lacks[word] for word in words if word in quirks.lacks), None)
    if why is None and quirks.fields is not None and name not in quirks.fields | quirks.parameters | _own(quirks):
        return NOT_TAKEN
    return why


def _own(quirks: Quirks) -> frozenset[str]:
    """Return the fields that are there whatever else is."""
    return _ALWAYS | {quirks.max_tokens or "max_tokens", quirks.effort, quirks.budget, quirks.switch}


def _set_stream(fields: Fields, quirks: Quirks) -> None:
    if quirks.plain and bytes(fields.get("stream", b"")) == b"true":
        fields["stream"] = _FALSE
        fields.pop("stream_options", None)
    if quirks.streams_only and bytes(fields.get("stream", b"")) != b"true":
        fields["stream"] = _TRUE
        fields["stream_options"] = _USAGE
    if not quirks.stream_usage:
        fields.pop("stream_options", None)
