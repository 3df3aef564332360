"""An Ollama client of an Ollama server: byte for byte, through the endpoint, wherever the network cuts."""

from __future__ import annotations

import random

import pytest

from dragoman.core.call import Clock
from dragoman.dialects import inbound, outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners
from dragoman.upstreams.reading import Reply
from tests.golden.play import cut
from tests.ollama_examples import Example, examples_of
from tests.unit.server.desk import Bench
from tests.unit.upstreams.wire import Written

ENDPOINTS = {
    "POST /api/chat": "ollama_chat",
    "POST /api/generate": "ollama_generate",
    "POST /api/embed": "ollama_embed",
    "POST /api/embeddings": "ollama_embeddings",
}
NO_QUESTION = {"chat-load", "chat-unload", "generate-load", "generate-unload", "embed-empty"}
"""Answered by the gateway itself."""
STREAMS = [one for name in ENDPOINTS for one in examples_of(name, "stream")]
PLAIN = [one for name in ENDPOINTS for one in examples_of(name, "json") if one.id not in NO_QUESTION]


class Server:
    """Answers one request with bytes."""

    def __init__(self, pieces: list[bytes], media_type: str) -> None:
        self.asked: list[bytes] = []
        self._pieces, self._media_type = pieces, media_type

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        self.asked.append(body)
        return Written(self._pieces, headers={"content-type": self._media_type})

    def close(self) -> None:
        """No connection to close."""


async def pass_through(example: Example, pieces: list[bytes]) -> bytes:
    """Return what a client gets that asks the question of an example; the upstream is asked in its very bytes."""
    dialect = ENDPOINTS[example.endpoint]
    body = example.request.data
    asked = body.replace(b'"model":"gpt-4.1:latest"', b'"model":"m"').replace(b'"model":"gpt-4.1"', b'"model":"m"')
    for name in (b"deepseek-r1:latest", b"qwen3-vl-plus:latest", b"text-embedding-v4:latest"):
        asked = asked.replace(b'"model":"%b"' % name, b'"model":"m"')
    lab = Server(pieces, example.response.content_type)
    upstream = HttpUpstream("lab", lab, Manners([outbound(dialect)]), Clock(lambda: 7.0, lambda: 7.0))
    answer = await Bench(upstream.ask_model("up:8b"), side=inbound(dialect)).run(asked)
    assert (answer.status, answer.ended) == (200, True)
    assert lab.asked == [asked.replace(b'"model":"m"', b'"model":"up:8b"')]
    return answer.body


@pytest.mark.parametrize("example", STREAMS, ids=lambda example: example.id)
async def test_a_stream_is_passed_on_byte_for_byte(example: Example) -> None:
    data = b"".join(line + b"\n" for line in example.response.objects)
    chance = random.Random(example.id)
    ways = [[], list(range(len(data))), *(sorted(chance.sample(range(len(data)), 5)) for _ in range(10))]
    for ends in ways:
        assert await pass_through(example, cut(data, ends)) == data


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: example.id)
async def test_a_plain_answer_is_passed_on_byte_for_byte(example: Example) -> None:
    (body,) = example.response.objects
    spaced = body.replace(b'":', b'" : ') + b"\n"
    assert await pass_through(example, [spaced[:7], spaced[7:]]) == spaced


def test_every_answer_of_the_examples_is_tried() -> None:
    assert {ENDPOINTS[example.endpoint] for example in STREAMS} == {"ollama_chat", "ollama_generate"}
    assert {ENDPOINTS[example.endpoint] for example in PLAIN} == set(ENDPOINTS.values())
