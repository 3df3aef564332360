"""Other people's web pages stay out, and nobody else does."""

import pytest

from dragoman.core.errors import DragomanError
from dragoman.server.exchange import Exchange
from dragoman.server.guard import MAX_KNOWN, OriginGuard, guard_local, is_local
from dragoman.server.http1 import Handler
from dragoman.server.routes import Routes
from dragoman.wire.http1 import HeadLimits, read_head
from tests.unit.server.link import Link, Response, make_exchange, response

HERE = ("http://localhost", "http://localhost:*", "app://*", "https://llm.example.com")


async def answer(exchange: Exchange) -> None:
    exchange.respond(200, b"x-own: 1\r\n", b"come in")


async def stream(exchange: Exchange) -> None:
    exchange.begin(200, b"x-own: 1\r\n")
    exchange.send(b"come ")
    exchange.end(b"in")


def refuse(exchange: Exchange, error: DragomanError) -> None:
    exchange.respond(error.status, b"", str(error.code).encode())


GUARD = OriginGuard(HERE, refuse)


# Host


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8484",
        "localhost.",
        "app.localhost:80",
        "127.0.0.1",
        "127.0.0.1:8484",
        "0.0.0.0:1",
        "192.168.1.7:8484",
        "[::1]",
        "[::1]:8484",
        "[2001:db8::1]:80",
        "llm.example.com",
        "LLM.example.com:443",
    ],
)
def test_a_host_that_can_only_be_this_machine_is_local(host: str) -> None:
    assert is_local(host, "llm.example.com")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8484",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "2130706433",
        "0x7f.1",
        "llm.example.com.evil.example",
        "www.llm.example.com",
        "a",
        ".",
        "%6cocalhost",
    ],
)
def test_a_name_that_anybody_can_point_here_is_not_local(host: str) -> None:
    assert not is_local(host, "llm.example.com")
    assert not is_local(host)


async def ask_host(guarded: Handler, host: str, more: str = "") -> Response:
    link = Link()
    head = read_head(f"GET /x HTTP/1.1\r\nhost: {host}\r\n{more}\r\n".encode(), HeadLimits())
    await guarded(Exchange(link, head, "127.0.0.1", b""))
    return response(link)


async def test_a_page_whose_name_was_made_to_point_here_is_refused() -> None:
    guarded = guard_local(answer, "llm.example.com", GUARD.allows, refuse)
    for _ in range(2):
        refused = await ask_host(guarded, "evil.example")
        assert (refused.status, refused.body) == (403, b"host_not_allowed")
        assert (await ask_host(guarded, "localhost:8484")).body == b"come in"
        assert (await ask_host(guarded, "llm.example.com")).body == b"come in"


async def test_a_page_that_needs_not_ask_first_is_refused_on_every_path() -> None:
    guarded = guard_local(answer, "", GUARD.allows, refuse)
    refused = await ask_host(guarded, "localhost", "origin: https://evil.example\r\n")
    assert (refused.status, refused.body) == (403, b"origin_not_allowed")
    assert (await ask_host(guarded, "localhost", "origin: http://localhost:8484\r\n")).status == 200


async def test_that_many_names_of_this_machine_are_known_changes_nothing() -> None:
    guarded = guard_local(answer, "", GUARD.allows, refuse)
    for port in range(1, 2 * MAX_KNOWN):
        assert (await ask_host(guarded, f"localhost:{port}")).status == 200
    assert (await ask_host(guarded, "evil.example")).status == 403


# Origin


ROUTES = Routes(
    GUARD.guard({("GET", "/api/tags"): answer, ("POST", "/api/chat"): stream, ("GET", "/v1/models"): answer}, "/api/"),
    GUARD.guard({("POST", "/api/blobs/"): answer}, "/api/"),
)


async def ask(line: str, *origin: str) -> Response:
    link = Link()
    await ROUTES(make_exchange(link, line, *(f"origin: {text}" for text in origin)))
    if b" 204 " in link.written:
        link.written = link.written.replace(b"\r\n\r\n", b"\r\ncontent-length: 0\r\n\r\n")
    return response(link)


@pytest.mark.parametrize("line", ["GET /api/tags", "POST /api/chat", "POST /api/blobs/x"])
@pytest.mark.parametrize(
    "origin", ["http://localhost", "http://localhost:3000", "app://obsidian.md", "https://llm.example.com"]
)
async def test_a_page_from_here_may_ask_and_read(line: str, origin: str) -> None:
    told = await ask(line, origin)
    assert (told.status, told.body, told.ended) == (200, b"come in", True)
    assert (told.headers["access-control-allow-origin"], told.headers["vary"]) == (origin, "origin")
    assert told.headers["x-own"] == "1"


@pytest.mark.parametrize("line", ["GET /api/tags", "POST /api/chat", "POST /api/blobs/x", "OPTIONS /api/chat"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://localhost.evil.example",
        "https://localhost",
        "https://llm.example.com:444",
        "http://llm.example.com",
        "xapp://a",
        "http://localhost, https://evil.example",
    ],
)
async def test_a_page_from_elsewhere_may_not(line: str, origin: str) -> None:
    told = await ask(line, origin)
    assert (told.status, told.body) == (403, b"origin_not_allowed")
    assert "access-control-allow-origin" not in told.headers


async def test_who_is_no_page_needs_no_permission() -> None:
    told = await ask("POST /api/chat")
    assert (told.status, told.body) == (200, b"come in")
    assert not {"access-control-allow-origin", "vary"} & set(told.headers)


@pytest.mark.parametrize("path", ["/api/tags", "/api/chat", "/api/blobs/x"])
async def test_a_browser_that_asks_first_is_told_what_it_may_send(path: str) -> None:
    told = await ask(f"OPTIONS {path}", "http://localhost:3000")
    assert (told.status, told.headers["access-control-allow-origin"]) == (204, "http://localhost:3000")
    assert "POST" in told.headers["access-control-allow-methods"].split(", ")
    allowed = told.headers["access-control-allow-headers"].lower().split(", ")
    wanted = {"authorization", "content-type", "user-agent", "accept", "x-requested-with", "x-stainless-lang"}
    assert wanted < set(allowed)


async def test_other_paths_are_left_alone() -> None:
    told = await ask("GET /v1/models", "https://evil.example")
    assert (told.status, told.body) == (200, b"come in")
    assert "access-control-allow-origin" not in told.headers
    assert (await ask("OPTIONS /v1/models", "https://evil.example")).status == 405
    assert (await ask("GET /api/nothing", "http://localhost")).status == 404


def test_any_origin_may_be_allowed() -> None:
    assert OriginGuard(["http*"], refuse).allows("https://anywhere.example")
    assert not OriginGuard([], refuse).allows("http://localhost")
