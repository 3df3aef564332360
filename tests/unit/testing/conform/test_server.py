"""The server under test: how it is asked, and what becomes of what the network does wrong."""

import pytest

from dragoman.testing.conform.server import open_server
from dragoman.testing.conform.verdict import Mismatch
from tests.unit.testing.conform.server import JSON, Answer, Asked, serving


def test_a_request_carries_its_key_and_its_headers() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 201, "Application/JSON; charset=utf-8", b'{"a":1}'

    with serving(answer, key="some-key") as server:
        reply = server.post("/v1/some?a=b", b"{}", {"anthropic-version": "1"})
        assert server.get("/v1/models").status == 201
    assert (reply.status, reply.content_type, reply.json().value) == (201, JSON, {"a": 1})
    assert [(request.method, request.path, request.body) for request in asked] == [
        ("POST", "/v1/some?a=b", b"{}"),
        ("GET", "/v1/models", b""),
    ]
    assert asked[0].headers["authorization"] == "Bearer some-key"
    assert asked[0].headers["anthropic-version"] == "1"
    assert asked[0].headers["content-type"] == JSON


def test_without_a_key_none_is_sent() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 200, "", b"{}"

    with serving(answer) as server, pytest.raises(Mismatch, match="content-type: expected application/json, got none"):
        server.get("/").json()
    assert "authorization" not in asked[0].headers


@pytest.mark.parametrize(
    "url", ["https://llm.example.com/api", "https://llm.example.com/api/", "https://llm.example.com/api/v1/"]
)
def test_a_base_url_may_end_in_its_version(url: str) -> None:
    assert open_server(url, "", 1).url == "https://llm.example.com/api"


def test_what_is_no_base_url_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        open_server("llm.example.com", "", 1)


def test_a_connection_that_is_lost_is_told() -> None:
    with (
        serving(lambda _: (0, "", b"")) as server,
        pytest.raises(Mismatch, match="connection: expected a whole answer"),
    ):
        server.get("/")


def test_an_address_where_nobody_listens_is_told() -> None:
    with pytest.raises(Mismatch, match="connection: expected a whole answer, got ConnectionRefusedError"):
        open_server("http://127.0.0.1:9", "", 1).get("/")


def test_a_server_can_be_left_as_soon_as_it_speaks() -> None:
    with serving(lambda _: (200, "text/event-stream", b": " + b"a" * 1_000_000)) as server:
        server.leave("/", b"{}", {})


@pytest.mark.parametrize("answer", [(500, JSON, b"{}"), (200, JSON, b"")])
def test_a_stream_that_does_not_begin_is_told(answer: Answer) -> None:
    with serving(lambda _: answer) as server, pytest.raises(Mismatch, match="status: expected 200 and a stream"):
        server.leave("/", b"{}", {})
