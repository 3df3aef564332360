"""JSON in ASCII."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.ollama.ascii import write_line, write_text

TEXTS = ["", "plain", 'a "quote" and a \\', "tab\tand\nline\x00", "a\u2028b\u2029c\u0085d", "Привет", "你好 😀"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_ascii_and_says_the_same(text: str) -> None:
    written = write_text(text)
    assert written.isascii()
    assert msgspec.json.decode(written) == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_is_one_line_for_whoever_splits_it(text: str) -> None:
    line = write_line({"text": text, text + "!": [text, 1]})
    assert line.isascii()
    assert line.decode().splitlines(keepends=True) == [line.decode()]
    assert msgspec.json.decode(line) == {"text": text, text + "!": [text, 1]}
