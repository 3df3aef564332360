"""DashScope in compatible mode: where it deviates from OpenAI."""

import json
import re

import pytest

from dragoman.testing.simulator.qwen import QwenFace
from dragoman.testing.simulator.schema import Json
from dragoman.testing.simulator.script import INSTANT
from tests.unit.testing.simulator.poe.client import TOOLS, Reply, at


def send(method: str, path: str, body: bytes, key: str = "sk-1") -> Reply:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return Reply(QwenFace(3, lambda: 1000, INSTANT).answer(method, path, headers, body))


def chat(model: str = "qwen-plus", text: str = "Say: one two", **fields: Json) -> Reply:
    asked = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return send("POST", "chat/completions", json.dumps(asked).encode())


def stream(text: str = "Say: one two", **fields: Json) -> Reply:
    return chat("qwen-plus", text, stream=True, stream_options={"include_usage": True}, **fields)


def test_a_plain_answer_is_openais_but_for_a_little() -> None:
    data = chat().data
    assert re.match(
        rb'\{"id":"chatcmpl-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}","object":"chat.completion",'
        rb'"created":1000,"system_fingerprint":null,"model":"qwen-plus","choices":\[\{"index":0,"message":'
        rb'\{"role":"assistant","content":"one two"\}',
        data,
    )


@pytest.mark.parametrize("model", ["qwen3-max", "qwen-max", "qwen-plus", "qwen-turbo"])
def test_the_models_are_there(model: str) -> None:
    assert chat(model).at("model") == model
    listed = send("GET", "models?any", b"").at("data")
    assert isinstance(listed, list)
    assert [item for item in listed if at(item, "id") == model]


def test_usage_grows_from_chunk_to_chunk() -> None:
    told = [at(chunk, "usage") for chunk in stream().chunks]
    assert [at(usage, "completion_tokens") for usage in told] == [1, 1, 2, 2, 2]
    assert all(at(usage, "prompt_tokens") == at(told[0], "prompt_tokens") for usage in told)
    assert at(told[-1], "total_tokens") == at(chat().at("usage"), "total_tokens")


def test_calls_of_tools_are_counted_too() -> None:
    chunks = stream("weather in Paris", tools=TOOLS).chunks
    counts = [int(str(at(chunk, "usage", "completion_tokens"))) for chunk in chunks]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] > 0
    whole = chat(text="weather in Paris", tools=TOOLS)
    assert counts[-1] == whole.at("usage", "completion_tokens")


def test_usage_is_not_told_unasked() -> None:
    assert all("usage" not in str(chunk) for chunk in chat(stream=True).chunks)


def test_thoughts_come_before_the_text() -> None:
    deltas = [at(chunk, "choices", 0, "delta") for chunk in stream(enable_thinking=True).chunks[:-1]]
    kinds = ["reasoning_content" in delta for delta in deltas if isinstance(delta, dict)]
    assert kinds[1]
    assert not kinds[-1]
    assert deltas[1] == {"content": None, "reasoning_content": at(deltas[1], "reasoning_content")}
    last = stream(enable_thinking=True).chunks[-1]
    assert at(last, "usage", "completion_tokens_details", "reasoning_tokens") != 0


def test_nobody_thinks_unasked() -> None:
    assert b"reasoning_content" not in stream().data
    assert b"reasoning_content" not in chat("qwen-max", stream=True, enable_thinking=True).data


def test_a_budget_of_nothing_is_no_thought() -> None:
    assert b"reasoning_content" not in stream(enable_thinking=True, thinking_budget=0).data


def test_thinking_needs_a_stream() -> None:
    reply = chat(enable_thinking=True)
    assert reply.status == 400
    assert reply.at("error") == {
        "code": "invalid_parameter_error",
        "message": "parameter.enable_thinking must be set to false for non-streaming calls",
        "param": None,
        "type": "invalid_request_error",
    }
    assert reply.at("id") == f"chatcmpl-{reply.at('request_id')}"
    assert chat("qwen-max", enable_thinking=True).status == 200


@pytest.mark.parametrize(("model", "most"), [("qwen-max", 8192), ("qwen-turbo", 16384)])
def test_more_tokens_than_a_model_has_are_refused(model: str, most: int) -> None:
    assert chat(model, max_tokens=most).status == 200
    reply = chat(model, max_tokens=most + 1)
    message = f"<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, {most}]"
    assert (reply.status, reply.at("error", "message")) == (400, message)


@pytest.mark.parametrize("key", ["", "bad-key"])
def test_a_key_is_needed(key: str) -> None:
    reply = send("GET", "models", b"", key)
    assert (reply.status, reply.at("error", "code")) == (401, "invalid_api_key")


def test_an_unknown_model_is_not_found() -> None:
    reply = chat("gpt-4o")
    assert (reply.status, reply.at("error", "code")) == (404, "model_not_found")


@pytest.mark.parametrize(("status", "code"), [(429, "Throttling"), (500, "InternalError"), (400, "InvalidParameter")])
def test_errors_may_be_told_as_dashscope_does(status: int, code: str) -> None:
    reply = chat(f"sim-error-{status}")
    body = reply.at()
    assert isinstance(body, dict)
    assert (reply.status, body["code"], set(body)) == (status, code, {"code", "message", "request_id"})


@pytest.mark.parametrize(("field", "value"), [("temperature", 3), ("enable_thinking", "yes"), ("messages", [])])
def test_what_is_wrong_is_refused(field: str, value: Json) -> None:
    assert chat("qwen-plus", "Hi", **{field: value}).at("error", "code") == "invalid_parameter_error"


def test_nothing_else_is_there() -> None:
    reply = send("POST", "embeddings", b"{}")
    assert (reply.status, reply.data) == (404, b"")
