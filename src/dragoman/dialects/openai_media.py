"""What the endpoints for pictures, sounds, videos, vectors and moderations have in common: forms, and whole answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, TaskNotServed, UnsupportedMediaType, UpstreamInvalid
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.openai_body import DESTINATION, Kinds, check_kinds, missing, patch_body
from dragoman.dialects.openai_errors import find_error, read_stream_error
from dragoman.wire.json import Fields, encode, is_utf8, repair_text
from dragoman.wire.multipart import Form, Part, read_form

T = TypeVar("T")
_NO_STRING = ("number", "integer", "boolean")
"""Kinds of fields whose text in a form is their JSON."""
_fields = msgspec.json.Decoder(Fields)
_text = msgspec.json.Decoder(str)


class Details(Struct):
    """What the tokens of a prompt stood for."""

    text_tokens: int = 0
    image_tokens: int = 0
    audio_tokens: int | UnsetType = UNSET


class Usage(Struct):
    """Token counts as these endpoints tell them."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: Details | UnsetType = UNSET


class _Told(Struct):
    """An answer with usage, of whatever kind."""

    usage: Usage | None = None


_told = msgspec.json.Decoder(_Told)


def read_usage(raw: bytes) -> list[ev.Usage]:
    """Return the usage that an answer tells; nothing where it tells none, or none that makes sense."""
    try:
        usage = _told.decode(raw).usage
    except msgspec.DecodeError:
        return []
    if usage is None or usage.input_tokens is None:
        return []
    counted = ev.Usage(usage.input_tokens, usage.output_tokens or 0)
    return [counted] if min(counted.prompt, counted.completion) >= 0 else []


def write_usage(usage: ev.Usage) -> Usage:
    """Return usage as these endpoints tell it."""
    return Usage(usage.prompt, usage.completion, usage.prompt + usage.completion)


def read_text(fields: Fields, name: str) -> str:
    """Return a field that must be there, a string that is not empty; raises `BadRequest`."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        raise missing(name)
    try:
        text = _text.decode(raw)
    except msgspec.DecodeError:
        raise BadRequest(f"invalid type for '{name}': expected string", param=name, code="invalid_type") from None
    if not text:
        raise BadRequest(f"invalid '{name}': it is empty", param=name, code="invalid_value")
    return text


def read_form_fields(form: Form, kinds: Kinds) -> Fields:
    """Return the fields of a form as the members of a JSON object would be: lists without their brackets.

    A file is there by its name. Raises `BadRequest` for a wrong type, and for a field that is there twice.
    """
    fields: Fields = {}
    lists: dict[str, list[str]] = {}
    for part in form.parts:
        name = part.name.removesuffix("[]")
        if part.file is not None:
            fields.setdefault(name, Raw(encode(part.file)))
        elif name != part.name:
            lists.setdefault(name, []).append(form.text(part))
        elif name in fields:
            raise BadRequest(f"'{name}' is there twice", param=name, code="invalid_form")
        else:
            fields[name] = _read_field(form, part, kinds)
    fields |= {name: Raw(encode(texts)) for name, texts in lists.items()}
    check_kinds(fields, kinds)
    return fields


def find_files(form: Form, name: str) -> list[Part]:
    """Return the files of one name, with brackets or without."""
    return [part for part in form.parts if part.file is not None and part.name.removesuffix("[]") == name]


def patch_media(call: Call, model: str) -> bytes:
    """Return the client's own body, JSON or a form, with the upstream's model name."""
    if call.media_type.lstrip()[:10].lower() != "multipart/":
        return patch_body(call, model)
    if call.model == model and DESTINATION.isdisjoint(call.fields):
        return call.body
    return read_form(call.body, call.media_type).edit({"model": model}, DESTINATION)


def read_answer(decoder: msgspec.json.Decoder[T], body: bytes) -> tuple[T, bytes]:
    """Return a whole answer and its bytes, in which bad text is repaired; raises `UpstreamError`.

    An error where an answer was due lacks what the answer must have, and is looked for only then.
    """
    if not is_utf8(body):
        body = repair_text(body)
    try:
        return decoder.decode(body), body
    except (msgspec.DecodeError, RecursionError):
        pass
    body = repair_text(body)
    try:
        return decoder.decode(body), body
    except (msgspec.DecodeError, RecursionError):
        raise _read_failure(body) from None


def extra_fields(fields: Fields, known: frozenset[str]) -> Fields:
    """Return the fields of a request that the hub has no word for."""
    return {name: raw for name, raw in fields.items() if name not in known and name not in DESTINATION}


def no_json(body: bytes, limits: Limits) -> NoReturn:
    """Refuse a JSON body where a file must be sent."""
    raise UnsupportedMediaType("the body must be multipart/form-data")


def no_stream(call: Call) -> NoReturn:
    """Refuse to write a stream: this endpoint has none."""
    raise BadRequest("this endpoint has no streams", param="stream", code="unsupported_value")


def no_reader(start: ev.Start, wanted: int) -> NoReturn:
    """Refuse to read a stream: this endpoint has none."""
    raise UpstreamInvalid(detail="a stream where this endpoint has none")


def no_translation(request: Request, model: str) -> NoReturn:
    """Refuse the request of another endpoint: what it asks for cannot be said here."""
    raise TaskNotServed(f"the upstream of '{model}' has no endpoint for this", param="model")


def _read_field(form: Form, part: Part, kinds: Kinds) -> Raw:
    text = form.text(part)
    kind = kinds.get(part.name)
    if kind is None or kind[0] not in _NO_STRING:
        return Raw(encode(text))
    return Raw(text.strip().lower().encode() or b"null")


def _read_failure(body: bytes) -> Exception:
    try:
        fields: Mapping[str, Raw] = _fields.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return UpstreamInvalid(detail="the answer is not a JSON object")
    error = find_error(dict(fields))
    return UpstreamInvalid(detail="the answer lacks what it must have") if error is None else read_stream_error(error)
