"""Sounds and videos for a server that takes files."""

import pytest
from msgspec import Raw

from dragoman.core.message import Audio, File, Image, Message, Part, Text, ToolResult, Video
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound
from dragoman.dialects.openai_chat.outbound import fitted
from dragoman.dialects.openai_chat.sounds import file_messages, file_turns

FILES = Quirks(sounds_as_files=True)
MOVIE = "data:video/mp4;base64,AAAA"
SOUND = b'{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}'
AS_FILE = b'{"type":"file","file":{"filename":"audio.mp3","file_data":"data:audio/mpeg;base64,AAAA"}}'


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Audio("AAAA", "mp3"), File("data:audio/mpeg;base64,AAAA", name="audio.mp3")),
        (Audio("AAAA", "wav"), File("data:audio/wav;base64,AAAA", name="audio.wav")),
        (Video(MOVIE), File(MOVIE, name="video")),
        (ToolResult("t", [Video(MOVIE)]), ToolResult("t", [File(MOVIE, name="video")])),
        (Audio("", "mp3", url="https://x/y"), Audio("", "mp3", url="https://x/y")),
        (Video("https://x/y"), Video("https://x/y")),
        (Image(MOVIE), Image(MOVIE)),
        (Text("a"), Text("a")),
    ],
)
def test_what_comes_along_and_is_no_picture_is_a_file(part: Part, told: Part) -> None:
    assert file_turns([Message("user", [part], name="n")]) == [Message("user", [told], name="n")]


def test_a_clients_own_sound_is_told_as_a_file_and_all_else_kept() -> None:
    messages = (
        b'[{"role":"user","content":"\\u0041"},{"role":"user","content":[%b,{"type":"text","text":"a"}],"x":1.0}]'
    )
    assert bytes(file_messages(Raw(messages % SOUND))) == messages % AS_FILE
    more = SOUND[:-1] + b',"cache_control":{}}'
    assert (
        bytes(file_messages(Raw(b'[{"content":[%b]}]' % more)))
        == b'[{"content":[%b,"cache_control":{}}]}]' % AS_FILE[:-1]
    )


@pytest.mark.parametrize(
    "messages",
    [
        b'[ {"content":"no sound"} ]',
        b'[{"content":[{"type":"input_audio","input_audio":7}]}]',
        b'[{"content":[{"type":"input_audio"}]}]',
        b'[{"content":"\\"input_audio\\""},{"type":"input_audio"}]',
        b'{"input_audio":1}',
    ],
)
def test_what_is_no_sound_is_left_for_the_server_to_judge(messages: bytes) -> None:
    assert bytes(file_messages(Raw(messages))) == messages


def test_both_ways_of_asking_tell_files() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":[%b]}]}'
    call = inbound("openai_chat").read_call(body % SOUND, Limits())
    side = fitted(FILES)
    assert side.patch_request(call, "m") == body % AS_FILE
    assert b'"file_data":"data:audio/mpeg;base64,AAAA"' in side.write_request(call.request, "m")
    assert fitted(Quirks(plain=True)).patch_request(call, "m") == body % SOUND
