"""A text read aloud: the sound itself."""

import pytest

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, DragomanError, RateLimited, UpstreamError, UpstreamIncomplete
from dragoman.core.legal import breaches
from dragoman.core.ports import Limits
from dragoman.dialects.openai_audio.schema import EVENTS, SPEECH
from dragoman.dialects.openai_audio.speech import INBOUND, OUTBOUND, SoundReader, SoundWriter
from dragoman.dialects.openai_events import EventWriter

START = ev.Start("", "m")


@pytest.mark.parametrize(
    ("more", "dialect", "kind"),
    [
        ("", SPEECH, "audio/mpeg"),
        (',"response_format":null', SPEECH, "audio/mpeg"),
        (',"response_format":"mp3"', SPEECH, "audio/mpeg"),
        (',"response_format":"wav"', SPEECH, "audio/wav"),
        (',"response_format":"a\\r\\nb"', SPEECH, "audio/mpeg"),
        (',"response_format":"\u65e5"', SPEECH, "audio/mpeg"),
        (',"stream_format":"audio"', SPEECH, "audio/mpeg"),
        (',"stream_format":"sse"', EVENTS, ""),
    ],
)
def test_a_request_says_what_the_answer_is(more: str, dialect: str, kind: str) -> None:
    call = INBOUND.read_call(f'{{"model":"m","input":"Hi","voice":"v"{more}}}'.encode(), Limits())
    assert (call.dialect, call.reply_type, call.stream, call.task) == (dialect, kind, True, "speech")
    assert call.request.messages == [msg.Message("user", [msg.Text("Hi")])]
    assert "voice" in call.request.extra


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"input":"a"}', "model"),
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":""}', "input"),
        (b'{"model":"m","input":"a","speed":"1"}', "speed"),
    ],
)
def test_what_cannot_be_spoken_is_refused_by_name(body: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        INBOUND.read_call(body, Limits())
    assert caught.value.param == param


def test_a_sound_is_passed_on_as_it_comes() -> None:
    reader = SoundReader(START, 1)
    bursts = [reader.feed(b"\0\1"), reader.feed(b"\2"), reader.end()]
    told = [burst for burst in bursts if burst is not None]
    events = [event for burst in told for event in burst.events]
    assert events == [START, ev.Media("audio/*"), ev.Media("audio/*"), ev.Finish("stop")]
    assert breaches(events) == []
    assert (reader.finished, reader.done) == (False, False)
    writer = SoundWriter()
    assert b"".join([writer.write(burst) for burst in told]) + writer.end() == b"\0\1\2"


def test_a_sound_of_no_length_is_incomplete() -> None:
    with pytest.raises(UpstreamIncomplete):
        SoundReader(START, 1).end()


def test_a_sound_is_written_from_events() -> None:
    writer = SoundWriter()
    assert writer.write(Burst([START, ev.Media("audio/wav", "AAEC"), ev.Finish("stop")])) == b"\0\1\2"


def test_only_a_cut_connection_can_tell_that_a_sound_broke() -> None:
    writer = INBOUND.writer(INBOUND.read_call(b'{"model":"m","input":"a"}', Limits()))
    assert isinstance(writer, SoundWriter)
    assert writer.ping() == b""
    assert INBOUND.writer(INBOUND.read_call(b'{"model":"m","input":"a"}', Limits())).fail(UpstreamError()) is None


def test_events_have_a_writer_of_their_own() -> None:
    call = INBOUND.read_call(b'{"model":"m","input":"a","stream_format":"sse"}', Limits())
    assert isinstance(INBOUND.writer(call), EventWriter)


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"error":{"message":"x"}}', UpstreamError), (b'{"text":"a"}', UpstreamError)]
)
def test_json_in_the_place_of_a_sound_is_an_error(body: bytes, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        OUTBOUND.read_reply(body, START)
    assert isinstance(OUTBOUND.read_error(429, {}, body), RateLimited)


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name, OUTBOUND.path, OUTBOUND.stream_type) == (SPEECH, SPEECH, b"/audio/speech", "")


def test_a_sound_has_to_come_along_in_whatever_form_it_is_made() -> None:
    call = INBOUND.read_call(b'{"model":"m","input":"a","voice":"b","response_format":"opus"}', Limits())
    assert call.by_value
    assert call.words.reasons == {"response_format": "the model makes sounds in a form of its own"}
