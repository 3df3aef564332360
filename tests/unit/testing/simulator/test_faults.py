"""What an upstream can do wrong."""

from __future__ import annotations

import pytest

from dragoman.core import events as ev
from dragoman.testing.simulator.faults import Wire, spoil_events, spoil_wire
from dragoman.testing.simulator.script import Script

HEADERS = [("content-type", "text/event-stream")]
FRAMES = [(0.5, b"data: {1}\n\n"), (0.1, b"data: {2}\n\n"), (0.1, b"data: {finish}\n\n"), (0.0, b"data: [DONE]\n\n")]
STREAM = Wire(Script(200, HEADERS, FRAMES), FRAMES, lambda pieces: b"data: error %d\n\n" % pieces, stream=True)
BODY = [(0.5, b'{"choices":[{"finish_reason":"stop"}]}')]
PLAIN = Wire(Script(200, HEADERS, BODY), BODY, lambda pieces: b"error", stream=False)
EVENTS: list[ev.Event] = [ev.Start("", "m"), ev.Text("Hi"), ev.Finish("stop"), ev.Usage(1, 1)]


def wire(*frames: bytes) -> Wire:
    pieces = [(0.0, frame) for frame in frames]
    return Wire(Script(200, HEADERS, pieces), pieces, lambda said: b"", stream=True)


def data_of(script: Script) -> bytes:
    return b"".join(data for _, data in script.pieces)


def test_without_a_fault_nothing_is_spoiled() -> None:
    assert spoil_events("", EVENTS) == EVENTS
    assert spoil_wire("", STREAM) is STREAM.script


def test_usage_and_finish_can_be_left_out() -> None:
    assert spoil_events("no-usage", EVENTS) == EVENTS[:3]
    assert spoil_events("no-finish", EVENTS) == [EVENTS[0], EVENTS[1], EVENTS[3]]
    assert data_of(spoil_wire("no-finish", PLAIN)) == b'{"choices":[{"finish_reason":null}]}'
    assert spoil_wire("no-finish", STREAM).pieces == FRAMES


def test_a_huge_event_is_said_first() -> None:
    huge = spoil_events("huge-event", EVENTS)[1]
    assert isinstance(huge, ev.Text)
    assert len(huge.text) == 9 * 1024 * 1024


@pytest.mark.parametrize(("fault", "bad"), [("bad-utf8", b"\xff\xfe\xc3("), ("lone-surrogate", b"\\ud800")])
def test_bytes_that_are_no_text_take_the_place_of_a_mark(fault: str, bad: bytes) -> None:
    said = spoil_events(fault, EVENTS)[1]
    assert isinstance(said, ev.Text)
    assert data_of(spoil_wire(fault, wire(said.text.encode()))) == b"broken " + bad + b" text "


@pytest.mark.parametrize(
    ("fault", "status", "kind", "begin"),
    [
        ("html", 200, "text/html; charset=utf-8", b"<!doctype html>"),
        ("redirect", 302, "text/html", b"<!doctype html>"),
        ("empty", 200, "text/event-stream", b""),
        ("inband", 200, "text/event-stream", b"data: error 0\n\n"),
    ],
)
def test_something_else_comes_instead_of_an_answer(fault: str, status: int, kind: str, begin: bytes) -> None:
    script = spoil_wire(fault, STREAM)
    assert (script.status, dict(script.headers)["content-type"], script.ends) == (status, kind, "clean")
    assert data_of(script)[: len(begin) or None] == begin


def test_an_error_comes_in_the_middle() -> None:
    assert data_of(spoil_wire("midstream", STREAM)) == b"data: {1}\n\ndata: error 1\n\n"
    assert data_of(spoil_wire("midstream", PLAIN)) == b"error"


@pytest.mark.parametrize(("fault", "ends"), [("silent", "hang"), ("reset", "cut")])
def test_nothing_comes_at_all(fault: str, ends: str) -> None:
    script = spoil_wire(fault, STREAM)
    assert (script.pieces, script.ends) == ([], ends)


@pytest.mark.parametrize(("fault", "ends"), [("stall", "hang"), ("cut", "cut"), ("eof", "clean")])
def test_half_of_the_answer_comes(fault: str, ends: str) -> None:
    assert (spoil_wire(fault, STREAM).pieces, spoil_wire(fault, STREAM).ends) == (FRAMES[:1], ends)
    assert data_of(spoil_wire(fault, PLAIN)) == b'{"choices":[{"finis'


def test_half_of_a_single_frame_is_the_frame() -> None:
    assert data_of(spoil_wire("eof", wire(b"data: {1}\n\n", b"data: [DONE]\n\n"))) == b"data: {1}\n\n"


def test_half_a_frame_is_ended_as_if_it_were_whole() -> None:
    data = data_of(spoil_wire("malformed", STREAM))
    assert data == b"data\n\n" + b"".join(frame for _, frame in FRAMES[1:])
    assert data_of(spoil_wire("malformed", PLAIN)) == b'{"choices":[{"finis'


def test_the_end_mark_of_a_stream_can_be_left_out() -> None:
    assert spoil_wire("no-done", STREAM).pieces == FRAMES[:-1]
    assert spoil_wire("no-done", PLAIN).pieces == BODY


def test_the_role_is_said_again_in_every_chunk() -> None:
    frames = [b'{"delta":{"role":"assistant","content":""}}', b'{"delta":{"content":"a"}}', b'{"delta":{}}']
    assert [data for _, data in spoil_wire("repeat-role", wire(*frames)).pieces] == [
        frames[0],
        b'{"delta":{"role":"assistant","content":"a"}}',
        b'{"delta":{"role":"assistant"}}',
    ]


def test_tool_calls_lose_their_index_and_repeat_their_id() -> None:
    frames = [
        b'"tool_calls":[{"index":0,"id":"a","type":"function"}]',
        b'"tool_calls":[{"index":0,"function":{}}]',
        b'"tool_calls":[{"index":1,"id":"b","type":"function"}]',
        b'"tool_calls":[{"index":1,"function":{}}]',
    ]
    assert [data for _, data in spoil_wire("tool-gaps", wire(*frames)).pieces] == [
        b'"tool_calls":[{"id":"a","type":"function"}]',
        b'"tool_calls":[{"id":"a","function":{}}]',
        b'"tool_calls":[{"id":"b","type":"function"}]',
        b'"tool_calls":[{"id":"b","function":{}}]',
    ]
