"""What somebody may have meant."""

import pytest

from dragoman.server.suggest import MAX_COMPARED, suggest

NAMES = ["fast", "poe/gpt-5-mini", "poe/claude-sonnet-4.6", "claude-sonnet-4.6", "lab/llama-3.1-8b"]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("claude-sonet-4.6", "claude-sonnet-4.6"),
        ("Claude-Sonnet-46", "claude-sonnet-4.6"),
        ("poe/gpt5-mini", "poe/gpt-5-mini"),
        ("fsat", "fast"),
        ("llama-3.1-8b", "lab/llama-3.1-8b"),
        ("something-else-entirely", ""),
        ("x" * 81, ""),
    ],
)
def test_the_name_most_like_it_is_meant(wanted: str, meant: str) -> None:
    assert suggest(wanted, NAMES) == meant


def test_of_many_names_those_are_compared_that_share_words_with_it() -> None:
    names = [f"other-{number}" for number in range(MAX_COMPARED * 30)]
    assert suggest("gpt-5-minni", [*names, "gpt-5-mini"]) == "gpt-5-mini"


def test_of_no_names_none_is_meant() -> None:
    assert suggest("a", []) == ""
