"""Poe as a whole: what is where, and what is remembered."""

from dragoman.testing.simulator.poe import face as subject
from tests.unit.testing.simulator.poe.client import Client


def test_every_part_has_its_place() -> None:
    client = Client()
    statuses = [
        client.get("v1/models").status,
        client.get("usage/current_balance").status,
        client.bot("Grok-4").status,
        client.send("POST", "poe_api/file_upload_3RD_PARTY_POST", authorization="key").status,
        client.get("base/image/nothing").status,
        client.get("elsewhere").status,
    ]
    assert statuses == [200, 200, 200, 400, 404, 404]


def test_requests_are_remembered() -> None:
    client = Client()
    client.bot("Grok-4", "Hello")
    heard = client.face.heard[-1]
    assert (heard.method, heard.path, heard.headers["authorization"]) == ("POST", "bot/Grok-4", "Bearer key")
    assert '"content":"Hello"' in heard.body


def test_what_was_heard_can_be_fetched() -> None:
    client = Client()
    client.get("v1/models")
    reply = client.get("heard")
    assert reply.at(0, "path") == "v1/models"
    assert len(client.face.heard) == 1


def test_memory_is_bounded() -> None:
    client = Client()
    client.send("POST", "v1/chat/completions", b"x" * 20_000)
    assert len(client.face.heard[0].body) == 10_000
    for _ in range(subject.MAX_HEARD + 5):
        client.get("elsewhere")
    assert len(client.face.heard) == subject.MAX_HEARD
