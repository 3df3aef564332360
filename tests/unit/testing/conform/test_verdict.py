"""How a check ends."""

from dragoman.testing.conform.verdict import Mismatch, Refused


def test_a_mismatch_tells_the_place_and_both_values() -> None:
    mismatch = Mismatch("choices[0].index", "0", '"0"')
    assert (mismatch.field, mismatch.expected, mismatch.got) == ("choices[0].index", "0", '"0"')
    assert str(mismatch) == 'choices[0].index: expected 0, got "0"'


def test_a_refusal_tells_its_status() -> None:
    refusal = Refused(404, "no such model")
    assert (refusal.status, refusal.message, str(refusal)) == (404, "no such model", "404: no such model")
