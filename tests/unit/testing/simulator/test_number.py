"""Numbers within bounds."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.testing.simulator.number import number_for
from dragoman.testing.simulator.schema import Node

BOUNDS = st.integers(-1000, 1000)


@pytest.mark.parametrize(
    ("node", "number"),
    [
        ({}, 1),
        ({"minimum": 5}, 5),
        ({"exclusiveMinimum": 5}, 6),
        ({"maximum": -5}, -5),
        ({"exclusiveMaximum": 0.5}, 0),
        ({"multipleOf": 7}, 7),
        ({"multipleOf": 5, "exclusiveMinimum": 0, "exclusiveMaximum": 6}, 5),
        ({"multipleOf": 2.5}, 5),
        ({"minimum": True}, 1),
        ({"minimum": 10**20}, 1),
    ],
)
def test_a_whole_number_near_one_is_chosen(node: Node, number: int) -> None:
    assert number_for(node, None, whole=True) == number


@pytest.mark.parametrize(
    ("node", "number"),
    [({}, 1), ({"multipleOf": 0.1, "exclusiveMinimum": 0, "exclusiveMaximum": 0.2}, 0.1), ({"maximum": 0.5}, 0.5)],
)
def test_a_number_near_one_is_chosen(node: Node, number: float) -> None:
    assert number_for(node, None, whole=False) == number


def test_the_number_told_is_taken_only_when_it_is_allowed() -> None:
    assert number_for({"minimum": 0}, 3, whole=True) == 3
    assert number_for({"minimum": 4}, 3, whole=True) == 4
    assert number_for({"multipleOf": 0.5}, 2.5, whole=False) == 2.5
    assert number_for({"multipleOf": 0.5}, 2.3, whole=False) == 1


@given(low=BOUNDS, room=st.integers(0, 50), whole=st.booleans(), exclusive=st.booleans())
def test_every_satisfiable_range_is_met(low: int, room: int, *, whole: bool, exclusive: bool) -> None:
    names = ("exclusiveMinimum", "exclusiveMaximum") if exclusive else ("minimum", "maximum")
    node: Node = {"type": "integer" if whole else "number", names[0]: low, names[1]: low + room + 2 * exclusive}
    assert jsonschema_rs.is_valid(node, number_for(node, None, whole=whole))
