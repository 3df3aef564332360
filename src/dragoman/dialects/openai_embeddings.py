"""OpenAI's embeddings, both sides: texts in, one vector each out. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from struct import iter_unpack, pack

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.count import count_request
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.loss import Terms
from dragoman.core.message import Request, Sampling
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.openai_body import TEXT, Kinds, check_kinds, missing, patch_body, read_model
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import extra_fields, no_reader, no_stream, read_answer
from dragoman.wire.json import Fields, encode, has_more_items, read_body, read_fields, set_members

NAME = "openai_embeddings"
MAX_INPUTS = 2048
"""Entries of one request, and tokens of an entry that is a list of them."""
_KINDS: Kinds = {
    "encoding_format": ("string", TEXT),
    "dimensions": ("integer", msgspec.json.Decoder(int | None).decode),
    "user": ("string", TEXT),
}
_KNOWN = frozenset({"model", "input", "encoding_format", "dimensions", "user"})
_TRUE = Raw(b"true")
_FLOAT = 4
"""Bytes of one number of a packed vector."""
_NO_SAMPLING = "nothing is sampled when a vector is made"


class _Body(Struct):
    """What a request can say."""

    input: str | list[str | int | list[int]]
    dimensions: int | None = None
    user: str | None = None
    encoding_format: str | None = None


class _Request(Struct, omit_defaults=True):
    """A request of ours; numbers are what comes when nothing else is asked for."""

    model: str
    input: list[str] | list[list[int]]
    dimensions: int | UnsetType = UNSET
    user: str = ""


class _Vector(Struct):
    embedding: Raw
    index: int | None = None
    object: str = "embedding"


class _Usage(Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None
    estimated: Raw | UnsetType = UNSET
    """Ours, and true: the upstream did not count, so we did."""


class _Vectors(Struct):
    """A whole answer."""

    data: list[_Vector]
    model: str | None = None
    usage: _Usage | None = None
    object: str = "list"


_body = msgspec.json.Decoder(_Body)
_vectors = msgspec.json.Decoder(_Vectors)
_floats = msgspec.json.Decoder(list[float])
_text = msgspec.json.Decoder(str)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take the model from a body; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    model = read_model(fields)
    check_kinds(fields, _KINDS)
    inputs = _read_inputs(body, fields)
    call = Call(body, NAME, model, lambda: [_read_request(call, inputs)], stream=False)
    call.fields, call.task = fields, "embed"
    return call


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the upstream's own answer, its vectors in the form the client asked for; else one made from events."""
    packed = bytes(call.fields.get("encoding_format", b"")) == b'"base64"'
    vectors = [event for event in burst.events if isinstance(event, ev.Vector)]
    foreign = any((bytes(vector.values)[:1] == b"[") is packed for vector in vectors)
    if burst.raw is not None and burst.dialect == NAME:
        if not foreign:
            return burst.raw
        fields = read_fields(burst.raw)
        return set_members(burst.raw, fields, {"data": Raw(encode(_write_vectors(vectors, packed=packed)))})
    usage = next((event for event in burst.events if isinstance(event, ev.Usage)), None)
    if usage is None:
        usage = ev.Usage(count_request(call.request), 0, estimated=True)
    told = _Usage(usage.prompt, usage.prompt, _TRUE if usage.estimated else UNSET)
    model = next((event.model for event in burst.events if isinstance(event, ev.Start)), "")
    return encode(_Vectors(_write_vectors(vectors, packed=packed), model, told))


def write_request(request: Request, model: str) -> bytes:
    """Return a body that asks for the vectors of `request.inputs`, as lists of numbers; raises `BadRequest`."""
    texts = [entry for entry in request.inputs if isinstance(entry, str)]
    tokens = [entry for entry in request.inputs if isinstance(entry, list)]
    if bool(texts) is bool(tokens):
        reason = "invalid 'input': expected texts, or lists of tokens, and not both"
        raise BadRequest(reason, param="input", code="invalid_value")
    dimensions = UNSET if request.dimensions is None else request.dimensions
    return encode(_Request(model, texts or tokens, dimensions, request.user))


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole answer, its vectors in the order of their inputs; raises `UpstreamError`."""
    whole, body = read_answer(_vectors, body)
    numbers = [number if one.index is None else one.index for number, one in enumerate(whole.data)]
    if not whole.data or sorted(numbers) != list(range(len(numbers))):
        raise UpstreamInvalid(detail="vectors are missing, or numbered wrong")
    vectors = sorted(zip(numbers, (one.embedding for one in whole.data), strict=True), key=lambda one: one[0])
    start = ev.Start("", whole.model or fallback.model, fallback.created)
    events: list[ev.Event] = [start, *(ev.Vector(number, values) for number, values in vectors), ev.Finish("stop")]
    if whole.usage is not None and (tokens := whole.usage.prompt_tokens) is not None and tokens >= 0:
        events.append(ev.Usage(tokens, 0, estimated=whole.usage.estimated == _TRUE))
    return Burst(events, body, NAME)


def _read_inputs(body: bytes, fields: Fields) -> list[str | list[int]]:
    raw = fields.get("input")
    if raw is None:
        raise missing("input")
    if bytes(raw)[:1] == b"[" and len(bytes(raw)) > 2 * MAX_INPUTS and has_more_items(raw, MAX_INPUTS):
        raise BadRequest(f"invalid 'input': more than {MAX_INPUTS} entries", param="input", code="invalid_value")
    try:
        given = _body.decode(body).input
    except msgspec.DecodeError:
        raise _wrong_input() from None
    entries = [given] if isinstance(given, str) else given
    if not entries:
        raise BadRequest("invalid 'input': it is empty", param="input", code="invalid_value")
    if tokens := [entry for entry in entries if isinstance(entry, int)]:
        inputs: list[str | list[int]] = [tokens]
    else:
        inputs = [entry for entry in entries if not isinstance(entry, int)]
    if (tokens and len(tokens) < len(entries)) or len({isinstance(entry, str) for entry in inputs}) > 1:
        raise _wrong_input()
    return inputs


def _wrong_input() -> BadRequest:
    reason = "invalid type for 'input': expected a string, or an array of strings, of tokens or of arrays of tokens"
    return BadRequest(reason, param="input", code="invalid_type")


def _read_request(call: Call, inputs: list[str | list[int]]) -> Request:
    asked = _body.decode(call.body)
    extra = extra_fields(call.fields, _KNOWN)
    return Request(call.model, [], inputs=inputs, dimensions=asked.dimensions, user=asked.user or "", extra=extra)


def _write_vectors(vectors: list[ev.Vector], *, packed: bool) -> list[_Vector]:
    return [_Vector(_pack(one.values) if packed else _unpack(one.values), one.index) for one in vectors]


def _pack(values: Raw) -> Raw:
    """Return a vector as base64 of little-endian 32-bit floats."""
    if bytes(values)[:1] != b"[":
        return values
    try:
        numbers = _floats.decode(values)
        return Raw(encode(b64encode(pack(f"<{len(numbers)}f", *numbers)).decode()))
    except (msgspec.DecodeError, OverflowError):
        raise UpstreamInvalid(detail="a vector holds something else than numbers") from None


def _unpack(values: Raw) -> Raw:
    """Return a vector as a list of numbers."""
    if bytes(values)[:1] == b"[":
        return values
    try:
        data = b64decode(_text.decode(values), validate=True)
    except (msgspec.DecodeError, NotBase64):
        raise UpstreamInvalid(detail="a vector is neither numbers nor base64") from None
    if not data or len(data) % _FLOAT:
        raise UpstreamInvalid(detail="a vector is cut in the middle of a number")
    return Raw(encode([number for (number,) in iter_unpack("<f", data)]))


INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=no_stream,
    write_reply=write_reply,
    write_error=write_error,
)
OUTBOUND = Outbound(
    name=NAME,
    path=b"/embeddings",
    id_prefix="",
    patch_request=patch_body,
    write_request=write_request,
    reader=no_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="embed",
    terms=Terms(cannot=dict.fromkeys(Sampling.__struct_fields__, _NO_SAMPLING)),
)
