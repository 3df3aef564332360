"""Chance that repeats: the same seed and words draw the same number on every machine and in every run."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def digest(seed: int, *words: str | bytes) -> bytes:
    """Return 12 bytes that depend on `seed` and all `words`."""
    state = blake2b(str(seed).encode(), digest_size=12)
    for word in words:
        data = word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "big") + data)
    return state.digest()


def draw(seed: int, *words: str, below: int) -> int:
    """Return a number from 0 to `below` - 1."""
    return int.from_bytes(digest(seed, *words), "big") % below


def pick(seed: int, *words: str, among: Sequence[T]) -> T:
    """Return one of `among`."""
    return among[draw(seed, *words, below=len(among))]
