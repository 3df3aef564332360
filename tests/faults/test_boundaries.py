"""What passes between client and upstream, and what does not; who is let in at all."""

import asyncio
import re

import msgspec
import pytest

from tests.faults.gateway import gateway, lab
from tests.faults.hostile import (
    DONE,
    FINISH,
    JSON,
    PLAIN_OK,
    ROLE,
    SECRET,
    SOON,
    SSE,
    STREAM_OK,
    WHOLE,
    Script,
    hostile,
    response,
    text,
)


async def test_of_the_clients_headers_none_reaches_the_upstream() -> None:
    secrets = {
        "cookie": "a=b",
        "x-api-key": "dg-app-key",
        "x-forwarded-for": "192.0.2.9",
        "forwarded": "for=192.0.2.9",
        "x-real-ip": "192.0.2.9",
        "openai-organization": "org-1",
        "user-agent": "spy/1.0",
        "accept-encoding": "gzip, br",
        "connection": "x-secret",
        "x-secret": "s",
        "x-request-id": "mine-1",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in secrets.items())
    keys = '\n[keys.app]\nkey = "$APP_KEY"\n'
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream, more=keys)) as running:
        answer = await running.ask(headers=lines + "authorization: Bearer dg-app-key\r\n")
        assert answer.status == 200
        assert answer.headers["x-request-id"] == "mine-1"
        sent = dict(upstream.requests[0].headers)
        assert sent == {
            "host": f"127.0.0.1:{upstream.port}",
            "user-agent": "dragoman",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "authorization": f"Bearer {SECRET}",
            "content-length": str(len(upstream.requests[0].body)),
        }


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
async def test_of_the_upstreams_headers_none_reaches_the_client(wants_stream: bool) -> None:
    odd = (
        b"set-cookie: a=b\r\nserver: x\r\nvia: x\r\nx-request-id: theirs\r\naccess-control-allow-origin: *\r\n"
        b"strict-transport-security: max-age=1\r\nopenai-organization: org-1\r\nx-ratelimit-remaining-requests: 1\r\n"
    )
    frames = ROLE + text("Hello") + FINISH + DONE
    answer = response(frames, SSE + odd) if wants_stream else response(WHOLE, JSON + odd)
    framing = {"transfer-encoding"} if wants_stream else {"content-length"}
    unbuffered = {"cache-control", "x-accel-buffering"} if wants_stream else set[str]()
    ours = {"content-type", "x-request-id", "x-dragoman-model", "x-dragoman-attempts", "date"}
    async with hostile(Script((answer,))) as upstream, gateway(lab(upstream)) as running:
        told = await running.ask(stream=wants_stream)
        assert told.headers.keys() == ours | framing | unbuffered
        assert told.headers["x-dragoman-model"] == "lab/m"
        assert told.headers["x-request-id"] != "theirs"


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
async def test_the_client_never_chooses_the_destination(wants_stream: bool) -> None:
    extra = (
        '"api_base":"http://192.0.2.1","base_url":"http://192.0.2.1","api_key":"k","extra_headers":{"a":"b"},'
        '"extra_body":{"a":1},"proxy":"http://192.0.2.1","user_config":{},"temperature":0.5,'
    )
    async with hostile(STREAM_OK if wants_stream else PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        assert (await running.ask(stream=wants_stream, extra=extra)).status == 200
        sent = msgspec.json.decode(upstream.requests[0].body, type=dict[str, msgspec.Raw])
        options = {"stream", "stream_options"} if wants_stream else set[str]()
        assert sent.keys() == {"model", "temperature", "messages"} | options
        assert upstream.requests[0].line == "POST /v1/chat/completions HTTP/1.1"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a.B_c-1", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a/b", False), ("", False)],
)
async def test_a_request_id_is_kept_if_it_is_harmless(given: str, kept: bool) -> None:
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        told = (await running.ask(headers=f"x-request-id: {given}\r\n")).headers["x-request-id"]
        assert told == given if kept else re.fullmatch("[0-9a-f]{32}", told)


async def test_a_key_is_asked_for_before_anything_else() -> None:
    keys = '\n[keys.app]\nkey = "$APP_KEY"\nmodels = ["lab/m"]\n'
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream, more=keys)) as running:
        client = await running.connect()
        for headers in (
            "",
            "authorization: Bearer dg-wrong\r\n",
            "x-api-key: dg-app-key\r\nauthorization: Bearer x\r\n",
        ):
            for answer in (await client.ask(headers=headers), await client.get("/v1/models", headers)):
                assert answer.status == 401
                assert b'"incorrect API key provided"' in answer.body
        await client.post(b"no JSON at all")
        assert (await client.read()).status == 401
        assert (await client.get("/health/ready")).status == 200
        assert (await client.ask(headers="x-api-key: dg-app-key\r\n")).status == 200
        assert (await client.ask("lab/other", "x-api-key: dg-app-key\r\n")).status == 403
        assert len(upstream.requests) == 1


async def test_over_the_limit_a_call_is_turned_away_and_may_come_again() -> None:
    async with (
        hostile(Script((), "wait")) as upstream,
        gateway(lab(upstream, more="\n[limits]\nin_flight = 1\n")) as running,
    ):
        first = await running.connect()
        await first.send()
        await asyncio.wait_for(upstream.asked.acquire(), SOON)
        answer = await running.ask()
        assert (answer.status, answer.error.code, answer.headers["retry-after"]) == (503, "server_overloaded", "1")
        assert "x-should-retry" not in answer.headers
        assert len(upstream.requests) == 1
        assert (await (await running.connect()).get("/health/live")).status == 200
