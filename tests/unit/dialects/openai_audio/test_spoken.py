"""Speech as a stream of named events."""

import pytest

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.openai_audio.schema import EVENTS
from dragoman.dialects.openai_audio.spoken import OUTBOUND, make_writer, write_reply
from tests.schema import mismatches

START = ev.Start("", "m")
DELTA = b'event: speech.audio.delta\ndata: {"audio":"AAEC","type":"speech.audio.delta"}\n\n'
DONE = (
    b'event: speech.audio.done\ndata: {"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7},'
    b'"type":"speech.audio.done"}\n\n'
)
CALL = Call(b"", EVENTS, "m", list, stream=True)


def test_a_stream_is_read_and_passed_on() -> None:
    reader = OUTBOUND.reader(START, 1)
    burst = reader.feed(DELTA + b'data: {"type":"odd"}\n\n' + DONE)
    assert burst is not None
    assert burst.events == [
        START,
        ev.Media("audio/*", "AAEC"),
        ev.Note("odd", ""),
        ev.Finish("stop"),
        ev.Usage(3, 4),
    ]
    assert breaches(burst.events) == []
    assert make_writer(CALL).write(burst) == DELTA + b'event: odd\ndata: {"type":"odd"}\n\n' + DONE


def test_a_stream_is_written_from_events() -> None:
    writer = make_writer(CALL)
    said = writer.write(Burst([START, ev.Media("audio/wav", "AAEC"), ev.Finish("stop"), ev.Usage(3, 4)]))
    assert (said, writer.end()) == (DELTA, DONE)
    assert mismatches("CreateSpeechResponseStreamEvent", DELTA.partition(b"data: ")[2]) == []
    assert mismatches("CreateSpeechResponseStreamEvent", DONE.partition(b"data: ")[2]) == []


def test_speech_is_always_a_stream() -> None:
    with pytest.raises(UpstreamInvalid):
        write_reply(CALL, Burst([START]))
    with pytest.raises(UpstreamError):
        OUTBOUND.read_reply(b"{}", START)


def test_the_dialect_offers_its_upstream_side() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.task) == (EVENTS, b"/audio/speech", "speech")
