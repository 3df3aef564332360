"""Accounts: what a key says of its owner, and what is taken from it."""

import pytest

from dragoman.testing.simulator.poe import account as subject
from dragoman.testing.simulator.poe.account import Accounts, Switches, read_switches
from dragoman.testing.simulator.poe.refusal import Refused


def accounts() -> Accounts:
    return Accounts(3, lambda: 1000)


def test_a_plain_key_has_the_usual_account() -> None:
    assert read_switches("anything") == Switches(limit=500, balance=1_000_000)


def test_a_key_says_how_it_is_treated() -> None:
    switches = read_switches("any;limit=3;balance=0;legacy;unknown=400;no-images;deaf")
    assert switches == Switches(3, 0, legacy=True, unknown=400, no_images=True, deaf=True)


@pytest.mark.parametrize("key", ["", "bad", "bad-key", ";limit=3", "any;limit=many"])
def test_a_wrong_key_is_refused(key: str) -> None:
    with pytest.raises(Refused) as refused:
        read_switches(key)
    assert refused.value.status == 401


@pytest.mark.parametrize("header", ["", "Basic key", "key", "Bearer "])
def test_a_key_is_borne(header: str) -> None:
    with pytest.raises(Refused):
        accounts().of({"authorization": header})


def test_every_key_has_one_account() -> None:
    all_of_them = accounts()
    assert all_of_them.of({"authorization": "Bearer one"}) is all_of_them.of({"authorization": "bearer one"})
    assert all_of_them.open("one") is not all_of_them.open("two")


def test_the_header_of_anthropic_wins_where_it_counts() -> None:
    all_of_them, headers = accounts(), {"authorization": "Bearer one", "x-api-key": "two"}
    assert all_of_them.of(headers, by_header=True) is all_of_them.open("two")
    assert all_of_them.of(headers) is all_of_them.open("one")
    assert all_of_them.of({"authorization": "Bearer one"}, by_header=True) is all_of_them.open("one")


def test_points_are_spent_down_to_nothing() -> None:
    account = accounts().open("any;balance=100")
    account.afford()
    account.charge("Grok-4", 1000, 30, 20)
    assert account.balance == 30
    account.charge("Grok-4", 1001, 30, 20)
    assert account.balance == 0
    with pytest.raises(Refused) as refused:
        account.afford()
    assert refused.value.status == 402


def test_what_was_spent_is_told_in_microseconds_the_newest_first() -> None:
    account = accounts().open("any")
    account.charge("Grok-4", 1000, 30, 20)
    account.charge("Assistant", 1000, 0, 0)
    newest, oldest = account.history
    assert (newest.bot_name, newest.cost_points) == ("Assistant", 1)
    assert (oldest.bot_name, oldest.creation_time, oldest.cost_points) == ("Grok-4", 1_000_000_001, 70)
    assert oldest.cost_breakdown_in_points["Output"] == "40 points (20 tokens)"
    assert newest.query_id != oldest.query_id


def test_requests_over_the_limit_are_refused() -> None:
    account = accounts().open("any;limit=1")
    account.enter(1000)
    with pytest.raises(Refused) as refused:
        account.enter(1010)
    assert (refused.value.status, refused.value.wait) == (429, 50)


def test_an_account_counts_what_it_asks_for() -> None:
    account = accounts().open("any")
    assert [account.ask("a"), account.ask("b"), account.ask("a")] == [1, 1, 2]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_ACCOUNTS", 2)
    all_of_them = accounts()
    first = all_of_them.open("one")
    assert [first.ask(name) for name in ("a", "b", "c", "a")] == [1, 1, 1, 1]
    all_of_them.open("two")
    all_of_them.open("three")
    assert all_of_them.open("one") is not first
