"""Losses over a real connection: the header, the record, the refusal, and clients that try to break out of them."""

import msgspec
import pytest

from tests.faults.gateway import Gateway, Response, gateway, lab
from tests.faults.hostile import PLAIN_OK, STREAM_OK, Script, hostile, response

STRICT = "x-dragoman-strict: true\r\n"
TEXT_WHOLE = (
    b'{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Hello",'
    b'"logprobs":null,"finish_reason":"stop"}]}'
)
ODD = {"top_k": 4, "a\r\nset-cookie: evil=1": 1, "b, c": 2, "\u2028\U0001f9ed": 3}


async def ask(running: Gateway, model: str = "lab/m", headers: str = "", *, stream: bool = False) -> Response:
    """Ask in Ollama's dialect for what OpenAI's has no field for."""
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **ODD}
    body["options"] = {"top_k": 4, "num_thread": 2, "num_ctx": 4096}
    client = await running.connect()
    await client.post(msgspec.json.encode(body), headers, "/api/chat")
    return await client.read()


@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_lost_stands_in_one_header_and_in_the_record(stream: bool) -> None:
    async with hostile(STREAM_OK if stream else PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        answer = await ask(running, headers="x-request-id: r-1\r\n", stream=stream)
        assert answer.status == 200
        lost = answer.headers["x-dragoman-loss"].split(", ")
        assert {"options.top_k", "options.num_ctx", "a??set-cookie:?evil=1", "b??c", "??"} <= set(lost)
        assert "options.num_thread" not in lost, "nothing is lost with it"
        assert "set-cookie" not in answer.headers
        record = await (await running.connect()).get("/dragoman/requests/r-1")
        losses = msgspec.json.decode(record.body, type=Record).losses
        assert {loss.field for loss in losses} >= {"options.top_k", "b, c", "a\r\nset-cookie: evil=1"}
        assert all(loss.reason for loss in losses)


class Loss(msgspec.Struct):
    field: str
    reason: str


class Record(msgspec.Struct):
    losses: list[Loss]


@pytest.mark.parametrize("stream", [False, True])
async def test_all_or_nothing_is_a_400_that_names_the_fields_and_asks_nobody(stream: bool) -> None:
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        answer = await ask(running, headers=STRICT, stream=stream)
        assert (answer.status, upstream.requests) == (400, [])
        assert b"options.top_k" in answer.body
        assert answer.headers["x-should-retry"] == "false"
        assert (await running.ask(headers=STRICT, extra='"top_k":4,')).status == 200, "the same dialect loses nothing"


async def test_an_alias_may_always_be_all_or_nothing() -> None:
    more = '\n[models.careful]\ntargets = ["lab/m"]\nstrict = true\n'
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream, more=more)) as running:
        assert (await ask(running, "careful")).status == 400
        assert (await ask(running, "lab/m")).status == 200


async def test_a_target_that_can_carry_everything_still_answers() -> None:
    """The second target has an endpoint for text completions, so nothing of theirs has to be said in another way."""
    more = '\n[models.careful]\ntargets = ["lab/m", "lab2/m"]\nstrict = true\n'
    async with (
        hostile(PLAIN_OK) as first,
        hostile(Script((response(TEXT_WHOLE),))) as second,
        gateway(lab(first, second, more='endpoints = ["completions"]\n' + more)) as running,
    ):
        client = await running.connect()
        await client.post(b'{"model":"careful","prompt":"Hi","top_k":4}', path="/v1/completions")
        answer = await client.read()
        assert (answer.status, answer.body) == (200, TEXT_WHOLE)
        assert "x-dragoman-loss" not in answer.headers
        assert (first.requests, len(second.requests)) == ([], 1)
