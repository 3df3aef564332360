"""Every fault of an upstream and of a client, in every chat dialect: its own shape of error, and never a false success.

What each fault is called, and when it is tried again, is shown for one dialect in the files beside this one.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncGenerator, Mapping
from typing import Unpack

import pytest

from tests.conformance.test_matrix import CLIENTS
from tests.faults.dialects import DIALECTS, Dialect, Told
from tests.faults.gateway import SHORT, Client, Gateway, Response, Times, gateway, lab, see_no_leak, see_well
from tests.faults.hostile import (
    DONE,
    END,
    FINISH,
    JSON,
    PLAIN_OK,
    ROLE,
    SOON,
    STREAM_OK,
    WHOLE,
    Hostile,
    Script,
    chunk,
    event,
    fault,
    head,
    hostile,
    response,
    stream,
    text,
)
from tests.faults.test_disconnect import WAYS, Way, see_the_end

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
EVERY = pytest.mark.parametrize("name", DIALECTS)
HTML = response(b"<html>rumour from upstream.internal</html>", b"content-type: text/html\r\n")
BEGIN = head() + chunk(ROLE) + chunk(text("Hello"))
IN_BAND = b'data: {"error":{"message":"rumour from upstream.internal","code":null}}\n\n'
CALLED = (
    '{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\": oops"}}]}'
)
CALL = WHOLE.replace(b'"content":"Hello"', b'"content":null,' + CALLED[1:-1].replace('"index":0,', "").encode())

# What the upstream says instead of an answer, and the status of it; the script for a plain call and for a stream.
REFUSALS: Mapping[str, tuple[Script, Script, int]] = {
    "500": (fault(b"500 Oops"), fault(b"500 Oops"), 502),
    "503": (fault(b"503 Busy", b"retry-after: 60\r\n"), fault(b"503 Busy", b"retry-after: 60\r\n"), 503),
    "429": (fault(b"429 Slow", b"retry-after: 60\r\n"), fault(b"429 Slow", b"retry-after: 60\r\n"), 429),
    "401": (fault(b"401 No"), fault(b"401 No"), 502),
    "400": (fault(b"400 Bad"), fault(b"400 Bad"), 400),
    "html": (Script((HTML,)), Script((HTML,)), 502),
    "cut_at_once": (Script((), "close"), Script((), "close"), 502),
    "cut_before_anything": (Script((head(JSON), b""), "close"), Script((head(), b""), "close"), 502),
    "cut_in_the_middle": (Script((head(JSON) + chunk(WHOLE[:50]), b""), "close"), Script((head() + END,)), 502),
    "garbage": (Script((response(b'{"oops'),)), Script((stream(b"data: {oops}\n\n"),)), 502),
    "error_first": (Script((response(IN_BAND[6:-2]),)), Script((stream(IN_BAND),)), 502),
    "silence": (Script((), "wait"), Script((head(),), "wait"), 504),
}

# What follows "Hello", and ends the stream with an error.
BREAKS: Mapping[str, Script] = {
    "cut": Script((BEGIN, b""), "close"),
    "reset": Script((BEGIN, b""), "reset"),
    "cut_in_an_event": Script((BEGIN, chunk(text("x"))[:-20]), "close"),
    "no_completion_signal": Script((BEGIN, END)),
    "error_event": Script((BEGIN, chunk(IN_BAND) + chunk(FINISH) + chunk(DONE) + END)),
    "garbage": Script((BEGIN, chunk(b"data: {oops}\n\n") + chunk(FINISH) + chunk(DONE) + END)),
    "html": Script((BEGIN, chunk(b"<html>rumour from upstream.internal\n\n") + END)),
    "silence": Script((BEGIN,), "wait"),
}


def body(dialect: Dialect, model: str = "lab/m", *, streamed: bool = False, more: str = "") -> bytes:
    """Return what a client asks; `more` are members of the body."""
    members = [f'"model":"{model}"', dialect.turn, *([more] if more else [])]
    return f'{{{",".join(members)},"stream":{"true" if streamed else "false"}}}'.encode()


async def ask(client: Client, dialect: Dialect, data: bytes, headers: str = "") -> Response:
    """Ask and read the answer, which has a request id whatever it is."""
    await client.post(data, headers, dialect.path)
    answer = await client.read()
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    see_no_leak(answer)
    return answer


@contextlib.asynccontextmanager
async def meet(
    script: Script, more: str = "", **times: Unpack[Times]
) -> AsyncGenerator[tuple[Hostile, Gateway, Client]]:
    """Run an upstream that follows the script, a gateway that asks it once, and a client; `times` may run out."""
    async with hostile(script) as upstream:
        config = lab(upstream, more=more, **times).replace("attempts = 2", "attempts = 1")
        async with gateway(config) as running:
            yield upstream, running, await running.connect()


def see_error(dialect: Dialect, answer: Response, status: int) -> Told:
    """See that an answer is an error in the dialect's own shape, and return it."""
    assert answer.status == dialect.statuses.get(status, status)
    assert answer.headers["content-type"] == "application/json"
    told = dialect.read_error(answer.body)
    assert told.message
    return told


def see_broken(dialect: Dialect, answer: Response) -> Told:
    """See that a stream that had begun ends in an error and nothing else, and return the error."""
    assert (answer.status, answer.headers["content-type"]) == (200, dialect.stream_type)
    assert dialect.success not in answer.body
    assert b"[DONE]" not in answer.body
    assert answer.body.endswith(dialect.end)
    told = dialect.read_broken(answer.body.removesuffix(dialect.end).split(dialect.end)[-1])
    assert told.message
    return told


async def see_whole(running: Gateway, client: Client, dialect: Dialect, upstream: Hostile) -> None:
    """See that the connection is good for another call, and that this call ends in success."""
    running.deadlines.waived = True
    upstream.play(STREAM_OK)
    answer = await ask(client, dialect, body(dialect, streamed=True))
    assert (answer.status, answer.headers["content-type"]) == (200, dialect.stream_type)
    assert b"Hello" in answer.body
    assert answer.body.count(dialect.success) == 1


def test_the_table_holds_every_dialect() -> None:
    assert set(DIALECTS) == set(CLIENTS)


# The upstream's faults


@STREAMED
@pytest.mark.parametrize("what", REFUSALS)
@EVERY
async def test_a_fault_before_the_answer_has_its_status_and_shape(name: str, what: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    plain, stream_script, status = REFUSALS[what]
    times: Times = {"first": SHORT} if what == "silence" else {}
    async with meet(stream_script if streamed else plain, **times) as (upstream, running, client):
        answer = await ask(client, dialect, body(dialect, streamed=streamed))
        see_error(dialect, answer, status)
        if what in ("429", "503"):  # until the time it has named it is not asked again
            again = await ask(client, dialect, body(dialect, streamed=streamed))
            see_error(dialect, again, status)
            assert (answer.headers["retry-after"], again.headers["retry-after"]) == ("60", "60")
            assert len(upstream.requests) == 1
            return
        assert "retry-after" not in answer.headers
        await see_whole(running, client, dialect, upstream)
        await see_well(running, upstream)


@STREAMED
@EVERY
async def test_an_upstream_that_is_not_there_is_a_502(name: str, streamed: bool) -> None:
    dialect, nobody = DIALECTS[name], Hostile()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody.port = taken.getsockname()[1]
    async with gateway(lab(nobody)) as running:
        client = await running.connect()
        see_error(dialect, await ask(client, dialect, body(dialect, streamed=streamed)), 502)
        assert (await client.get("/health/live")).status == 200


@pytest.mark.parametrize("what", BREAKS)
@EVERY
async def test_a_fault_in_the_answer_is_told_in_the_stream(name: str, what: str) -> None:
    dialect = DIALECTS[name]
    times: Times = {"idle": SHORT} if what == "silence" else {}
    async with meet(BREAKS[what], **times) as (upstream, running, client):
        answer = await ask(client, dialect, body(dialect, streamed=True))
        assert b"Hello" in answer.body
        see_broken(dialect, answer)
        assert len(upstream.requests) == 1, "what was begun is never asked for again"
        await see_whole(running, client, dialect, upstream)
        await see_well(running, upstream)


@EVERY
async def test_an_answer_without_a_completion_signal_is_no_plain_answer(name: str) -> None:
    dialect = DIALECTS[name]
    async with meet(Script((response(b'{"choices":[]}'),))) as (_, __, client):
        see_error(dialect, await ask(client, dialect, body(dialect)), 502)


@STREAMED
@EVERY
async def test_text_that_is_no_text_is_mended(name: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    odd = rb"Hello \ud800 \udc00x " + b"\xff\xc3"
    script = (
        stream(ROLE, text("?").replace(b"?", odd), FINISH, DONE) if streamed else response(WHOLE.replace(b"Hello", odd))
    )
    async with meet(Script((script,))) as (_, __, client):
        answer = await ask(client, dialect, body(dialect, streamed=streamed))
        assert answer.status == 200
        told = answer.body.decode()
        assert "Hello \ufffd \ufffdx \ufffd\ufffd" in told.replace("\\ufffd", "\ufffd")
        assert re.search(r"\\ud[89a-f]", told) is None
        assert dialect.success in answer.body or not streamed


@STREAMED
@EVERY
async def test_arguments_that_are_no_json_run_no_tool(name: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    script = stream(ROLE, event(CALLED), event("{}", '"tool_calls"'), DONE) if streamed else response(CALL)
    async with meet(Script((script,))) as (upstream, running, client):
        answer = await ask(client, dialect, body(dialect, streamed=streamed))
        if dialect.tools != "object":
            assert answer.status == 200
            assert (b"oops" in answer.body) == (dialect.tools == "text"), "what has a place is the client's to judge"
        elif answer.status == 200:
            see_broken(dialect, answer)
        else:
            see_error(dialect, answer, 502)
        await see_whole(running, client, dialect, upstream)


# The client leaves


@pytest.mark.parametrize("way", WAYS)
@STREAMED
@EVERY
async def test_a_client_that_leaves_takes_its_call_along(name: str, streamed: bool, way: Way) -> None:
    dialect = DIALECTS[name]
    script = Script((BEGIN,), "wait") if streamed else Script((head(JSON) + chunk(WHOLE[:50]),), "wait")
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        await client.post(body(dialect, streamed=streamed), path=dialect.path)
        async with asyncio.timeout(SOON):
            await upstream.told.acquire()
            while streamed and b"Hello" not in await read_some(client):
                pass
        client.leave(way)
        await see_the_end(running, upstream)


async def read_some(client: Client) -> bytes:
    """Return the head at first, and then what has come."""
    data = await client.reader.read(65536)
    assert data
    return data


# The client's faults


@STREAMED
@EVERY
async def test_a_wrong_key_is_a_401_and_asks_nobody(name: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK, '\n[keys.app]\nkey = "$APP_KEY"\n') as (upstream, _, client):
        for headers in ("", "authorization: Bearer dg-wrong\r\n", "x-api-key: dg-wrong\r\n"):
            answer = await ask(client, dialect, body(dialect, streamed=streamed), headers)
            assert see_error(dialect, answer, 401).kind in ("", "invalid_request_error", "authentication_error")
        assert not upstream.requests
        see_error(dialect, await ask(client, dialect, b"no JSON at all"), 401)


@STREAMED
@EVERY
async def test_an_unknown_model_is_a_404(name: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream).replace('["*"]', '["m"]')) as running:
        client = await running.connect()
        for model in ("nobody/m", "other", "lab/other"):
            told = see_error(dialect, await ask(client, dialect, body(dialect, model, streamed=streamed)), 404)
            assert model in told.message
        assert not upstream.requests
        await see_whole(running, client, dialect, upstream)


@pytest.mark.parametrize(
    "data",
    [b'{"model":', b"", b"[]", b'{"model":"lab/m",}', b'{"model":"lab/m","x":"\xff"}', b"[" * 100_000, b"\x00"],
)
@EVERY
async def test_what_is_no_json_is_a_400(name: str, data: bytes) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK) as (upstream, running, client):
        see_error(dialect, await ask(client, dialect, data), 400)
        assert not upstream.requests
        await see_whole(running, client, dialect, upstream)


@EVERY
async def test_a_missing_field_is_named(name: str) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK) as (upstream, _, client):
        bodies = {"model": b"{%b}" % dialect.turn.encode()}
        if dialect.required:
            bodies[dialect.required] = b'{"model":"lab/m","max_tokens":9}'
        for field, data in bodies.items():
            told = see_error(dialect, await ask(client, dialect, data), 400)
            assert field in told.message
            assert told.param == (field if dialect.read_error is DIALECTS["openai_chat"].read_error else None)
        assert not upstream.requests


@EVERY
async def test_a_field_of_the_wrong_type_is_named(name: str) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK) as (upstream, _, client):
        wrong = body(dialect).replace(b'"stream":false', b'"stream":"no"')
        assert "stream" in see_error(dialect, await ask(client, dialect, wrong), 400).message
        assert not upstream.requests


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("anthropic_messages", "/v1/messages/nothing"),
        ("anthropic_messages", "/v1/messages/batches"),
        ("openai_chat", "/v1/chat/nothing"),
        ("openai_responses", "/v1/responses/a/b/c"),
        ("openai_chat", "/nothing"),
    ],
)
async def test_an_unknown_path_is_refused_in_the_words_of_its_neighbours(name: str, path: str) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK) as (_, __, client):
        see_error(dialect, await ask(client, dialect._replace(path=path), body(dialect)), 404)


@pytest.mark.parametrize("path", ["/api/nothing", "/api/chat/nothing", "/api/"])
async def test_an_unknown_path_of_ollama_is_refused_as_ollama_does(path: str) -> None:
    async with meet(PLAIN_OK) as (_, __, client):
        answer = await ask(client, DIALECTS["ollama_chat"]._replace(path=path), b"{}")
        assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
        assert answer.body == b"404 page not found"


@STREAMED
@EVERY
async def test_a_strict_client_is_told_what_would_be_lost(name: str, streamed: bool) -> None:
    dialect = DIALECTS[name]
    data = body(dialect, streamed=streamed, more=dialect.lost)
    async with meet(STREAM_OK if streamed else PLAIN_OK) as (upstream, _, client):
        answer = await ask(client, dialect, data, "x-dragoman-strict: true\r\n")
        if not dialect.lost:
            assert answer.status == 200
            assert "x-dragoman-loss" not in answer.headers
            return
        assert dialect.loss in see_error(dialect, answer, 400).message
        assert not upstream.requests
        answer = await ask(client, dialect, data)
        assert (answer.status, answer.headers["x-dragoman-loss"]) == (200, dialect.loss)


@EVERY
async def test_a_client_may_name_its_call(name: str) -> None:
    dialect = DIALECTS[name]
    async with meet(PLAIN_OK) as (_, __, client):
        for data in (body(dialect), b"{"):
            await client.post(data, "x-request-id: mine-1\r\n", dialect.path)
            answer = await client.read()
            assert answer.headers["x-request-id"] == "mine-1"
            assert answer.headers.get("request-id") == ("mine-1" if name.startswith("anthropic") else None)
