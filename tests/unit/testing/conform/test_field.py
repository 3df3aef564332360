"""A value and the way to it: what fits is given, what does not is told by its path."""

from collections.abc import Callable

import pytest
from msgspec import UNSET

from dragoman.testing.conform.field import Field, choose, read_json, show
from dragoman.testing.conform.verdict import Mismatch

BODY = read_json(
    b'{"text":"hi","empty":"","null":null,"int":3,"float":1.5,"true":true,"list":[{"a":1}],"two":[1,2],"object":{}}'
)


def test_what_fits_is_given() -> None:
    assert BODY["text"].text() == BODY["text"].words() == BODY["text"].maybe() == "hi"
    assert BODY["empty"].text() == BODY["null"].maybe() == BODY["missing"].maybe() == ""
    assert BODY["int"].count(3) == BODY["int"].number() == 3
    assert BODY["float"].number() == 1.5
    assert BODY["list"].only()["a"].count() == 1
    assert [item.path for item in BODY["two"].items()] == ["two[0]", "two[1]"]
    assert "null" in BODY
    assert "missing" not in BODY
    BODY["int"].equals(2, 3)
    BODY["missing"].equals(UNSET)
    BODY["null"].present()
    BODY["missing"].absent()
    for name in ("empty", "null", "missing"):
        BODY[name].blank()


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (lambda: BODY["text"]["a"], 'text: expected an object, got "hi"'),
        (lambda: BODY["text"].items(), 'text: expected an array, got "hi"'),
        (lambda: BODY["two"].only(), "two: expected one item, got [1,2]"),
        (lambda: BODY["list"].only()["a"].text(), "list[0].a: expected a string, got 1"),
        (lambda: BODY["object"]["a"].text(), "object.a: expected a string, got nothing"),
        (lambda: BODY["empty"].words(), 'empty: expected a string that is not empty, got ""'),
        (lambda: BODY["int"].maybe(), "int: expected a string, got 3"),
        (lambda: BODY["int"].count(4), "int: expected an integer >= 4, got 3"),
        (lambda: BODY["true"].count(), "true: expected an integer >= 0, got true"),
        (lambda: BODY["float"].count(), "float: expected an integer >= 0, got 1.5"),
        (lambda: BODY["true"].number(), "true: expected a number, got true"),
        (lambda: BODY["text"].number(), 'text: expected a number, got "hi"'),
        (lambda: BODY["true"].equals(1), "true: expected 1, got true"),
        (lambda: BODY["text"].equals("ho", None), 'text: expected "ho" or null, got "hi"'),
        (lambda: BODY["missing"].present(), "missing: expected a value, or null, got nothing"),
        (lambda: BODY["null"].absent(), "null: expected nothing, got null"),
        (lambda: BODY["int"].blank(), "int: expected nothing, got 3"),
        (lambda: Field("", []).members(), "body: expected an object, got []"),
        (lambda: read_json(b"<html>"), 'body: expected JSON, got "<html>"'),
        (lambda: read_json(b'"\xff"', "lines[1]"), 'lines[1]: expected JSON, got "\\"�\\""'),
    ],
)
def test_what_does_not_fit_is_told(look: Callable[[], object], told: str) -> None:
    with pytest.raises(Mismatch) as caught:
        look()
    assert str(caught.value) == told


def test_what_says_nothing_is_left_out() -> None:
    assert choose(a=1, b=None, c="", d=False, e=0, f=[]) == {"a": 1}


def test_a_long_value_is_told_in_part() -> None:
    assert show("a" * 200) == f'"{"a" * 99}…'
