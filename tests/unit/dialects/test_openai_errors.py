"""Errors: as we write them, and in the many shapes of the servers that call themselves OpenAI-compatible."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import errors
from dragoman.core.errors import BadRequest, DragomanError, Overloaded, RateLimited, UpstreamError, UpstreamIncomplete
from dragoman.dialects.openai_errors import find_error, read_error, read_stream_error, write_error, write_stream_error
from dragoman.wire.json import read_fields
from tests.schema import mismatches


def test_an_error_has_its_four_keys_always() -> None:
    assert write_error(BadRequest("the field is wrong"), "request-1") == (
        400,
        b'{"error":{"message":"the field is wrong","type":"invalid_request_error","param":null,"code":null}}',
    )


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequest("x", param="n", code="invalid_type"), 400, "invalid_request_error"),
        (errors.Unauthenticated(), 401, "invalid_request_error"),
        (errors.ModelNotFound(), 404, "invalid_request_error"),
        (errors.RequestTimeout(), 408, "timeout_error"),
        (RateLimited(), 429, "rate_limit_error"),
        (DragomanError(), 500, "server_error"),
        (UpstreamError(), 502, "upstream_error"),
        (Overloaded(), 503, "overloaded_error"),
        (errors.UpstreamTimeout(), 504, "timeout_error"),
    ],
)
def test_every_error_has_the_type_of_its_status(error: DragomanError, status: int, kind: str) -> None:
    told, body = write_error(error, "request-1")
    written = msgspec.json.decode(body, type=dict[str, dict[str, str | None]])["error"]
    assert told == status
    assert written == {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    assert mismatches("ErrorResponse", body) == []


def test_what_the_upstream_said_is_not_told() -> None:
    _, body = write_error(UpstreamError(detail="500 key sk-secret is broken"), "request-1")
    assert b"sk-secret" not in body


def test_a_broken_stream_ends_with_one_frame() -> None:
    assert write_stream_error(UpstreamIncomplete()) == (
        b'data: {"error":{"message":"the upstream stopped before its answer was complete",'
        b'"type":"upstream_error","param":null,"code":"upstream_incomplete"}}\n\n'
    )


@pytest.mark.parametrize(
    ("body", "detail", "code", "param"),
    [
        (
            b'{"error":{"message":"too long","type":"t","param":"messages","code":"context_length_exceeded"}}',
            "400 too long",
            "context_length_exceeded",
            "messages",
        ),
        (b'{"error":{"message":"no","param":null,"code":1234}}', "400 no", "1234", None),
        (b'{"object":"error","message":"bad n","code":40001,"param":"n"}', "400 bad n", "40001", "n"),
        (b'{"error":"model is loading"}', "400 model is loading", None, None),
        (b'{"msg":"quota","code":null}', "400 quota", None, None),
        (b'{"detail":"Not authenticated"}', "400 Not authenticated", None, None),
        (b'{"detail":[{"loc":["body"]}]}', '400 [{"loc":["body"]}]', None, None),
        (b"<html>Bad Request</html>", "400 <html>Bad Request</html>", None, None),
        (b"[1]", "400 [1]", None, None),
        (b"", "400 ", None, None),
        (b"\xff\xfe", "400 ��", None, None),
        (b'{"error":{"message":"\xff \\ud800"}}', "400 � �", None, None),
        (b'{"error":' + b"[" * 5000, '400 {"error":' + "[" * 487, None, None),
    ],
)
def test_an_error_is_read_in_any_shape(body: bytes, detail: str, code: str | None, param: str | None) -> None:
    error = read_error(400, {}, body)
    assert isinstance(error, errors.UpstreamRejected)
    assert (error.detail, error.code, error.param) == (detail, code, param)


def test_an_upstreams_sentences_stay_in_the_log() -> None:
    error = read_error(400, {}, b'{"error":{"message":"key sk-secret","code":"bad_key","param":"n"}}')
    assert error.message == "the upstream rejected the request (bad_key, n)"
    assert error.detail == "400 key sk-secret"


def test_the_status_and_headers_say_what_to_do() -> None:
    error = read_error(429, {"retry-after": "7"}, b'{"error":{"message":"slow down"}}')
    assert isinstance(error, RateLimited)
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [
        (b'{"message":"gone","code":"server_error"}', UpstreamError, "500 gone"),
        (b'{"message":"wait","code":429}', RateLimited, "429 wait"),
        (b'{"message":"full","code":"503"}', Overloaded, "503 full"),
        (b'{"message":"odd","code":200}', UpstreamError, "500 odd"),
        (b'{"message":"odd","code":600}', UpstreamError, "500 odd"),
        ('{"message":"odd","code":"\N{FULLWIDTH DIGIT FOUR}29"}'.encode(), UpstreamError, "500 odd"),
        (b'"overloaded"', UpstreamError, "500 overloaded"),
    ],
)
def test_an_error_in_a_stream_says_its_status_in_its_code(error: bytes, kind: type[DragomanError], detail: str) -> None:
    read = read_stream_error(Raw(error))
    assert (type(read), read.detail) == (kind, detail)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"error":{"message":"x"},"choices":[]}', b'{"message":"x"}'),
        (b'{"error":"x"}', b'"x"'),
        (b'{"object":"error","message":"x"}', b'{"object":"error","message":"x"}'),
        (b'{"object":"error"}', b'{"object":"error"}'),
        (b'{"detail":"x","error":null}', b'{"detail":"x","error":null}'),
        (b'{"msg":"x"}', b'{"msg":"x"}'),
    ],
)
def test_an_error_is_found_where_an_answer_was_due(body: bytes, found: bytes) -> None:
    error = find_error(read_fields(body))
    assert error is not None
    assert bytes(error) == found


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"choices":[],"message":"x","object":"error"}',
        *(b'{"choices":[],"error":%b}' % value for value in (b"null", b"false", b'""', b"{}", b"[]", b"0")),
    ],
)
def test_what_is_no_error_is_none(body: bytes) -> None:
    assert find_error(read_fields(body)) is None


def test_a_question_over_the_context_of_llama_cpp_is_called_so() -> None:
    body = b'{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":1024}}'
    assert read_error(400, {}, body).code == "context_length_exceeded"
