"""What somebody may have meant who asked for a model that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from heapq import nlargest

MAX_COMPARED = 300
"""Names that are compared letter by letter: a list of ten thousand must not hold up everybody else."""
MAX_LENGTH = 80
"""Characters of a name that may be a misspelt one."""
_WORD = re.compile(r"[a-z]+|[0-9]+")
_CLOSE = 0.6


def suggest(wanted: str, names: Iterable[str]) -> str:
    """Return the name most like `wanted`, empty when none is: first by the words in it, then letter by letter."""
    from difflib import SequenceMatcher  # only a mistake needs it

    if len(wanted) > MAX_LENGTH:
        return ""
    words = _words(wanted)
    matcher = SequenceMatcher(b=wanted.lower())
    best, closest = "", _CLOSE
    for name in nlargest(MAX_COMPARED, names, key=lambda name: len(words & _words(name))):
        matcher.set_seq1(name.lower())
        if matcher.real_quick_ratio() > closest and matcher.quick_ratio() > closest and matcher.ratio() > closest:
            best, closest = name, matcher.ratio()
    return best


@lru_cache(maxsize=32_768)
def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name[:MAX_LENGTH].lower()))
