"""Names that come along: what each stands for, from nothing but what is listed."""

import pytest

from dragoman.server.presets import PRESETS, ShortNames, join_presets, spell_alike
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model

CANDIDATES = {"claude": ("claude-opus-4.8", "claude-sonnet-4.6"), "gpt": ("gpt-5",)}


def listing(*models: str) -> Catalogue:
    return Catalogue([Model(model) for model in models])


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4.8",
        "Claude-Opus-4.8",
        "claude-opus-4-8",
        "anthropic/claude-opus-4.8",
        "claude-opus-4-8-20260301",
        "claude-opus-4-8-2026-03-01",
        "claude-opus-4.8:latest",
    ],
)
def test_a_model_is_known_by_all_its_spellings(model: str) -> None:
    assert spell_alike(model) == spell_alike("claude-opus-4.8")
    assert ShortNames(CANDIDATES, {"lab": listing("gpt-5", model)}).find("claude") == ("lab", model)


@pytest.mark.parametrize(
    "model", ["claude-opus-4.80", "claude-opus-4.8-thinking", "claude-opus-4", "opus-4.8", "claude-opus-4.8-2026"]
)
def test_another_model_is_not_taken_for_it(model: str) -> None:
    assert ShortNames(CANDIDATES, {"lab": listing(model)}).find("claude") is None


def test_the_first_candidate_that_is_listed_counts_and_then_the_first_upstream() -> None:
    poe, lab = listing("claude-sonnet-4.6"), listing("x/claude-opus-4.8", "claude-opus-4.8", "claude-sonnet-4.6")
    assert ShortNames(CANDIDATES, {"poe": poe, "lab": lab}).find("claude") == ("lab", "x/claude-opus-4.8")
    assert ShortNames(CANDIDATES, {"poe": poe, "two": poe}).find("claude") == ("poe", "claude-sonnet-4.6")


def test_a_name_follows_the_catalogue() -> None:
    catalogue = Catalogue()
    names = ShortNames(CANDIDATES, {"lab": catalogue})
    assert names.find("claude") is None
    catalogue.replace([Model("claude-sonnet-4.6")])
    assert names.find("claude") == ("lab", "claude-sonnet-4.6")
    catalogue.replace([Model("claude-sonnet-4.6"), Model("Claude-Opus-4.8")])
    assert names.find("claude") == ("lab", "Claude-Opus-4.8")


def test_what_is_no_short_name_stands_for_nothing() -> None:
    names = ShortNames(CANDIDATES, {"lab": listing("gpt-5")})
    assert names.names() == ["claude", "gpt"]
    assert (names.find("gpt"), names.find("gpt-5"), names.find("")) == (("lab", "gpt-5"), None, None)


def test_no_preset_gives_no_name() -> None:
    assert join_presets(()) == {}
    assert join_presets(("short_names",)) == PRESETS["short_names"]


@pytest.mark.parametrize("name", PRESETS["short_names"])
def test_the_candidates_of_a_name_are_apart_from_each_other(name: str) -> None:
    spellings = [spell_alike(model) for model in PRESETS["short_names"][name]]
    assert len(set(spellings)) == len(spellings) > 0
    assert all(spell_alike(name) in spelling for spelling in spellings)
