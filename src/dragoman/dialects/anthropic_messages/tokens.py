"""How many tokens a request would take; whoever counts them asks no upstream."""

from __future__ import annotations

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.events import Usage
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.anthropic_messages.errors import write_error
from dragoman.dialects.anthropic_messages.inbound import read_asked
from dragoman.dialects.anthropic_messages.schema import ID_HEADER, STREAM_TYPE, TOKENS
from dragoman.dialects.anthropic_messages.writer import Writer
from dragoman.wire.json import encode


def read_call(body: bytes, limits: Limits) -> Call:
    """Return a call whose answer is its usage alone; raises `BadRequest` naming the field."""
    return read_asked(body, limits, TOKENS)


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of the answer, marked when we counted and no upstream did."""
    del call
    usage = next((event for event in burst.events if isinstance(event, Usage)), Usage(0, 0))
    told = {"input_tokens": usage.prompt}
    return encode(told | {"estimated": True} if usage.estimated else told)


INBOUND = Inbound(
    name=TOKENS,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
    id_header=ID_HEADER,
)
