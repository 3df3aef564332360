"""A stream of the bot protocol, whatever its cuts."""

import pytest
from msgspec import structs

from dragoman.core import events as ev
from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    UpstreamAuth,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamRejected,
)
from dragoman.dialects.poe_bot.reader import Reader
from tests.unit.dialects.poe_bot.hear import DONE, START, STOP, chunk, event, hear, text

FILE = {"url": "https://p/i", "content_type": "image/png", "name": "a.png"}


@pytest.mark.parametrize("size", [0, 1, 2, 7, 50])
def test_every_event_is_heard_and_what_is_none_of_the_first_answer_is_not(size: int) -> None:
    said = (
        event("meta", content_type="text/markdown", linkify=True),
        b": ping\r\n\r\n",
        b"event: ping\ndata: 2026\n\n",
        text("Hel", index=0),
        text("other", index=1),
        text(""),
        event("unheard_of", a=1),
        event("data", metadata="x"),
        b"event: text\ndata: not for us\n\n".replace(b"text", b"reaction"),
        text("lo \ud7ff\u00e9").replace(b"\n", b"\r\n"),
        event("replace_response", text="Hello"),
        event("replace_response", text="other", index=2),
        event("file", **FILE),
        event("file", url="https://p/other", content_type="image/png", name="b", index=1),
        event("suggested_reply", text="More?"),
        event("suggested_reply", text=""),
        event("suggested_reply", text="other", index=1),
        event("meta", content_type="text/plain"),
    )
    assert hear(*said, size=size) == [
        ev.Text("Hel"),
        ev.Text("lo \ud7ff\u00e9"),
        ev.Replace("Hello"),
        ev.Media("image/png", url="https://p/i"),
        ev.Note("suggested_reply", "More?"),
        STOP,
    ]


def test_nothing_is_heard_before_something_is_said() -> None:
    reader = Reader(START, 1)
    assert reader.feed(event("meta", content_type="text/plain") + event("ping")) is None
    burst = reader.feed(text("a"))
    assert burst is not None
    assert (burst.events, burst.raw) == ([START, ev.Text("a")], None)


def test_a_bot_that_only_ends_says_nothing() -> None:
    assert hear() == [STOP]


@pytest.mark.parametrize(
    "end", [b"event: done\n\n", b"event: done\ndata:\n\n", b"event: done\ndata: {}", b"event: done"]
)
def test_the_end_needs_no_data_and_no_blank_line(end: bytes) -> None:
    reader = Reader(START, 1)
    reader.feed(text("a") + end)
    reader.end()
    assert reader.done
    assert reader.finished


def test_what_follows_the_end_is_not_looked_at() -> None:
    reader = Reader(START, 1)
    reader.feed(text("a") + DONE + b"<html>\n\n")
    assert reader.feed(b"<html>\n\n") is None
    assert reader.end() is None


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("odd", "stop"),
        (None, "stop"),
    ],
)
def test_a_chunk_may_say_why_it_ends(finish: str | None, reason: ev.FinishReason) -> None:
    assert hear(chunk({"content": "a"}), chunk({}, finish)) == [ev.Text("a"), ev.Finish(reason)]


def test_an_answer_that_calls_tools_ends_with_them() -> None:
    tool = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    usage = event("json", choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3})
    more = event("json", choices=[], usage={"prompt_tokens": -1, "completion_tokens": 3})
    other = event("json", choices=[{"index": 1, "delta": {"content": "x"}, "finish_reason": "length"}])
    said = (chunk({"tool_calls": [tool]}), other, chunk({"content": "y"}, index=1), usage, more, chunk({}, None))
    assert hear(*said) == [ev.ToolDelta(0, "{}", "a", "f"), ev.Finish("tool_calls"), ev.Usage(7, 3)]
    assert hear(event("json", choices=[{"index": 0, "finish_reason": "length"}])) == [ev.Finish("length")]


def test_a_bot_that_replaces_is_held_back() -> None:
    said = (
        text("1 s"),
        event("replace_response", text="2 s"),
        event("file", **FILE),
        event("replace_response", text="!"),
    )
    assert hear(*said, replaces=True) == [ev.Text("!"), ev.Media("image/png", url="https://p/i"), STOP]


def test_who_wants_to_know_is_told_of_a_bot_that_takes_back_what_it_said() -> None:
    told: list[str] = []
    reader = Reader(START, 1, took_back=told.append)
    reader.feed(text("a") + event("replace_response", text="ab"))
    assert told == []
    reader.feed(event("replace_response", text="c"))
    assert told == ["bot"]


@pytest.mark.parametrize(
    ("data", "kind", "status", "retry"),
    [
        ({}, UpstreamError, 502, "again"),
        ({"allow_retry": True, "text": "secret"}, UpstreamError, 502, "again"),
        ({"allow_retry": None, "error_type": "odd"}, UpstreamError, 502, "again"),
        ({"allow_retry": False, "text": "secret", "raw_response": {"a": 1}}, UpstreamError, 502, "never"),
        ({"error_type": "user_message_too_long"}, UpstreamRejected, 413, "never"),
        ({"error_type": "user_caused_error", "allow_retry": False}, UpstreamRejected, 400, "never"),
        ({"error_type": "insufficient_fund", "allow_retry": False}, UpstreamAuth, 502, "elsewhere"),
        ({"error_type": "privacy_authorization_error"}, UpstreamAuth, 502, "elsewhere"),
    ],
)
def test_an_error_says_whether_to_ask_again(
    data: dict[str, object], kind: type[DragomanError], status: int, retry: str
) -> None:
    with pytest.raises(UpstreamError) as raised:
        Reader(START, 1).feed(event("meta") + event("error", **data))
    error = raised.value
    assert (type(error), error.status, error.retry) == (kind, status, retry)
    assert "secret" not in error.message
    codes = {"insufficient_fund": "upstream_quota", "user_message_too_long": "context_length_exceeded"}
    assert error.code == codes.get(str(data.get("error_type")), error.code)


def test_an_error_within_a_chunk_is_one() -> None:
    with pytest.raises(Overloaded) as raised:
        Reader(START, 1).feed(event("json", error={"message": "secret", "code": 529}))
    assert "secret" not in raised.value.message
    assert hear(event("json", error=None, choices=[])) == [STOP]


@pytest.mark.parametrize(
    "data",
    [
        b"event: text\ndata: Hello\n\n",
        b"event: text\ndata: 5\n\n",
        event("text", text=5),
        event("text", text=None),
        event("replace_response", text=[]),
        event("file", name="a"),
        event("file", url="javascript:x"),
        event("json", choices=5),
        event("error", text=5),
        b"<html>\n\n",
        b"event: text\ndata: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_what_no_bot_says_is_refused(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        Reader(START, 1).feed(data)


def test_bad_text_is_mended() -> None:
    assert hear(b'event: text\ndata: {"text":"a\xff\\ud800b"}\n\n') == [ev.Text("a\ufffd\ufffdb"), STOP]
    assert hear(b'event: suggested_reply\ndata: {"text":"\\ud800"}\n\n') == [ev.Note("suggested_reply", "\ufffd"), STOP]


@pytest.mark.parametrize("rest", [b"", b"event: te", b'event: text\ndata: {"tex', text("b"), b"<html>"])
def test_an_answer_without_its_end_is_not_whole(rest: bytes) -> None:
    reader = Reader(START, 1)
    reader.feed(text("a") + rest)
    with pytest.raises(UpstreamIncomplete):
        reader.end()


def test_a_page_is_no_answer() -> None:
    reader = Reader(START, 1)
    assert reader.feed(b"<html>") is None
    with pytest.raises(UpstreamInvalid) as raised:
        reader.end()
    assert type(raised.value) is UpstreamInvalid


def test_each_answer_begins_with_what_it_was_given() -> None:
    start = structs.replace(START, id="other")
    burst = Reader(start, 1).feed(text("a"))
    assert burst is not None
    assert burst.events[0] is start


@pytest.mark.parametrize("usage", [{"prompt_tokens": "many"}, {"prompt_tokens": 0.5}, [], {"prompt_tokens": -1}])
def test_usage_that_makes_no_sense_costs_no_answer(usage: object) -> None:
    assert hear(text("a"), event("json", choices=[], usage=usage), DONE) == [ev.Text("a"), STOP]


def test_a_chunk_that_makes_no_sense_beside_its_usage_is_none() -> None:
    with pytest.raises(UpstreamInvalid):
        hear(event("json", choices=7, usage={"prompt_tokens": 1}), DONE)
    with pytest.raises(UpstreamInvalid):
        hear(event("json", choices=7), DONE)
