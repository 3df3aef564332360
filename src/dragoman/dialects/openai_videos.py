"""OpenAI's videos, both sides of the call that orders one: the answer is a job. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.openai_body import TEXT, Kinds, check_kinds, read_model
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import (
    extra_fields,
    no_reader,
    no_stream,
    no_translation,
    patch_media,
    read_answer,
    read_form_fields,
    read_text,
)
from dragoman.wire.json import Fields, read_body
from dragoman.wire.multipart import read_form

NAME = "openai_videos"
JOB = "video_job"
"""Kind of the note that is a job as JSON."""
_KINDS: Kinds = {"seconds": ("string", TEXT), "size": ("string", TEXT)}
_KNOWN = frozenset({"model", "prompt"})


class Job(Struct):
    """What must be known of a job."""

    id: str
    status: str
    model: str | None = None
    created_at: float | None = None


_job = msgspec.json.Decoder(Job)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take the model from a body; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    check_kinds(fields, _KINDS)
    return _call(body, fields)


def read_form_call(body: bytes, kind: str, limits: Limits) -> Call:
    """Take the model from a form; raises `BadRequest` naming the field."""
    call = _call(body, read_form_fields(read_form(body, kind), _KINDS))
    call.media_type = kind
    return call


def read_job(body: bytes) -> tuple[Job, bytes]:
    """Return a job and its bytes; raises `UpstreamError`."""
    job, body = read_answer(_job, body)
    if not job.id:
        raise UpstreamInvalid(detail="a job without an id")
    return job, body


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Read the job that was begun; raises `UpstreamError`."""
    job, body = read_job(body)
    start = ev.Start(job.id, job.model or fallback.model, int(job.created_at or fallback.created))
    return Burst([start, ev.Note(JOB, body.decode()), ev.Finish("stop")], body, NAME)


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the job."""
    return burst.raw or next(event.text for event in burst.events if isinstance(event, ev.Note)).encode()


def _call(body: bytes, fields: Fields) -> Call:
    model = read_model(fields)
    message = msg.Message("user", [msg.Text(read_text(fields, "prompt"))])
    extra = extra_fields(fields, _KNOWN)
    call = Call(body, NAME, model, lambda: [msg.Request(model, [message], extra=extra)], stream=False)
    call.fields, call.task = fields, "video"
    return call


INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=no_stream,
    write_reply=write_reply,
    write_error=write_error,
    read_form=read_form_call,
)
OUTBOUND = Outbound(
    name=NAME,
    path=b"/videos",
    id_prefix="video_",
    patch_request=patch_media,
    write_request=no_translation,
    reader=no_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="video",
)
