"""Chance that repeats."""

from __future__ import annotations

from dragoman.testing.simulator.chance import digest, draw, pick


def test_the_same_seed_and_words_give_the_same() -> None:
    assert digest(1, "a", b"b") == digest(1, "a", b"b")
    assert draw(1, "a", below=1000) == draw(1, "a", below=1000)
    assert pick(1, "a", among="xyz") == pick(1, "a", among="xyz")


def test_another_seed_word_or_cut_gives_something_else() -> None:
    assert len({digest(1, "ab", "c"), digest(1, "a", "bc"), digest(2, "ab", "c"), digest(1, "abc")}) == 4


def test_a_draw_stays_below_its_limit_and_reaches_all() -> None:
    assert {draw(0, str(number), below=5) for number in range(200)} == set(range(5))
