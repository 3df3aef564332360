"""The error bodies, byte for byte."""

import pytest

from dragoman.testing.simulator.poe.refusal import (
    Refused,
    refuse_key,
    refuse_rate,
    refuse_spent,
    tell,
    write_break,
)
from tests.unit.testing.simulator.poe.client import Reply


def test_a_wrong_key_is_told_as_live() -> None:
    reply = Reply(tell(refuse_key()))
    assert reply.status == 401
    assert reply.data == (
        b'{"error":{"message":"Incorrect API key provided. You can find your API key at https://poe.com/api/keys.",'
        b'"type":"authentication_error","code":"invalid_api_key"}}'
    )


def test_spent_points_are_told_as_live() -> None:
    reply = Reply(tell(refuse_spent()))
    assert reply.status == 402
    assert reply.data == (
        b'{"error":{"message":"You\'ve used up your points! Visit https://poe.com/api/keys to get more.",'
        b'"type":"insufficient_quota","code":"insufficient_quota"}}'
    )


def test_too_many_requests_are_told_when_to_come_back() -> None:
    reply = Reply(tell(refuse_rate(17)))
    assert (reply.status, reply.headers["retry-after"]) == (429, "17")
    assert reply.at("error", "code") == "rate_limit_exceeded"


@pytest.mark.parametrize(("code", "told"), [(503, b',"code":503'), ("busy", b',"code":"busy"'), (None, b"")])
def test_a_code_is_a_number_or_a_word_or_missing(code: str | int | None, told: bytes) -> None:
    reply = Reply(tell(Refused(503, "no", code=code)))
    assert reply.data == b'{"error":{"message":"no","type":"overloaded_error"%b}}' % told
    assert reply.headers["retry-after"] == "1"


def test_messages_have_the_envelope_of_anthropic() -> None:
    data = Reply(tell(Refused(404, "no such model", param="model"), anthropic=True)).data
    assert data == b'{"type":"error","error":{"message":"no such model","type":"not_found_error","param":"model"}}'


def test_a_proxy_answers_with_a_page() -> None:
    refused = Refused(502, "")
    refused.page = True
    reply = Reply(tell(refused))
    assert reply.headers == {"content-type": "text/html; charset=utf-8"}
    assert reply.data.startswith(b"<!doctype html>")


def test_a_stream_breaks_in_two_ways() -> None:
    frame = b'data: {"error":{"message":"no","type":"api_error"}}\n\n'
    assert write_break(Refused(500, "no", kind="api_error"), named=False) == frame
    assert write_break(Refused(500, "no", kind="api_error"), named=True) == b"event: error\n" + frame
