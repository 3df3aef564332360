"""How many tokens a request would take: an estimate, told without asking any upstream."""

from __future__ import annotations

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.count import count_request
from dragoman.core.events import Usage
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.anthropic_messages.errors import write_error
from dragoman.dialects.anthropic_messages.inbound import read_asked
from dragoman.dialects.anthropic_messages.schema import ID_HEADER, STREAM_TYPE, TOKENS
from dragoman.dialects.anthropic_messages.writer import Writer
from dragoman.wire.json import encode


def read_call(body: bytes, limits: Limits) -> Call:
    """Return a call that is already answered; raises `BadRequest` naming the field."""
    call = read_asked(body, limits, TOKENS)
    call.ready = Burst([Usage(count_request(call.request), 0, estimated=True)])
    return call


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of the answer."""
    return encode({"input_tokens": sum(event.prompt for event in burst.events if isinstance(event, Usage))})


INBOUND = Inbound(
    name=TOKENS,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
    id_header=ID_HEADER,
)
