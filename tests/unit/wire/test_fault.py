"""From an upstream's status and words to the error a client sees."""

import pytest

from dragoman.core.errors import (
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRejected,
    UpstreamTimeout,
)
from dragoman.wire.fault import MAX_DETAIL, read_fault, read_retry_after

SUNDAY = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("status", "kind", "told", "code"),
    [
        (400, UpstreamRejected, 400, None),
        (401, UpstreamAuth, 502, "upstream_auth"),
        (402, UpstreamAuth, 502, "upstream_quota"),
        (403, UpstreamAuth, 502, "upstream_auth"),
        (404, ModelNotFound, 404, "model_not_found"),
        (408, UpstreamTimeout, 504, "upstream_timeout"),
        (409, UpstreamRejected, 409, None),
        (413, UpstreamRejected, 413, None),
        (418, UpstreamRejected, 400, None),
        (422, UpstreamRejected, 422, None),
        (429, RateLimited, 429, "rate_limit_exceeded"),
        (500, UpstreamError, 502, "upstream_error"),
        (502, UpstreamError, 502, "upstream_error"),
        (503, Overloaded, 503, "upstream_overloaded"),
        (504, UpstreamTimeout, 504, "upstream_timeout"),
        (529, Overloaded, 503, "upstream_overloaded"),
        (599, UpstreamError, 502, "upstream_error"),
        (204, UpstreamInvalid, 502, "upstream_invalid"),
        (301, UpstreamInvalid, 502, "upstream_invalid"),
    ],
)
def test_a_status_means_an_error(status: int, kind: type[DragomanError], told: int, code: str | None) -> None:
    error = read_fault(status, {}, text="at 10.0.0.7: no")
    assert (type(error), error.status, error.code) == (kind, told, code)
    assert "10.0.0.7" not in error.message
    assert error.detail == f"{status} at 10.0.0.7: no"


def test_a_rejection_keeps_code_and_param_but_not_the_words() -> None:
    error = read_fault(400, {}, code="context_length_exceeded", param="messages", text="secret")
    assert (error.code, error.param) == ("context_length_exceeded", "messages")
    assert error.message == "the upstream rejected the request (context_length_exceeded, messages)"


@pytest.mark.parametrize("word", ["", "x" * 65, "caf\u00e9", "two\nlines"])
def test_a_code_that_is_no_short_word_is_not_passed_on(word: str) -> None:
    error = read_fault(422, {}, code=word, param=word)
    assert (error.code, error.param, error.message) == (None, None, UpstreamRejected.default)


def test_a_word_may_be_64_characters_long() -> None:
    assert read_fault(400, {}, code="x" * 64).code == "x" * 64


def test_what_goes_to_the_log_is_cut() -> None:
    assert len(read_fault(500, {}, text="x" * 9999).detail) == MAX_DETAIL


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_is_kept(status: int) -> None:
    assert read_fault(status, {"retry-after": "7"}).retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1_000"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "9" * 13}, None),
        ({"retry-after-ms": "nan", "retry-after": "-inf"}, None),
        ({"retry-after-ms": "-5", "retry-after": "7.25"}, 7.25),
        ({"retry-after": ""}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": SUNDAY}, 30),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:07 GMT", "date": SUNDAY}, None),
        ({"retry-after": SUNDAY}, None),
        ({"retry-after": SUNDAY, "date": "yesterday"}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07", "date": SUNDAY}, None),
        ({"retry-after": "Sun, 99 Nov 1994 08:50:07 GMT", "date": SUNDAY}, None),
        ({"retry-after": "Sun, 06 Nov 99999 08:50:07 GMT", "date": SUNDAY}, None),
    ],
)
def test_a_wait_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers) == seconds


def test_what_a_server_cannot_do_at_all_is_not_asked_again_but_elsewhere() -> None:
    assert read_fault(501, {}).retry == "elsewhere"
    assert read_fault(500, {}).retry == "again"


def test_a_code_that_is_the_status_says_nothing_and_llamas_is_openais() -> None:
    assert read_fault(400, {}, code="400").code is None
    assert read_fault(400, {}, code="40001").code == "40001"
    assert read_fault(400, {}, code="exceed_context_size_error").code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "model_not_found", ModelNotFound),
        (400, "model_found", UpstreamRejected),
        (422, "model_not_found", UpstreamRejected),
    ],
)
def test_an_unknown_model_may_be_told_as_a_wrong_request(status: int, code: str, kind: type[DragomanError]) -> None:
    assert type(read_fault(status, {}, code=code)) is kind
