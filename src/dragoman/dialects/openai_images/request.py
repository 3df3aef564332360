"""Requests for pictures, as JSON and as forms, read into the hub: one message with prompt and pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from dragoman.core import message as msg
from dragoman.core.call import Call, Words
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits
from dragoman.dialects.openai_body import (
    FLAG,
    LIST,
    NUMBER,
    TEXT,
    Kinds,
    check_kinds,
    is_true,
    missing,
    read_model,
    read_n,
)
from dragoman.dialects.openai_media import extra_fields, find_files, read_form_fields, read_text
from dragoman.wire.json import Fields, read_body, read_json
from dragoman.wire.multipart import Form, read_form

KINDS: Kinds = {
    "prompt": ("string", TEXT),
    "n": ("integer", NUMBER),
    "stream": ("boolean", FLAG),
    "partial_images": ("integer", NUMBER),
    "output_compression": ("integer", NUMBER),
    "size": ("string", TEXT),
    "quality": ("string", TEXT),
    "background": ("string", TEXT),
    "output_format": ("string", TEXT),
    "response_format": ("string", TEXT),
    "style": ("string", TEXT),
    "moderation": ("string", TEXT),
    "input_fidelity": ("string", TEXT),
    "user": ("string", TEXT),
    "images": ("array", LIST),
}
WORDS = Words(reasons={"response_format": "", "partial_images": ""})
"""For every request for pictures; who asks for parts of a picture has to bear that there are none."""
_KNOWN = frozenset({"model", "prompt", "n", "stream", "user", "image", "images", "mask"})
_text = msgspec.json.Decoder(str | None)


class _Reference(Struct):
    """A picture that is somewhere else."""

    image_url: str | None = None
    file_id: str | None = None


_references = msgspec.json.Decoder(list[_Reference])


def read_generation(body: bytes, limits: Limits) -> Call:
    """Take model and stream from the request for a new picture; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    return _call("openai_images", body, fields, limits, list)


def read_edit(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a request to edit pictures that are somewhere else; raises `BadRequest`."""
    body, fields = read_body(body, limits)
    call = _call("openai_image_edits", body, fields, limits, lambda: _read_references(fields))
    if "images" not in fields:
        raise missing("images")
    return call


def read_edit_form(body: bytes, kind: str, limits: Limits) -> Call:
    """Take model and stream from a form with pictures to edit; raises `BadRequest` naming the field."""
    return _form_call("openai_image_edits", body, kind, limits)


def read_variation_form(body: bytes, kind: str, limits: Limits) -> Call:
    """Take the model from a form with a picture to vary; raises `BadRequest` naming the field."""
    return _form_call("openai_image_variations", body, kind, limits)


def _form_call(name: str, body: bytes, kind: str, limits: Limits) -> Call:
    form = read_form(body, kind)
    fields = read_form_fields(form, KINDS)
    call = _call(name, body, fields, limits, lambda: _read_files(form))
    if not find_files(form, "image"):
        raise missing("image")
    call.media_type = kind
    return call


def _call(name: str, body: bytes, fields: Fields, limits: Limits, pictures: Callable[[], Sequence[msg.Part]]) -> Call:
    model = read_model(fields)
    check_kinds(fields, KINDS)
    if name != "openai_image_variations":
        read_text(fields, "prompt")
    stream = is_true(fields, "stream") and name != "openai_image_variations"
    call = Call(body, name, model, lambda: [_read_request(call, pictures())], stream=stream)
    call.fields, call.task, call.words = fields, "image", WORDS
    call.by_value = stream or _read(fields, "response_format") == "b64_json"
    call.n = read_n(fields, limits.n)
    return call


def _read_request(call: Call, pictures: Sequence[msg.Part]) -> msg.Request:
    fields = call.fields
    prompt = _read(fields, "prompt")
    parts = [*([msg.Text(prompt)] if prompt else []), *pictures]
    extra = extra_fields(fields, _KNOWN)
    message = msg.Message("user", parts)
    return msg.Request(call.model, [message], n=call.n, stream=call.stream, user=_read(fields, "user"), extra=extra)


def _read(fields: Fields, name: str) -> str:
    return "" if name not in fields else _text.decode(fields[name]) or ""


def _read_references(fields: Fields) -> list[msg.Part]:
    parts: list[msg.Part] = []
    references: list[_Reference] = read_json(_references, fields["images"])
    for number, reference in enumerate(references):
        if reference.image_url:
            parts.append(msg.Image(reference.image_url))
        elif reference.file_id:
            parts.append(msg.File(id=reference.file_id))
        else:
            param = f"images[{number}]"
            raise BadRequest(f"invalid '{param}': expected image_url or file_id", param=param, code="invalid_value")
    return parts


def _read_files(form: Form) -> list[msg.Part]:
    parts: list[msg.Part] = []
    for part in find_files(form, "image"):
        data = b64encode(form.data(part)).decode()
        parts.append(msg.Image(f"data:{part.media_type or 'image/png'};base64,{data}"))
    return parts
