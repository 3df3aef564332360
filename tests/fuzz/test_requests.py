"""Whatever a client sends: it is understood, can be passed on and answered, or is refused as the client's fault."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.dialects import INBOUND
from tests.fuzz.asking import is_valid, see_request
from tests.fuzz.mutate import spoil_bytes, spoil_json
from tests.fuzz.seeds import ASKS, Seed
from tests.schema import mismatches

CHANCE = st.randoms(use_true_random=False)
DIALECTS = sorted(INBOUND)


def test_the_seeds_hold_every_dialect() -> None:
    assert {seed.dialect for seed in ASKS} == set(INBOUND)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_asked_rightly_is_passed_on_rightly(dialect: str) -> None:
    for seed in ASKS:
        if seed.dialect == dialect:
            for composed in see_request(dialect, seed.body, seed.kind):
                assert mismatches("CreateChatCompletionRequest", composed) == [], (seed.body, composed)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150)
@given(chance=CHANCE)
def test_a_hostile_request_is_understood_or_refused(dialect: str, chance: Random) -> None:
    seed = chance.choice([seed for seed in ASKS if seed.dialect == dialect])
    mark = b"\r\n" if seed.kind.startswith("multipart/") else b","
    see_request(dialect, spoil_bytes(seed.body, chance, mark), seed.kind)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=250)
@given(chance=CHANCE)
def test_an_odd_request_is_understood_or_refused(dialect: str, chance: Random) -> None:
    seed = chance.choice([seed for seed in ASKS if seed.dialect == dialect])
    body = spoil_json(seed.body, chance)
    if not is_json(body):
        return
    right = is_valid(dialect, body)
    for composed in see_request(dialect, body, seed.kind):
        if right:
            assert mismatches("CreateChatCompletionRequest", composed) == []


def is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return True


@settings(max_examples=150)
@given(chance=CHANCE, kind=st.text(alphabet='multipart/fordaby=";,b \r\n\x00é', max_size=50))
def test_a_form_of_any_type_is_read_or_refused(chance: Random, kind: str) -> None:
    seed: Seed = chance.choice([seed for seed in ASKS if seed.kind.startswith("multipart/")])
    see_request(seed.dialect, spoil_bytes(seed.body, chance, b"\r\n"), f"multipart/{kind}")
