"""How many may be inside."""

import pytest

from dragoman.core.call import Caller
from dragoman.core.errors import Overloaded
from dragoman.server.gate import Gate

APP, OTHER, ANYBODY = Caller("app"), Caller("other"), Caller("")


def refuses(gate: Gate, caller: Caller) -> bool:
    try:
        gate.enter(caller)
    except Overloaded:
        return True
    gate.leave(caller)
    return False


def test_over_the_limit_nobody_enters() -> None:
    gate = Gate(2, 9)
    gate.enter(APP)
    gate.enter(OTHER)
    assert gate.count == 2
    assert refuses(gate, APP)
    assert refuses(gate, Caller("third"))
    gate.leave(OTHER)
    assert not refuses(gate, APP)


def test_who_is_turned_away_is_told_when_to_come_back() -> None:
    gate = Gate(1, 1)
    gate.enter(APP)
    with pytest.raises(Overloaded) as caught:
        gate.enter(OTHER)
    assert (caught.value.code, caught.value.retry_after) == ("server_overloaded", 1)
    assert gate.count == 1


def test_each_key_has_a_limit_of_its_own() -> None:
    gate = Gate(9, 1)
    gate.enter(APP)
    assert refuses(gate, APP)
    assert not refuses(gate, OTHER)
    gate.leave(APP)
    assert not refuses(gate, APP)


def test_who_has_no_key_shares_only_the_limit_of_all() -> None:
    gate = Gate(3, 1)
    for _ in range(3):
        gate.enter(ANYBODY)
    assert refuses(gate, ANYBODY)


def test_whoever_leaves_is_forgotten() -> None:
    gate = Gate(3, 3)
    for _ in range(2):
        gate.enter(APP)
    for _ in range(2):
        gate.leave(APP)
    assert gate.count == 0
    with pytest.raises(KeyError):
        gate.leave(APP)
