"""What we write, read by Ollama's own Python client."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx
import msgspec
import ollama
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from tests.golden.play import play
from tests.golden.wirefile import Conversation, read_translations

CHATS = [talk for talk in read_translations("ollama_chat") if talk.gets is not None]
SINGLES = [talk for talk in read_translations("ollama_generate") if talk.gets is not None]
LINES = "application/x-ndjson"
TURN = [ollama.Message(role="user", content="Hi")]
NASTY = "a\u2028b\u2029c\u0085d\x1ee 😀\n"
"""Everything that cuts a line for somebody."""


@contextmanager
def client(answer: Callable[[bytes], tuple[int, bytes]]) -> Generator[ollama.Client]:
    """Yield the official client, whose requests `answer` answers."""

    def respond(request: httpx.Request) -> httpx.Response:
        status, body = answer(request.read())
        return httpx.Response(status, content=body)

    own = ollama.Client("http://127.0.0.1", transport=httpx.MockTransport(respond))
    with own:
        yield own


def answer_with(dialect: str, *said: ev.Event) -> Callable[[bytes], tuple[int, bytes]]:
    """Answer every request in a dialect with these events."""
    side = inbound(dialect)

    def answer(body: bytes) -> tuple[int, bytes]:
        call = side.read_call(body, Limits())
        burst = call.ready or Burst([ev.Start("", ""), *said])
        if not call.stream:
            return 200, side.write_reply(call, burst)
        writer = side.writer(call)
        return 200, writer.ping() + writer.write(burst) + writer.end()

    return answer


def name_of(talk: Conversation) -> str:
    return talk.name


@pytest.mark.parametrize("talk", CHATS, ids=name_of)
def test_the_client_reads_every_chat(talk: Conversation) -> None:
    played = play(talk, [])
    with client(lambda _: (played.status, played.gets)) as own:
        if played.error is not None:
            with pytest.raises(ollama.ResponseError) as caught:
                list(own.chat("fast", TURN, stream=True))
            assert str(played.error) in str(caught.value)
        elif talk.gets is not None and talk.gets.media_type == LINES:
            lines = list(own.chat("fast", TURN, stream=True))
            assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
            assert all(line.message.role == "assistant" and line.message.content is not None for line in lines)
        else:
            assert own.chat("fast", TURN).done


@pytest.mark.parametrize("talk", SINGLES, ids=name_of)
def test_the_client_reads_every_single_answer(talk: Conversation) -> None:
    played = play(talk, [])
    with client(lambda _: (played.status, played.gets)) as own:
        if played.error is not None:
            with pytest.raises(ollama.ResponseError, match=str(played.error).split("(")[0]):
                list(own.generate("fast", "Hi", stream=True))
        elif talk.gets is not None and talk.gets.media_type == LINES:
            lines = list(own.generate("fast", "Hi", stream=True))
            assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
        else:
            assert own.generate("fast", "Hi").done_reason == "stop"


def test_the_client_hears_every_word_and_every_number() -> None:
    told = Raw(b'{"content":[{"token":"x","logprob":-0.5,"bytes":[120],"top_logprobs":[]}]}')
    calls = ev.ToolDelta(0, '{"city": "Oslo",\n"days":2}', "c", "weather")
    said = (ev.Thinking("Hm"), ev.Text(NASTY), ev.Text("x", logprobs=told), calls)
    with client(answer_with("ollama_chat", *said, ev.Finish("tool_calls"), ev.Usage(31, 9))) as own:
        lines = list(own.chat("fast", TURN, stream=True))
        whole = own.chat("fast", TURN)
    assert "".join(line.message.content or "" for line in lines) == whole.message.content == NASTY + "x"
    assert whole.message.thinking == "Hm"
    for answers in (lines, [whole]):
        called = [call.function for line in answers for call in line.message.tool_calls or ()]
        assert [(call.name, call.arguments) for call in called] == [("weather", {"city": "Oslo", "days": 2})]
        assert [token.token for line in answers for token in line.logprobs or ()] == ["x"]
        assert (answers[-1].prompt_eval_count, answers[-1].eval_count, answers[-1].done_reason) == (31, 9, "stop")


def test_the_clients_own_turns_come_back_as_they_were() -> None:
    call = ollama.Message.ToolCall(function=ollama.Message.ToolCall.Function(name="f", arguments={"a": 1}))
    turns = [*TURN, ollama.Message(role="assistant", tool_calls=[call]), ollama.Message(role="tool", content="7")]
    bodies: list[bytes] = []
    answer = answer_with("ollama_chat", ev.Text("Hi"), ev.Finish("stop"))

    def keep(body: bytes) -> tuple[int, bytes]:
        bodies.append(body)
        return answer(body)

    with client(keep) as own:
        own.chat("fast", turns, options={"num_ctx": 8192, "temperature": 0.5}, think=True)
    request = inbound("ollama_chat").read_call(bodies[0], Limits()).request
    assert [turn.role for turn in request.messages] == ["user", "assistant", "tool"]
    assert msgspec.to_builtins(request.messages[2].parts[0])["id"] == "call_1_0"
    assert (request.sampling.temperature, request.reasoning.effort) == (0.5, "medium")


def test_the_client_loads_models_and_gets_vectors() -> None:
    with client(answer_with("ollama_chat")) as own:
        assert own.chat("fast", [], keep_alive=0).done_reason == "unload"
    with client(answer_with("ollama_generate")) as own:
        assert own.generate("fast", "").done_reason == "load"
    vectors = (ev.Vector(0, Raw(b"[3,4]")), ev.Vector(1, Raw(b'"AACAPwAAAAA="')), ev.Finish("stop"), ev.Usage(2, 0))
    with client(answer_with("ollama_embed", *vectors)) as own:
        answer = own.embed("fast", ["a", "b"])
    assert [list(vector) for vector in answer.embeddings] == [[0.6, 0.8], [1.0, 0.0]]
    with client(answer_with("ollama_embeddings", *vectors[:1], ev.Finish("stop"))) as own:
        assert list(own.embeddings("fast", "a").embedding) == [3.0, 4.0]


def test_the_client_raises_when_an_answer_breaks() -> None:
    side = inbound("ollama_chat")

    def answer(body: bytes) -> tuple[int, bytes]:
        writer = side.writer(side.read_call(body, Limits()))
        return 200, writer.write(Burst([ev.Text("Hel")])) + (writer.fail(UpstreamIncomplete("half of it")) or b"")

    with client(answer) as own, pytest.raises(ollama.ResponseError, match="half of it"):
        list(own.chat("fast", TURN, stream=True))
