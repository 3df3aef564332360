"""Errors as Ollama tells them."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    TaskNotServed,
    Unauthenticated,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
)
from dragoman.dialects.ollama.errors import (
    read_error,
    write_embed_error,
    write_error,
    write_generate_error,
    write_stream_error,
)

UNKNOWN = ModelNotFound("the model 'a/b: c' does not exist", param="model")
BUSY = "server busy, please try again.  maximum pending requests exceeded"


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (BadRequest("model is required"), 400, "model is required"),
        (Unauthenticated(), 401, "unauthorized"),
        (UNKNOWN, 404, "model 'a/b: c' not found"),
        (ModelNotFound(), 404, "model not found: the model does not exist"),
        (RateLimited("slow down"), 429, "slow down"),
        (Overloaded("too many", code="server_overloaded"), 503, BUSY),
        (Overloaded(), 503, "the upstream is overloaded"),
        (UpstreamAuth(), 502, "the gateway's credentials were refused upstream"),
        (DragomanError(), 500, "an internal error occurred"),
    ],
)
def test_an_error_is_a_status_and_a_sentence(error: DragomanError, status: int, text: str) -> None:
    body = b'{"error":"%b"}' % text.encode()
    assert write_error(error, "request-1") == (status, body)
    assert write_generate_error(error, "request-1") == (status, body)


def test_where_vectors_are_asked_for_a_model_is_missing_in_other_words() -> None:
    body = b'{"error":"model \\"a/b: c\\" not found, try pulling it first"}'
    assert write_embed_error(UNKNOWN, "") == (404, body)
    assert write_embed_error(ModelNotFound(), "") == write_error(ModelNotFound(), "")
    assert write_embed_error(BadRequest("invalid input type"), "") == (400, b'{"error":"invalid input type"}')


def test_a_model_that_cannot_what_is_asked_says_what() -> None:
    error = TaskNotServed("the upstream of 'm' has no endpoint for this")
    assert write_error(error, "") == (400, b'{"error":"\\"m\\" does not support chat"}')
    assert write_generate_error(error, "") == (400, b'{"error":"\\"m\\" does not support generate"}')
    assert write_embed_error(error, "") == (400, b'{"error":"\\"m\\" does not support embeddings"}')


def test_a_broken_stream_ends_in_a_line_of_ascii() -> None:
    assert write_stream_error(BadRequest("no ü\nhere")) == b'{"error":"no \\u00fc\\nhere"}\n'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"error":"model \'m\' not found"}', ModelNotFound),
        (404, b"404 page not found", ModelNotFound),
        (401, b'{"error":"unauthorized"}', UpstreamAuth),
        (429, b'{"error":"too many"}', RateLimited),
        (503, b'{"error":"server busy, please try again.  maximum pending requests exceeded"}', Overloaded),
        (500, b'{"error":"it broke"}', UpstreamError),
        (400, b'{"error":"invalid format"}', UpstreamRejected),
    ],
)
def test_a_response_that_is_no_success_means_something(status: int, body: bytes, kind: type[DragomanError]) -> None:
    error = read_error(status, {}, body)
    assert type(error) is kind
    assert error.retry == kind.retry
    assert error.detail.startswith(f"{status} ")


@pytest.mark.parametrize(
    ("text", "message", "code", "param"),
    [
        ("library/m does not support tools", "the model does not support tools", "unsupported_by_model", "tools"),
        ('"m" does not support thinking', "the model does not support thinking", "unsupported_by_model", "think"),
        ('"m" does not support insert.', "the model does not support insert", "unsupported_by_model", "suffix"),
        ('"m" does not support chat', "the model does not support chat", "unsupported_by_model", None),
        ('"m" does not support 10.0.0.7', "the model does not support this", "unsupported_by_model", None),
        ("the input length exceeds the context length", "the input exceeds the model's context",
         "context_length_exceeded", None),
    ],
)  # fmt: skip
def test_what_a_model_cannot_do_another_may(text: str, message: str, code: str, param: str | None) -> None:
    error = read_error(400, {}, msgspec.json.encode({"error": text}))
    assert isinstance(error, UpstreamRejected)
    assert (error.message, error.code, error.param, error.status) == (message, code, param, 400)
    assert (error.retry, error.detail) == ("elsewhere", f"400 {text}")
