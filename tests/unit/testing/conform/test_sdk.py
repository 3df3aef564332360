"""Asking through the SDKs: what they make of an answer, and what becomes of what they raise."""

import pytest

from dragoman.testing.conform.question import Question, Said, Speaker, Use
from dragoman.testing.conform.sdk import SDKS, open_sdk
from dragoman.testing.conform.server import Server
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable, Refused
from tests.unit.testing.conform import test_anthropic as messages
from tests.unit.testing.conform import test_ollama as local
from tests.unit.testing.conform import test_openai_chat as chat
from tests.unit.testing.conform import test_openai_responses as responses
from tests.unit.testing.conform.server import JSON, LINES, SSE, Answer, Asked, serving

PLAIN, STREAM = Question(model="m"), Question(model="m", stream=True)
CHAT_FAULT, FAULT = chat.FAULT.removeprefix("data: "), messages.FAULT
FAILED = responses.event(
    1,
    "failed",
    f'"response":{responses.response("failed", "")}'.replace(
        '"error":null', '"error":{"code":"server_error","message":"broken"}'
    ),
)
GOOD = {
    "openai_chat": (chat.REPLY, chat.TEXT),
    "openai_responses": (responses.REPLY, responses.STREAM),
    "anthropic": (messages.REPLY, messages.STREAM),
    "ollama": (local.REPLY, local.TEXT),
}
"""Plain and streamed."""
BROKEN = {
    "openai_chat": chat.ROLE + chat.HEL + chat.FAULT,
    "openai_responses": responses.LINES[0] + FAILED,
    "anthropic": f"{messages.START}event: error\ndata: {FAULT}\n\n",
    "ollama": local.HEL + '{"error":"broken"}\n',
}
ERRORS = {"openai_chat": CHAT_FAULT, "openai_responses": CHAT_FAULT, "anthropic": FAULT, "ollama": '{"error":"broken"}'}
EVERY = pytest.mark.parametrize("dialect", SDKS)


def speaker(dialect: str, server: Server) -> Speaker:
    found = open_sdk(dialect, server)
    assert found is not None
    return found


def stream_of(dialect: str, body: str) -> Answer:
    return 200, LINES if dialect == "ollama" else SSE, body.encode()


@EVERY
def test_a_plain_answer_and_a_stream_say_the_same(dialect: str) -> None:
    plain, stream = GOOD[dialect]
    with serving(lambda _: (200, JSON, plain.encode())) as server:
        said = speaker(dialect, server).ask(PLAIN)
    assert said.text == "Hello"
    assert said.tokens == (9, 2)
    with serving(lambda _: stream_of(dialect, stream)) as server:
        streamed = speaker(dialect, server).ask(STREAM)
    assert (streamed.text, streamed.uses, streamed.pieces) == ("Hello", said.uses, 2)


@EVERY
def test_a_stream_that_breaks_is_told(dialect: str) -> None:
    with serving(lambda _: stream_of(dialect, BROKEN[dialect])) as server, pytest.raises(Broken, match="broken"):
        speaker(dialect, server).ask(STREAM)


@EVERY
def test_a_refusal_keeps_its_status(dialect: str) -> None:
    with serving(lambda _: (404, JSON, ERRORS[dialect].encode())) as server, pytest.raises(Refused) as caught:
        speaker(dialect, server).ask(PLAIN)
    assert caught.value.status == 404


@EVERY
def test_a_connection_that_is_lost_is_told(dialect: str) -> None:
    with serving(lambda _: (0, "", b"")) as server, pytest.raises(Mismatch, match="connection: expected"):
        speaker(dialect, server).ask(PLAIN)


@EVERY
def test_what_the_sdk_or_its_reader_cannot_read_is_told(dialect: str) -> None:
    nonsense = b'{"choices":[],"content":1,"message":1}'
    with serving(lambda _: (200, JSON, nonsense)) as server, pytest.raises(Mismatch, match="sdk"):
        speaker(dialect, server).ask(PLAIN)


@EVERY
def test_a_stream_is_left(dialect: str) -> None:
    with serving(lambda _: stream_of(dialect, GOOD[dialect][1])) as server:
        speaker(dialect, server).leave(STREAM)


@EVERY
def test_an_sdk_cannot_send_nonsense(dialect: str) -> None:
    with serving(lambda _: (200, JSON, b"{}")) as server, pytest.raises(NotApplicable):
        speaker(dialect, server).send(PLAIN, broken=True)


def test_embeddings_are_read_where_the_dialect_has_them() -> None:
    vectors = {
        "openai_chat": b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"usage":{}}',
        "ollama": b'{"model":"m","embeddings":[[0.5]]}',
    }
    with serving(lambda asked: (200, JSON, vectors["ollama" if "api" in asked.path else "openai_chat"])) as server:
        for dialect in vectors:
            assert speaker(dialect, server).embed("m", ["a"]) == [[0.5]]
    for dialect in SDKS.keys() - vectors.keys():
        with serving(lambda _: (200, JSON, b"{}")) as server, pytest.raises(NotApplicable):
            speaker(dialect, server).embed("m", ["a"])


def test_a_response_stream_without_an_end_is_told() -> None:
    cut = stream_of("openai_responses", responses.LINES[0])
    with serving(lambda _: cut) as server, pytest.raises(Mismatch, match="stream: expected a terminal event"):
        speaker("openai_responses", server).ask(STREAM)


def test_ollama_is_asked_for_everything_and_its_calls_are_read() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return stream_of("ollama", local.CALLS + local.END)

    question = Question(model="m", stream=True, tools=True, form=True, think=True, stop="x")
    with serving(answer, key="some-key") as server:
        said = speaker("ollama", server).ask(question)
    assert said == Said(uses=[Use("", "f", '{"a":1}')], finish="tools", tokens=(9, 2))
    assert asked[0].headers["authorization"] == "Bearer some-key"
    for word in (b'"tools"', b'"format"', b'"think"', b'"stop"'):
        assert word in asked[0].body
