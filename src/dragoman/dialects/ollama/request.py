"""What every request of this dialect begins with, and the pictures that may come along."""

from __future__ import annotations

import re
from collections.abc import Set

import msgspec
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Task
from dragoman.core.errors import BadRequest
from dragoman.core.events import Note
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.images import read_image
from dragoman.dialects.ollama.options import (
    given,
    read_format,
    read_options,
    read_reasoning,
    read_sampling,
    unknown_options,
)
from dragoman.dialects.ollama.schema import JSON_TYPE
from dragoman.dialects.ollama.words import WORDS
from dragoman.wire.json import Fields, encode, read_body, set_members

MAX_MODEL = 256
"""Characters of a model's name."""
_HEAD = frozenset({"model", "stream", "options"})
_COMMON = _HEAD | {"format", "think", "logprobs", "top_logprobs"}
_ZERO = re.compile(rb'"?[+-]?0+(?:\.0*)?(?:ns|us|ms|[smh])?"?')
_string = msgspec.json.Decoder(str).decode
_flag = msgspec.json.Decoder(bool).decode


def read_head(body: bytes, limits: Limits, dialect: str, task: Task = "chat") -> Call:
    """Return a call whose meaning is still to be read; raises `BadRequest` naming the field."""
    if not body.strip():
        raise BadRequest("missing request body")
    body, fields = read_body(body, limits)
    model = _read_model(fields)
    call = Call(body, dialect, model, tuple, stream=task == "chat" and _streams(fields))
    call.fields, call.task, call.words = fields, task, WORDS
    if not call.stream:
        call.reply_type = JSON_TYPE
    return call


def make_ready(call: Call) -> Call:
    """Return the call, which only loads a model or unloads it: there is nothing to be done, and one object says so."""
    kept = given(call.fields, "keep_alive")
    reason = "unload" if kept is not None and _ZERO.fullmatch(bytes(kept)) else "load"
    call.ready = Burst([Note(reason, "")])
    call.stream, call.reply_type = False, JSON_TYPE
    return call


def patch_model(call: Call, model: str) -> bytes:
    """Return the client's own body with the upstream's model name, and every other byte as it came."""
    return set_members(call.body, call.fields, {} if call.model == model else {"model": Raw(encode(model))})


def read_images(images: list[str] | None, path: str) -> list[msg.Part]:
    """Return pictures that came as base64, bare or in a ``data:`` URL; raises `BadRequest` for what is no picture."""
    return [msg.Image(read_image(data, f"{path}[{index}]")) for index, data in enumerate(images or ())]


def read_request(
    call: Call, limits: Limits, own: Set[str], turns: list[msg.Message], tools: list[msg.Tool]
) -> msg.Request:
    """Return what a call asks for beside turns and tools, `own` being the members that said those.

    Raises `BadRequest`.
    """
    options = read_options(call.fields)
    return msg.Request(
        call.model,
        turns,
        tools,
        sampling=read_sampling(call.fields, options, limits.stop),
        reasoning=read_reasoning(call.fields),
        format=read_format(call.fields),
        stream=call.stream,
        extra=_unknown(call.fields, _COMMON | own) | unknown_options(options),
    )


def read_embedding(call: Call, own: Set[str], inputs: list[str | list[int]], dimensions: int | None) -> msg.Request:
    """Return what a call for vectors asks for; raises `BadRequest`."""
    extra = _unknown(call.fields, _HEAD | own)
    extra |= {f"options.{name}": raw for name, raw in read_options(call.fields).items()}
    return msg.Request(call.model, [], inputs=inputs, dimensions=dimensions, extra=extra)


def _unknown(fields: Fields, known: Set[str]) -> msg.Extra:
    """The members that the hub has no word for and that are given."""
    return {name: raw for name, raw in fields.items() if name not in known and given(fields, name) is not None}


def _read_model(fields: Fields) -> str:
    raw: Raw | None = given(fields, "model")
    try:
        model = "" if raw is None else _string(raw)
    except msgspec.DecodeError:
        raise BadRequest("invalid type for 'model': expected string", param="model", code="invalid_type") from None
    if not model:
        raise BadRequest("model is required", param="model", code="missing_required_parameter")
    # Names with spaces are refused by Ollama, but there are upstreams that have them.
    if len(model) > MAX_MODEL or not (model.isascii() and model.isprintable()) or model != model.strip():
        raise BadRequest("invalid model name", param="model", code="invalid_value")
    return model


def _streams(fields: Fields) -> bool:
    raw = given(fields, "stream")
    try:
        return raw is None or _flag(raw)
    except msgspec.DecodeError:
        raise BadRequest("invalid type for 'stream': expected boolean", param="stream", code="invalid_type") from None
