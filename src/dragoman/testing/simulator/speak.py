"""One answer in a client dialect: the request read, the events written and paced, the error that breaks it."""

from __future__ import annotations

from collections.abc import Mapping

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UnsupportedMediaType, UpstreamError
from dragoman.core.ports import Inbound, Limits
from dragoman.testing.simulator.script import Cadence, Piece, pace_reply, pace_stream

JSON = "application/json"
_FORM = "multipart/form-data"


def read_call(side: Inbound, headers: Mapping[str, str], body: bytes) -> Call:
    """Return the call that a request with lower-case header names is; raises `BadRequest`, `UnsupportedMediaType`."""
    given = headers.get("content-type", JSON)
    kind = given.partition(";")[0].strip().lower()
    if kind == _FORM and side.read_form is not None:
        return side.read_form(body, given, Limits())
    if kind != JSON:
        raise UnsupportedMediaType
    return side.read_call(body, Limits())


def write_pieces(side: Inbound, call: Call, events: list[ev.Event], cadence: Cadence) -> list[Piece]:
    """Return the body of the answer, streamed or whole as the call wants it, at the pace of `cadence`."""
    if not call.stream:
        return pace_reply(side.write_reply(call, Burst(events)), events, cadence)
    writer = side.writer(call)
    spoken = [(event, writer.write(Burst([event]))) for event in events]
    return pace_stream(spoken, writer.end(), cadence)


def write_break(side: Inbound, call: Call, events: list[ev.Event], pieces: int) -> bytes:
    """Return the error that breaks an answer; in a stream of which so many pieces have been sent."""
    error = UpstreamError("this model fails on purpose")
    if not call.stream:
        return side.write_error(error, call.id)[1]
    writer = side.writer(call)
    for event in events:
        if pieces <= 0:
            break
        pieces -= bool(writer.write(Burst([event])))
    return writer.fail(error) or b""


def write_headers(side: Inbound, call: Call) -> list[tuple[str, str]]:
    """Return the headers that say what the body is."""
    usual = side.stream_type.decode("ascii") if call.stream else JSON
    kind = ("content-type", call.reply_type or usual)
    return [kind, ("cache-control", "no-cache")] if call.stream else [kind]
