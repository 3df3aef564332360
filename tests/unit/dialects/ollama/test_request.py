"""What every request begins with."""

from __future__ import annotations

import base64

import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.events import Note
from dragoman.core.message import Format, Image, Message, Reasoning, Request, Sampling, Text, Tool
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.request import (
    MAX_MODEL,
    make_ready,
    patch_model,
    read_embedding,
    read_head,
    read_images,
    read_request,
)
from dragoman.dialects.ollama.schema import JSON_TYPE
from dragoman.dialects.ollama.words import WORDS

PIXELS = {
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(9),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(9),
    "image/gif": b"GIF89a" + bytes(9),
    "image/webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
}


def head(members: bytes = b"") -> Call:
    return read_head(b'{"model":"m"%b}' % members, Limits(), "ollama_chat")


@pytest.mark.parametrize(
    ("members", "streams"),
    [(b"", True), (b',"stream":null', True), (b',"stream":true', True), (b',"stream":false', False)],
)
def test_an_answer_streams_unless_the_client_says_no(members: bytes, streams: bool) -> None:
    call = head(members)
    assert call.stream is streams
    assert call.reply_type == ("" if streams else JSON_TYPE)


def test_a_call_knows_its_dialect_its_members_and_their_words() -> None:
    call = read_head(b'\xef\xbb\xbf{"model":"a/b c:latest"}', Limits(), "ollama_embed", "embed")
    assert (call.dialect, call.model, call.task, call.stream) == ("ollama_embed", "a/b c:latest", "embed", False)
    assert (call.body, call.fields) == (b'{"model":"a/b c:latest"}', {"model": Raw(b'"a/b c:latest"')})
    assert call.words is WORDS


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "missing request body"),
        (b" \n", "missing request body"),
        (b"{", "the body is not valid JSON"),
        (b"{}", "model is required"),
        (b'{"model":""}', "model is required"),
        (b'{"model":null}', "model is required"),
        (b'{"model":7}', "invalid type for 'model'"),
        (b'{"model":"a\\nb"}', "invalid model name"),
        (b'{"model":" a"}', "invalid model name"),
        (b'{"model":"\xc3\xbc"}', "invalid model name"),
        (b'{"model":"%b"}' % (b"a" * (MAX_MODEL + 1)), "invalid model name"),
        (b'{"model":"m","stream":"no"}', "invalid type for 'stream'"),
    ],
)
def test_a_head_that_is_wrong_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        read_head(body, Limits(), "ollama_chat")


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (b"", "load"), (b',"keep_alive":null', "load"), (b',"keep_alive":"5m"', "load"), (b',"keep_alive":-1', "load"),
        (b',"keep_alive":10', "load"), (b',"keep_alive":"a while"', "load"), (b',"keep_alive":{}', "load"),
        (b',"keep_alive":0', "unload"), (b',"keep_alive":0.0', "unload"), (b',"keep_alive":"0"', "unload"),
        (b',"keep_alive":"0s"', "unload"), (b',"keep_alive":"-0m"', "unload"),
    ],
)  # fmt: skip
def test_a_model_is_loaded_or_unloaded_in_one_object(kept: bytes, reason: str) -> None:
    call = make_ready(head(kept))
    assert call.ready == Burst([Note(reason, "")])
    assert (call.stream, call.reply_type) == (False, JSON_TYPE)


@pytest.mark.parametrize("media_type", PIXELS)
def test_a_pictures_type_is_read_off_its_first_bytes(media_type: str) -> None:
    data = base64.b64encode(PIXELS[media_type]).decode()
    image = Image(f"data:{media_type};base64,{data}")
    assert read_images([data, f"data:image/any;base64,{data}"], "images") == [image, image]


@pytest.mark.parametrize("data", ["", "UklGRgAAAABXQVZF", "AAAA", "not base64!", "https://example.com/a.png", "ü"])
def test_what_is_no_picture_is_refused_by_its_place(data: str) -> None:
    png = base64.b64encode(PIXELS["image/png"]).decode()
    with pytest.raises(BadRequest) as caught:
        read_images([png, data], "messages[3].images")
    assert caught.value.param == "messages[3].images[1]"
    assert "'messages[3].images[1]'" in caught.value.message


def test_no_pictures_are_no_parts() -> None:
    assert read_images(None, "images") == []


def test_a_request_is_its_turns_its_tools_and_how_to_answer() -> None:
    call = head(b',"own":1,"new":2,"old":null,"think":"low","format":"json","options":{"top_k":3,"num_ctx":1}')
    turns, tools = [Message("user", [Text("Hi")])], [Tool("f")]
    assert read_request(call, Limits(), {"own"}, turns, tools) == Request(
        "m",
        turns,
        tools,
        sampling=Sampling(top_k=3),
        reasoning=Reasoning("low"),
        format=Format("json"),
        stream=True,
        extra={"new": Raw(b"2"), "options.num_ctx": Raw(b"1")},
    )


def test_a_request_for_vectors_is_texts_alone() -> None:
    call = read_head(b'{"model":"m","input":"a","options":{"top_k":3},"truncate":true}', Limits(), "e", "embed")
    assert read_embedding(call, {"input"}, ["a"], 8) == Request(
        "m", [], inputs=["a"], dimensions=8, extra={"truncate": Raw(b"true"), "options.top_k": Raw(b"3")}
    )


def test_only_the_name_of_the_model_is_exchanged() -> None:
    body = b'{ "model" : "m", "x":[1.0, 1e3],"stream":false}'
    call = read_head(body, Limits(), "ollama_chat")
    assert patch_model(call, "m") == body
    assert patch_model(call, "up/m:8b") == body.replace(b'"m"', b'"up/m:8b"')
