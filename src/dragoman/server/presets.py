"""Names that come along with the gateway: what people call a family of models, and which of them is meant.

A name stands for the first of its candidates that an upstream lists, so that it means the strongest model which the
operator really has, and the same one until a catalogue changes. Nothing is guessed from how names look: a candidate is
listed when its spelling is, and all that may differ is the case, a dot for a dash, an owner before a slash, and a date.
Sources of the models' names: Poe's catalogue, DashScope's, Google's, Groq's, Mistral's and Ollama's lists, 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model

Candidates = Mapping[str, Sequence[str]]
"""A name → the models that it may stand for, the first that is listed first."""

PRESETS: Mapping[str, Candidates] = {
    "short_names": {
        "claude": (
            "claude-opus-4.8",
            "claude-opus-4.7",
            "claude-opus-4.6",
            "claude-sonnet-4.6",
            "claude-opus-4.5",
            "claude-sonnet-4.5",
            "claude-opus-4.1",
            "claude-opus-4",
            "claude-sonnet-4",
            "claude-haiku-4.5",
        ),
        "gpt": (
            "gpt-5.5",
            "gpt-5.4",
            "gpt-5.2",
            "gpt-5.1",
            "gpt-5",
            "gpt-5.4-mini",
            "gpt-5-mini",
            "gpt-4.1",
            "gpt-4o",
            "gpt-4.1-mini",
            "gpt-4o-mini",
        ),
        "gemini": (
            "gemini-3.1-pro",
            "gemini-3.1-pro-preview",
            "gemini-2.5-pro",
            "gemini-3.5-flash",
            "gemini-3-flash",
            "gemini-2.5-flash",
        ),
        "grok": ("grok-4.1-fast-reasoning", "grok-4", "grok-4.1-fast-non-reasoning"),
        "llama": (
            "llama-3.1-405b",
            "llama-4-maverick",
            "llama-4-maverick-t",
            "llama-3.3-70b",
            "llama-3.3-70b-instruct",
            "llama-3.3-70b-versatile",
            "llama3.3",
            "llama3.2",
            "llama3.1",
        ),
        "qwen": (
            "qwen3-max",
            "qwen3.5-397b-a17b",
            "qwen-max",
            "qwen3-coder-next",
            "qwen-plus",
            "qwen-turbo",
            "qwen3",
            "qwen2.5",
        ),
        "deepseek": ("deepseek-v3.2", "deepseek-chat", "deepseek-r1", "deepseek-reasoner"),
        "kimi": ("kimi-k2.5", "kimi-k2.5-fw"),
        "mistral": ("mistral-large-latest", "mistral-medium-latest", "mistral-small-latest", "mistral"),
    },
}
"""By the name that switches them on."""
_DATE = re.compile(r"-20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$")


def join_presets(names: Sequence[str]) -> Candidates:
    """Return the names of these presets, each a key of `PRESETS`."""
    return {name: candidates for preset in names for name, candidates in PRESETS[preset].items()}


def spell_alike(model: str) -> str:
    """Return what is the same for all spellings of a model: ``anthropic/claude-opus-4-8-20260301`` is the first above.

    OpenRouter and Gemini write an owner before a slash, Anthropic dashes for dots and dates at the end, and Poe writes
    whatever case its bots were given.
    """
    name = model.rpartition("/")[2].lower().removesuffix(":latest")
    return _DATE.sub("", name).replace(".", "-")


class _Shelf(Struct):
    """What a catalogue listed when it was last looked at."""

    listed: list[Model]
    spellings: dict[str, str]


class ShortNames:
    """Finds what a short name stands for at the moment."""

    def __init__(self, candidates: Candidates, catalogues: Mapping[str, Catalogue]) -> None:
        """`catalogues` are those of the upstreams, by their names; of two that list a candidate the first is asked."""
        self._candidates = {name: [spell_alike(model) for model in models] for name, models in candidates.items()}
        self._catalogues = catalogues
        self._shelves = {name: _Shelf([], {}) for name in catalogues}

    def names(self) -> list[str]:
        """Return the short names, whether they stand for something or not."""
        return list(self._candidates)

    def find(self, name: str) -> tuple[str, str] | None:
        """Return the upstream of the model that `name` stands for, and what it calls it."""
        for candidate in self._candidates.get(name, ()):
            for upstream, catalogue in self._catalogues.items():
                if model := self._spellings(upstream, catalogue).get(candidate):
                    return upstream, model
        return None

    def _spellings(self, upstream: str, catalogue: Catalogue) -> dict[str, str]:
        """Return the models of a catalogue by their spellings; made anew only when the list has changed."""
        listed, shelf = catalogue.models(), self._shelves[upstream]
        if listed != shelf.listed:
            shelf.spellings = {spell_alike(model.id): model.id for model in reversed(listed)}
            shelf.listed = listed
        return shelf.spellings
