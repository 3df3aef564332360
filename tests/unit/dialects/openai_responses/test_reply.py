"""A whole plain response."""

import pytest

from dragoman.core import events as ev
from dragoman.core.errors import RateLimited, UpstreamError, UpstreamInvalid
from dragoman.dialects.openai_responses.reply import read_reply
from tests.unit.dialects.openai_responses.said_words import COUNTED, FALLBACK, START, function, message, whole


def test_a_reply_means_what_it_says_and_passes_as_it_came() -> None:
    body = whole(message(b"Hello") + b"," + function())
    burst = read_reply(body, FALLBACK)
    assert (burst.raw, burst.dialect) == (body, "openai_responses")
    called = [ev.ToolDelta(0, "", "call_a", "f"), ev.ToolDelta(0, "{}")]
    assert burst.events == [START, ev.Text("Hello"), *called, ev.Finish("tool_calls"), COUNTED]


def test_an_incomplete_reply_is_one() -> None:
    burst = read_reply(whole(message(b"Hel"), b"incomplete"), FALLBACK)
    assert burst.events[-2] == ev.Finish("length")


def test_what_every_response_has_is_filled_in() -> None:
    burst = read_reply(b'{"output":[],"created_at":null,"usage":{}}', FALLBACK)
    assert burst.events == [FALLBACK, ev.Finish("stop")]
    raw = burst.raw or b""
    assert raw == (
        b'{"output":[],"created_at":1763683200,"usage":{},"id":"resp_made","object":"response",'
        b'"model":"upstream-model","status":"completed"}'
    )
    assert read_reply(raw, FALLBACK).raw == raw
    cut = read_reply(b'{"id":"r","output":[],"incomplete_details":{},"status":"incomplete"}', ev.Start("", ""))
    assert cut.raw == b'{"id":"r","output":[],"incomplete_details":{},"status":"incomplete","object":"response"}'


@pytest.mark.parametrize("usage", [b'{"input_tokens":-1,"output_tokens":2}', b'{"input_tokens":"many"}', b"7"])
def test_usage_that_makes_no_sense_is_not_passed_on(usage: bytes) -> None:
    body = b'{"output":[],"usage":%b,"id":"r","object":"response","created_at":1,"model":"m","status":"completed"}'
    burst = read_reply(body % usage, FALLBACK)
    assert burst.events == [ev.Start("r", "m", 1), ev.Finish("stop")]
    assert burst.raw == body % b"null"


def test_bad_text_is_replaced() -> None:
    raw = read_reply(whole(message(b"a\xff")), FALLBACK).raw or b""
    assert "a\ufffd" in raw.decode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (whole(b"", b"in_progress"), UpstreamInvalid),
        (b'{"error":{"code":"rate_limit_exceeded","message":"m"}}', RateLimited),
        (whole(b"", b"failed", b',"error":{"code":"server_error","message":"m"}'), UpstreamError),
        (b'{"object":"chat.completion","choices":[]}', UpstreamInvalid),
        (b"<html>", UpstreamInvalid),
        (b"", UpstreamInvalid),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind):
        read_reply(body, FALLBACK)
