from collections.abc import Iterator

import pytest

from dragoman.core import errors
from dragoman.core.errors import BadRequest, DragomanError, RateLimited, UpstreamError, UpstreamTimeout


def tree(root: type[DragomanError] = DragomanError) -> Iterator[type[DragomanError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


@pytest.mark.parametrize("kind", [*tree()])
def test_every_error_says_what_is_wrong_with_a_status_a_word_and_a_sentence(kind: type[DragomanError]) -> None:
    error = kind()
    assert 400 <= error.status < 600
    assert error.fault
    assert error.message == str(error) == kind.default
    assert error.message[0].islower()
    assert not error.message.endswith(".")


def test_the_docstring_shows_the_whole_tree() -> None:
    shown = errors.__doc__ or ""
    for kind in tree():
        line = next(line for line in shown.splitlines() if line.lstrip("│├└─ ").startswith(f"{kind.__name__} "))
        assert str(kind.status) in line or "4xx" in line


def test_an_error_of_the_upstream_is_not_the_clients() -> None:
    for kind in tree(UpstreamError):
        assert issubclass(kind, UpstreamError)
        assert kind.status >= 500 or kind.__name__ == "UpstreamRejected"


def test_only_what_may_work_again_is_retried() -> None:
    again = {kind.__name__ for kind in tree() if kind.retry == "again"}
    assert again == {
        "RateLimited",
        "Overloaded",
        "UpstreamError",
        "UpstreamUnavailable",
        "UpstreamTimeout",
        "UpstreamIncomplete",
    }


def test_an_error_tells_the_field_the_reason_and_the_wait() -> None:
    error = RateLimited("slow down", param="n", code="too_fast", fault="tokens", retry_after=1.5, detail="429 x")
    assert (error.message, error.param, error.code, error.fault) == ("slow down", "n", "too_fast", "tokens")
    assert (error.retry_after, error.detail) == (1.5, "429 x")


def test_what_is_not_said_is_the_classs_own() -> None:
    error = UpstreamTimeout(detail="no head")
    assert (error.code, error.fault, error.param, error.retry_after) == ("upstream_timeout", "timeout", None, None)
    assert BadRequest().code is None
