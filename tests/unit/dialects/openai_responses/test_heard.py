"""What an upstream says, however it says it."""

import pytest
from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.dialects.openai_responses.heard import (
    Item,
    Response,
    arguments_of,
    finish_of,
    leave_out_usage,
    logprobs_of,
    read_item,
    read_object,
    read_response,
    start_of,
    usage_of,
)
from tests.unit.dialects.openai_responses.said_words import COUNTED, FALLBACK, USAGE

STATUSES = [
    (b'"status":"completed"', "", "stop"),
    (b'"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}', "", "length"),
    (b'"status":"incomplete","incomplete_details":{"reason":"content_filter"}', "", "content_filter"),
    (b'"status":"incomplete"', "", "length"),
    (b'"status":"in_progress"', "completed", "stop"),
    (b'"status":"queued"', "incomplete", "length"),
    (b'"id":"r"', "", "stop"),
]


@pytest.mark.parametrize(("members", "status", "reason"), STATUSES)
def test_the_status_tells_why_it_ended(members: bytes, status: str, reason: str) -> None:
    response = read_response(b"{%b}" % members)
    assert finish_of(response, status, called=False).reason == reason
    assert finish_of(response, status, called=True).reason == ("tool_calls" if reason == "stop" else reason)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_response_that_failed_is_an_error(status: str) -> None:
    with pytest.raises(UpstreamError):
        finish_of(Response(status=status), "", called=False)
    with pytest.raises(UpstreamError):
        finish_of(Response(status="in_progress"), status, called=False)


def test_a_response_that_is_still_made_is_no_answer() -> None:
    with pytest.raises(UpstreamInvalid, match="invalid response"):
        finish_of(Response(status="queued"), "", called=False)


def test_the_beginning_is_filled_in() -> None:
    assert start_of(read_response(b'{"id":"r","model":"x","created_at":7.9}'), FALLBACK) == ev.Start("r", "x", 7)
    assert start_of(Response(), FALLBACK) == FALLBACK


@pytest.mark.parametrize("broken", [b"[]", b'{"id":1}', b"x", b'{"output":"\\ud800', b"[" * 5000])
def test_what_is_no_response_is_invalid(broken: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_response(broken)


def test_bad_text_is_replaced() -> None:
    assert read_response(b'{"id":"\\ud800"}').id == "\ufffd"
    assert read_item(Raw(b'{"type":"message","id":"\\udc00"}')).id == "\ufffd"
    assert arguments_of(Raw(b'"\\ud800"')) == "\ufffd"
    assert arguments_of(Raw(b'{"a":"\xff"}')) == '{"a":"\ufffd"}'


def test_of_an_item_that_nobody_knows_only_the_type_counts() -> None:
    assert read_item(Raw(b'{"type":"mcp_call","name":7}')) == Item("mcp_call")
    for broken in (b'{"type":"message","content":7}', b"7", b'{"type":1}'):
        with pytest.raises(UpstreamInvalid):
            read_item(Raw(broken))


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (USAGE, COUNTED),
        (b'{"input_tokens":1,"output_tokens":2,"estimated":true}', ev.Usage(1, 2, estimated=True)),
        (b'{"output_tokens":2}', ev.Usage(0, 2)),
        (b"null", None),
        (b"{}", None),
        (b'{"input_tokens":-1}', None),
        (b'{"input_tokens":"1"}', None),
        (b'{"input_tokens":99999999999999999}', None),
    ],
)
def test_nonsense_is_no_usage(told: bytes, counted: ev.Usage | None) -> None:
    assert usage_of(Raw(told)) == counted


@pytest.mark.parametrize("quiet", [b'{"id":"r"}', b'{"usage":null}', b'{"usage":{}}'])
def test_only_usage_that_is_told_is_left_out(quiet: bytes) -> None:
    assert leave_out_usage(quiet) == quiet
    assert leave_out_usage(b'{"id":"r","usage":{"input_tokens":-1}}') == b'{"id":"r","usage":null}'


def test_probabilities_are_told_as_chat_completions_tell_them() -> None:
    told = b'[{"token":"a","logprob":-0.5,"top_logprobs":[{"token":"b","logprob":-1}]}]'
    alternative = b'{"token":"b","logprob":-1.0,"bytes":null}'
    said = b'{"content":[{"token":"a","logprob":-0.5,"bytes":null,"top_logprobs":[%b]}],"refusal":null}' % alternative
    assert logprobs_of(Raw(told)) == Raw(said)
    for nothing in (b"null", b"[]", b"[ ]", b"7", b'[{"token":1}]'):
        assert logprobs_of(Raw(nothing)) is UNSET


def test_arguments_are_a_text_or_the_object_itself() -> None:
    assert arguments_of(Raw(b'"{\\"a\\":1}"')) == arguments_of(Raw(b'{"a":1}')) == '{"a":1}'
    assert arguments_of(Raw(b"null")) == ""


def test_what_is_no_object_is_invalid() -> None:
    assert read_object(b'{"a":1}') == {"a": Raw(b"1")}
    with pytest.raises(UpstreamInvalid):
        read_object(b"<html>")
