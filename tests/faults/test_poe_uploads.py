"""Attachments of Poe's bot protocol that cannot be uploaded: exact errors, and no bot is asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping

import pytest

from tests.faults.asked import configure
from tests.faults.gateway import LONGER, Gateway, Response, gateway, see_no_leak
from tests.faults.hostile import JSON, RUMOUR, SECRET, SOON, Hostile, Script, chunk, fault, head, hostile, response
from tests.faults.test_disconnect import WAYS, Way, see_the_end
from tests.faults.test_upstream_faults import (
    AUTH,
    FAILED,
    INVALID,
    LIMITED,
    OVERLOADED,
    REDIRECT,
    SOON_AGAIN,
    STRANGE,
    TIMEOUT,
    TOO_LARGE,
    UNAVAILABLE,
    Wanted,
    rejected,
)
from tests.faults.upstreams import QUOTA, UPSTREAMS

POE = UPSTREAMS["poe_bot"]
MODES = pytest.mark.parametrize("mode", [False, True], ids=["plain", "stream"])
UPLOAD, ASK = "POST /poe_api/file_upload_3RD_PARTY_POST HTTP/1.1", "POST /bot/m HTTP/1.1"
PLACED = Script((response(b'{"attachment_url":"https://pfst.cf2.poecdn.net/a","mime_type":"image/png"}'),))
IMAGE = b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}'

# What an upload is answered, and what the client is told.
FAULTS: Mapping[str, tuple[Script, Wanted]] = {
    "reset": (Script((), "reset"), UNAVAILABLE),
    "fin": (Script((), "close"), UNAVAILABLE),
    **{str(status): (fault(b"%d Bad" % status), rejected(status)) for status in (400, 413, 422)},
    "404": (fault(b"404 Not Found"), INVALID),
    "401": (fault(b"401 Unauthorized"), AUTH),
    "403": (fault(b"403 Forbidden"), AUTH),
    "402": (fault(b"402 Payment Required"), QUOTA),
    "408": (fault(b"408 Request Timeout"), TIMEOUT),
    "504": (fault(b"504 Gateway Timeout"), TIMEOUT),
    "429": (fault(b"429 Too Many Requests", SOON_AGAIN), LIMITED),
    "500": (fault(b"500 Oops"), FAILED),
    "503": (fault(b"503 Busy", SOON_AGAIN), OVERLOADED),
    "302": (fault(b"302 Moved", REDIRECT), STRANGE),
    "204": (Script((b"HTTP/1.1 204 No Content\r\n\r\n",)), STRANGE),
    "html": (Script((response(b"<html>" + RUMOUR.encode(), b"content-type: text/html\r\n"),)), INVALID),
    "empty": (Script((response(b""),)), INVALID),
    "a_list": (Script((response(b"[]"),)), INVALID),
    "no_address": (Script((response(b'{"mime_type":"image/png"}'),)), INVALID),
    "no_web_address": (Script((response(b'{"attachment_url":"file:///etc/passwd","mime_type":"x"}'),)), INVALID),
    "too_deep": (Script((response(b'{"x":' + b"[" * 30_000),)), INVALID),
    "bad_gzip": (Script((response(b"{}", JSON + b"content-encoding: gzip\r\n"),)), INVALID),
    "too_large": (Script((head(JSON), chunk(b'"' * 65536)), "flood"), TOO_LARGE),
}


def write_body(*, streamed: bool) -> bytes:
    """Return a call with a picture."""
    parts = b'{"type":"text","text":"Hi"},' + IMAGE
    return b'{"model":"lab/m","messages":[{"role":"user","content":[%b]}],"stream":%b}' % (
        parts,
        b"true" if streamed else b"false",
    )


@contextlib.asynccontextmanager
async def meet(*scripts: Script) -> AsyncGenerator[tuple[Hostile, Gateway]]:
    """Run Poe, uploads and bots in one, and a gateway that asks it."""
    async with hostile(*scripts) as upstream, gateway(configure(POE, upstream)) as running:
        yield upstream, running


async def ask(running: Gateway, *, streamed: bool) -> Response:
    """Send a call with a picture and read the answer."""
    client = await running.connect()
    await client.post(write_body(streamed=streamed))
    answer = await client.read()
    see_no_leak(answer)
    return answer


@MODES
async def test_an_attachment_is_uploaded_once_and_then_the_bot_is_asked(mode: bool) -> None:
    async with meet(PLACED, POE.good(streamed=True)) as (upstream, running):
        for _ in range(2):
            assert (await ask(running, streamed=mode)).status == 200
        assert [request.line for request in upstream.requests] == [UPLOAD, ASK, ASK]
        assert dict(upstream.requests[0].headers)["authorization"] == SECRET, "without Bearer"
        assert b"poecdn.net/a" in upstream.requests[1].body


@MODES
@pytest.mark.parametrize("what", FAULTS)
async def test_an_upload_that_fails_is_one_exact_error_and_no_bot_is_asked(what: str, mode: bool) -> None:
    script, wanted = FAULTS[what]
    async with meet(script) as (upstream, running):
        answer = await ask(running, streamed=mode)
        error = answer.error
        assert (answer.status, error.type, error.code) == (wanted.status, wanted.kind, wanted.code)
        assert [request.line for request in upstream.requests] == [UPLOAD] * wanted.asked
        assert answer.headers["x-dragoman-attempts"] == str(wanted.asked)
        assert [(line["level"], line["fault"]) for line in running.log] == [(wanted.level, wanted.fault)] * wanted.asked
        assert not [line for line in running.lines if SECRET in line]
        upstream.play(PLACED, POE.good(streamed=True))
        assert b"Hello" in (await ask(running, streamed=mode)).body, "what failed is not remembered"
        assert [request.line for request in upstream.requests] == [UPLOAD, ASK]
        assert await running.in_flight() == 0


@MODES
async def test_an_upload_that_is_never_answered_ends_with_the_total(mode: bool) -> None:
    asked = 0
    for total in LONGER:
        async with hostile(Script((), "wait")) as upstream, gateway(configure(POE, upstream, total=total)) as running:
            answer = await ask(running, streamed=mode)
            assert (answer.status, answer.error.type, answer.error.code) == (504, "timeout_error", "upstream_timeout")
            assert {line["fault"] for line in running.log} == {"timeout"}
            await upstream.emptied()
            if asked := len(upstream.requests):
                break
    assert asked


async def test_those_who_wait_for_the_same_upload_are_told_the_same() -> None:
    async with meet(Script((), "keep", response(b"no", JSON, b"400 Bad"))) as (upstream, running):
        answers: list[Response] = []

        async def call() -> None:
            answers.append(await ask(running, streamed=False))

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(call())
            await asyncio.wait_for(upstream.asked.acquire(), SOON)
            upstream.go.set()
        assert {answer.status for answer in answers} == {400}
        assert {request.line for request in upstream.requests} == {UPLOAD}


@pytest.mark.parametrize("way", WAYS)
@MODES
async def test_a_client_that_leaves_ends_its_upload(mode: bool, way: Way) -> None:
    async with meet(Script((), "wait")) as (upstream, running):
        client = await running.connect()
        await client.post(write_body(streamed=mode))
        await asyncio.wait_for(upstream.told.acquire(), SOON)
        client.leave(way)
        await see_the_end(running, upstream)


async def test_whoever_waits_for_the_upload_of_one_who_leaves_makes_it_himself() -> None:
    async with meet(Script((), "wait"), PLACED, POE.good(streamed=True)) as (upstream, running):
        first, second = await running.connect(), await running.connect()
        await first.post(write_body(streamed=False))
        await asyncio.wait_for(upstream.told.acquire(), SOON)
        await second.post(write_body(streamed=False))
        first.leave()
        assert b"Hello" in (await second.read()).body
        assert [request.line for request in upstream.requests] == [UPLOAD, UPLOAD, ASK]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (b"data:image/png;base64,****", "base64"),
        (b"data:image/png;base64,", "base64"),
        (b"data:text/html;base64,aGk=", "media type"),
        (b"data:image/png,hi", "base64"),
        (b"ftp://example.org/a.png", "https"),
    ],
)
async def test_what_cannot_be_an_attachment_is_a_400_that_names_the_part(url: bytes, reason: str) -> None:
    async with meet(PLACED) as (upstream, running):
        client = await running.connect()
        data = write_body(streamed=False).replace(b"data:image/png;base64,iVBORw0KGgo=", url)
        assert url in data
        await client.post(data)
        answer = await client.read()
        assert answer.status == 400
        assert answer.error.param is not None
        assert answer.error.param.startswith("messages[0].content")
        assert reason in answer.error.message
        assert not upstream.requests
