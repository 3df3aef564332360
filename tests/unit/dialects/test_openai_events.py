"""Streams of named events: what is read and passed on, and what ends them."""

import msgspec
import pytest

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, Overloaded, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.openai_events import EventReader, EventWriter, write_event
from dragoman.wire.sse import PING

START = ev.Start("", "m", 1)
NAME = "odd"


class Body(msgspec.Struct):
    text: str = ""


def say(kind: str, data: bytes) -> list[ev.Event]:
    if kind == "done":
        return [ev.Finish("stop"), ev.Usage(1, 2)]
    text = msgspec.json.decode(data, type=Body).text
    return [ev.Text(text)] if text else [ev.Note(kind, "")]


def frame(kind: str, more: str = "") -> bytes:
    return f'event: {kind}\ndata: {{"type":"{kind}"{more}}}\n\n'.encode()


STREAM = frame("piece", ',"text":"Hé"') + frame("odd") + frame("piece", ',"text":"llo"') + frame("done")


def read(data: bytes, size: int = 10_000, wanted: int = 1) -> tuple[list[ev.Event], bytes]:
    reader = EventReader(NAME, say, START, wanted)
    bursts = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    bursts.append(reader.end())
    told = [burst for burst in bursts if burst is not None]
    assert all(burst.dialect == NAME for burst in told)
    return [event for burst in told for event in burst.events], b"".join(burst.raw or b"" for burst in told)


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_stream_survives_any_cut(size: int) -> None:
    events, raw = read(STREAM, size)
    assert events == [
        START,
        ev.Text("Hé"),
        ev.Note("odd", ""),
        ev.Text("llo"),
        ev.Finish("stop"),
        ev.Usage(1, 2),
    ]
    assert breaches(events) == []
    assert raw == STREAM


def test_frames_without_a_name_and_comments_are_made_whole() -> None:
    loose = b': hi\n\ndata: {"type":"piece","text":"a"}\nid: 7\n\ndata:{"type":"done"}\n\ndata: [DONE]\n\n'
    assert read(loose)[1] == frame("piece", ',"text":"a"') + frame("done")


def test_the_last_event_ends_a_stream_whatever_follows() -> None:
    reader = EventReader(NAME, say, START)
    burst = reader.feed(frame("done") + frame("piece", ',"text":"late"'))
    assert burst is not None
    assert burst.raw == frame("done")
    assert (reader.finished, reader.done) == (True, True)
    assert reader.feed(frame("done")) is None
    assert reader.end() is None


def test_several_are_wanted_and_their_usage_is_one_sum() -> None:
    reader = EventReader(NAME, say, START, 2)
    first = reader.feed(frame("done"))
    assert first is not None
    assert (first.events, reader.finished) == ([START, ev.Finish("stop")], False)
    last = reader.feed(frame("done"))
    assert last is not None
    assert last.events == [ev.Finish("stop"), ev.Usage(2, 4)]
    assert reader.done


def test_an_end_mark_ends_a_stream_that_told_something() -> None:
    assert read(frame("done") + b"data: [DONE]\n\n", wanted=2)[1] == frame("done")


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert read(STREAM.removesuffix(b"\n\n"))[1] == STREAM


@pytest.mark.parametrize("data", [b"", STREAM[:-20], frame("piece", ',"text":"a"'), frame("piece") + b"eve"])
def test_a_stream_that_is_cut_is_incomplete(data: bytes) -> None:
    with pytest.raises(UpstreamIncomplete):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"<html>\n\n",
        b"data: nothing\n\n",
        b"data: {}\n\n",
        b'data: {"type":"\xc3\xa4"}\n\n',
        b'data: {"type":"a\\nb"}\n\n',
        b"data: [DONE]\n\n",
        frame("piece", ',"text":7'),
    ],
)
def test_what_is_no_event_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'data: {"error":{"message":"x","code":"503"}}\n\n', Overloaded),
        (b'event: error\ndata: {"type":"error","message":"x","code":null}\n\n', UpstreamError),
    ],
)
def test_an_error_in_a_stream_is_raised(data: bytes, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        read(frame("piece") + data)


def test_bad_text_is_repaired() -> None:
    data = frame("done").replace(b'"}', b'","x":"\xff"}')
    assert read(data)[1].decode() == frame("done").decode().replace('"}', '","x":"\ufffd"}')
    surrogate = b'data: {"type":"odd","error":{},"\\ud800":1}\n\n'
    assert read(surrogate + frame("done"))[1] == frame("odd", ',"error":{},"\\ufffd":1') + frame("done")


class Script:
    """Writes texts as they are."""

    def say(self, event: ev.Event) -> bytes:
        return event.text.encode() if isinstance(event, ev.Text) else b""

    def last(self) -> bytes:
        return b"last"


def test_an_upstreams_own_frames_are_passed_on_and_end_by_themselves() -> None:
    writer = EventWriter(NAME, Script())
    assert writer.write(Burst([START], b"raw", NAME)) == b"raw"
    assert writer.end() == b""


def test_events_are_written_anew_and_ended() -> None:
    writer = EventWriter(NAME, Script())
    assert writer.write(Burst([START, ev.Text("a")], b"raw", "other")) == b"a"
    assert writer.end() == b"last"
    assert writer.ping() == PING
    assert b'"error":{' in writer.fail(UpstreamError())


def test_an_event_is_written_with_its_name() -> None:
    assert write_event(Body("a"), "piece") == b'event: piece\ndata: {"text":"a"}\n\n'


def test_a_comment_alone_says_nothing() -> None:
    reader = EventReader(NAME, say, START)
    assert reader.feed(b": hi\n\n") is None
    assert not reader.done
