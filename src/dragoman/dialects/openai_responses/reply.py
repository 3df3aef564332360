"""Read a whole plain response of an upstream; its bytes pass as they came, with what every response has filled in."""

from __future__ import annotations

from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_errors import find_error
from dragoman.dialects.openai_responses.faults import read_failure
from dragoman.dialects.openai_responses.heard import (
    finish_of,
    leave_out_usage,
    read_object,
    read_response,
    start_of,
    usage_of,
)
from dragoman.dialects.openai_responses.said import Said
from dragoman.dialects.openai_responses.schema import NAME
from dragoman.wire.json import Fields, encode, is_utf8, repair_text, set_members

_NOTHING = (b"null", b'""', b"0", b"0.0")


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Return what a plain answer says, and its bytes; raises `UpstreamError`."""
    if not is_utf8(body):
        body = repair_text(body)
    fields = read_object(body)
    if (error := find_error(fields)) is not None:
        raise read_failure(error)
    response = read_response(body)
    if response.output is None:
        raise UpstreamInvalid(detail="the answer has no output")
    start, said = start_of(response, fallback), Said()
    said.events.append(start)
    for number, raw in enumerate(response.output):
        said.end(number, raw)
    finish = finish_of(response, "", called=said.called)
    usage = usage_of(response.usage)
    events = [*said.events, finish] if usage is None else [*said.events, finish, usage]
    body = _mend(body, fields, start, finish)
    return Burst(events, body if usage is not None else leave_out_usage(body), NAME)


def _mend(body: bytes, fields: Fields, start: ev.Start, finish: ev.Finish) -> bytes:
    status = "completed" if finish.reason in ("stop", "tool_calls") else "incomplete"
    needed: dict[str, object] = {
        "id": start.id,
        "object": "response",
        "created_at": start.created,
        "model": start.model,
        "status": status,
    }
    missing: Fields = {
        name: Raw(encode(value))
        for name, value in needed.items()
        if value and (name not in fields or bytes(fields[name]) in _NOTHING)
    }
    return set_members(body, fields, missing) if missing else body
