"""What a response that failed means."""

import pytest
from msgspec import Raw

from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from dragoman.dialects.openai_responses.faults import read_failure


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_exceeded", RateLimited),
        ("server_is_overloaded", Overloaded),
        ("slow_down", Overloaded),
        ("context_length_exceeded", UpstreamRejected),
        ("invalid_prompt", UpstreamRejected),
        ("insufficient_quota", UpstreamAuth),
        ("vector_store_timeout", UpstreamTimeout),
        ("server_error", UpstreamError),
        ("429", RateLimited),
    ],
)
def test_a_code_stands_for_a_status(code: str, kind: type[DragomanError]) -> None:
    error = read_failure(Raw(b'{"code":"%b","message":"at 10.0.0.7","param":null}' % code.encode()))
    assert type(error) is kind
    assert "10.0.0.7" not in error.message
    assert "10.0.0.7" in error.detail


def test_the_code_by_which_clients_know_a_prompt_that_is_too_long_is_kept() -> None:
    error = read_failure(Raw(b'{"code":"context_length_exceeded","message":"m","param":"input"}'))
    assert (error.code, error.param, error.status) == ("context_length_exceeded", "input", 400)


@pytest.mark.parametrize("told", [b"null", b'"broke"', b'{"message":"\xff"}', b'{"code":7}', b"{}"])
def test_whatever_is_told_is_an_error(told: bytes) -> None:
    assert type(read_failure(Raw(told))) is UpstreamError
