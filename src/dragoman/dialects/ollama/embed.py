"""``POST /api/embed`` from a client: a vector of length one for each text. Source: Ollama API 0.33, 2026."""

from __future__ import annotations

import msgspec

from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.events import Usage
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.ollama.errors import write_embed_error
from dragoman.dialects.ollama.meter import Meter, count_prompt
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.request import read_embedding, read_head
from dragoman.dialects.ollama.schema import EMBED, STREAM_TYPE
from dragoman.dialects.ollama.vectors import never_streams, normalise, read_vectors
from dragoman.dialects.openai_body import check_list
from dragoman.wire.json import encode

_OWN = frozenset({"input", "dimensions"})
_texts = msgspec.json.Decoder(str | list[str]).decode
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
    """Return the body of an answer; raises `UpstreamInvalid` when a vector is missing or no vector."""
    if call.ready is not None:
        return encode({"model": call.model, "embeddings": []})
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


def _read(call: Call, inputs: list[str | list[int]]) -> msg.Request:
    raw = given(call.fields, "dimensions")
    try:
        dimensions = None if raw is None else _count(raw)
    except msgspec.DecodeError:
        dimensions = 0
    if dimensions is not None and dimensions < 1:
        raise BadRequest("invalid 'dimensions': expected a positive integer", param="dimensions", code="invalid_value")
    return read_embedding(call, _OWN, inputs, dimensions)


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
