"""An upstream that is silent for long: what its client is told meanwhile in every dialect, and what that commits to."""

import asyncio
import re
from typing import NamedTuple

import pytest

from tests.faults.gateway import LONGER, Client, Gateway, gateway, lab
from tests.faults.hostile import (
    DONE,
    END,
    FINISH,
    PLAIN_OK,
    ROLE,
    SOON,
    STREAM_OK,
    Script,
    chunk,
    fault,
    head,
    hostile,
    text,
)

PING = "\n[server]\ntimeout = { ping = 0.05 }\n"
ONE, TWO = PING + '[models]\nfast = "lab/m"\n', PING + '[models]\nfast = ["lab/m", "lab2/m"]\n'
COMMENT = rb": ping\n\n"
BEGIN = head() + chunk(ROLE + text("Hel"))
REST = chunk(text("lo") + FINISH + DONE) + END


class Ways(NamedTuple):
    """How a dialect asks for a stream, and keeps its client waiting."""

    path: str
    body: bytes
    before: bytes
    """What is sent while nothing has been said, as a pattern."""
    between: bytes
    """What is sent after something was said."""
    broken: bytes
    """What ends a stream that broke."""


CHAT = b'{"model":"%b","messages":[{"role":"user","content":"Hi"}],"max_tokens":9,"stream":true}'
LINE = rb'\{"model":"fast","created_at":"[^"]+",%b,"done":false\}\n'
TURN, ANSWER = LINE % rb'"message":\{"role":"assistant","content":""\}', LINE % rb'"response":""'
ERROR = rb'data: \{"error":\{[^{}]+\}\}\n\n'
WAYS = {
    "openai_chat": Ways("/v1/chat/completions", CHAT, COMMENT, COMMENT, ERROR),
    "openai_completions": Ways(
        "/v1/completions", b'{"model":"%b","prompt":"Hi","stream":true}', COMMENT, COMMENT, ERROR
    ),
    "openai_responses": Ways(
        "/v1/responses",
        b'{"model":"%b","input":"Hi","stream":true,"store":false}',
        COMMENT,
        COMMENT,
        rb"(event: .*\ndata: .*\n\n)*event: response\.failed\ndata: .*\n\n(data: \[DONE\]\n\n)?",
    ),
    "anthropic_messages": Ways(
        "/v1/messages", CHAT, COMMENT, rb'event: ping\ndata: \{"type":"ping"\}\n\n', rb"event: error\ndata: .*\n\n"
    ),
    "ollama_chat": Ways("/api/chat", CHAT, TURN, TURN, rb'\{"error":"[^"]+"\}\n'),
    "ollama_generate": Ways(
        "/api/generate", b'{"model":"%b","prompt":"Hi"}', ANSWER, ANSWER, rb'\{"error":"[^"]+"\}\n'
    ),
}


async def ask(running: Gateway, dialect: str) -> Client:
    """Ask for a stream and see that its head has come, long before anything was said."""
    client = await running.connect()
    await client.post(WAYS[dialect].body % b"fast", path=WAYS[dialect].path)
    answer = await client.read_head()
    assert (answer.status, answer.headers["x-dragoman-attempts"]) == (200, "1")
    return client


async def read_until(client: Client, pattern: bytes, times: int = 1) -> bytes:
    """Read until `pattern` was there so many times."""
    body = b""
    async with asyncio.timeout(SOON):
        while len(re.findall(pattern, body)) < times:
            piece = await client.read_chunk()
            assert piece, body
            body += piece
    return body


async def read_rest(client: Client) -> bytes:
    """Read to the proper end, and see that the connection is good for another call."""
    body = b""
    async with asyncio.timeout(SOON):
        while piece := await client.read_chunk():
            body += piece
    assert (await client.get("/health/live")).status == 200
    return body


@pytest.mark.parametrize("dialect", WAYS)
async def test_a_client_is_told_to_wait_before_anything_is_said(dialect: str) -> None:
    ways = WAYS[dialect]
    async with (
        hostile(Script(later=BEGIN + REST)) as upstream,
        gateway(lab(upstream, more=ONE)) as running,
    ):
        client = await ask(running, dialect)
        assert re.fullmatch(b"(%b){2,}" % ways.before, await read_until(client, ways.before, 2))
        upstream.go.set()
        rest = await read_rest(client)
        assert b"Hel" in rest
        assert re.search(ways.broken, rest) is None


@pytest.mark.parametrize("dialect", WAYS)
async def test_a_client_is_told_to_wait_between_two_things_said(dialect: str) -> None:
    ways = WAYS[dialect]
    async with (
        hostile(Script((BEGIN,), later=REST)) as upstream,
        gateway(lab(upstream, more=ONE)) as running,
    ):
        client = await ask(running, dialect)
        await read_until(client, b"Hel")
        await read_until(client, ways.between, 2)
        upstream.go.set()
        rest = await read_rest(client)
        assert b"lo" in rest
        assert re.search(ways.broken, rest) is None


@pytest.mark.parametrize("dialect", WAYS)
async def test_a_failure_after_that_is_told_in_the_stream_and_nobody_else_is_asked(dialect: str) -> None:
    ways = WAYS[dialect]
    async with (
        hostile(Script(later=fault(b"503 Busy").pieces[0])) as first,
        hostile(STREAM_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        client = await ask(running, dialect)
        first.go.set()
        body = await read_rest(client)
        assert re.fullmatch(b"(%b)+(%b)" % (ways.before, ways.broken), body)
        assert (len(first.requests), second.requests) == (1, [])
        assert [line["fault"] for line in running.log] == ["overloaded"]


async def test_a_client_that_is_told_to_wait_during_a_pause_gets_no_second_attempt() -> None:
    body, asked = b"", 0
    for pause in LONGER:
        busy = fault(b"503 Busy", b"retry-after: %g\r\n" % pause)
        async with hostile(busy, STREAM_OK) as upstream, gateway(lab(upstream, more=ONE)) as running:
            client = await running.connect()
            await client.post(CHAT % b"fast")
            told = await client.read_head()
            body, asked = await read_rest(client), len(upstream.requests)
            if told.headers["x-dragoman-attempts"] == "1":
                break
    assert re.fullmatch(b"(%b)+(%b)" % (COMMENT, ERROR), body)
    assert asked == 1


async def test_a_plain_call_is_never_told_to_wait() -> None:
    async with (
        hostile(Script(later=PLAIN_OK.pieces[0])) as first,
        hostile(Script(later=BEGIN + REST)) as second,
        gateway(lab(first, second, more=ONE.replace("lab", "lab2"))) as running,
    ):
        plain = await running.connect()
        await plain.send("lab/m")
        streamed = await ask(running, "openai_chat")
        await read_until(streamed, COMMENT, 4)
        first.go.set()
        second.go.set()
        answer = await plain.read()
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.body.startswith(b"{")
        await read_rest(streamed)
