"""``POST /api/embed``, both sides: a vector of length one for each text. Source: Ollama API 0.33, 2026."""

from __future__ import annotations

import msgspec

from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Finish, Start, Usage, Vector
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.ollama.compose import place_extra
from dragoman.dialects.ollama.errors import read_error, write_embed_error
from dragoman.dialects.ollama.meter import Meter, count_prompt
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.request import patch_model, read_embedding, read_head
from dragoman.dialects.ollama.schema import EMBED, STREAM_TYPE, Vectors
from dragoman.dialects.ollama.terms import EMBED_TERMS
from dragoman.dialects.ollama.vectors import never_streams, normalise, read_texts, read_vectors
from dragoman.dialects.openai_body import check_list
from dragoman.dialects.openai_media import no_reader, read_answer
from dragoman.wire.json import encode

_OWN = frozenset({"input", "dimensions"})
_texts = msgspec.json.Decoder(str | list[str]).decode
_vectors = msgspec.json.Decoder(Vectors)
_count = msgspec.json.Decoder(int).decode


def read_call(body: bytes, limits: Limits) -> Call:
    """Take the model from a body, and the texts, of which there may be none; raises `BadRequest` naming the field."""
    call = read_head(body, limits, EMBED, "embed")
    check_list(call.fields, "input", limits.messages)
    inputs = _read_inputs(call)
    call.read = lambda: [_read(call, inputs)]
    if not inputs:
        call.ready = Burst([])
    return call


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of an answer, the upstream's own if it can be.

    Raises `UpstreamInvalid` when a vector is missing or no vector.
    """
    if call.ready is not None:
        return encode({"model": call.model, "embeddings": []})
    if burst.raw is not None and burst.dialect == EMBED:
        return burst.raw
    request, meter = call.request, Meter(call)
    vectors = read_vectors(burst.events, len(request.inputs))
    usage = next((event for event in burst.events if isinstance(event, Usage)), None)
    members: dict[str, object] = {
        "model": call.model,
        "embeddings": [normalise(vector, request.dimensions) for vector in vectors],
        "total_duration": meter.total(),
        "load_duration": meter.load(),
        **count_prompt(call, usage),
    }
    return encode(members)


def write_request(request: msg.Request, model: str) -> bytes:
    """Return a body that asks for the vectors of `request.inputs`; raises `BadRequest` where they are no texts."""
    _check_dimensions(request.dimensions)
    members = place_extra(request, {}) | {"model": model, "input": read_texts(request)}
    return encode(members if request.dimensions is None else members | {"dimensions": request.dimensions})


def read_reply(body: bytes, fallback: Start) -> Burst:
    """Read a whole answer; raises `UpstreamError`."""
    told, body = read_answer(_vectors, body)
    if not told.embeddings or any(bytes(values)[:1] != b"[" for values in told.embeddings):
        raise UpstreamInvalid(detail="an answer without vectors, or with one that is none")
    events: list[Event] = [Start("", told.model or fallback.model, fallback.created)]
    events += [Vector(number, values) for number, values in enumerate(told.embeddings)]
    events.append(Finish("stop"))
    if told.prompt_eval_count is not None and told.prompt_eval_count >= 0:
        events.append(Usage(told.prompt_eval_count, 0))
    return Burst(events, body, EMBED)


def _read(call: Call, inputs: list[str | list[int]]) -> msg.Request:
    raw = given(call.fields, "dimensions")
    try:
        dimensions = None if raw is None else _count(raw)
    except msgspec.DecodeError:
        dimensions = 0
    _check_dimensions(dimensions)
    return read_embedding(call, _OWN, inputs, dimensions)


def _check_dimensions(dimensions: int | None) -> None:
    if dimensions is not None and dimensions < 1:
        raise BadRequest("invalid 'dimensions': expected a positive integer", param="dimensions", code="invalid_value")


def _read_inputs(call: Call) -> list[str | list[int]]:
    raw = given(call.fields, "input")
    try:
        texts = "" if raw is None else _texts(raw)
    except msgspec.DecodeError:
        raise BadRequest("invalid input type", param="input", code="invalid_type") from None
    return [*texts] if isinstance(texts, list) else [texts] if texts else []


INBOUND = Inbound(
    name=EMBED,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=never_streams,
    write_reply=write_reply,
    write_error=write_embed_error,
    any_type=True,
)
OUTBOUND = Outbound(
    name=EMBED,
    path=b"/api/embed",
    id_prefix="",
    patch_request=patch_model,
    write_request=write_request,
    reader=no_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="embed",
    terms=EMBED_TERMS,
)
