"""Token counts by the vocabularies of the `tokens` extra, which lie in its wheel: nothing is fetched.

Measured (bpe-openai 0.1.4): 1 kB of prose takes 0.1 ms, 100 kB 4-6 ms, 10 MB 0.3-0.6 s, all of it under the lock of
the interpreter, so a thread would free nobody: whoever counts much cuts it in pieces (`core.count.cut_text`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Protocol

from dragoman.core.count import Count, Counter

EXTRA = "bpe_openai"
USUAL = "o200k_base"
"""The vocabulary of OpenAI's models since GPT-4o, and the stand-in for all others, whose own nobody ships."""
_OTHERS = (
    (re.compile(r"gpt-?4(?![\w.])|gpt-?3\.?5|text-embedding-(3|ada-002)"), "cl100k_base"),
    (re.compile(r"voyage-3(?![\w.])"), "voyage3_base"),
)
"""What a model's name begins with → its vocabulary. Source: bpe-openai 0.1.4, `compat`."""


class Vocabulary(Protocol):
    """The one thing we need of a vocabulary."""

    def count(self, text: str, /) -> int:
        """Return the tokens of a text; raises `UnicodeEncodeError` for half a surrogate pair."""
        ...


def find_counter(extra: str = EXTRA) -> Counter | None:
    """Return what counts by vocabularies, None where the extra is not installed.

    Loads the usual vocabulary at once, so that no call waits for it (90 ms, 70 MB); others when they are first needed.
    """
    make = _find_maker(extra)
    if make is None:
        return None
    make(USUAL)

    def counter(model: str) -> Count:
        return partial(_count, make(name_vocabulary(model)))

    return counter


def name_vocabulary(model: str) -> str:
    """Return the vocabulary for a model, by its name, before which its upstream's may stand."""
    name = model.rpartition("/")[2].lower()
    return next((vocabulary for begin, vocabulary in _OTHERS if begin.match(name)), USUAL)


def _find_maker(extra: str) -> Callable[[str], Vocabulary] | None:
    """Return what loads a vocabulary, once for all who ask.

    The package around the compiled module is passed by: it would decode every vocabulary a second time, into Python
    objects (measured: 0.5 s and 72 MB instead of 10 ms and 1.5 MB), and refuses texts of a million characters.
    """
    package = find_spec(extra)
    bindings = package and PathFinder.find_spec(f"{extra}._bindings", package.submodule_search_locations)
    if not bindings or bindings.loader is None:
        return None
    module = module_from_spec(bindings)
    bindings.loader.exec_module(module)
    make: Callable[[str], Vocabulary] = module.tokenizer_for_encoding
    return make


def _count(vocabulary: Vocabulary, text: str) -> int:
    try:
        return vocabulary.count(text)
    except UnicodeEncodeError:
        return vocabulary.count(text.encode("utf-8", "replace").decode())
