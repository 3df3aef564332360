"""OpenAI's moderations, both sides: one verdict for each input. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.openai_body import missing, patch_body, read_model
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import extra_fields, no_reader, no_stream, no_translation, read_answer
from dragoman.wire.json import encode, read_body

NAME = "openai_moderations"
MODEL = Raw(b'"omni-moderation-latest"')
"""The model of a request that names none."""
VERDICT = "moderation"
"""Kind of the notes that are verdicts: each is the JSON of one result."""
MAX_INPUTS = 2048
_KNOWN = frozenset({"model", "input"})


class _Address(Struct):
    url: str


class _Part(Struct):
    """A part of an input: text, or a picture."""

    type: str = "text"
    text: str | None = None
    image_url: _Address | None = None


class _Body(Struct):
    input: str | list[str | _Part]


class _Verdicts(Struct):
    """A whole answer."""

    results: list[Raw]
    id: str | None = None
    model: str | None = None


_body = msgspec.json.Decoder(_Body)
_verdicts = msgspec.json.Decoder(_Verdicts)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take the model from a body; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    model = read_model({"model": MODEL} | fields)
    messages = _read_messages(body, has_input="input" in fields)
    extra = extra_fields(fields, _KNOWN)
    call = Call(body, NAME, model, lambda: [msg.Request(model, messages, extra=extra)], stream=False)
    call.fields, call.task = fields, "moderation"
    return call


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the upstream's own answer, else one made from its events."""
    if burst.raw is not None and burst.dialect == NAME:
        return burst.raw
    results = [Raw(event.text.encode()) for event in burst.events if isinstance(event, ev.Note)]
    start = next((event for event in burst.events if isinstance(event, ev.Start)), ev.Start("", ""))
    return encode(_Verdicts(results, start.id, start.model))


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole answer; raises `UpstreamError`."""
    whole, body = read_answer(_verdicts, body)
    if not whole.results:
        raise UpstreamInvalid(detail="no verdict")
    start = ev.Start(whole.id or fallback.id, whole.model or fallback.model, fallback.created)
    verdicts = [ev.Note(VERDICT, bytes(result).decode()) for result in whole.results]
    return Burst([start, *verdicts, ev.Finish("stop")], body, NAME)


def _read_messages(body: bytes, *, has_input: bool) -> list[msg.Message]:
    """Return one message for each input that gets a verdict: all parts together are one."""
    if not has_input:
        raise missing("input")
    try:
        given = _body.decode(body).input
    except msgspec.DecodeError:
        reason = "invalid type for 'input': expected a string, or an array of strings or of parts"
        raise BadRequest(reason, param="input", code="invalid_type") from None
    entries = [given] if isinstance(given, str) else given
    if not 0 < len(entries) <= MAX_INPUTS:
        raise BadRequest(f"invalid 'input': expected 1 to {MAX_INPUTS} entries", param="input", code="invalid_value")
    parts = [_read_part(entry) for entry in entries if isinstance(entry, _Part)]
    texts = [msg.Message("user", [msg.Text(entry)]) for entry in entries if isinstance(entry, str)]
    return [*texts, msg.Message("user", parts)] if parts else texts


def _read_part(part: _Part) -> msg.Part:
    return msg.Text(part.text or "") if part.image_url is None else msg.Image(part.image_url.url)


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
    path=b"/moderations",
    id_prefix="modr-",
    patch_request=patch_body,
    write_request=no_translation,
    reader=no_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="moderation",
)
