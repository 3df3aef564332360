"""Values taken from a user's words."""

from __future__ import annotations

import pytest

from dragoman.testing.simulator.hints import Hints, is_place


def test_numbers_are_handed_out_in_order_and_once() -> None:
    hints = Hints("Add 3, 4.5 and -7 to magic_function(12), not to v2 or x3")
    assert [hints.number(whole=True), hints.number(whole=False), hints.number(whole=True)] == [3, 4.5, -7]
    assert [hints.number(whole=True), hints.number(whole=True)] == [12, None]


def test_a_whole_number_passes_over_fractions() -> None:
    hints = Hints("between 0.5 and 2")
    assert hints.number(whole=True) == 2
    assert hints.number(whole=False) == 0.5


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("email", "ada@example.com"),
        ("uri", "https://example.com/a?b=1"),
        ("uuid", "6f1c2d0a-93b4-4c1e-8a75-2b9d3e4f5a60"),
        ("date", "2026-05-17"),
        ("date-time", "2026-05-17T10:00:00Z"),
    ],
)
def test_formatted_texts_are_found_and_hold_no_numbers(form: str, text: str) -> None:
    hints = Hints(f"Use {text}, please.")
    assert hints.formatted(form) == text
    assert hints.number(whole=True) is None
    assert Hints("nothing").formatted(form) is None
    assert hints.formatted("unheard-of") is None


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        ("What is the weather in San Francisco, CA?", "location", "San Francisco, CA"),
        ("What is the weather in Paris?", "city", "Paris"),
        ("Turn on the light in the kitchen", "room", "kitchen"),
        ("Weather for 'New Delhi'", "city", "New Delhi"),
        ("Create a customer named '你好啊集团' (Hello Group)", "customer_name", "你好啊集团"),
        ("Look up (Hello Group) please", "name", "Hello Group"),
        ("Using the tool, generate a Pirate greeting.", "answer_style", "Pirate"),
        ("Find news about cats", "query", "Find news about cats"),
        ("What is 12 * (3 + 4)?", "expression", "12 * (3 + 4)"),
        ("Write to ada@example.com", "emailAddress", "ada@example.com"),
        ("Read https://example.com/x.", "url", "https://example.com/x"),
        ("On 2026-05-17 then", "start_date", "2026-05-17"),
        ("nothing here", "name", None),
        ("nothing here", "city", None),
        ("", "query", None),
    ],
)
def test_a_field_takes_what_suits_its_name(asked: str, field: str, value: str | None) -> None:
    assert Hints(asked).string(field) == value


def test_two_places_go_to_two_fields() -> None:
    hints = Hints("Book a flight from Paris to Tokyo for Ada Lovelace")
    assert [hints.string("origin"), hints.string("destination")] == ["Paris", "Tokyo"]
    assert hints.string("passenger") == "Ada Lovelace"


def test_what_was_a_name_is_no_place_any_more() -> None:
    hints = Hints("a letter for Paris")
    assert hints.string("name") == "Paris"
    assert hints.string("city") is None


def test_places_are_told_once_each() -> None:
    assert Hints("the weather in Paris and Tokyo and in Paris").places == ["Paris", "Tokyo"]


def test_the_value_mentioned_first_wins() -> None:
    assert Hints("in Fahrenheit, not celsius").mentioned(["celsius", "fahrenheit"]) == "fahrenheit"
    assert Hints("cats").mentioned(["c", ""]) is None


def test_keys_are_quoted_words() -> None:
    assert Hints("JSON with 'setup' and \"punch_line\" keys, not 'two words'").keys() == ["setup", "punch_line"]


def test_a_field_may_be_a_place() -> None:
    assert is_place("destinationCity")
    assert not is_place("velocity")
