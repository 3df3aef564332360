"""``POST /api/embeddings`` from an older client: one vector, as the model made it. Source: Ollama API 0.33, 2026."""

from __future__ import annotations

import msgspec

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.ollama.errors import write_embed_error
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.request import read_embedding, read_head
from dragoman.dialects.ollama.schema import EMBEDDINGS, STREAM_TYPE
from dragoman.dialects.ollama.vectors import never_streams, read_vectors
from dragoman.wire.json import encode

_OWN = frozenset({"prompt"})
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
    """Return the body of an answer; raises `UpstreamInvalid` when there is no vector."""
    vectors = read_vectors(burst.events, 0 if call.ready is not None else 1)
    return encode({"embedding": vectors[0] if vectors else []})


INBOUND = Inbound(
    name=EMBEDDINGS,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=never_streams,
    write_reply=write_reply,
    write_error=write_embed_error,
    any_type=True,
)
