"""A single answer from a client."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, ModelNotFound
from dragoman.core.events import Finish, Note, Start
from dragoman.core.message import Image, Message, Request, Sampling, Text
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.generate import INBOUND, OUTBOUND, read_call
from dragoman.dialects.ollama.schema import GENERATE, STREAM_TYPE

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def call_for(members: bytes) -> Call:
    return read_call(b'{"model":"m"%b}' % members, Limits())


def test_the_dialect_reads_json_of_any_type_and_streams_lines() -> None:
    assert (INBOUND.name, INBOUND.stream_type, INBOUND.any_type) == (GENERATE, STREAM_TYPE, True)
    assert INBOUND.write_error(ModelNotFound("no 'm'"), "") == (404, b"""{"error":"model 'm' not found"}""")


def test_a_prompt_is_a_word_for_the_system_and_one_of_the_user() -> None:
    members = b',"prompt":"Hi","system":"Be brief","images":["%b"],"options":{"seed":1}' % PNG.encode()
    image = Image(f"data:image/png;base64,{PNG}")
    assert call_for(members).request == Request(
        "m",
        [Message("system", [Text("Be brief")]), Message("user", [Text("Hi"), image])],
        sampling=Sampling(seed=1),
        stream=True,
    )


def test_what_a_remote_model_cannot_do_rides_along() -> None:
    request = call_for(b',"prompt":"Hi","template":"{{ .Prompt }}","context":[1,2],"raw":false').request
    assert request.messages == [Message("user", [Text("Hi")])]
    assert request.extra == {
        "template": Raw(b'"{{ .Prompt }}"'),
        "context": Raw(b"[1,2]"),
        "raw": Raw(b"false"),
    }


def test_a_raw_prompt_stands_alone() -> None:
    assert call_for(b',"prompt":"[INST]","raw":true').request.messages == [Message("user", [Text("[INST]")])]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (b',"raw":true,"system":"y"', "raw mode does not support template, system, or context"),
        (b',"raw":true,"template":"y"', "raw mode does not support template, system, or context"),
        (b',"raw":true,"context":[1]', "raw mode does not support template, system, or context"),
        (b',"suffix":"y"', '"m" does not support insert'),
        (b',"width":64', "image generation models are not currently supported"),
        (b',"steps":4', "image generation models are not currently supported"),
        (b',"images":["AAAA"]', r"invalid image in 'images\[0\]'"),
        (b',"system":7', "invalid 'system'"),
    ],
)
def test_what_cannot_be_done_is_refused(members: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        _ = call_for(b',"prompt":"x"' + members).request


def test_a_size_of_nothing_is_no_picture_to_paint() -> None:
    assert call_for(b',"prompt":"x","width":0,"height":null').request.messages


def test_a_gap_without_a_beginning_is_refused_all_the_same() -> None:
    with pytest.raises(BadRequest, match="does not support insert"):
        _ = call_for(b',"suffix":"y"').request


@pytest.mark.parametrize("prompt", [b"", b',"prompt":""', b',"prompt":null,"suffix":""'])
def test_a_call_without_a_prompt_loads_the_model(prompt: bytes) -> None:
    call = call_for(prompt + b',"keep_alive":0')
    assert (call.ready, call.stream) == (Burst([Note("unload", "")]), False)
    assert call.request.messages == [Message("user", [])]
    written = INBOUND.write_reply(call, call.ready or Burst([]))
    assert written == (
        b'{"model":"m","created_at":"1970-01-01T00:00:00.000000Z","response":"","done":true,"done_reason":"unload"}'
    )


def test_its_upstream_side_serves_its_own_clients_alone() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.stream_type) == (GENERATE, b"/api/generate", STREAM_TYPE.decode())
    start = Start("cmpl-made", "m", 7)
    line = b'{"response":"Hi","done":true}'
    reader = OUTBOUND.reader(start, 1)
    assert reader.feed(line + b"\n") is None
    said: list[ev.Event] = [start, ev.Text("Hi"), Finish("stop")]
    assert reader.end() == Burst(said, line + b"\n", GENERATE)
    assert OUTBOUND.read_reply(line, start) == Burst(said, line, GENERATE)
    with pytest.raises(BadRequest, match="'m' serves single prompts only") as caught:
        OUTBOUND.write_request(Request("fast", []), "m")
    assert caught.value.retry == "elsewhere"
