"""The text for a custom tool, out of arguments that come in pieces."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.openai_responses.free_text import FreeText

TEXTS = ["", "plain", 'a "quoted"\n\\ line', "é€😀\x01", "\\u00e9 not an escape", "ends in \\", '}"', "/ slash"]


def pieces(arguments: str, size: int) -> tuple[list[str], str]:
    """Feed `arguments` in pieces; return what was told as they came, and the whole."""
    text = FreeText()
    told = [text.feed(arguments[at : at + size]) for at in range(0, len(arguments), size)]
    rest, whole = text.end()
    return [*told, rest], whole


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("form", ['{{"input":{}}}', ' {{ "input" : {} }} ', '{{"input":{},"more":1}}'])
def test_the_pieces_make_the_text_however_they_are_cut(text: str, form: str, size: int) -> None:
    for quoted in (msgspec.json.encode(text).decode(), escape(text)):
        told, whole = pieces(form.format(quoted), size)
        assert whole == text
        assert "".join(told) == text


def escape(text: str) -> str:
    """Write every character as an escape, those above U+FFFF as two."""
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'


def test_the_text_is_told_before_it_is_whole() -> None:
    text = FreeText()
    assert [text.feed(piece) for piece in ('{"inp', 'ut":"ab', "c\\", "nd", '"}')] == ["", "ab", "c", "\nd", ""]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ('{"first":1,"input":"late"}', "late"),
        ('{"other":"x"}', '{"other":"x"}'),
        ("no JSON", "no JSON"),
        ("", ""),
        ('{"input":"cut', "cut"),
        ('{"input":"one","input":"two"}', "one"),
        ('{"input":"one","input":"one more"}', "one more"),
    ],
)
def test_arguments_of_another_form_lose_nothing(arguments: str, whole: str, size: int) -> None:
    told, said = pieces(arguments, size)
    assert said == whole
    assert "".join(told) == whole


def test_a_text_that_is_no_json_is_told_as_far_as_it_was() -> None:
    told, whole = pieces('{"input":"ab\\xcd"}', 1)
    assert "".join(told) == whole == "ab"
