"""A stream of events, whatever the cuts of the network and the habits of the server."""

from __future__ import annotations

import pytest

from dragoman.core import events as ev
from dragoman.core.errors import RateLimited, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.openai_responses.reader import Reader
from tests.unit.dialects.openai_responses.said_words import (
    COUNTED,
    FALLBACK,
    START,
    completed,
    created,
    delta,
    frame,
    function,
    item,
    message,
    whole,
)

STOP = ev.Finish("stop")
SUMMARY = b',"summary_index":%d'
TEXT = created() + delta("output_text", "Hel") + delta("output_text", "lo") + completed(message(b"Hello"))
ALL = (
    created()
    + frame("response.in_progress")
    + item("added", 0, b'{"id":"rs_1","type":"reasoning","summary":[]}')
    + delta("reasoning_summary_text", "One", 0, SUMMARY % 0)
    + frame("response.reasoning_summary_text.done", b'"output_index":0,"summary_index":0,"text":"One"')
    + delta("reasoning_summary_text", "Two", 0, SUMMARY % 1)
    + item("done", 0, b'{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"S"}')
    + item("added", 1, message(b""))
    + delta("output_text", "Hi", 1)
    + frame("response.output_text.done", b'"output_index":1,"content_index":0,"text":"Hi!"')
    + delta("refusal", "N", 1, b',"content_index":1')
    + frame("response.refusal.done", b'"output_index":1,"content_index":1,"refusal":"No"')
    + item("added", 2, function(b'""'))
    + delta("function_call_arguments", '{"a"', 2)
    + frame("response.function_call_arguments.done", b'"output_index":2,"arguments":"{\\"a\\":1}"')
    + item("done", 2, function(b'"{\\"a\\":1}"'))
    + item("added", 3, b'{"id":"ctc_1","type":"custom_tool_call","name":"x","call_id":"c"}')
    + delta("custom_tool_call_input", "i", 3)
    + frame("response.custom_tool_call_input.done", b'"output_index":3,"input":"in"')
    + frame("response.reasoning_text.done", b'"output_index":4,"text":"Hm"')
    + frame("response.mcp_call.in_progress", b'"output_index":4')
    + completed()
)
SAID: list[ev.Event] = [
    START,
    ev.Thinking("One"),
    ev.Thinking("\n\nTwo"),
    ev.Thinking("", signature="S"),
    ev.Text("Hi"),
    ev.Text("!"),
    ev.Refusal("N"),
    ev.Refusal("o"),
    ev.ToolDelta(0, "", "call_a", "f"),
    ev.ToolDelta(0, '{"a"'),
    ev.ToolDelta(0, ":1}"),
    ev.ToolDelta(1, '{"input":"', "c", "x"),
    ev.ToolDelta(1, "i"),
    ev.ToolDelta(1, "n"),
    ev.Thinking("Hm"),
    ev.ToolDelta(1, '"}'),
    ev.Finish("tool_calls"),
    COUNTED,
]


def read(data: bytes, size: int = 10_000) -> tuple[list[ev.Event], bytes]:
    """Return the events and the bytes of a whole stream, read in pieces of one size."""
    reader = Reader(FALLBACK, 1)
    bursts = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    bursts.append(reader.end())
    told = [burst for burst in bursts if burst is not None]
    assert reader.finished
    assert reader.done
    assert {burst.dialect for burst in told} == {"openai_responses"}
    return [event for burst in told for event in burst.events], b"".join(burst.raw or b"" for burst in told)


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
def test_a_stream_says_the_same_at_every_cut_and_passes_as_it_came(size: int) -> None:
    assert read(ALL, size) == (SAID, ALL)


def test_the_event_that_ends_it_is_the_last_of_its_burst_and_nothing_follows() -> None:
    for rest in (b"data: [DONE]\n\n", b"data: {}\n\n"):
        reader = Reader(FALLBACK, 1)
        burst = reader.feed(TEXT + rest)
        assert burst is not None
        assert (burst.raw, burst.events[-2:]) == (TEXT, [STOP, COUNTED])
        assert reader.feed(rest) is None
        assert reader.end() is None


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            frame(
                "response.incomplete",
                b'"response":%b' % whole(b"", b"incomplete", b',"incomplete_details":{"reason":"content_filter"}'),
            ),
            "content_filter",
        ),
        (frame("response.incomplete"), "length"),
        (frame("response.completed"), "stop"),
    ],
)
def test_the_last_event_tells_why_it_ended(end: bytes, reason: ev.FinishReason) -> None:
    events, _ = read(created() + delta("output_text", "Hel") + end)
    assert ev.Finish(reason) in events


def test_frames_of_another_form_are_written_in_the_usual_one() -> None:
    data = completed().partition(b"data: ")[2]
    odd = (
        b": ping\n\n\n\n"
        + created().replace(b"event: response.created\n", b"")
        + delta("output_text", "a").replace(b"event: response", b"event: odd")
        + b"id: 1\r\nevent: response.completed\r\ndata: "
        + data
    )
    events, raw = read(odd)
    assert raw == created() + delta("output_text", "a") + completed()
    assert events == [START, ev.Text("a"), STOP, COUNTED]


def test_an_answer_that_begins_in_the_middle_begins_with_what_is_known() -> None:
    assert read(delta("output_text", "a") + completed())[0][:2] == [FALLBACK, ev.Text("a")]
    assert read(frame("response.queued") + completed())[0][0] == FALLBACK


def test_events_that_nobody_knows_are_passed_on() -> None:
    unknown = frame("response.later", b'"delta":{"a":1},"item":7')
    assert read(created() + unknown + completed())[1] == created() + unknown + completed()


@pytest.mark.parametrize("usage", [b'{"input_tokens":-1,"output_tokens":2}', b'{"input_tokens":"many"}', b"7"])
def test_usage_that_makes_no_sense_is_not_passed_on(usage: bytes) -> None:
    end = b'"response":{"id":"r","status":"completed","output":[],"usage":%b}'
    begun = created() + delta("output_text", "Hello")
    events, raw = read(begun + frame("response.completed", end % usage))
    assert events == [START, ev.Text("Hello"), STOP]
    assert raw == begun + frame("response.completed", end % b"null")


def test_bad_text_is_replaced() -> None:
    events, raw = read(created() + delta("output_text", "X").replace(b"X", b"\xff") + completed())
    assert events[1] == ev.Text("\ufffd")
    assert raw.decode()
    events, _ = read(created() + delta("output_text", "X").replace(b"X", b"\\ud800") + completed())
    assert events[1] == ev.Text("\ufffd")
    done = frame("response.output_text.done", b'"text":"\\ud800"')
    assert read(created() + done + completed())[0][1] == ev.Text("\ufffd")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (frame("error", b'"code":"rate_limit_exceeded","message":"m"'), RateLimited),
        (b'data: {"error":{"message":"m"}}\n\n', UpstreamError),
        (frame("response.created", b'"error":{"message":"m"}'), UpstreamError),
        (
            frame("response.failed", b'"response":%b' % whole(b"", b"failed", b',"error":{"code":"server_error"}')),
            UpstreamError,
        ),
        (frame("response.failed"), UpstreamError),
        (frame("response.cancelled"), UpstreamError),
        (delta("output_text", "a").replace(b'"a"', b"7"), UpstreamInvalid),
        (frame("response.output_text.done", b'"text":7'), UpstreamInvalid),
        (b"data: {}\n\n", UpstreamInvalid),
        (b"data: 7\n\n", UpstreamInvalid),
        (b'data: {"type":"a\\nb"}\n\n', UpstreamInvalid),
        (b"<html>\n\n", UpstreamInvalid),
        (b"data: [DONE]\n\n", UpstreamIncomplete),
    ],
)
def test_what_is_wrong_is_an_error(data: bytes, kind: type[UpstreamError]) -> None:
    for before in (b"", created()):
        reader = Reader(FALLBACK, 1)
        reader.feed(before)
        with pytest.raises(kind):
            reader.feed(data)


def test_a_stream_without_its_last_event_is_incomplete() -> None:
    for data in (b"", created(), TEXT[:-200], created() + b"event: resp"):
        reader = Reader(FALLBACK, 1)
        reader.feed(data)
        with pytest.raises(UpstreamIncomplete):
            reader.end()
    reader = Reader(FALLBACK, 1)
    reader.feed(b"<html>")
    with pytest.raises(UpstreamInvalid):
        reader.end()


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert read(TEXT[:-2]) == read(TEXT)
