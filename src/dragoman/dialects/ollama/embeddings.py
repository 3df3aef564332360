"""``POST /api/embeddings``, both sides: one vector, as the model made it; the older way.

Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

import msgspec

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Finish, Start, Vector
from dragoman.core.message import Request
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.ollama.compose import place_extra
from dragoman.dialects.ollama.errors import read_error, write_embed_error
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.request import patch_model, read_embedding, read_head
from dragoman.dialects.ollama.schema import EMBEDDINGS, STREAM_TYPE, SingleVector
from dragoman.dialects.ollama.terms import SINGLE_TERMS
from dragoman.dialects.ollama.vectors import never_streams, read_texts, read_vectors
from dragoman.dialects.openai_media import no_reader, read_answer
from dragoman.wire.json import encode

_OWN = frozenset({"prompt"})
_vector = msgspec.json.Decoder(SingleVector)
_text = msgspec.json.Decoder(str).decode


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and text from a body; raises `BadRequest` naming the field."""
    call = read_head(body, limits, EMBEDDINGS, "embed")
    raw = given(call.fields, "prompt")
    try:
        prompt = "" if raw is None else _text(raw)
    except msgspec.DecodeError:
        raise BadRequest("invalid type for 'prompt': expected string", param="prompt", code="invalid_type") from None
    call.read = lambda: [read_embedding(call, _OWN, [prompt], None)]
    if not prompt:
        call.ready = Burst([])
    return call


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of an answer, the upstream's own if it can be; raises `UpstreamInvalid` without a vector."""
    if burst.raw is not None and burst.dialect == EMBEDDINGS:
        return burst.raw
    vectors = read_vectors(burst.events, 0 if call.ready is not None else 1)
    return encode({"embedding": vectors[0] if vectors else []})


def write_request(request: Request, model: str) -> bytes:
    """Return a body that asks for the vector of the one text there may be; raises `BadRequest`."""
    texts = read_texts(request)
    if len(texts) != 1:
        reason = "invalid 'input': this upstream takes one text at a time"
        raise BadRequest(reason, param="input", code="invalid_value")
    return encode(place_extra(request, {}) | {"model": model, "prompt": texts[0]})


def read_reply(body: bytes, fallback: Start) -> Burst:
    """Read a whole answer; raises `UpstreamError`."""
    told, body = read_answer(_vector, body)
    if bytes(told.embedding)[:1] != b"[":
        raise UpstreamInvalid(detail="an answer without a vector")
    return Burst(
        [Start("", fallback.model, fallback.created), Vector(0, told.embedding), Finish("stop")], body, EMBEDDINGS
    )


INBOUND = Inbound(
    name=EMBEDDINGS,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=never_streams,
    write_reply=write_reply,
    write_error=write_embed_error,
    any_type=True,
)
OUTBOUND = Outbound(
    name=EMBEDDINGS,
    path=b"/api/embeddings",
    id_prefix="",
    patch_request=patch_model,
    write_request=write_request,
    reader=no_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="embed",
    terms=SINGLE_TERMS,
)
