"""Counting by the vocabularies of the extra; what OpenAI itself counts is from its cookbook, "How to count tokens"."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dragoman.core.count import PIECE, Counter, cut_text
from dragoman.observe.tokens import USUAL, find_counter, name_vocabulary


@pytest.fixture(scope="module")
def counter() -> Counter:
    found = find_counter()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("", 0, 0),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
    ],
)
def test_a_text_has_the_tokens_that_openai_counts(counter: Counter, text: str, cl100k: int, o200k: int) -> None:
    assert (counter("gpt-4")(text), counter("gpt-4o")(text)) == (cl100k, o200k)


def test_text_that_names_a_special_token_is_text(counter: Counter) -> None:
    assert counter("gpt-4o")("<|endoftext|>") > 1


def test_half_a_pair_counts_as_a_question_mark(counter: Counter) -> None:
    assert counter("m")("a \ud800 b") == counter("m")("a ? b")


def test_pieces_have_the_tokens_of_the_whole(counter: Counter) -> None:
    count, text = counter("m"), "It's 12,345 well-known words:\n\n  def f(x): return 'naïve' # 深圳市  \r\n" * 2000
    pieces = list(cut_text(text))
    assert len(pieces) > len(text) // PIECE > 10
    assert sum(map(count, pieces)) == count(text)


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-4", "cl100k_base"),
        ("openai/gpt-4-0613", "cl100k_base"),
        ("poe/GPT-4-Turbo", "cl100k_base"),
        ("gpt-3.5-turbo:latest", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("openrouter/openai/gpt-4", "cl100k_base"),
        ("voyage-3", "voyage3_base"),
        ("voyage-3.5", USUAL),
        ("gpt-4o-mini", USUAL),
        ("gpt-4.1", USUAL),
        ("gpt-45", USUAL),
        ("gpt-5", USUAL),
        ("Claude-Opus-4.8", USUAL),
        ("", USUAL),
    ],
)
def test_a_models_name_tells_its_vocabulary(counter: Counter, model: str, vocabulary: str) -> None:
    assert name_vocabulary(model) == vocabulary
    assert counter(model)("hello world") > 0


@pytest.mark.parametrize("extra", ["no_such_extra", "msgspec"])
def test_without_the_extra_nobody_counts(extra: str) -> None:
    assert find_counter(extra) is None


def test_the_package_around_the_vocabularies_is_not_loaded() -> None:
    script = (
        "import sys; from dragoman.observe.tokens import find_counter as f; f(); print('bpe_openai' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "False"
