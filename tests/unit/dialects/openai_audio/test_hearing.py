"""Forms with a recording whose words are wanted."""

from functools import partial

import pytest

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits
from dragoman.dialects.openai_audio.hearing import read_hearing
from tests.form import TYPE, form

FILE = ("a.WAV", b"RIFF")
read = partial(read_hearing, ("as_json", "as_text"))


def test_a_recording_is_read() -> None:
    body = form(model="m", file=FILE, prompt="names", temperature="0.5", **{"timestamp_granularities[]": ["word"]})
    call = read(body, TYPE, Limits())
    assert (call.dialect, call.task, call.media_type, call.stream) == ("as_json", "transcription", TYPE, False)
    request = call.request
    assert request.messages == [msg.Message("user", [msg.Audio("UklGRg==", "wav"), msg.Text("names")])]
    assert list(request.extra) == ["temperature", "timestamp_granularities"]


def test_a_recording_may_lack_an_ending_and_a_prompt() -> None:
    request = read(form(model="m", file=("", b"")), TYPE, Limits()).request
    assert request.messages[0].parts == [msg.Audio("", "")]
    assert read(form(model="m", file=FILE, prompt=""), TYPE, Limits()).request.messages[0].parts[1:] == []


@pytest.mark.parametrize(
    ("form_of_answer", "stream", "dialect", "kind"),
    [
        ("json", "false", "as_json", ""),
        ("verbose_json", "false", "as_json", ""),
        ("text", "false", "as_text", "text/plain; charset=utf-8"),
        ("srt", "false", "as_text", "text/plain; charset=utf-8"),
        ("vtt", "false", "as_text", "text/plain; charset=utf-8"),
        ("text", "true", "as_json", ""),
    ],
)
def test_a_form_says_what_the_answer_is(form_of_answer: str, stream: str, dialect: str, kind: str) -> None:
    body = form(model="m", file=FILE, response_format=form_of_answer, stream=stream)
    call = read(body, TYPE, Limits())
    assert (call.dialect, call.reply_type, call.stream) == (dialect, kind, stream == "true")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (form(file=FILE), "model"),
        (form(model="m"), "file"),
        (form(model="m", file="no file"), "file"),
        (form(model="m", file=FILE, temperature="hot"), "temperature"),
    ],
)
def test_what_is_missing_or_wrong_is_told_by_name(body: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(body, TYPE, Limits())
    assert caught.value.param == param
