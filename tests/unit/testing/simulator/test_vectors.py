"""Vectors that mean something, a little."""

import math

import pytest

from dragoman.testing.simulator.vectors import embed


@pytest.mark.parametrize("text", ["a red apple", "", "!?", [1, 2, 3], "word " * 1000])
@pytest.mark.parametrize("dimensions", [1, 2, 64, 1536])
def test_a_vector_has_length_one(text: str | list[int], dimensions: int) -> None:
    vector = embed(text, dimensions, 0)
    assert len(vector) == dimensions
    assert math.hypot(*vector) == pytest.approx(1)


def test_the_same_text_has_the_same_vector() -> None:
    assert embed("a red apple", 64, 0) == embed("A red apple!", 64, 0)
    assert embed("a red apple", 64, 0) != embed("a red apple", 64, 1)
    assert embed([1, 2], 64, 0) != embed([1, 3], 64, 0)


def test_texts_that_share_words_are_near_each_other() -> None:
    apple, other, train = (embed(text, 256, 0) for text in ("a red apple", "one green apple", "the next train"))
    assert math.dist(apple, other) < math.dist(apple, train)


def test_words_that_cancel_each_other_out_still_have_a_vector() -> None:
    vectors = [embed(f"{number}", 1, 0) for number in range(100)]
    assert [1.0] in vectors
    assert all(vector in ([1.0], [-1.0]) for vector in vectors)
