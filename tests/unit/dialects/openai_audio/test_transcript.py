"""Transcripts, whole and streamed, read and written."""

import pytest

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.openai_audio.schema import LANGUAGE, SEGMENT, WORD
from dragoman.dialects.openai_audio.transcript import (
    make_reader,
    make_writer,
    read_format,
    read_json_reply,
    read_text_reply,
    write_reply,
)
from dragoman.wire.json import read_fields
from tests.schema import mismatches

NAME = "any"
START = ev.Start("t", "m")
TOKENS = '"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7,"type":"tokens"}'
EVENTS: list[ev.Event] = [
    START,
    ev.Note(LANGUAGE, "german"),
    ev.Note(SEGMENT, '{"start":0.0,"end":1.5,"text":"Good day."}'),
    ev.Note(SEGMENT, '{"start":1.5,"end":3661.001,"text":"Bye."}'),
    ev.Note(WORD, '{"start":0.0,"end":0.5,"text":"Good"}'),
    ev.Text("Good day."),
    ev.Text(" Bye."),
    ev.Finish("stop"),
    ev.Usage(3, 4),
]


def call(asked: str = "{}") -> Call:
    made = Call(b"", NAME, "m", list, stream=False)
    made.fields = read_fields(asked.encode())
    return made


def written(form: str, more: str = "") -> bytes:
    return write_reply(call(f'{{"response_format":"{form}"{more}}}'), Burst(EVENTS))


def frame(kind: str, more: str) -> bytes:
    return f'event: transcript.text.{kind}\ndata: {{{more},"type":"transcript.text.{kind}"}}\n\n'.encode()


STREAM = frame("delta", '"delta":"Good day."') + frame("delta", '"delta":" Bye."')
DONE = frame("done", f'"text":"Good day. Bye.",{TOKENS}')


def test_a_transcript_is_read_and_passed_on() -> None:
    body = f'{{"text":"Good day.","odd":1,{TOKENS}}}'.encode()
    burst = read_json_reply(NAME, body, START)
    assert burst.events == [START, ev.Text("Good day."), ev.Finish("stop"), ev.Usage(3, 4)]
    assert breaches(burst.events) == []
    assert write_reply(call(), burst) is body


def test_silence_is_a_transcript() -> None:
    burst = read_json_reply(NAME, b'{"text":""}', START)
    assert burst.events == [START, ev.Finish("stop")]
    assert read_text_reply(NAME, b"", START).events == [START, ev.Finish("stop")]


def test_json_without_a_text_is_invalid() -> None:
    with pytest.raises(UpstreamInvalid):
        read_json_reply(NAME, b'{"texts":[]}', START)


def test_plain_text_is_read_and_passed_on() -> None:
    burst = read_text_reply(NAME, b"Good day.\n", START)
    assert burst.events == [START, ev.Text("Good day.\n"), ev.Finish("stop")]
    assert write_reply(call(), burst) == b"Good day.\n"
    assert read_text_reply(NAME, b"a\xff", START).raw == "a\ufffd".encode()


def test_every_form_of_transcript_is_written() -> None:
    assert written("text") == b"Good day. Bye.\n"
    assert written("srt") == (
        b"1\n00:00:00,000 --> 00:00:01,500\nGood day.\n\n2\n00:00:01,500 --> 01:01:01,001\nBye.\n\n"
    )
    assert written("vtt") == (
        b"WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood day.\n\n00:00:01.500 --> 01:01:01.001\nBye.\n\n"
    )
    assert written("json") == f'{{"text":"Good day. Bye.",{TOKENS}}}'.encode()
    assert mismatches("CreateTranscriptionResponseJson", written("json")) == []


@pytest.mark.parametrize(
    ("more", "segments", "words"),
    [
        ("", True, False),
        (',"timestamp_granularities":["segment"]', True, False),
        (',"timestamp_granularities":["word"]', False, True),
        (',"timestamp_granularities":["word","segment"]', True, True),
    ],
)
def test_times_are_told_as_asked(more: str, segments: bool, words: bool) -> None:
    told = written("verbose_json", more)
    assert mismatches("CreateTranscriptionResponseVerboseJson", told) == []
    assert (b'"segments":[{"id":0,' in told, b'"words":[{"word":"Good",' in told) == (segments, words)
    assert b'"language":"german","duration":3661.001' in told


def test_a_transcript_without_times_is_told_without() -> None:
    told = write_reply(call('{"response_format":"verbose_json"}'), Burst([START, ev.Text("a"), ev.Finish("stop")]))
    assert b'"language":"english","duration":0.0,"segments":[]' in told
    assert write_reply(call(), Burst([START, ev.Text("a"), ev.Finish("stop")])) == b'{"text":"a"}'


@pytest.mark.parametrize(("asked", "form"), [("{}", "json"), ('{"response_format":null}', "json")])
def test_json_is_the_usual_form(asked: str, form: str) -> None:
    assert read_format(call(asked)) == form


@pytest.mark.parametrize("size", [1, 9, 10_000])
def test_a_stream_is_read_and_passed_on(size: int) -> None:
    data = STREAM + DONE
    reader = make_reader(NAME, START, 1)
    bursts = [burst for at in range(0, len(data), size) if (burst := reader.feed(data[at : at + size]))]
    events = [event for burst in bursts for event in burst.events]
    assert events == [START, ev.Text("Good day."), ev.Text(" Bye."), ev.Finish("stop"), ev.Usage(3, 4)]
    assert breaches(events) == []
    writer = make_writer(NAME, call())
    assert b"".join([writer.write(burst) for burst in bursts]) + writer.end() == data


def test_a_text_that_comes_at_the_end_only_is_told_then() -> None:
    burst = make_reader(NAME, START, 1).feed(b'data: {"type":"transcript.text.segment"}\n\n' + DONE)
    assert burst is not None
    segment = ev.Note("transcript.text.segment", "")
    assert burst.events == [START, segment, ev.Text("Good day. Bye."), ev.Finish("stop"), ev.Usage(3, 4)]


def test_a_stream_is_written_from_events() -> None:
    writer = make_writer(NAME, call())
    assert writer.write(Burst(EVENTS)) == STREAM
    assert writer.end() == DONE
    for data in (STREAM + DONE).split(b"\n\n")[:-1]:
        assert mismatches("CreateTranscriptionResponseStreamEvent", data.partition(b"data: ")[2]) == []
