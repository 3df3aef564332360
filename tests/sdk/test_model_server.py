"""A real model server as upstream: llama.cpp's, with a model made on the spot, behind a gateway for the official SDKs.

What the model says is nonsense, but the same question has the same answer each time: what every client gets is
compared with what the server itself says.
"""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import anthropic
import jsonschema_rs
import msgspec
import ollama
import openai
import pytest
from openai.types.chat import ChatCompletionAssistantMessageParam

from tests.sdk.chat import HELLO
from tests.sdk.environment import environment
from tests.sdk.model_server.ways import (
    CHOICE,
    CITY,
    MODEL,
    WAYS,
    Clients,
    Question,
    Way,
    ask_anthropic,
    ask_chat,
    ask_ollama,
    stream_anthropic,
    stream_chat,
    stream_ollama,
)
from tests.sdk.model_server.weights import CONTEXT, write_model
from tests.sdk.process import PATIENCE, served

PYTHON = Path(sys.prefix) / "model-server/bin/python"
PROGRAM = Path(__file__).parent / "model_server/serve.py"
CONFIG = """
[server]
port = 0

[store]
url = "sqlite://"

[upstreams.server]
kind = "openai"
base_url = "$SERVER/v1"
endpoints = ["chat", "completions", "embeddings"]
retry = { attempts = 1 }
"""
QUESTIONS = {
    "ended": Question(),
    "cut": Question(limit=5),
    "thought": Question(thinks=True),
    "formed": Question(form=CITY),
    "called": Question(tool="weather"),
}
CALLED: ChatCompletionAssistantMessageParam = {
    "role": "assistant",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Oslo"}'}}],
}
STOPPING: Sequence[Way] = (ask_chat, stream_chat, ask_anthropic, stream_anthropic, ask_ollama, stream_ollama)
"""All but Responses, which has no stop sequences."""


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Generator[Clients]:
    """Clients of the model server itself."""
    if not PYTHON.exists():
        pytest.skip("the model server is not installed: `make test` does it")
    file = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_model(file)
    with _model_server(file) as address, _clients(address, "tiny") as clients:
        yield clients


@pytest.fixture(scope="module")
def through(direct: Clients, tmp_path_factory: pytest.TempPathFactory) -> Generator[Clients]:
    """Clients of a gateway before the model server."""
    file = tmp_path_factory.mktemp("gateway") / "dragoman.toml"
    address = str(direct.openai.base_url).removesuffix("/v1/")
    file.write_text(CONFIG.replace("$SERVER", address))
    with served(["serve", "-c", str(file)]) as gateway, _clients(gateway.address, MODEL) as clients:
        yield clients
        assert '"bug"' not in gateway.log


@contextmanager
def _model_server(file: Path) -> Generator[str]:
    """Serve the model until the block ends; yields the address."""
    with (
        file.with_suffix(".log").open("w") as log,
        subprocess.Popen(
            [PYTHON, PROGRAM, file], env=environment(), stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, file.with_suffix(".log").read_text()
            yield address
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


@contextmanager
def _clients(address: str, model: str) -> Generator[Clients]:
    """Give clients that ask once and say what they are told."""
    with (
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as for_openai,
        anthropic.Anthropic(base_url=address, api_key="none", max_retries=0, timeout=20) as for_anthropic,
        closing(ollama.Client(address, timeout=20)) as for_ollama,
    ):
        yield Clients(for_openai, for_anthropic, for_ollama, model)


def test_the_models_are_those_of_the_server(through: Clients) -> None:
    assert [model.id for model in through.openai.models.list()] == [MODEL]
    assert [model.id for model in through.anthropic.models.list()] == [MODEL]
    assert [model.model for model in through.ollama.list().models] == [f"{MODEL}:latest"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_client_is_told_what_the_model_said(
    way: Way, question: Question, through: Clients, direct: Clients
) -> None:
    assert way(through, question) == ask_chat(direct, question)


def test_the_model_says_something_of_every_kind(direct: Clients) -> None:
    """Without this the comparison above could be one of nothing with nothing."""
    said = {name: ask_chat(direct, question) for name, question in QUESTIONS.items()}
    finishes = [one.finish for one in said.values()]
    assert finishes == ["stop", "length", "stop", "stop", "tools"]
    assert said["ended"].text
    assert said["cut"].written == 5
    assert said["thought"].thoughts
    assert said["thought"].text
    jsonschema_rs.validate(CITY, msgspec.json.decode(said["formed"].text))
    assert len(said["called"].calls) > 1
    for name, arguments in said["called"].calls:
        assert name == "weather"
        jsonschema_rs.validate(CHOICE, arguments)


@pytest.mark.parametrize("way", STOPPING)
def test_a_stop_sequence_ends_the_answer(way: Way, through: Clients, direct: Clients) -> None:
    whole = ask_chat(direct, Question()).text
    said = way(through, Question(stop=whole[5]))
    assert said.text == whole[: whole.index(whole[5])]
    assert said.finish == "stop"


def test_a_stream_comes_in_pieces(through: Clients) -> None:
    chunks = list(
        through.openai.chat.completions.create(model=MODEL, messages=HELLO, max_completion_tokens=20, stream=True)
    )
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) > 3
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_result_of_a_tool_is_taken(through: Clients) -> None:
    """The template shows the call and the result to the model, which then speaks."""
    answer = through.openai.chat.completions.create(
        model=MODEL,
        messages=[*HELLO, CALLED, {"role": "tool", "tool_call_id": "1", "content": "Rain"}],
        tools=[{"type": "function", "function": {"name": "f", "parameters": CHOICE}}],
    )
    message = through.anthropic.messages.create(
        model=MODEL,
        messages=[
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {"city": "Oslo"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "Rain"}]},
        ],
        tools=[{"name": "f", "input_schema": CHOICE}],
        max_tokens=CONTEXT,
    )
    assert answer.choices[0].message.content
    assert [block.text for block in message.content if block.type == "text"] == [answer.choices[0].message.content]


def test_logprobs_come_with_every_token(through: Clients) -> None:
    answer = through.openai.chat.completions.create(
        model=MODEL, messages=HELLO, max_completion_tokens=4, logprobs=True, top_logprobs=3
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    tokens = logprobs.content or []
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert [len(token.top_logprobs) for token in tokens] == [3] * 4


def test_a_text_is_completed(through: Clients, direct: Clients) -> None:
    mine, theirs = (
        clients.openai.completions.create(model=clients.model, prompt="Once", max_tokens=9)
        for clients in (through, direct)
    )
    assert mine.choices[0].text
    assert (mine.choices, mine.usage) == (theirs.choices, theirs.usage)
    stream = through.openai.completions.create(model=MODEL, prompt="Once", max_tokens=9, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == mine.choices[0].text


def test_texts_are_embedded(through: Clients, direct: Clients) -> None:
    texts = ["Oslo", "Rome"]
    theirs = [one.embedding for one in direct.openai.embeddings.create(model="tiny", input=texts).data]
    mine = [one.embedding for one in through.openai.embeddings.create(model=MODEL, input=texts).data]
    assert len(theirs[0]) == 64
    assert theirs[0] != theirs[1]
    assert mine == theirs
    for ours, expected in zip(through.ollama.embed(MODEL, texts).embeddings, theirs, strict=True):
        assert ours == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_a_question_over_the_context_is_the_clients_mistake(way: Way, through: Clients) -> None:
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError, ollama.ResponseError)) as told:
        way(through, Question("x" * CONTEXT))
    # The other two are called after the status.
    assert not isinstance(told.value, ollama.ResponseError) or told.value.status_code == 400


def test_more_answers_than_the_server_gives_are_refused(through: Clients) -> None:
    with pytest.raises(openai.BadRequestError):
        through.openai.chat.completions.create(model=MODEL, messages=HELLO, n=2)
