"""The list of models, and the health of the server."""

from hashlib import sha256

import msgspec
import pytest

from dragoman import __version__
from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory, Source
from dragoman.server.endpoint import Desk
from dragoman.server.gate import Gate
from dragoman.server.ops import HealthEndpoint, ModelsEndpoint
from dragoman.upstreams.catalogue import Catalogue, Model
from tests.unit.server.link import KEY, Link, Response, make_exchange, response


async def silent(call: Call) -> Answer:
    return Answer(Burst([]), None, lambda: None)


def ask_model(model: str) -> Ask:
    return silent


LAB = Source("lab", Catalogue([Model("org/big", 7), Model("small")]), ask_model)
NEW = Source("new", Catalogue(), ask_model)


def desk(*models: str) -> Desk:
    keys = Keys({sha256(b"dg-app-key").digest(): Caller("app", models or None)})
    return Desk(keys, Gate(5, 5), Directory({"fast": silent}, [LAB, NEW]), Log((), lambda line: None))


async def get(path: str, *headers: str, models: tuple[str, ...] = ()) -> Response:
    link, endpoint = Link(), ModelsEndpoint(desk(*models))
    exchange = make_exchange(link, f"GET {path}", *headers)
    await (endpoint.list(exchange) if path == "/v1/models" else endpoint.one(exchange))
    answer = response(link)
    assert answer.headers["x-request-id"] == "id-1"
    assert answer.headers["content-type"] == "application/json"
    return answer


class Shown(msgspec.Struct):
    """One model as the official SDK reads it."""

    id: str
    created: int
    owned_by: str
    object: str = ""


class List(msgspec.Struct):
    object: str
    data: list[Shown]


async def test_the_list_holds_aliases_and_models() -> None:
    answer = await get("/v1/models", KEY)
    listed = msgspec.json.decode(answer.body, type=List)
    assert listed.object == "list"
    assert listed.data == [
        Shown("fast", 0, "dragoman", "model"),
        Shown("lab/org/big", 7, "lab", "model"),
        Shown("lab/small", 0, "lab", "model"),
    ]


async def test_the_list_holds_what_the_key_is_good_for() -> None:
    answer = await get("/v1/models", KEY, models=("lab/s*",))
    assert answer.body.count(b'"id"') == 1
    assert b'"lab/small"' in answer.body


@pytest.mark.parametrize("name", ["lab/org/big", "lab%2Forg%2Fbig", "org/big"])
async def test_one_model_may_have_slashes_in_its_name(name: str) -> None:
    answer = await get(f"/v1/models/{name}", KEY)
    assert msgspec.json.decode(answer.body, type=Shown) == Shown(name.replace("%2F", "/"), 7, "lab", "model")


@pytest.mark.parametrize(
    ("headers", "name", "status", "code"),
    [
        ((KEY,), "nobody", 404, "model_not_found"),
        ((KEY,), "lab/small", 403, "model_not_allowed"),
        ((), "fast", 401, "invalid_api_key"),
        (("x-api-key: wrong",), "fast", 401, "invalid_api_key"),
    ],
)
async def test_one_model_may_be_refused(headers: tuple[str, ...], name: str, status: int, code: str) -> None:
    answer = await get(f"/v1/models/{name}", *headers, models=("fast", "nobody"))
    assert answer.status == status
    assert f'"code":"{code}"'.encode() in answer.body


async def test_the_list_needs_a_key() -> None:
    assert (await get("/v1/models")).status == 401


async def test_health_tells_what_is_known_and_needs_no_key() -> None:
    times = iter([100.0, 101.5])
    office = desk()
    health = HealthEndpoint(office, [LAB, NEW], lambda: next(times))
    office.gate.enter(Caller(""))
    NEW.catalogue.failure = "connect"
    link = Link()
    await health.health(make_exchange(link, "GET /health"))
    answer = response(link)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.body == (
        b'{"status":"ok","version":"%b","uptime_seconds":1.5,"in_flight":1,"upstreams":'
        b'{"lab":{"models":2,"catalogue":"ok"},"new":{"models":null,"catalogue":"connect"}}}' % __version__.encode()
    )
    NEW.catalogue.failure = ""


async def test_a_catalogue_that_was_never_read_is_unknown() -> None:
    link = Link()
    await HealthEndpoint(desk(), [Source("x", Catalogue(), ask_model)], lambda: 0).health(make_exchange(link))
    assert b'{"x":{"models":null,"catalogue":"unknown"}}' in response(link).body


async def test_a_server_that_drains_lives_and_is_not_ready() -> None:
    health = HealthEndpoint(desk(), [LAB], lambda: 0)

    async def ask() -> list[tuple[int, bytes]]:
        answers: list[tuple[int, bytes]] = []
        for handler in (health.live, health.ready):
            link = Link()
            await handler(make_exchange(link))
            answers.append((response(link).status, response(link).body))
        return answers

    assert await ask() == [(200, b'{"status":"ok"}')] * 2
    health.drain()
    assert await ask() == [(200, b'{"status":"ok"}'), (503, b'{"status":"draining"}')]
    link = Link()
    await health.health(make_exchange(link))
    assert b'"status":"draining"' in response(link).body
