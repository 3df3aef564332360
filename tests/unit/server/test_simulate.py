"""The simulator on a port of its own: what its scripts become on the wire."""

import re

import pytest

from dragoman.server.http1 import Settings
from dragoman.server.simulate import simulated
from dragoman.testing.simulator import INSTANT, Simulator
from tests.unit.server.line import Line


def post(model: str, *, stream: bool = True) -> bytes:
    """Return a request for the chat completion of an echo."""
    flag = b"true" if stream else b"false"
    body = b'{"model":"%b","stream":%b,"messages":[{"role":"user","content":"Say: one two three four"}]}'
    body %= (model.encode(), flag)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def line(settings: Settings | None = None) -> Line:
    """Return a connection to a simulator that takes no time."""
    return Line(simulated(Simulator(cadence=INSTANT, now=lambda: 0)), settings)


async def test_a_plain_answer_is_one_body() -> None:
    connection = line()
    sent = await connection.feed(post("chat", stream=False))
    assert sent.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    assert re.search(rb"\r\ncontent-length: \d+\r\n", sent)
    assert b'"content":"one two three four"' in sent
    assert connection.transport.open


async def test_a_stream_is_chunked_and_complete() -> None:
    connection = line()
    sent = await connection.feed(post("chat"))
    assert b"\r\ntransfer-encoding: chunked\r\n" in sent
    assert b"\r\ncontent-type: text/event-stream; charset=utf-8\r\n" in sent
    assert sent.count(b"data: {") > 4
    assert sent.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert connection.transport.open


async def test_a_query_is_part_of_the_question() -> None:
    sent = await line().feed(b"GET /v1/videos?after=nobody&limit=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"has_more":false' in sent


@pytest.mark.parametrize("model", ["chat", "error-500"])
async def test_every_answer_has_one_request_id(model: str) -> None:
    sent = await line().feed(post(model))
    assert len(re.findall(rb"\r\nx-request-id: [0-9a-f]{32}\r\n", sent)) == 1


async def test_an_empty_answer_has_an_empty_body() -> None:
    sent = await line().feed(post("error-empty"))
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\ncontent-length: 0\r\n" in sent
    assert sent.endswith(b"\r\n\r\n")


async def test_an_answer_that_is_cut_ends_its_connection_in_the_middle() -> None:
    connection = line()
    sent = await connection.feed(post("cut"))
    assert b"data: {" in sent
    assert b'"finish_reason":"stop"' not in sent
    assert not sent.endswith(b"0\r\n\r\n")
    assert not connection.transport.open


async def test_a_connection_that_is_closed_at_once_says_nothing() -> None:
    connection = line()
    assert await connection.feed(post("reset")) == b""
    assert not connection.transport.open


@pytest.mark.parametrize(("model", "begins"), [("stall", True), ("silent", False)])
async def test_an_answer_that_hangs_hangs_until_the_client_leaves(model: str, begins: bool) -> None:
    connection = line()
    sent = await connection.feed(post(model))
    assert (b"data: {" in sent) is begins
    assert b"[DONE]" not in sent
    assert connection.transport.open
    await connection.lose()
    assert connection.tasks[0].done()


async def test_a_body_over_the_limit_is_refused() -> None:
    sent = await line(Settings(body=10)).feed(post("chat"))
    assert sent.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"request_too_large"' in sent


async def test_the_catalogue_is_served() -> None:
    sent = await line().feed(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b'"id":"chat"' in sent


async def test_a_request_id_of_the_simulator_stays() -> None:
    request = (
        b"POST /poe/v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nContent-Length: 2\r\n\r\n{}"
    )
    sent = await line().feed(request)
    assert re.findall(rb"\r\nx-request-id: (\w+)\r\n", sent) == [re.findall(rb"req_[0-9a-f]{16}", sent)[0]]
