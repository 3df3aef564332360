"""Text completions of an upstream: every frame read and checked, passed on as it came or as it should have come."""

from __future__ import annotations

import random

import pytest

from dragoman.core import errors
from dragoman.core import events as ev
from dragoman.core.errors import DragomanError, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.message import Request
from dragoman.dialects.openai_completions.outbound import OUTBOUND, Reader, read_reply
from dragoman.dialects.openai_completions.schema import NAME

FALLBACK = ev.Start("cmpl-made", "asked", 9)
START = ev.Start("c1", "m", 1)
DONE = b"data: [DONE]\n\n"


def body(choices: bytes, rest: bytes = b"") -> bytes:
    return b'{"id":"c1","object":"text_completion","created":1,"model":"m","choices":[%b]%b}' % (choices, rest)


def choice(text: bytes = b"", finish: bytes = b"null", index: int = 0) -> bytes:
    return b'{"text":"%b","index":%d,"logprobs":null,"finish_reason":%b}' % (text, index, finish)


def frame(choices: bytes, rest: bytes = b"") -> bytes:
    return b"data: " + body(choices, rest) + b"\n\n"


USAGE = b',"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
STOP = choice(finish=b'"stop"')


def read(data: bytes, size: int = 10_000, n: int = 1) -> tuple[list[ev.Event], bytes]:
    """Return the events and the bytes of a whole stream."""
    reader = Reader(FALLBACK, n)
    bursts = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    bursts.append(reader.end())
    told = [burst for burst in bursts if burst is not None]
    assert all(burst.dialect == NAME and burst.raw for burst in told)
    events = [event for burst in told for event in burst.events]
    assert breaches(events) == []
    return events, b"".join(burst.raw or b"" for burst in told)


STREAM = frame(choice(b"Hel")) + frame(choice("lö".encode())) + frame(STOP) + frame(b"", USAGE) + DONE


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_stream_survives_any_cut(size: int) -> None:
    events, raw = read(STREAM, size)
    assert events == [START, ev.Text("Hel"), ev.Text("lö"), ev.Finish("stop"), ev.Usage(1, 2)]
    assert raw == STREAM.removesuffix(DONE)


def test_a_stream_survives_random_cuts() -> None:
    chance = random.Random(1)
    reader, at, events = Reader(FALLBACK, 1), 0, list[ev.Event]()
    while at < len(STREAM):
        size = chance.randint(1, 40)
        events += burst.events if (burst := reader.feed(STREAM[at : at + size])) else []
        at += size
    assert (reader.finished, reader.done) == (True, True)
    assert [*events, ev.Usage(1, 2)] == read(STREAM)[0]


def test_what_the_upstream_does_not_tell_is_filled_in() -> None:
    events, _ = read(b'data: {"choices":[{"text":"a","finish_reason":"stop"}]}\n\n')
    assert events == [FALLBACK, ev.Text("a"), ev.Finish("stop")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"stop", "stop"), (b"eos", "stop"), (b"length", "length"), (b"MAX_TOKENS", "length"),
     (b"content_filter", "content_filter")],
)  # fmt: skip
def test_every_finish_reason_has_one_of_our_words(said: bytes, reason: ev.FinishReason) -> None:
    events, _ = read(frame(choice(b"a", b'"%b"' % said)))
    assert events[-1] == ev.Finish(reason)


@pytest.mark.parametrize("said", [b'"error"', b'"Abort"'])
def test_a_finish_that_tells_of_an_error_is_one(said: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        read(frame(choice(b"a", said)))
    assert caught.value.detail == "the finish reason tells of an error"
    with pytest.raises(UpstreamError):
        read_reply(body(choice(b"a", said)), FALLBACK)


def test_usage_beside_a_choice_is_told_once_at_the_end() -> None:
    events, raw = read(frame(choice(b"a"), USAGE) + frame(STOP, USAGE) + DONE)
    assert events == [START, ev.Text("a"), ev.Finish("stop"), ev.Usage(1, 2)]
    assert raw == frame(choice(b"a")) + frame(STOP) + frame(b"", USAGE)


@pytest.mark.parametrize(
    "usage",
    [
        b'{"prompt_tokens":-1,"completion_tokens":1}',
        b'{"prompt_tokens":1,"completion_tokens":-1}',
        b'{"prompt_tokens":9007199254740993,"completion_tokens":1}',
        b'{"prompt_tokens":1,"completion_tokens":"many"}',
        b'{"prompt_tokens":0.5}',
        b"[]",
        b"{}",
        b"null",
    ],
)
def test_usage_that_makes_no_sense_is_left_out(usage: bytes) -> None:
    events, raw = read(frame(STOP) + frame(b"", b',"usage":' + usage) + DONE)
    assert events == [START, ev.Finish("stop")]
    assert raw.startswith(frame(STOP))
    assert usage not in raw or usage == b"null"
    whole = read_reply(body(choice(b"a", b'"stop"'), b',"usage":' + usage), FALLBACK)
    assert whole.events == [START, ev.Text("a"), ev.Finish("stop")]
    assert usage not in (whole.raw or b"") or usage == b"null"


def test_prompt_tokens_alone_are_usage() -> None:
    events, _ = read(frame(STOP, b',"usage":{"prompt_tokens":4}'))
    assert events[-1] == ev.Usage(4, 0)


def test_an_estimate_of_another_gateway_stays_one() -> None:
    events, _ = read(frame(STOP, b',"usage":{"prompt_tokens":4,"estimated":true}'))
    assert events[-1] == ev.Usage(4, 0, estimated=True)


def test_a_stream_that_is_done_without_a_finish_is_complete() -> None:
    events, raw = read(frame(choice(b"a")) + frame(choice(b"b", b'"length"', 1)) + DONE, n=2)
    assert events == [START, ev.Text("a"), ev.Text("b", 1), ev.Finish("length", 1), ev.Finish("stop")]
    assert raw.endswith(frame(choice(b"b", b'"length"', 1)) + frame(STOP))


def test_a_stream_ends_without_done_once_every_choice_is_finished() -> None:
    reader = Reader(FALLBACK, 2)
    reader.feed(frame(STOP))
    assert not reader.finished
    reader.feed(frame(choice(b"b", index=1)))
    reader.feed(frame(choice(finish=b'"stop"', index=1)))
    assert (reader.finished, reader.done) == (True, False)
    assert reader.end() is None


@pytest.mark.parametrize("data", [b"", b": hello\n\n", DONE, frame(choice(b"a")), frame(STOP)[:-9]])
def test_a_stream_that_is_cut_is_incomplete(data: bytes) -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(data)
    with pytest.raises(UpstreamIncomplete):
        reader.end()


def test_what_follows_the_end_is_not_read() -> None:
    assert read(frame(STOP) + DONE + b"garbage\n\n" + frame(choice(b"x")))[0] == [START, ev.Finish("stop")]
    assert read(frame(STOP) + frame(choice(b"x")))[0] == [START, ev.Finish("stop")]
    reader = Reader(FALLBACK, 1)
    reader.feed(frame(STOP) + DONE)
    assert reader.feed(frame(choice(b"x"))) is None
    assert reader.end() is None


def test_frames_that_say_nothing_are_dropped() -> None:
    events, raw = read(b": ping\n\ndata: \n\n" + frame(b"") + b"data: \n\n" + frame(STOP))
    assert events == [START, ev.Finish("stop")]
    assert raw == frame(STOP)


def test_a_last_frame_without_its_blank_line_counts_when_it_is_whole() -> None:
    events, raw = read(frame(choice(b"a")) + frame(STOP)[:-2])
    assert events == [START, ev.Text("a"), ev.Finish("stop")]
    assert raw == frame(choice(b"a")) + frame(STOP)


def test_a_torn_rest_does_no_harm_after_the_finish() -> None:
    assert read(frame(STOP) + b'data: {"id":')[0] == [START, ev.Finish("stop")]


@pytest.mark.parametrize(
    "data",
    [
        b"data: nothing\n\n",
        b"data: [1]\n\n",
        b'data: {"choices":7}\n\n',
        b"<html>\n\n",
        b'data: {"x":' + b"[" * 5000 + b"\n\n",
        frame(choice(b"a", index=-1)),
        frame(STOP) + frame(choice(b"a", index=0) + b"," + choice(b"b", index=1)),
    ],
)
def test_what_is_no_text_completion_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        Reader(FALLBACK, 2).feed(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'data: {"error":{"message":"x","code":429}}\n\n', errors.RateLimited),
        (b'data: {"object":"error","message":"x"}\n\n', UpstreamError),
        (frame(choice(b"a"), b',"error":{"message":"x","code":"503"}'), errors.Overloaded),
    ],
)
def test_an_error_in_a_stream_is_raised(data: bytes, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        Reader(FALLBACK, 1).feed(data)


def test_bad_text_is_repaired() -> None:
    events, raw = read(frame(choice(b"a\\ud800")) + frame(choice(b"\xff")) + frame(STOP))
    assert events[1:3] == [ev.Text("a�"), ev.Text("�")]
    assert raw.decode() == (frame(choice(b"a\\ufffd")) + frame(choice("�".encode())) + frame(STOP)).decode()


def test_a_plain_answer_is_read_and_kept_as_it_came() -> None:
    data = body(choice(b"b", b'"length"', 1) + b"," + choice(b"", b"null", 0), USAGE)
    burst = read_reply(data, FALLBACK)
    assert burst.events == [START, ev.Text("b", 1), ev.Finish("length", 1), ev.Finish("stop", 0), ev.Usage(1, 2)]
    assert burst.raw is data
    assert burst.dialect == NAME


def test_choices_without_a_number_of_their_own_are_counted() -> None:
    events = read_reply(b'{"choices":[{"text":"a"},{"text":"b"}]}', FALLBACK).events
    assert events == [FALLBACK, ev.Text("a"), ev.Finish("stop"), ev.Text("b", 1), ev.Finish("stop", 1)]
    assert read_reply(body(choice(b"a", index=-4)), FALLBACK).events[1] == ev.Text("a")


def test_a_plain_answer_with_bad_text_is_repaired() -> None:
    burst = read_reply(b'{"choices":[{"text":"a"}],"x":"\xff"}', FALLBACK)
    assert burst.raw == '{"choices":[{"text":"a"}],"x":"�"}'.encode()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"choices":[]}', b'{"choices":null}', b"\xff"])
def test_a_plain_answer_without_choices_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(data, FALLBACK)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(UpstreamError) as caught:
        read_reply(b'{"error":"no room"}', FALLBACK)
    assert caught.value.detail == "500 no room"


def test_another_dialects_question_cannot_be_asked() -> None:
    with pytest.raises(errors.BadRequest) as caught:
        OUTBOUND.write_request(Request("m", []), "up/m")
    assert caught.value.message == "the model 'up/m' serves text completions only"
    assert (caught.value.param, caught.value.code) == ("model", "unsupported_value")
    assert caught.value.retry == "elsewhere"


def test_the_dialect_offers_its_upstream_side() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.id_prefix) == (NAME, b"/completions", "cmpl-")
    assert isinstance(OUTBOUND.reader(FALLBACK, 1), Reader)
