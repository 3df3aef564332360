"""The simulated upstream as a server sees it: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import DragomanError
from dragoman.core.legal import breaches
from dragoman.dialects import outbound
from dragoman.testing import INSTANT, Cadence, Script, Simulator
from dragoman.testing.simulator.models import MODELS
from dragoman.testing.simulator.schema import Json
from dragoman.upstreams.listing import parse_models
from tests.form import TYPE, form

Fields = dict[str, object]
SCHEMAS = msgspec.json.decode(
    (Path(__file__).parents[3] / "data" / "openai-schemas.json").read_bytes(), type=dict[str, Raw]
)
PATH = "/v1/chat/completions"
FORM = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"name": "get_weather", "description": "Get the weather", "parameters": FORM}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
ASKED: list[Fields] = [
    {},
    {"n": 3, "max_tokens": 5},
    {"max_completion_tokens": 0},
    {"logprobs": True, "top_logprobs": 2, "stop": ["."]},
    {"tools": [{"type": "function", "function": WEATHER}]},
    {"tools": [{"type": "function", "function": WEATHER}], "tool_choice": "required", "parallel_tool_calls": False},
    {"functions": [WEATHER], "function_call": {"name": "get_weather"}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": FORM, "strict": True}}},
    {"messages": [{"role": "user", "content": [IMAGE, {"type": "text", "text": "What is it?"}]}]},
]
HEALTHY = ["chat", "instant", "reasoning", "refuse", "slow", "no-done", "no-usage"]


def valid(name: str) -> Callable[[Json], None]:
    """Return what checks a value against a definition of OpenAI's specification."""
    bundle = {**{key: msgspec.json.decode(raw) for key, raw in SCHEMAS.items()}, "$ref": f"#/$defs/{name}"}
    return jsonschema_rs.validator_for(bundle).validate


WHOLE, CHUNK = valid("CreateChatCompletionResponse"), valid("CreateChatCompletionStreamResponse")
ERROR, MODEL, MODEL_LIST = valid("ErrorResponse"), valid("Model"), valid("ListModelsResponse")


def simulator() -> Simulator:
    return Simulator(seed=3, cadence=INSTANT, now=lambda: 1767225600)


def body(
    model: str = "chat", text: str = "What is the weather in Paris?", more: Fields | None = None, **fields: object
) -> bytes:
    asked = {"model": model, "messages": [{"role": "user", "content": text}], **fields, **(more or {})}
    return msgspec.json.encode(asked)


def answered(data: bytes) -> Script:
    return simulator().answer("POST", PATH, {"content-type": "application/json"}, data)


def data_of(script: Script) -> bytes:
    return b"".join(data for _, data in script.pieces)


def chunks(data: bytes) -> list[Json]:
    frames = [frame.removeprefix(b"data: ") for frame in data.split(b"\n\n") if frame != b"data: [DONE]" and frame]
    return [msgspec.json.decode(frame) for frame in frames]


def read_back(data: bytes) -> list[ev.Event]:
    """Read a stream with the other side of the dialect; raises what a gateway would."""
    reader = outbound("openai_chat").reader(ev.Start("", ""), 1)
    reads = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    bursts = [*(reader.feed(read) for read in reads), reader.end()]
    return [event for burst in bursts if burst is not None for event in burst.events]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("model", HEALTHY)
def test_a_plain_answer_is_what_openai_specifies(model: str, asked: Fields) -> None:
    script = answered(body(model, more=asked))
    assert script.status == 200, data_of(script)
    assert dict(script.headers)["content-type"] == "application/json"
    WHOLE(msgspec.json.decode(data_of(script)))
    burst = outbound("openai_chat").read_reply(data_of(script), ev.Start("", ""))
    assert breaches(burst.events) == []


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("model", HEALTHY)
def test_a_streamed_answer_is_what_openai_specifies(model: str, asked: Fields) -> None:
    script = answered(body(model, stream=True, stream_options={"include_usage": True}, more=asked))
    assert script.status == 200, data_of(script)
    assert dict(script.headers)["content-type"] == "text/event-stream; charset=utf-8"
    data = data_of(script)
    assert data.endswith(b"data: [DONE]\n\n") == (model != "no-done")
    for chunk in chunks(data):
        CHUNK(chunk)
    assert breaches(read_back(data)) == []


def test_the_same_request_gets_the_same_bytes() -> None:
    first, again = answered(body(stream=True)), answered(body(stream=True))
    assert first.pieces == again.pieces
    assert b'"id":"chatcmpl-sim' in data_of(first)
    assert data_of(answered(body(text="something else", stream=True))) != data_of(first)
    assert data_of(Simulator(4, INSTANT).answer("POST", PATH, {}, body(stream=True))) != data_of(first)


def test_each_model_keeps_its_own_pace() -> None:
    for model, first in (("chat", 0.5), ("slow", 10), ("instant", 0)):
        script = Simulator(cadence=Cadence(0.5, 10)).answer("POST", PATH, {}, body(model, stream=True))
        assert next(iter(script.pieces))[0] == first


def test_completions_of_text_are_simulated_too() -> None:
    data = msgspec.json.encode({"model": "chat", "prompt": ["Say one", "Say two"], "max_tokens": 20})
    script = simulator().answer("POST", "/v1/completions", {}, data)
    assert script.status == 200
    valid("CreateCompletionResponse")(msgspec.json.decode(data_of(script)))
    assert b'"text":"one"' in data_of(script)
    assert b'"text":"two"' in data_of(script)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("stream", [True, False])
def test_a_failing_model_fails_with_its_status_in_the_dialects_shape(status: int, *, stream: bool) -> None:
    script = answered(body(f"error-{status}", stream=stream))
    assert script.status == status
    ERROR(msgspec.json.decode(data_of(script)))
    assert dict(script.headers).get("retry-after") == ("1" if status == 429 else None)


def test_a_flaky_model_fails_twice_in_each_conversation() -> None:
    flaky = simulator()

    def status(text: str) -> int:
        return flaky.answer("POST", PATH, {}, body("flaky", text)).status

    assert [status("one"), status("one"), status("two"), status("one"), status("one")] == [500, 500, 500, 200, 200]


def test_the_memory_of_failures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.testing.simulator.face._MOST_SEEN", 1)
    flaky = simulator()
    texts = ["one", "one", "two", "one"]
    assert [flaky.answer("POST", PATH, {}, body("flaky", text)).status for text in texts] == [500, 500, 500, 500]


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("error-html", "invalid"),
        ("error-empty", "incomplete"),
        ("error-inband", "5xx"),
        ("error-midstream", "5xx"),
        ("eof", "incomplete"),
        ("malformed", "invalid"),
        ("huge-event", "too_large"),
    ],
)
@pytest.mark.parametrize("usage", [True, False])
@pytest.mark.parametrize("text", ["Say OK", "Hello"])
def test_a_broken_stream_is_broken_for_whoever_reads_it(model: str, fault: str, text: str, *, usage: bool) -> None:
    script = answered(body(model, text, stream=True, stream_options={"include_usage": usage}))
    assert (script.status, script.ends) == (200, "clean")
    with pytest.raises(DragomanError) as caught:
        read_back(data_of(script))
    assert caught.value.fault == fault


@pytest.mark.parametrize(("model", "ends"), [("stall", "hang"), ("silent", "hang"), ("cut", "cut"), ("reset", "cut")])
@pytest.mark.parametrize("stream", [True, False])
def test_some_models_never_end_their_answer(model: str, ends: str, *, stream: bool) -> None:
    script = answered(body(model, stream=stream))
    assert script.ends == ends
    assert bool(script.pieces) == (model in ("stall", "cut"))
    assert b"[DONE]" not in data_of(script)
    assert b'finish_reason":"stop' not in data_of(script)


@pytest.mark.parametrize("model", ["bad-utf8", "lone-surrogate", "no-finish", "repeat-role", "tool-gaps"])
def test_a_stream_that_is_only_odd_can_be_read(model: str) -> None:
    tools = [{"type": "function", "function": WEATHER}]
    script = answered(body(model, stream=True, tools=tools))
    assert breaches(read_back(data_of(script))) == []
    assert data_of(script) != data_of(answered(body("instant", stream=True, tools=tools)))


def test_a_redirect_points_elsewhere() -> None:
    script = answered(body("error-redirect"))
    assert script.status == 302
    assert "location" in dict(script.headers)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"{}", 400, "missing_required_parameter"),
        (body(temperature=9), 400, "invalid_value"),
        (body("unheard-of"), 404, "model_not_found"),
        (body(messages=[{"role": "user", "content": None}]), 400, "invalid_type"),
    ],
)
def test_a_wrong_request_is_told_so(data: bytes, status: int, code: str) -> None:
    script = answered(data)
    assert script.status == status
    ERROR(msgspec.json.decode(data_of(script)))
    assert f'"code":"{code}"'.encode() in data_of(script)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("POST", "/v1/models", 405),
        ("DELETE", "/v1/models/chat", 405),
        ("GET", "/v1/models/unheard-of", 404),
        ("GET", "/", 404),
        ("POST", "/v1/unheard-of", 404),
    ],
)
def test_what_is_not_served_is_an_error(method: str, path: str, status: int) -> None:
    script = simulator().answer(method, path, {}, body())
    assert script.status == status
    assert ("allow" in dict(script.headers)) == (status == 405)
    ERROR(msgspec.json.decode(data_of(script)))


def test_a_body_that_is_not_said_to_be_json_is_refused() -> None:
    assert simulator().answer("POST", PATH, {"content-type": "text/plain"}, body()).status == 415


@pytest.mark.parametrize("path", ["/v1/models", "/models?limit=3", "/api/v1/models"])
def test_the_models_are_listed(path: str) -> None:
    script = simulator().answer("GET", path, {}, b"")
    assert script.status == 200
    MODEL_LIST(msgspec.json.decode(data_of(script)))
    for name in MODELS:
        assert f'"id":"{name}"'.encode() in data_of(script)


@pytest.mark.parametrize("path", ["/v1/models/error-404", "/v1/models/error%2D404"])
def test_one_model_is_described(path: str) -> None:
    script = simulator().answer("GET", path, {}, b"")
    MODEL(msgspec.json.decode(data_of(script)))
    assert b'"id":"error-404"' in data_of(script)


def test_only_chosen_models_are_offered() -> None:
    few = Simulator(models=["chat"])
    assert few.answer("POST", PATH, {}, body("instant")).status == 404
    assert data_of(few.answer("GET", "/models", {}, b"")).count(b'"id"') == 1


def test_the_time_is_the_clocks_unless_told() -> None:
    assert b'"created":1767225600' in data_of(answered(body()))
    assert Simulator().answer("POST", PATH, {}, body("instant")).status == 200


def test_the_catalogue_tells_what_the_models_can_in_words_that_a_gateway_reads() -> None:
    script = Simulator(models=["reasoning", "text-only", "embed"]).answer("GET", "/v1/models", {}, b"")
    listed = {model.id: model.can for model in parse_models(b"".join(data for _, data in script.pieces))}
    assert (listed["reasoning"].thinking, listed["reasoning"].vision, listed["reasoning"].tools) == (True, True, True)
    assert (listed["text-only"].vision, listed["text-only"].tools, listed["text-only"].context) == (
        False,
        False,
        131_072,
    )
    assert listed["embed"].embedding


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("audio/speech", {"input": "Hi", "response_format": "wav"}, "audio/wav"),
        ("audio/speech", {"input": "Hi", "response_format": "wav", "stream_format": "sse"}, "text/event-stream"),
        ("embeddings", {"input": "Hi"}, "application/json"),
        ("moderations", {"input": "Hi"}, "application/json"),
        ("images/generations", {"prompt": "Hi", "size": "8x8"}, "application/json"),
        ("images/generations", {"prompt": "Hi", "size": "8x8", "stream": True}, "text/event-stream"),
    ],
)
def test_what_is_no_conversation_is_answered_too(path: str, body: Fields, kind: str) -> None:
    data = msgspec.json.encode({"model": "instant", **body})
    script = Simulator().answer("POST", f"/v1/{path}", {"content-type": "application/json"}, data)
    assert (script.status, dict(script.headers)["content-type"].partition(";")[0]) == (200, kind)


@pytest.mark.parametrize(
    ("path", "status"),
    [("audio/transcriptions", 200), ("images/edits", 400), ("chat/completions", 415), ("audio/speech", 415)],
)
def test_a_form_is_read_where_one_may_be_sent(path: str, status: int) -> None:
    data = form(model="instant", file=("a.wav", b"RIFF"))
    assert Simulator().answer("POST", f"/v1/{path}", {"content-type": TYPE}, data).status == status


@pytest.mark.parametrize(("path", "status"), [("/v1/videos", 200), ("/v1/videos/nobody", 404), ("/v1/videos2", 404)])
def test_jobs_have_paths_of_their_own(path: str, status: int) -> None:
    assert Simulator().answer("GET", path, {}, b"").status == status


@pytest.mark.parametrize("prefix", ["/poe/v1", "/qwen/compatible-mode/v1", "/v1"])
def test_a_base_url_chooses_the_face(prefix: str) -> None:
    script = simulator().answer("GET", f"{prefix}/models", {"authorization": "Bearer key"}, b"")
    owners = {
        "/poe/v1": b'"owned_by":"Anthropic"',
        "/qwen/compatible-mode/v1": b'"id":"qwen-turbo"',
        "/v1": b'"id":"chat"',
    }
    assert [name for name, mark in owners.items() if mark in data_of(script)] == [prefix]


def test_every_face_tells_the_time_it_is_given() -> None:
    headers = {"authorization": "Bearer key", "content-type": "application/json"}
    for path, model in (("/poe/v1", "grok-4"), ("/qwen/compatible-mode/v1", "qwen-max"), ("/v1", "chat")):
        script = simulator().answer("POST", f"{path}/chat/completions", headers, body(model))
        assert b'"created":1767225600' in data_of(script)
