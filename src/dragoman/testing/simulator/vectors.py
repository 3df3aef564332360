"""Vectors: of length one, the same for the same text, and near each other for texts that share words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from dragoman.testing.simulator.chance import digest

DIMENSIONS = 64
"""Numbers of a vector, where the request does not say."""
_WORD = re.compile(r"\w+")
_TOUCHED = 4
"""Numbers that each word adds to."""


def embed(text: str | Sequence[int], dimensions: int, seed: int) -> list[float]:
    """Return the vector of a text, or of its tokens."""
    words = _WORD.findall(text.lower()) if isinstance(text, str) else [str(token) for token in text]
    vector = [0.0] * dimensions
    for word in words or [str(text)]:
        drawn = digest(seed, word)
        for number in range(_TOUCHED):
            at = int.from_bytes(drawn[3 * number : 3 * number + 2], "big") % dimensions
            vector[at] += 1.0 if drawn[3 * number + 2] & 1 else -1.0
    length = math.hypot(*vector)
    if not length:  # its words cancel each other out
        vector[0] = length = 1.0
    return [value / length for value in vector]
