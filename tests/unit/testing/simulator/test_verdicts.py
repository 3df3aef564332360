"""Moderation by words."""

import pytest

from dragoman.testing.simulator.verdicts import CATEGORIES, judge_text


@pytest.mark.parametrize(
    ("text", "category", "score"),
    [
        ("I will KILL you", "violence", 0.75),
        ("kill, stab, shoot", "violence", 0.9375),
        ("a bomb", "illicit/violent", 0.75),
    ],
)
def test_bad_words_are_flagged(text: str, category: str, score: float) -> None:
    verdict = judge_text(text, pictures=False)
    assert verdict.flagged
    assert [name for name, flag in verdict.categories.items() if flag] == [category]
    assert verdict.category_scores[category] == score


def test_good_words_are_not() -> None:
    verdict = judge_text("a nice day, skilled people", pictures=False)
    assert not verdict.flagged
    assert max(verdict.category_scores.values()) < 0.01
    assert tuple(verdict.categories) == tuple(verdict.category_scores) == CATEGORIES


def test_pictures_are_looked_at_for_some_categories() -> None:
    applied = judge_text("", pictures=True).category_applied_input_types
    assert (applied["violence"], applied["hate"]) == (["text", "image"], ["text"])
    assert judge_text("", pictures=False).category_applied_input_types["violence"] == ["text"]
