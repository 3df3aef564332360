"""Strict readers: what a tolerant client forgives is told."""

import pytest

from dragoman.testing.conform.frames import Frame, read_lines, read_sse
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Mismatch

SSE, LINES = "text/event-stream", "application/x-ndjson"


def test_events_are_read_and_comments_skipped() -> None:
    body = b': hello\n\nevent: a\ndata: {"b":1}\n\n: ping\r\n\r\ndata:[DONE]\n\n'
    frames = read_sse(Reply(200, SSE, body))
    assert frames == [Frame("events[0]", "a", '{"b":1}'), Frame("events[1]", "", "[DONE]")]
    assert frames[0].json()["b"].path == "events[0].b"


def test_an_event_is_named_after_its_type() -> None:
    good, bad = read_sse(Reply(200, SSE, b'event: a\ndata: {"type":"a"}\n\ndata: {"type":"a"}\n\n'))
    assert good.typed().value == {"type": "a"}
    with pytest.raises(Mismatch, match=r'events\[1\].event: expected "a", got ""'):
        bad.typed()


def test_lines_are_read() -> None:
    lines = read_lines(Reply(200, LINES, '{"a":"é"}\n{}\n'.encode()))
    assert [(line.path, line.value) for line in lines] == [("lines[0]", {"a": "é"}), ("lines[1]", {})]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"data: {}\n", "stream: expected a blank line after the last event"),
        (b"data: {}\ndata: {}\n\n", "events[0]: expected one data line, and at most one event line"),
        (b"data: {}\n\nid: 1\ndata: {}\n\n", "events[1]: expected one data line, and at most one event line"),
        (b"retry: 10\n\n", "events[0]: expected one data line, and at most one event line"),
        (b"data\n\n", "events[0]: expected one data line, and at most one event line"),
        (b"event: ping\n\n", "events[0]: expected a data line"),
        (b"data: \xff\n\n", 'stream: expected UTF-8, got "ff"'),
    ],
)
def test_events_that_break_a_rule_are_told(body: bytes, told: str) -> None:
    with pytest.raises(Mismatch) as caught:
        read_sse(Reply(200, SSE, body))
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", "stream: expected a line end after the last line"),
        (b"{}\n\n{}\n", "lines[1]: expected an object, got a blank line"),
        (b"{}\n  \n", "lines[1]: expected an object, got a blank line"),
        ('{"a":"\u2028"}\n'.encode(), "stream: expected no line end within a line (U+2028, U+0085, …), got 2 lines"),
        (b"{}\n<p>\n", 'lines[1]: expected JSON, got "<p>"'),
    ],
)
def test_lines_that_break_a_rule_are_told(body: bytes, told: str) -> None:
    with pytest.raises(Mismatch) as caught:
        read_lines(Reply(200, LINES, body))
    assert str(caught.value).startswith(told)


def test_the_content_type_has_to_fit() -> None:
    for read in (read_sse, read_lines):
        with pytest.raises(Mismatch, match=r"content-type: expected .+, got text/plain"):
            read(Reply(200, "text/plain", b""))
