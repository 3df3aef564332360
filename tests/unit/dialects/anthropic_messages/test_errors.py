"""Errors, as the official SDK raises them."""

from __future__ import annotations

import msgspec
import pytest
from anthropic import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    Forbidden,
    ModelNotFound,
    Overloaded,
    RateLimited,
    RequestTimeout,
    TooLarge,
    Unauthenticated,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from dragoman.dialects.anthropic_messages.errors import write_error, write_stream_error
from dragoman.dialects.openai_body import missing
from dragoman.wire.fault import read_fault
from tests.unit.dialects.anthropic_messages.official import read_plain


def with_status(status: int) -> DragomanError:
    error = UpstreamRejected()
    error.status = status
    return error


@pytest.mark.parametrize(
    ("error", "status", "kind", "raised"),
    [
        (BadRequest(), 400, "invalid_request_error", BadRequestError),
        (Unauthenticated(), 401, "authentication_error", AuthenticationError),
        (with_status(402), 402, "billing_error", APIStatusError),
        (Forbidden(), 403, "permission_error", PermissionDeniedError),
        (ModelNotFound(), 404, "not_found_error", NotFoundError),
        (RequestTimeout(), 408, "timeout_error", APIStatusError),
        (with_status(409), 409, "conflict_error", ConflictError),
        (TooLarge(), 413, "request_too_large", APIStatusError),
        (with_status(422), 422, "invalid_request_error", APIStatusError),
        (RateLimited(), 429, "rate_limit_error", RateLimitError),
        (DragomanError(), 500, "api_error", InternalServerError),
        (UpstreamError(), 502, "api_error", InternalServerError),
        (UpstreamAuth(), 502, "api_error", InternalServerError),
        (UpstreamTimeout(), 504, "timeout_error", APIStatusError),
        (Overloaded(), 529, "overloaded_error", APIStatusError),
    ],
)
def test_every_error_has_its_status_and_its_type(
    error: DragomanError, status: int, kind: str, raised: type[APIStatusError]
) -> None:
    told, body = write_error(error, "request-1")
    assert told == status
    assert msgspec.json.decode(body) == {
        "type": "error",
        "error": {"type": kind, "message": error.message},
        "request_id": "request-1",
    }
    with pytest.raises(raised) as caught:
        read_plain(body, told)
    assert caught.value.type == kind
    assert caught.value.request_id == "request-1"


def test_an_error_in_a_stream_is_an_event() -> None:
    assert write_stream_error(Overloaded("no room"), "") == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"no room"},'
        b'"request_id":null}\n\n'
    )


def sentence(error: DragomanError) -> str:
    body = write_error(error, "")[1].decode()
    return body.partition('"message":"')[2].partition('"}')[0]


def test_a_field_that_is_missing_is_named_as_this_api_does() -> None:
    assert sentence(missing("max_tokens")) == "max_tokens: field required"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("context_length_exceeded", "too much"),
        ("", "This model's maximum context length is 8192 tokens."),
        ("", "Range of input length: it exceeds the Context Window"),
        ("", "prompt is too long: 9 tokens > 8 maximum"),
    ],
)
def test_a_conversation_that_is_too_long_is_told_in_the_words_that_agents_look_for(code: str, text: str) -> None:
    error = read_fault(400, {}, code=code, text=text)
    assert write_error(error, "")[0] == 400
    assert sentence(error).startswith("prompt is too long: ")


def test_nothing_else_is_too_long() -> None:
    assert "too long" not in sentence(read_fault(400, {}, code="invalid_value", text="temperature"))
    assert "too long" not in sentence(BadRequest(detail="context length", code="context_length_exceeded"))
