"""The table of simulated models."""

from __future__ import annotations

from dragoman.testing.simulator.faults import FAULTS
from dragoman.testing.simulator.models import MODELS


def test_every_model_says_in_one_line_what_it_does() -> None:
    assert all(name == model.id and 0 < len(model.about) < 100 for name, model in MODELS.items())


def test_every_fault_is_known_and_used() -> None:
    assert {model.fault for model in MODELS.values() if model.fault} == FAULTS


def test_a_model_goes_wrong_in_one_way_only() -> None:
    assert all(sum(map(bool, (model.status, model.failures, model.fault))) <= 1 for model in MODELS.values())


def test_the_catalogue_tells_what_a_model_can() -> None:
    can = {name: model.can for name, model in MODELS.items()}
    assert (can["instant"].tools, can["instant"].vision, can["instant"].thinking) == (True, True, False)
    assert (can["text-only"].tools, can["text-only"].vision, can["text-only"].embedding) == (False, False, False)
    assert (can["embed"].embedding, can["embed"].embedding_length) == (True, 64)
    assert {name for name, model in MODELS.items() if model.can.thinking} == {
        name for name, model in MODELS.items() if model.thinks
    }
