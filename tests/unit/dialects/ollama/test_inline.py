"""Thoughts between tags."""

from __future__ import annotations

import pytest

from dragoman.dialects.ollama.inline import Inline


def split(*pieces: str) -> tuple[str, str]:
    """What is thought and what is said, when the text comes in these pieces."""
    inline = Inline()
    parts = [("", piece) if inline.settled else inline.split(piece) for piece in pieces]
    if not inline.settled:
        parts.append(inline.rest())
    return "".join(thought for thought, _ in parts), "".join(said for _, said in parts)


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("Hello", "", "Hello"),
        ("\n Hello", "", "\n Hello"),
        ("", "", ""),
        (" ", "", " "),
        ("<think>Hm</think>\n\nHello </think>", "Hm", "Hello </think>"),
        ("\n<think>\nHm, a </thing></think>Hello", "\nHm, a </thing>", "Hello"),
        ("<think></think>Hello", "", "Hello"),
        ("<think>Hm</think> \n", "Hm", ""),
        ("<think>Hm</thin", "Hm</thin", ""),
        ("<thin", "", "<thin"),
        ("<thinking>Hm</thinking>", "", "<thinking>Hm</thinking>"),
        ("Say <think>this</think>", "", "Say <think>this</think>"),
    ],
)
def test_thoughts_are_told_from_text_at_every_cut(text: str, thought: str, said: str) -> None:
    assert split(*text) == (thought, said)
    for at in range(len(text)):
        assert split(text[:at], text[at:]) == (thought, said)


def test_nothing_is_held_back_that_is_no_tag() -> None:
    inline = Inline()
    assert inline.split("<") == ("", "")
    assert not inline.settled
    assert inline.split("b>") == ("", "<b>")
    assert inline.settled


def test_a_thought_is_told_as_it_comes() -> None:
    inline = Inline()
    assert inline.split("<think>Hm") == ("Hm", "")
    assert inline.split(", a <") == (", a ", "")
    assert inline.split("b></think>\n") == ("<b>", "")
    assert inline.split("\nYes") == ("", "Yes")
