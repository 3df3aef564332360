"""The list of models, and the health of the server."""

from hashlib import sha256

import msgspec
import pytest

from dragoman import __version__
from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory, Source
from dragoman.server.endpoint import Desk
from dragoman.server.gate import Gate
from dragoman.server.ops import HealthEndpoint, ModelsEndpoint
from dragoman.server.outlet import Pulse
from dragoman.server.recent import Recent
from dragoman.server.routes import refuse_in
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model
from tests.unit.server.link import KEY, Link, Response, make_exchange, response


async def silent(call: Call) -> Answer:
    return Answer(Burst([]), None, lambda: None)


def ask_model(model: str) -> Ask:
    return silent


BIG = Model("org/big", 7, Capabilities(context=200_000, output=64_000), "Big One")
LAB = Source("lab", Catalogue([BIG, Model("small")]), ask_model)
NEW = Source("new", Catalogue(), ask_model)


def desk(*models: str) -> Desk:
    keys = Keys({sha256(b"dg-app-key").digest(): Caller("app", models or None)})
    log, clock = Log((), lambda line: None), Clock(lambda: 0.0, lambda: 0.0)
    return Desk(keys, Gate(5, 5), Directory({"fast": silent}, [LAB, NEW]), log, clock, Pulse(15), Recent())


def write_plainly(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    return error.status, f"{request_id}: {error.code} {error.param}".encode()


async def get(path: str, *headers: str, models: tuple[str, ...] = ()) -> Response:
    link = Link()
    endpoint = ModelsEndpoint(desk(*models), refuse_in(write_plainly, b"request-id"), b"request-id")
    exchange = make_exchange(link, f"GET {path}", *headers)
    await (endpoint.list(exchange) if exchange.head.path == "/v1/models" else endpoint.one(exchange))
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
        (("authorization: Bearer wrong",), "fast", 401, "invalid_api_key"),
    ],
)
async def test_one_model_may_be_refused(headers: tuple[str, ...], name: str, status: int, code: str) -> None:
    answer = await get(f"/v1/models/{name}", *headers, models=("fast", "nobody"))
    assert answer.status == status
    assert f'"code":"{code}"'.encode() in answer.body


async def test_the_list_needs_a_key() -> None:
    assert (await get("/v1/models")).status == 401


# The same for Anthropic's clients


@pytest.mark.parametrize("headers", [(KEY, "anthropic-version: 2023-06-01"), ("x-api-key: dg-app-key",)])
async def test_who_sends_anthropics_headers_gets_its_shape(headers: tuple[str, ...]) -> None:
    answer = await get("/v1/models", *headers)
    assert answer.headers["request-id"] == "id-1"
    assert answer.body == (
        b'{"data":[{"id":"fast","display_name":"fast","created_at":"1970-01-01T00:00:00Z","type":"model",'
        b'"lifecycle":"active"},{"id":"lab/org/big","display_name":"Big One","created_at":"1970-01-01T00:00:07Z",'
        b'"type":"model","lifecycle":"active","max_input_tokens":200000,"max_tokens":64000},'
        b'{"id":"lab/small","display_name":"lab/small","created_at":"1970-01-01T00:00:00Z","type":"model",'
        b'"lifecycle":"active"}],"has_more":false,"first_id":"fast","last_id":"lab/small"}'
    )


async def test_it_comes_in_pages() -> None:
    answer = await get("/v1/models?limit=1&after_id=lab%2Forg%2Fbig", "x-api-key: dg-app-key")
    assert answer.body.endswith(b'"has_more":false,"first_id":"lab/small","last_id":"lab/small"}')
    answer = await get("/v1/models?limit=0", "x-api-key: dg-app-key")
    assert (answer.status, answer.body) == (400, b"id-1: None limit")


async def test_one_model_is_told_in_its_shape_too() -> None:
    answer = await get("/v1/models/lab%2Forg%2Fbig", KEY, "anthropic-version: 2023-06-01")
    assert answer.body.startswith(b'{"id":"lab/org/big","display_name":"Big One"')
    assert answer.headers["request-id"] == "id-1"


@pytest.mark.parametrize(
    ("path", "key", "status", "words"),
    [
        ("/v1/models/nobody", "dg-app-key", 404, b"id-1: model_not_found model"),
        ("/v1/models/fast", "wrong", 401, b"id-1: invalid_api_key None"),
        ("/v1/models", "wrong", 401, b"id-1: invalid_api_key None"),
    ],
)
async def test_its_errors_are_anthropics(path: str, key: str, status: int, words: bytes) -> None:
    answer = await get(path, f"x-api-key: {key}")
    assert (answer.status, answer.body, answer.headers["request-id"]) == (status, words, "id-1")


# Health


async def test_health_tells_what_is_known_and_needs_no_key() -> None:
    times = iter([100.0, 101.5])
    office = desk()
    health = HealthEndpoint(office, [LAB, NEW], lambda: next(times))
    office.gate.enter(Caller(""))
    NEW.catalogue.failure, NEW.catalogue.answered = "connect", False
    link = Link()
    await health.health(make_exchange(link, "GET /health"))
    answer = response(link)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.body == (
        b'{"status":"ok","version":"%b","uptime_seconds":1.5,"in_flight":1,"upstreams":'
        b'{"lab":{"models":2,"catalogue":"ok","reachable":null,"read_at":null,"credentials":null},'
        b'"new":{"models":null,"catalogue":"connect","reachable":false,"read_at":null,"credentials":null}}}'
        % __version__.encode()
    )
    NEW.catalogue.failure, NEW.catalogue.answered = "", None


async def line_of(source: Source) -> bytes:
    """Return what is told of one upstream."""
    link = Link()
    await HealthEndpoint(desk(), [source], lambda: 0).health(make_exchange(link))
    return response(link).body.partition(b'"upstreams":')[2][:-1]


async def test_a_catalogue_that_was_never_read_is_unknown() -> None:
    assert await line_of(Source("x", Catalogue(), ask_model, credentials=False)) == (
        b'{"x":{"models":null,"catalogue":"unknown","reachable":null,"read_at":null,"credentials":false}}'
    )


async def test_a_catalogue_that_is_stale_tells_since_when() -> None:
    catalogue = Catalogue(always=[Model("a")])
    catalogue.replace([Model("b")])
    catalogue.known, catalogue.failure, catalogue.answered, catalogue.read_at = True, "5xx", True, 1_790_000_000.7
    assert await line_of(Source("x", catalogue, ask_model, credentials=True)) == (
        b'{"x":{"models":2,"catalogue":"5xx","reachable":true,"read_at":1790000000,"credentials":true}}'
    )


async def test_what_is_served_anyway_is_counted_before_the_catalogue_is_read() -> None:
    source = Source("x", Catalogue(always=[Model("a")]), ask_model)
    assert (await line_of(source)).startswith(b'{"x":{"models":1,"catalogue":"unknown"')


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
