"""What errors of an upstream mean, as a response and in the middle of an answer."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.errors import (
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from dragoman.dialects.anthropic_messages.faults import read_error, read_stream_error


def body(kind: str, message: str = "no", more: str = "") -> bytes:
    return f'{{"type":"error","error":{{"type":"{kind}","message":"{message}"{more}}},"request_id":"req_1"}}'.encode()


KINDS: list[tuple[int, str, type[DragomanError], int]] = [
    (400, "invalid_request_error", UpstreamRejected, 400),
    (401, "authentication_error", UpstreamAuth, 502),
    (402, "billing_error", UpstreamAuth, 502),
    (403, "permission_error", UpstreamAuth, 502),
    (404, "not_found_error", ModelNotFound, 404),
    (409, "conflict_error", UpstreamRejected, 409),
    (413, "request_too_large", UpstreamRejected, 413),
    (429, "rate_limit_error", RateLimited, 429),
    (500, "api_error", UpstreamError, 502),
    (504, "timeout_error", UpstreamTimeout, 504),
    (529, "overloaded_error", Overloaded, 503),
]


@pytest.mark.parametrize(("status", "kind", "error", "told"), KINDS)
def test_a_type_means_the_same_as_its_status(status: int, kind: str, error: type[DragomanError], told: int) -> None:
    whole = read_error(status, {"retry-after": "7"}, body(kind))
    inside = read_stream_error(Raw(f'{{"type":"{kind}","message":"no"}}'.encode()))
    assert (type(whole), whole.status) == (type(inside), inside.status) == (error, told)
    assert whole.retry_after == (7 if status in (429, 529) else None)
    assert whole.detail == inside.detail == f"{status} no"
    assert "no" not in whole.message.split()


def test_spent_credit_has_its_own_code() -> None:
    assert read_error(402, {}, body("billing_error")).code == "upstream_quota"


@pytest.mark.parametrize("status", [400, 413])
def test_a_conversation_that_is_too_long_is_known_by_its_code(status: int) -> None:
    said = "prompt is too long: 210000 tokens > 200000 maximum"
    assert read_error(status, {}, body("invalid_request_error", said)).code == "context_length_exceeded"
    assert read_stream_error(Raw(b'{"type":"invalid_request_error","message":"Prompt is too long"}')).code == (
        "context_length_exceeded"
    )
    assert read_error(500, {}, body("api_error", said)).code == "upstream_error"


def test_the_code_of_newer_errors_is_kept() -> None:
    details = ',"details":{"error_code":"bad_tool"}'
    assert read_error(400, {}, body("invalid_request_error", more=details)).code == "bad_tool"
    assert read_stream_error(Raw(b'{"type":"invalid_request_error","details":{"error_code":"bad_tool"}}')).code == (
        "bad_tool"
    )
    assert read_error(400, {}, body("x", more=',"details":{"error_code":"sk-1 2"}')).code is None


def test_the_errors_of_servers_that_imitate_the_api_are_read_as_well() -> None:
    openai = b'{"error":{"message":"no","type":"x","param":"messages[0].role","code":"bad_role"}}'
    error = read_error(400, {}, openai)
    assert (error.code, error.param) == ("bad_role", "messages[0].role")
    assert read_error(503, {}, b"<html>").detail == "503 <html>"
    assert read_error(422, {}, b'{"detail":"no"}').detail == "422 no"


@pytest.mark.parametrize("said", [b'"full"', b"7", b'{"type":7}', b'{"type":"new"}', b"{}"])
def test_an_error_that_nobody_knows_is_the_upstreams_failure(said: bytes) -> None:
    assert type(read_stream_error(Raw(said))) is UpstreamError
