"""What chat completions refuse before a bot is asked."""

import pytest

from dragoman.testing.simulator.poe.account import Switches
from dragoman.testing.simulator.poe.strict import LEGACY, STRICT, read_feature
from dragoman.testing.simulator.schema import Json
from tests.unit.testing.simulator.poe.client import TOOLS, Client


@pytest.mark.parametrize(
    ("header", "legacy", "feature"),
    [
        ("", False, STRICT),
        ("", True, LEGACY),
        (LEGACY, False, LEGACY),
        (STRICT, True, STRICT),
        (f"responses-strict, {LEGACY} , unknown", False, LEGACY),
        ("unknown", True, LEGACY),
    ],
)
def test_a_header_chooses_how_strict_poe_is(header: str, legacy: bool, feature: str) -> None:
    assert read_feature({"poe-feature": header} if header else {}, Switches(legacy=legacy)) == feature


def test_an_undeclared_field_is_refused() -> None:
    reply = Client().chat("Grok-4", top_k=3)
    assert (reply.status, reply.at("error", "param")) == (400, "top_k")
    assert reply.at("error", "type") == "invalid_request_error"


@pytest.mark.parametrize("name", ["seed", "user", "store", "prediction", "presence_penalty", "logit_bias"])
def test_fields_of_openai_are_no_fault(name: str) -> None:
    values: dict[str, Json] = {"seed": 1, "user": "me", "store": False, "presence_penalty": 0.5}
    assert Client().chat("Grok-4", "Hi", **{name: values.get(name, {})}).status == 200


def test_a_bot_has_fields_of_its_own() -> None:
    assert Client().chat("Gemini-2.5-Flash", thinking_budget=100).status == 200
    assert Client().chat("Grok-4", thinking_budget=100).status == 400


def test_undeclared_fields_are_ignored_in_the_old_way() -> None:
    reply = Client("any;legacy").chat("Grok-4", top_k=3, anything=True)
    assert (reply.status, reply.headers["x-poe-feature-active"]) == (200, LEGACY)
    fields: dict[str, Json] = {"model": "Grok-4", "messages": [{"role": "user", "content": "Hi"}], "anything": 1}
    assert Client("any;legacy").post("v1/chat/completions", fields, poe_feature=STRICT).status == 400


@pytest.mark.parametrize(("field", "value"), [("n", 2), ("temperature", 2.1), ("top_p", 1.5)])
def test_settings_have_their_range(field: str, value: Json) -> None:
    reply = Client().chat("Grok-4", "Hi", **{field: value})
    assert (reply.status, reply.at("error", "param")) == (400, field)


def test_a_bot_without_tools_says_so() -> None:
    reply = Client().chat("Kimi-K2.5-FW", tools=TOOLS)
    assert reply.status == 400
    assert reply.data == (
        b'{"error":{"message":"Model Kimi-K2.5-FW does not support tool calling. Use a tool-capable model or remove '
        b'tools from the request.","type":"invalid_request_error","param":"model",'
        b'"code":"unsupported_feature_for_model"}}'
    )


def test_an_effort_that_a_bot_does_not_know_is_refused() -> None:
    reply = Client().chat("GPT-5.3-Instant", reasoning_effort="high")
    assert reply.at("error", "message") == (
        "Unsupported value: 'high' is not supported with the 'GPT-5.3-Instant' model. Supported values are: 'medium'."
    )
    assert Client().chat("GPT-5.3-Instant", reasoning_effort="medium").status == 200


def test_a_bot_of_responses_alone_does_not_chat() -> None:
    assert Client().chat("GPT-5.3-Codex-Spark").at("error", "code") == "unsupported_endpoint"


def turn_of(signature: Json) -> list[Json]:
    call: dict[str, Json] = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    if signature:
        call["extra_content"] = {"google": {"thought_signature": signature}}
    second: Json = {"id": "b", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call, second]},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
        {"role": "tool", "tool_call_id": "b", "content": "rainy"},
    ]


def again(model: str, turns: list[Json]) -> int:
    messages: list[Json] = [{"role": "user", "content": "What is the weather?"}, *turns]
    return Client().post("v1/chat/completions", {"model": model, "messages": messages, "tools": TOOLS}).status


def test_a_signed_call_must_come_back_signed() -> None:
    assert again("Gemini-3.1-Pro", turn_of("abc")) == 200
    assert again("Gemini-3.1-Pro", turn_of(None)) == 400
    assert again("Grok-4", turn_of(None)) == 200


def test_calls_before_the_last_word_of_the_user_need_no_signature() -> None:
    assert again("Gemini-3.1-Pro", [*turn_of(None), {"role": "user", "content": "Thanks"}]) == 200
