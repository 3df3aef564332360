"""Streams and plain answers of an Ollama server."""

from __future__ import annotations

import pytest

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.ollama.reader import Reader, read_reply, read_seconds
from dragoman.dialects.ollama.schema import CHAT, GENERATE
from tests.ollama_examples import Example, examples_of

FALLBACK = ev.Start("chatcmpl-made", "asked", 7)
START = ev.Start("chatcmpl-made", "m", 1_795_167_012)
HEAD = b'{"model":"m","created_at":"2026-11-20T09:30:12.123456789Z",'
HEL = HEAD + b'"message":{"role":"assistant","content":"Hel"},"done":false}\n'
LO = HEAD + b'"message":{"role":"assistant","content":"lo"},"done":false}\n'
PING = HEAD + b'"message":{"role":"assistant","content":""},"done":false}\n'
DONE = HEAD + b'"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":2}\n'
END: list[ev.Event] = [ev.Finish("stop"), ev.Usage(0, 2)]
ENDPOINTS = {"POST /api/chat": CHAT, "POST /api/generate": GENERATE}
STREAMS = [one for endpoint in ENDPOINTS for one in examples_of(endpoint, "stream")]
BROKEN = [one for endpoint in ENDPOINTS for one in examples_of(endpoint, "stream-error")]
PLAIN = [one for endpoint in ENDPOINTS for one in examples_of(endpoint, "json")]


def chat() -> Reader:
    return Reader(CHAT, FALLBACK, 1)


def read(data: bytes, size: int, reader: Reader | None = None) -> Burst:
    """Return all that is read of a stream in pieces of `size` bytes, as one burst."""
    reader = reader or chat()
    bursts = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    said = [burst for burst in [*bursts, reader.end()] if burst is not None]
    assert {burst.dialect for burst in said} <= {CHAT, GENERATE}
    return Burst([event for burst in said for event in burst.events], b"".join(burst.raw or b"" for burst in said))


@pytest.mark.parametrize("size", [1, 2, 7, 60, 10_000])
def test_a_stream_survives_any_cut_and_keeps_its_bytes(size: int) -> None:
    data = HEL + PING + LO + DONE
    assert read(data, size) == Burst([START, ev.Text("Hel"), ev.Text("lo"), *END], data)


def test_lines_are_told_as_they_come_and_the_last_is_held_back_to_the_end() -> None:
    reader = chat()
    block = HEL + LO
    first = reader.feed(block)
    assert first == Burst([START, ev.Text("Hel"), ev.Text("lo")], block, CHAT)
    again = reader.feed(block)
    assert again is not None
    assert again.raw is block, "no byte is copied"
    assert (reader.feed(DONE[:20]), reader.finished, reader.done) == (None, False, False)
    assert (reader.feed(DONE[20:]), reader.finished, reader.done) == (None, True, True)
    assert reader.end() == Burst(END, DONE, CHAT)


def test_what_stands_before_the_last_line_in_its_read_is_told_at_once() -> None:
    reader = chat()
    assert reader.feed(HEL + DONE) == Burst([START, ev.Text("Hel")], HEL, CHAT)
    assert reader.end() == Burst(END, DONE, CHAT)


@pytest.mark.parametrize("count", [b"-2", b'"many"', b"0.5", b"9007199254740993", b"[]"])
def test_a_count_that_makes_no_sense_is_left_out(count: bytes) -> None:
    odd = DONE.replace(b'"eval_count":2', b'"eval_count":' + count)
    plain = odd.replace(b',"eval_count":' + count, b"")
    assert read(HEL + odd, 50) == Burst([START, ev.Text("Hel"), ev.Finish("stop")], HEL + plain)
    assert read_reply(CHAT, odd, FALLBACK) == Burst([START, ev.Finish("stop")], plain.strip(), CHAT)


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_what_follows_the_last_line_is_ignored(size: int) -> None:
    assert read(HEL + DONE + b'{"error":"late"}\nrubbish', size) == read(HEL + DONE, size)


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_the_last_line_may_be_the_only_one_and_say_it_all(size: int) -> None:
    whole = DONE.replace(b'"content":""', b'"content":"Hi","thinking":"Hm"')
    assert read(whole, size) == Burst([START, ev.Thinking("Hm"), ev.Text("Hi"), *END], whole)


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_the_last_line_may_lack_its_end(size: int) -> None:
    assert read((HEL + DONE)[:-1], size) == Burst([START, ev.Text("Hel"), *END], HEL + DONE)


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_blank_lines_and_a_mark_vanish_and_other_line_ends_stay(size: int) -> None:
    data = b"\xef\xbb\xbf\n" + HEL[:-1] + b"\r\n\r\n \n" + DONE
    assert read(data, size) == Burst([START, ev.Text("Hel"), *END], HEL[:-1] + b"\r\n" + DONE)


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize(("bad", "good"), [(b"\xff", "\ufffd".encode()), (rb"\ud800", rb"\ufffd")])
def test_text_that_is_none_is_mended(bad: bytes, good: bytes, size: int) -> None:
    data = HEL.replace(b"Hel", b"H" + bad) + LO + DONE
    said: list[ev.Event] = [START, ev.Text("H\ufffd"), ev.Text("lo"), *END]
    assert read(data, size) == Burst(said, data.replace(bad, good))


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize("data", [b"", HEL, HEL + DONE[:-2], HEL + b"[DON", b'{"model"'])
def test_a_stream_without_its_last_line_is_incomplete(data: bytes, size: int) -> None:
    with pytest.raises(UpstreamIncomplete):
        read(data, size)


@pytest.mark.parametrize(
    "data", [b"<html>", b"<html>\n", b"[]\n", b'{"done":"x"}\n', HEL + b"rubbish\n", b"[" * 5000 + b"\n"]
)
def test_what_is_no_line_of_an_answer_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read(data, 10_000)


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize(
    "error", [b'{"error":"it broke"}\n', b'{"error":{"message":"it broke"}}', b'{"error":"x","done":true}']
)
def test_an_error_ends_a_stream_anywhere(error: bytes, size: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        read(HEL + error, size)
    assert type(caught.value) is UpstreamError
    assert "broke" not in caught.value.message


@pytest.mark.parametrize("error", [b"null", b'""', b"false"])
def test_an_error_that_says_nothing_is_none(error: bytes) -> None:
    data = HEL.replace(b'"done":false', b'"done":false,"error":%b' % error) + DONE
    assert read(data, 10_000) == Burst([START, ev.Text("Hel"), *END], data)


@pytest.mark.parametrize("example", STREAMS, ids=lambda example: example.id)
@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_every_stream_of_the_examples_is_read(example: Example, size: int) -> None:
    data = b"".join(line + b"\n" for line in example.response.objects)
    burst = read(data, size, Reader(ENDPOINTS[example.endpoint], FALLBACK, 1))
    assert burst.raw == data
    assert breaches(burst.events) == []


@pytest.mark.parametrize("example", BROKEN, ids=lambda example: example.id)
def test_every_error_in_a_stream_of_the_examples_is_raised(example: Example) -> None:
    with pytest.raises(UpstreamError):
        read(b"".join(line + b"\n" for line in example.response.objects), 100)


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: example.id)
def test_every_plain_answer_of_the_examples_is_read(example: Example) -> None:
    (body,) = example.response.objects
    burst = read_reply(ENDPOINTS[example.endpoint], body, FALLBACK)
    assert (burst.raw, burst.dialect) == (body, ENDPOINTS[example.endpoint])
    assert breaches(burst.events) == []


def test_a_plain_answer_says_the_same_as_a_stream() -> None:
    body = DONE.replace(b'"content":""', b'"content":"Hello"')
    assert read_reply(CHAT, body, FALLBACK) == Burst([START, ev.Text("Hello"), *END], body, CHAT)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", HEL, b"<html>"])
def test_what_is_no_whole_answer_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(CHAT, body, FALLBACK)


def test_an_error_where_an_answer_was_due_is_raised() -> None:
    with pytest.raises(UpstreamError) as caught:
        read_reply(CHAT, b'{"error":"it broke"}', FALLBACK)
    assert caught.value.detail == "500 it broke"


def test_a_model_that_is_not_told_is_the_one_that_was_asked() -> None:
    assert read(b'{"response":"Hi","done":true}\n', 99).events == [FALLBACK, ev.Text("Hi"), ev.Finish("stop")]


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2026-11-20T09:30:12.123456789Z", 1_795_167_012),
        ("2026-11-20T10:30:12+01:00", 1_795_167_012),
        ("2026-11-20T09:30:12", 0),
        ("1969-12-31T00:00:00Z", 0),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139),
        ("", 0),
        ("now", 0),
    ],
)
def test_a_time_of_day_is_seconds(stamp: str, seconds: int) -> None:
    assert read_seconds(stamp) == seconds
