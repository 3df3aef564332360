"""Texts made from regular expressions."""

from __future__ import annotations

import re

import pytest

from dragoman.testing.simulator.pattern import MAX_TEXT, match_text


@pytest.mark.parametrize(
    "pattern",
    [
        r"",
        r"^[A-Z]{3}-\d{4}$",
        r"^(foo|bar)+$",
        r"^(?:a|b)(?P<name>c)(?<other>d)$",
        r"[^\s@]+@[^\s@]+\.[a-z]{2,}",
        r"^\+?\d{1,3}[-. ]?\(?\d{3}\)?$",
        r"^[\w.-]+$",
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        r"^.*$",
        r"^.+?\.json$",
        r"^\x41\u0042\t$",
        r"^[]a]$",
        r"^[^\d]\D\S\W\s$",
        r"^a{2,3}b{2,}c{1}$",
        r"^\d{4}-(0[1-9]|1[0-2])$",
    ],
)
def test_the_text_matches(pattern: str) -> None:
    text = match_text(pattern)
    assert text is not None
    assert re.search(pattern.replace("(?<other>", "(?P<other>"), text)


@pytest.mark.parametrize(
    "pattern",
    [r"a(?=b)", r"(a)\1", r"\bword", r"[a", r"(a", r"a)", r"*a", r"\p{L}", r"[a-\d]", r"[^\s\S]", "\\", "(" * 5000],
)
def test_what_is_not_understood_gives_no_text(pattern: str) -> None:
    assert match_text(pattern) is None


@pytest.mark.parametrize("pattern", [r"^[a-z]+$", r"^x*$", r"^(ab)+$"])
def test_what_may_be_repeated_is_repeated_up_to_the_least_length(pattern: str) -> None:
    text = match_text(pattern, 12)
    assert text is not None
    assert len(text) >= 12
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", ["((a{999}){999}){999}", "a{4096}" * 100])
def test_a_greedy_pattern_gives_a_bounded_text(pattern: str) -> None:
    assert len(match_text(pattern) or "") <= MAX_TEXT


def test_what_cannot_be_made_longer_stays_short() -> None:
    assert match_text("^ab$", 12) == "ab"
