"""Balance and history over HTTP."""

import pytest

from tests.unit.testing.simulator.poe.client import Client


def test_every_call_takes_from_the_balance() -> None:
    client = Client("any;balance=1000")
    assert client.get("usage/current_balance").data == b'{"current_point_balance":1000}'
    assert client.chat("Grok-4").status == 200
    left = client.get("usage/current_balance").at("current_point_balance")
    assert isinstance(left, int)
    assert 0 < left < 1000


def test_without_points_nobody_answers() -> None:
    client = Client("any;balance=1")
    assert client.chat("Grok-4").status == 200
    reply = client.chat("Grok-4")
    assert (reply.status, reply.at("error", "code")) == (402, "insufficient_quota")
    assert client.get("usage/current_balance").at("current_point_balance") == 0


def test_the_history_is_told_page_by_page() -> None:
    client = Client()
    for name in ("Grok-4", "Assistant", "GPT-4o-Mini"):
        client.chat(name)
    first = client.get("usage/points_history?limit=2")
    assert (first.at("has_more"), first.at("length")) == (True, 2)
    assert [first.at("data", at, "bot_name") for at in (0, 1)] == ["GPT-4o-Mini", "Assistant"]
    last = client.get(f"usage/points_history?limit=2&starting_after={first.at('data', 1, 'query_id')}")
    assert (last.at("has_more"), last.at("length"), last.at("data", 0, "bot_name")) == (False, 1, "Grok-4")
    assert last.at("data", 0, "creation_time") == client.now * 1_000_000 + 1


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "starting_after=nobody"])
def test_a_wrong_page_is_refused(query: str) -> None:
    assert Client().get(f"usage/points_history?{query}").status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "usage/other"), ("POST", "usage/current_balance")])
def test_nothing_else_is_there(method: str, path: str) -> None:
    assert Client().send(method, path).status == 404


def test_a_key_is_needed() -> None:
    assert Client("bad").get("usage/current_balance").status == 401


def test_a_look_counts_as_a_request() -> None:
    client = Client("any;limit=1")
    assert client.get("usage/current_balance").status == 200
    assert client.get("usage/current_balance").status == 429
