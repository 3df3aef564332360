"""Moderation: a text is judged by its words, each of which stands for a category."""

from __future__ import annotations

import re

from msgspec import Struct

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""Source: OpenAI OpenAPI 2.3.0, 2026."""
FLAGGED = 0.5
"""The score from which on a category counts."""
_PICTURES = frozenset(
    {"self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence", "violence/graphic"}
)
"""Categories for which pictures are looked at, too."""
_WORDS = {
    "violence": "kill murder stab shoot attack punch",
    "violence/graphic": "gore dismember mutilate",
    "harassment": "idiot stupid loser pathetic",
    "harassment/threatening": "threaten beware",
    "hate": "vermin subhuman",
    "hate/threatening": "exterminate",
    "illicit": "steal smuggle counterfeit launder",
    "illicit/violent": "bomb explosive",
    "self-harm": "suicide",
    "self-harm/intent": "overdose",
    "sexual": "porn nude",
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in words.split()}
_WORD = re.compile(r"[a-z]+")
_CLEAN = 0.0001


class Verdict(Struct, frozen=True):
    """The judgement of one input."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]


def judge_text(text: str, *, pictures: bool) -> Verdict:
    """Return the verdict on a text, and on pictures beside it, in which nothing bad is ever seen.

    One bad word scores 0.75, and each one more halves what is missing to 1.
    """
    hits: dict[str, int] = {name: 0 for name in CATEGORIES}  # noqa: C420
    for word in _WORD.findall(text.lower()):
        if word in _CATEGORY:
            hits[_CATEGORY[word]] += 1
    scores = {name: 1 - 0.5 ** (count + 1) if count else _CLEAN for name, count in hits.items()}
    flags = {name: score >= FLAGGED for name, score in scores.items()}
    types = ["text", "image"] if pictures else ["text"]
    applied = {name: types if name in _PICTURES else ["text"] for name in CATEGORIES}
    return Verdict(any(flags.values()), flags, scores, applied)
