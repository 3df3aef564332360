"""What a client may learn of its last requests, and of nobody else's."""

from hashlib import sha256

import msgspec
import pytest

from dragoman.core.call import Call, Caller
from dragoman.core.errors import DragomanError, NotFound, UpstreamTimeout
from dragoman.server.auth import Keys
from dragoman.server.recent import PATH, Recent, RecentEndpoint
from tests.unit.server.link import KEY, Link, Response, make_exchange, response

APP, OTHER = Caller("app"), Caller("other")
KEYS = Keys({sha256(b"dg-app-key").digest(): APP, sha256(b"dg-other-key").digest(): OTHER})


def call(request_id: str, caller: Caller = APP, **losses: str) -> Call:
    made = Call(b"never shown", "ollama_chat", "m", list, stream=False)
    made.id, made.caller, made.losses = request_id, caller, losses
    made.served_by, made.attempts = "lab/m", 2
    return made


async def ask(recent: Recent, request_id: str, *headers: str) -> Response:
    link = Link()
    await RecentEndpoint(recent, KEYS).one(make_exchange(link, f"GET {PATH}{request_id}", *(headers or (KEY,))))
    return response(link)


async def test_a_request_tells_what_was_lost_and_why() -> None:
    recent = Recent()
    made = call("r-1")
    made.losses = {"options.num_ctx": "no place"}
    recent.note(made, None)
    answer = await ask(recent, "r-1")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert msgspec.json.decode(answer.body) == {
        "id": "r-1",
        "dialect": "ollama_chat",
        "model": "m",
        "served_by": "lab/m",
        "attempts": 2,
        "error": None,
        "losses": [{"field": "options.num_ctx", "reason": "no place"}],
    }


@pytest.mark.parametrize(
    ("error", "told"), [(UpstreamTimeout(fault="idle_timeout"), b'"idle_timeout"'), (None, b"null")]
)
async def test_a_request_tells_the_class_of_its_error(error: DragomanError | None, told: bytes) -> None:
    recent = Recent()
    recent.note(call("r-1"), error)
    assert b'"error":%b' % told in (await ask(recent, "r-1")).body


async def test_the_requests_of_another_key_do_not_exist() -> None:
    recent = Recent()
    recent.note(call("r-1", OTHER), None)
    answer = await ask(recent, "r-1")
    assert answer.status == 404
    assert b'"request_not_found"' in answer.body
    assert (await ask(recent, "r-1", "authorization: Bearer dg-other-key")).status == 200
    assert (await ask(recent, "r-1", "authorization: Bearer wrong")).status == 401


def test_two_keys_may_use_the_same_id() -> None:
    recent = Recent()
    recent.note(call("r-1", a="x"), None)
    recent.note(call("r-1", OTHER, b="y"), None)
    assert recent.find("r-1", APP).losses == {"a": "x"}
    assert recent.find("r-1", OTHER).losses == {"b": "y"}


def test_of_one_id_the_last_request_counts() -> None:
    recent = Recent(2)
    for name in ("r-1", "r-2", "r-1", "r-3"):
        recent.note(call(name), None)
    assert [recent.find(name, APP).id for name in ("r-1", "r-3")] == ["r-1", "r-3"]
    with pytest.raises(NotFound):
        recent.find("r-2", APP)


def test_only_the_last_requests_are_remembered() -> None:
    recent = Recent(3)
    for number in range(10):
        recent.note(call(f"r-{number}"), None)
    with pytest.raises(NotFound) as caught:
        recent.find("r-6", APP)
    assert caught.value.message == "no request 'r-6' among the last 3"
    assert [recent.find(f"r-{number}", APP).id for number in (7, 8, 9)] == ["r-7", "r-8", "r-9"]
