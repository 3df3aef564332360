"""``POST /api/generate``, both sides: one prompt, one answer; for upstreams of other dialects it is made a chat.

Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

from functools import partial

import msgspec

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.ollama.errors import read_error, write_generate_error
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.reader import Reader, read_reply
from dragoman.dialects.ollama.request import make_ready, patch_model, read_head, read_images, read_request
from dragoman.dialects.ollama.schema import GENERATE, STREAM_TYPE, GenerateBody
from dragoman.dialects.ollama.writer import Members, Shape, Writer, write_reply
from dragoman.wire.json import read_json

_OWN = frozenset({"prompt", "system", "images", "suffix"})
_PAINTING = ("width", "height", "steps")
_body = msgspec.json.Decoder(GenerateBody)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    call = read_head(body, limits, GENERATE)
    call.read = lambda: [_read(call, limits)]
    said = [raw for name in ("prompt", "suffix") if (raw := given(call.fields, name)) and bytes(raw) != b'""']
    return call if said else make_ready(call)


def write_request(request: msg.Request, model: str) -> bytes:
    """Refuse: a prompt cannot say what other dialects ask. Raises `BadRequest`; another target may serve."""
    error = BadRequest(f"the model '{model}' serves single prompts only", param="model", code="unsupported_value")
    error.retry = "elsewhere"
    raise error


def _read(call: Call, limits: Limits) -> msg.Request:
    body = read_json(_body, call.body)
    if body.suffix:
        raise BadRequest(f'"{call.model}" does not support insert', param="suffix", code="unsupported_parameter")
    if body.raw and (body.system or body.template or body.context):
        reason = "raw mode does not support template, system, or context"
        raise BadRequest(reason, param="raw", code="invalid_value")
    for name in _PAINTING:
        if (raw := given(call.fields, name)) and bytes(raw) != b"0":
            reason = "image generation models are not currently supported"
            raise BadRequest(reason, param=name, code="unsupported_parameter")
    turns = [msg.Message("system", [msg.Text(body.system)])] if body.system else []
    prompt: list[msg.Part] = [msg.Text(body.prompt)] if body.prompt else []
    turns.append(msg.Message("user", [*prompt, *read_images(body.images, "images")]))
    return read_request(call, limits, _OWN, turns, [])


def _put(text: str, beside: Members) -> Members:
    return {"response": text, **beside}


_SHAPE = Shape(
    dialect=GENERATE,
    text=b'","response":',
    thinking=b'","response":"","thinking":',
    closing=b',"done":false}\n',
    put=_put,
)

INBOUND = Inbound(
    name=GENERATE,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=partial(Writer, _SHAPE),
    write_reply=partial(write_reply, _SHAPE),
    write_error=write_generate_error,
    any_type=True,
)
OUTBOUND = Outbound(
    name=GENERATE,
    path=b"/api/generate",
    id_prefix="cmpl-",
    patch_request=patch_model,
    write_request=write_request,
    reader=partial(Reader, GENERATE),
    read_reply=partial(read_reply, GENERATE),
    read_error=read_error,
    stream_type=STREAM_TYPE.decode(),
)
