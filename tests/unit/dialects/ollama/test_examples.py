"""The examples of Ollama's API, answered by us: the same names, the same types, the same words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from msgspec import Raw, Struct

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    ModelNotFound,
    RateLimited,
    TaskNotServed,
    Unauthenticated,
    UpstreamAuth,
    UpstreamError,
)
from dragoman.core.legal import breaches
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects import inbound
from tests.ollama_examples import Example, examples_of, read_examples, shape, shape_of

SIDES = {
    "POST /api/chat": "ollama_chat",
    "POST /api/generate": "ollama_generate",
    "POST /api/embed": "ollama_embed",
    "POST /api/embeddings": "ollama_embeddings",
}
PLAIN = [example for endpoint in SIDES for example in examples_of(endpoint, "json")]
STREAMS = [
    example
    for endpoint in SIDES
    for example in examples_of(endpoint, "stream", "stream-error")
    if example.id != "chat-tools-on-done"  # which Ollama does, and some clients miss
]
REFUSED = [read_examples()[name] for name in ("chat-400-body", "chat-400-model", "generate-suffix", "generate-raw-bad",
                                              "embed-400")]  # fmt: skip
ERRORS: dict[str, DragomanError] = {
    "chat-404": ModelNotFound("the model 'nope' does not exist", param="model"),
    "chat-401": Unauthenticated(),
    "chat-429": RateLimited("rate limit exceeded, retry in 2 seconds"),
    "chat-502": UpstreamAuth("upstream authentication failed"),
    "chat-think-unsupported": BadRequest('"gpt-4.1:latest" does not support thinking'),
    "chat-tools-unsupported": TaskNotServed("the upstream of 'text-embedding-v4:latest' has no endpoint for this"),
}


class Function(Struct):
    index: int
    name: str
    arguments: dict[str, object]


class Called(Struct):
    id: str
    function: Function


class Message(Struct):
    content: str
    thinking: str = ""
    tool_calls: list[Called] = []


class Said(Struct):
    """Any object that Ollama answers with."""

    done: bool = False
    message: Message | None = None
    response: str = ""
    thinking: str = ""
    done_reason: str = "stop"
    prompt_eval_count: int = 0
    eval_count: int = 0
    logprobs: list[object] = []
    embeddings: list[list[float]] = []
    embedding: list[float] | None = None
    error: str = ""


def test_every_example_of_these_endpoints_is_tried() -> None:
    tried = {example.id for example in [*PLAIN, *STREAMS, *REFUSED]} | ERRORS.keys() | {"chat-tools-on-done"}
    assert tried == {example.id for example in read_examples().values() if example.endpoint in SIDES}


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: example.id)
def test_a_plain_answer_is_built_like_the_example(example: Example) -> None:
    side = inbound(SIDES[example.endpoint])
    call = side.read_call(example.request.data, Limits())
    assert not call.stream
    assert call.reply_type == example.response.content_type
    (expected,) = example.response.objects
    said = [ev.Start("", ""), *events_of(msgspec.json.decode(expected, type=Said))]
    assert call.ready is not None or not breaches(said)
    written = side.write_reply(call, call.ready or Burst(said))
    assert msgspec.json.decode(expected, type=Said) == msgspec.json.decode(written, type=Said)
    assert shape(members(written)) == shape(members(expected))


@pytest.mark.parametrize("example", STREAMS, ids=lambda example: example.id)
def test_a_stream_is_built_like_the_example(example: Example) -> None:
    side = inbound(SIDES[example.endpoint])
    call = side.read_call(example.request.data, Limits())
    assert call.stream
    assert side.stream_type.decode() == example.response.content_type
    writer = side.writer(call)
    written = b""
    for line in example.response.objects:
        said = msgspec.json.decode(line, type=Said)
        if said.error:
            written += writer.fail(UpstreamError(said.error)) or b""
            continue
        events = list(events_of(said))
        written += writer.write(Burst(events)) if events else writer.ping()
        written += writer.end() if said.done else b""
    lines = written.splitlines()
    assert [shape_of(line) for line in lines] == [shape_of(line) for line in example.response.objects]
    assert [msgspec.json.decode(line, type=Said) for line in lines] == [
        msgspec.json.decode(line, type=Said) for line in example.response.objects
    ]


@pytest.mark.parametrize("example", REFUSED, ids=lambda example: example.id)
def test_a_request_is_refused_in_the_words_of_the_example(example: Example) -> None:
    side = inbound(SIDES[example.endpoint])
    with pytest.raises(BadRequest) as caught:
        _ = side.read_call(example.request.data, Limits()).request
    same(side, caught.value, example)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_told_in_the_words_of_the_example(name: str) -> None:
    example = read_examples()[name]
    same(inbound(SIDES[example.endpoint]), ERRORS[name], example)


def same(side: Inbound, error: DragomanError, example: Example) -> None:
    status, body = side.write_error(error, "")
    (expected,) = example.response.objects
    assert (status, msgspec.json.decode(body)) == (example.response.status, msgspec.json.decode(expected))


def events_of(said: Said) -> Iterator[ev.Event]:
    """What a model says for a client to get this object."""
    message = said.message or Message(said.response, said.thinking)
    vectors = [said.embedding] if said.embedding is not None else said.embeddings
    if message.thinking:
        yield ev.Thinking(message.thinking)
    if said.logprobs:
        yield ev.Text(message.content, logprobs=Raw(b'{"content":%b}' % msgspec.json.encode(said.logprobs)))
    elif message.content:
        yield ev.Text(message.content)
    for called in message.tool_calls:
        function = called.function
        arguments = msgspec.json.encode(function.arguments).decode()
        yield ev.ToolDelta(function.index, arguments, called.id, function.name)
    yield from (ev.Vector(index, Raw(msgspec.json.encode(vector))) for index, vector in enumerate(vectors))
    if said.done or vectors:
        reason: ev.FinishReason = "length" if said.done_reason == "length" else "stop"
        yield from (ev.Finish(reason), ev.Usage(said.prompt_eval_count, said.eval_count))


def members(data: bytes) -> dict[str, object]:
    """The members of a plain answer but one: when the first token came is not to be seen in it."""
    told = msgspec.json.decode(data, type=dict[str, object])
    return {name: value for name, value in told.items() if name != "prompt_eval_duration"}
