"""Reasoning in the text of a bot, told from its answer wherever the text is cut."""

import pytest

from dragoman.wire.thoughts import Thoughts

QUOTED = "*Thinking...*\n\n> It is so.\n>\n> Or not.\n\nBecause.\n> A quotation"
CASES = [
    (QUOTED, "It is so.\n\nOr not.", "Because.\n> A quotation"),
    ("Thinking...\n> a\n> b\nc", "a\nb", "c"),
    (" \n*Thinking...* \r\n\r\n>a\r\n\r\n  c", "a\r", "  c"),
    ("*Thinking...*\n> a\n\n\n> b", "a\n\n\nb", ""),
    ("*Thinking...*\n>", "", ""),
    ("*Thinking...*\n> a\n>", "a", ""),
    ("*Thinking...*\n> a\n\n ", "a", ""),
    ("*Thinking...*", "", "*Thinking...*"),
    ("*Thinking...*\n\n", "", "*Thinking...*\n\n"),
    ("*Thinking...*\nHello", "", "*Thinking...*\nHello"),
    ("*Thinking...* > a", "", "*Thinking...* > a"),
    ("Thinking... about it\n> a", "", "Thinking... about it\n> a"),
    ("> A quotation\n\nHello", "", "> A quotation\n\nHello"),
    ("Hello\n*Thinking...*\n> a", "", "Hello\n*Thinking...*\n> a"),
    ("*Think", "", "*Think"),
    ("", "", ""),
    (" ", "", " "),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("text", "thought", "said"), CASES)
def test_thoughts_are_told_from_what_is_said_at_every_cut(text: str, thought: str, said: str, size: int) -> None:
    thoughts, heard = Thoughts(), ["", ""]
    for at in range(0, len(text), size):
        pieces = thoughts.feed(text[at : at + size])
        assert not (heard[1] and pieces[0]), "nothing is thought once something was said"
        heard = [heard[0] + pieces[0], heard[1] + pieces[1]]
    rest = thoughts.rest()
    assert [heard[0], heard[1] + rest] == [thought, said]
    assert thoughts.settled


def test_an_ordinary_text_is_told_at_once() -> None:
    thoughts = Thoughts()
    assert thoughts.feed("Hello") == ("", "Hello")
    assert thoughts.settled
    assert thoughts.feed("*Thinking...*\n> a") == ("", "*Thinking...*\n> a")


def test_a_thought_is_told_while_it_is_thought() -> None:
    thoughts = Thoughts()
    assert thoughts.feed("*Thinking...*\n\n> It") == ("It", "")
    assert thoughts.feed(" is") == (" is", "")
    assert not thoughts.settled
