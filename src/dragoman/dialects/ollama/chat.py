"""``POST /api/chat``, both sides: a conversation with tools and pictures. Source: Ollama API 0.33, 2026."""

from __future__ import annotations

from functools import partial

import msgspec

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects.ollama.compose import compose
from dragoman.dialects.ollama.errors import read_error, write_error
from dragoman.dialects.ollama.options import given
from dragoman.dialects.ollama.reader import Reader, read_reply
from dragoman.dialects.ollama.request import make_ready, patch_model, read_head, read_request
from dragoman.dialects.ollama.schema import CHAT, STREAM_TYPE, ChatBody, ChatMembers, ToolSpec
from dragoman.dialects.ollama.terms import CHAT_TERMS
from dragoman.dialects.ollama.turns import read_turns
from dragoman.dialects.ollama.writer import Members, Shape, Writer, write_reply
from dragoman.dialects.openai_body import check_list
from dragoman.wire.json import Fields, read_json

_OWN = frozenset(ChatBody.__struct_fields__)
_body = msgspec.json.Decoder(ChatBody)
_members = msgspec.json.Decoder(ChatMembers)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    call = read_head(body, limits, CHAT)
    check_list(call.fields, "messages", limits.messages)
    check_list(call.fields, "tools", limits.tools)
    call.read = lambda: [_read(call, limits)]
    turns = given(call.fields, "messages")
    return make_ready(call) if turns is None or bytes(turns)[1:-1].isspace() or bytes(turns) == b"[]" else call


def _read(call: Call, limits: Limits) -> msg.Request:
    body, members = read_json(_body, call.body), read_json(_members, call.body)
    tools = [_tool(*pair) for pair in zip(body.tools or (), members.tools or (), strict=True)]
    turns = read_turns(body.messages or [], members.messages or [])
    return read_request(call, limits, _OWN, turns, tools)


def _tool(tool: ToolSpec, fields: Fields) -> msg.Tool:
    function = tool.function
    extra = {name: raw for name, raw in fields.items() if name not in ToolSpec.__struct_fields__}
    return msg.Tool(function.name, function.description or "", function.parameters, function.strict, extra)


def _put(text: str, beside: Members) -> Members:
    return {"message": {"role": "assistant", "content": text, **beside}}


_SHAPE = Shape(
    dialect=CHAT,
    text=b'","message":{"role":"assistant","content":',
    thinking=b'","message":{"role":"assistant","content":"","thinking":',
    closing=b'},"done":false}\n',
    put=_put,
)

INBOUND = Inbound(
    name=CHAT,
    stream_type=STREAM_TYPE,
    read_call=read_call,
    writer=partial(Writer, _SHAPE),
    write_reply=partial(write_reply, _SHAPE),
    write_error=write_error,
    any_type=True,
)
OUTBOUND = Outbound(
    name=CHAT,
    path=b"/api/chat",
    id_prefix="chatcmpl-",
    patch_request=patch_model,
    write_request=compose,
    reader=partial(Reader, CHAT),
    read_reply=partial(read_reply, CHAT),
    read_error=read_error,
    terms=CHAT_TERMS,
    stream_type=STREAM_TYPE.decode(),
)
