"""Which handler answers which path."""

import msgspec
import pytest

from dragoman.core.errors import DragomanError
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler
from dragoman.server.routes import Routes, name_below, refuse_in
from tests.unit.server.link import Link, Response, make_exchange, response


def saying(words: str) -> Handler:
    async def answer(exchange: Exchange) -> None:
        exchange.respond(200, b"", words.encode())

    return answer


async def name(exchange: Exchange) -> None:
    exchange.respond(200, b"", name_below(exchange, "/models/").encode())


ROUTES = Routes(
    {("GET", "/models"): saying("list"), ("POST", "/chat"): saying("chat"), ("POST", "/models"): saying("new")},
    {("GET", "/models/"): name, ("DELETE", "/models/"): saying("gone")},
)


async def ask(line: str, routes: Routes = ROUTES) -> Response:
    link = Link()
    await routes(make_exchange(link, line))
    return response(link)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("GET /models", b"list"),
        ("GET /models?a=b", b"list"),
        ("POST /models", b"new"),
        ("POST /chat", b"chat"),
        ("GET /models/a", b"a"),
        ("GET /models/poe/a%20b%2Fc", b"poe/a b/c"),
        ("GET /models/%FF", "\ufffd".encode()),
        ("DELETE /models/a", b"gone"),
    ],
)
async def test_a_path_has_its_handler(line: str, words: bytes) -> None:
    assert (await ask(line)).body == words


@pytest.mark.parametrize("line", ["HEAD /models", "HEAD /models/a"])
async def test_what_can_be_got_has_a_head(line: str) -> None:
    link = Link()
    await ROUTES(make_exchange(link, line))
    assert link.written.startswith(b"HTTP/1.1 200 ")
    assert link.written.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", ["/", "/Models", "/models//", "/chat/", "/chat/x", "/%6dodels", "/../models"])
async def test_every_other_path_is_unknown(path: str) -> None:
    if path == "/models//":
        assert (await ask(f"GET {path}")).body == b"/"
        return
    answer = await ask(f"GET {path}")
    error = msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]
    assert answer.status == 404
    assert error == {
        "message": f"unknown request URL: GET {path}",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_url",
    }
    assert answer.headers["x-request-id"] == "id-1"
    assert answer.headers["content-type"] == "application/json"


async def test_a_prefix_alone_is_no_path() -> None:
    assert (await ask("GET /models/")).status == 404


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("DELETE /chat", "POST"),
        ("PUT /models", "GET, HEAD, POST"),
        ("OPTIONS /models/a", "DELETE, GET, HEAD"),
    ],
)
async def test_a_known_path_says_which_methods_it_knows(line: str, allowed: str) -> None:
    answer = await ask(line)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert b'"code":"method_not_supported"' in answer.body


def write_plainly(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    return error.status, f"{request_id}: {error.message}".encode()


@pytest.mark.parametrize(
    ("line", "status", "ours"),
    [
        ("GET /own", 404, True),
        ("GET /own/thing", 404, True),
        ("GET /own/chat", 405, True),
        ("GET /owner", 404, False),
        ("GET /other", 404, False),
        ("GET /deep/own/x", 404, True),
    ],
)
async def test_a_path_is_refused_in_the_words_of_its_dialect(line: str, status: int, ours: bool) -> None:
    refusal = refuse_in(write_plainly, b"own-id")
    routes = Routes({("POST", "/own/chat"): saying("chat")}, {}, [("/own", refusal), ("/deep/own/", refusal)])
    answer = await ask(line, routes)
    assert answer.status == status
    assert answer.body.startswith(b"id-1: " if ours else b'{"error":')
    assert (answer.headers.get("own-id") == "id-1") is ours
    assert answer.headers["x-request-id"] == "id-1"
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)
