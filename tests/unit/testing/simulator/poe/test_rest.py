"""What all REST endpoints have in common: keys, the rate limit, headers, errors."""

import pytest

from tests.unit.testing.simulator.poe.client import Client

HI = b'{"model":"claude-haiku-4.5","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'


def test_an_answer_has_the_headers_of_poe() -> None:
    headers = Client().chat("Grok-4").headers
    assert headers["content-type"] == "application/json"
    assert headers["openai-version"] == "2020-10-01"
    assert 0 < int(headers["openai-processing-ms"]) < 1000
    assert headers["x-request-id"].startswith("req_")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert headers["x-ratelimit-limit-requests"] == "500"
    assert headers["x-ratelimit-remaining-requests"] == "499"
    assert headers["x-ratelimit-reset-requests"] == "60"


def test_messages_have_the_headers_of_anthropic() -> None:
    headers = Client().send("POST", "v1/messages", HI).headers
    assert headers["anthropic-ratelimit-requests-limit"] == "500"
    assert headers["anthropic-ratelimit-requests-remaining"] == "499"
    assert headers["anthropic-ratelimit-requests-reset"] == "2026-01-01T00:01:00Z"
    assert "x-ratelimit-limit-requests" not in headers


def test_the_rate_limit_is_real() -> None:
    client = Client("any;limit=3")
    assert [client.chat("Grok-4").status for _ in range(3)] == [200, 200, 200]
    client.now += 13
    refused = client.chat("Grok-4")
    assert (refused.status, refused.headers["retry-after"]) == (429, "47")
    assert refused.at("error", "code") == "rate_limit_exceeded"
    client.now += 47
    assert client.chat("Grok-4").status == 200


def test_a_refused_request_costs_nothing() -> None:
    client = Client("any;limit=1")
    client.chat("Grok-4")
    client.chat("Grok-4")
    client.now += 60
    assert client.get("usage/points_history").at("length") == 1


@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages", "images", "videos"])
def test_a_key_is_needed(path: str) -> None:
    reply = Client("bad").post(f"v1/{path}", {})
    assert (reply.status, reply.at("error", "code")) == (401, "invalid_api_key")
    assert ('"type":"error"' in reply.data.decode()) is (path == "messages")


def test_messages_take_the_header_of_anthropic() -> None:
    assert Client("bad").send("POST", "v1/messages", HI, x_api_key="good").status == 200
    assert Client("good").send("POST", "v1/messages", HI, x_api_key="bad").status == 401
    assert Client("bad").post("v1/chat/completions", {}, x_api_key="good").status == 401


@pytest.mark.parametrize(
    "path",
    ["embeddings", "completions", "files", "moderations", "audio", "models/grok-4", "videosx", "images/generations"],
)
def test_nothing_else_is_there(path: str) -> None:
    assert Client().post(f"v1/{path}", {}).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"Grok-4"}', "messages"),
        (b'{"model":"Grok-4","messages":[]}', "messages"),
        (b"{}", "model"),
        (b"{", None),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, param: str | None) -> None:
    reply = Client().send("POST", "v1/chat/completions", body)
    error = reply.at("error")
    assert isinstance(error, dict)
    assert (reply.status, error["type"], error.get("param")) == (400, "invalid_request_error", param)


def test_messages_are_refused_in_their_own_envelope() -> None:
    assert Client().send("POST", "v1/messages", b"{").at("type") == "error"


def test_the_same_requests_get_the_same_bytes() -> None:
    first, second = Client().stream("Gemini-3.1-Pro"), Client().stream("Gemini-3.1-Pro")
    assert (first.data, first.headers) == (second.data, second.headers)


def test_the_catalogue_is_open_to_all_and_no_request_of_anybody() -> None:
    client = Client("any;limit=1")
    assert [client.get("v1/models").status for _ in range(2)] == [200, 200]
    assert Client("").post("v1/models", {}).status == 401
