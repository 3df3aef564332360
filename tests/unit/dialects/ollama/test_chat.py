"""Chat from a client."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest
from dragoman.core.events import Finish, Note, Start, Text
from dragoman.core.message import Message, Request, Sampling, Tool
from dragoman.core.message import Text as Said
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.chat import INBOUND, OUTBOUND, read_call
from dragoman.dialects.ollama.schema import CHAT, STREAM_TYPE

HI = b',"messages":[{"role":"user","content":"Hi"}]'


def test_the_dialect_reads_json_of_any_type_and_streams_lines() -> None:
    assert (INBOUND.name, INBOUND.stream_type, INBOUND.any_type) == (CHAT, STREAM_TYPE, True)


def test_a_chat_is_its_turns_its_tools_and_its_options() -> None:
    call = read_call(
        b'{"model":"m","stream":false,"options":{"seed":1},"more":2,"tools":['
        b'{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}},"x":1},'
        b'{"function":{"name":"g","strict":true}}]%b}' % HI,
        Limits(),
    )
    assert call.request == Request(
        "m",
        [Message("user", [Said("Hi")])],
        [Tool("f", "d", Raw(b'{"type":"object"}'), extra={"x": Raw(b"1")}), Tool("g", strict=True)],
        sampling=Sampling(seed=1),
        extra={"more": Raw(b"2")},
    )
    assert call.requests is call.requests
    assert call.ready is None


@pytest.mark.parametrize("tools", [b"", b',"tools":[]', b',"tools":null'])
def test_no_tools_are_no_tools(tools: bytes) -> None:
    assert read_call(b'{"model":"m"%b%b}' % (HI, tools), Limits()).request.tools == []


@pytest.mark.parametrize("turns", [b"", b',"messages":[]', b',"messages":[ \n]', b',"messages":null'])
def test_a_chat_without_turns_loads_the_model(turns: bytes) -> None:
    call = read_call(b'{"model":"m"%b}' % turns, Limits())
    assert (call.ready, call.stream) == (Burst([Note("load", "")]), False)
    assert call.request == Request("m", [])
    written = INBOUND.write_reply(call, call.ready or Burst([]))
    assert written == (
        b'{"model":"m","created_at":"1970-01-01T00:00:00.000000Z","message":{"role":"assistant","content":""},'
        b'"done":true,"done_reason":"load"}'
    )


@pytest.mark.parametrize(
    ("members", "param"),
    [
        (b',"messages":["x"]', "messages[0]"),
        (b',"messages":[{"role":"user","content":7}]', "messages[0].content"),
        (b',"messages":7', "messages"),
        (HI + b',"tools":[{}]', "tools[0].function"),
        (HI + b',"tools":"f"', "tools"),
        (HI + b',"options":{"stop":["a","b","c"]}', "options.stop"),
    ],
)
def test_a_wrong_field_is_named(members: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _ = read_call(b'{"model":"m"%b}' % members, Limits(stop=2)).request
    assert caught.value.param == param
    assert param.split(".")[-1] in caught.value.message


@pytest.mark.parametrize("name", [b"messages", b"tools"])
def test_there_may_be_only_so_many_of_anything(name: bytes) -> None:
    with pytest.raises(BadRequest, match=f"invalid '{name.decode()}': more than 2 entries"):
        read_call(b'{"model":"m","%b":[{},{},{}]}' % name, Limits(messages=2, tools=2))


def test_its_upstream_side_streams_lines() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.task) == (CHAT, b"/api/chat", "chat")
    assert OUTBOUND.stream_type == STREAM_TYPE.decode()
    start = Start("chatcmpl-made", "m", 7)
    reader = OUTBOUND.reader(start, 1)
    line = b'{"message":{"role":"assistant","content":"Hi"},"done":true}'
    assert reader.feed(line + b"\n") is None
    assert reader.end() == Burst([start, Text("Hi"), Finish("stop")], line + b"\n", CHAT)
    assert OUTBOUND.read_reply(line, start) == Burst([start, Text("Hi"), Finish("stop")], line, CHAT)
