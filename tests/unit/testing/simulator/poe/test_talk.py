"""How a bot is found and what goes wrong with it on purpose."""

import pytest

from dragoman.testing.simulator.schema import Json
from tests.unit.testing.simulator.poe.client import Client, Reply, at


def respond(client: Client, model: str, **fields: Json) -> Reply:
    return client.post("v1/responses", {"model": model, "input": "Say: hi", **fields})


def converse(model: str, client: Client | None = None, **fields: Json) -> Reply:
    turns: Json = [{"role": "user", "content": "Say: hi"}]
    return (client or Client()).post("v1/messages", {"model": model, "max_tokens": 2000, "messages": turns, **fields})


@pytest.mark.parametrize("name", ["Grok-4", "grok-4", "GROK-4"])
def test_the_spelling_of_a_name_is_echoed(name: str) -> None:
    assert Client().chat(name).at("model") == name


@pytest.mark.parametrize(("key", "status", "code"), [("any", 404, None), ("any;unknown=400", 400, "model_not_found")])
def test_an_unknown_bot_is_missing_or_wrong(key: str, status: int, code: str | None) -> None:
    reply = Client(key).chat("Nobody")
    error = reply.at("error")
    assert isinstance(error, dict)
    assert (reply.status, error.get("code")) == (status, code)


@pytest.mark.parametrize("name", ["Claude-Haiku-4.5", "claude-haiku-4-5", "claude-haiku-4-5-20251001"])
def test_messages_take_names_of_poe_and_of_anthropic(name: str) -> None:
    assert converse(name).at("model") == "claude-haiku-4-5-20251001"


def test_a_name_with_more_behind_it_is_another() -> None:
    assert converse("claude-haiku-4-5-fast").status == 404


def test_a_malformed_date_is_taken_too() -> None:
    assert converse("claude-haiku-4-5-20259999").at("model") == "claude-haiku-4-5-20251001"


def test_an_endpoint_is_for_those_that_list_it() -> None:
    assert converse("GPT-4o-Mini").status == 400
    assert respond(Client(), "Grok-4").at("error", "code") == "unsupported_endpoint"
    assert respond(Client(), "sim-plain").status == converse("sim-plain").status == 200


def test_thinking_of_messages_is_signed() -> None:
    thinking: Json = {"type": "enabled", "budget_tokens": 1024}
    content = converse("Claude-Haiku-4.5", thinking=thinking).at("content")
    assert at(content, 0, "type") == "thinking"
    assert at(content, 0, "signature")
    assert at(converse("Claude-Haiku-4.5").at("content"), 0, "type") == "text"


def test_no_thought_has_no_proof() -> None:
    thinking: Json = {"type": "enabled", "budget_tokens": 1024}
    reply = converse("Claude-Haiku-4.5", thinking=thinking, output_config={"effort": "none"})
    assert at(reply.at("content"), 0, "type") == "text"


def test_nothing_is_kept_from_one_response_to_the_next() -> None:
    assert respond(Client(), "Claude-Sonnet-4.6", previous_response_id="resp_1").status == 500
    reply = respond(Client(), "GPT-4o-Mini", previous_response_id="resp_1")
    assert (reply.status, reply.at("error", "param")) == (400, "previous_response_id")


def test_instructions_can_be_ignored() -> None:
    shout = "Write in capitals: upper case"
    assert respond(Client(), "GPT-4o-Mini", instructions=shout).at("output", 0, "content", 0, "text") == "HI"
    deaf = respond(Client("any;deaf"), "GPT-4o-Mini", instructions=shout)
    assert deaf.at("output", 0, "content", 0, "text") == "hi"


@pytest.mark.parametrize(
    ("model", "field", "less", "more"),
    [
        ("Gemini-3.1-Pro", "thinking_level", "minimal", "high"),
        ("Gemini-2.5-Flash", "thinking_budget", 0, 1000),
        ("GPT-5.4-Mini", "reasoning_effort", "low", "xhigh"),
    ],
)
def test_a_bot_thinks_as_much_as_it_is_told(model: str, field: str, less: Json, more: Json) -> None:
    def thought(value: Json) -> int:
        message = Client().chat(model, "Hi", **{field: value}).at("choices", 0, "message")
        assert isinstance(message, dict)
        return len(str(message.get("reasoning_content", "")))

    assert thought(less) < thought(more)


def test_a_wrong_parameter_is_refused() -> None:
    assert Client().chat("Gemini-2.5-Flash", thinking_budget="much").status == 400


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 529])
def test_every_status_can_be_had(status: int) -> None:
    client, name = Client(), f"SIM-error-{status}"
    for reply in (client.chat(name), respond(client, name), converse(name)):
        assert reply.status == status
        assert reply.at("error", "type")


def test_a_bot_can_fail_at_first() -> None:
    client = Client()
    assert [client.chat("sim-error-503-first-2").status for _ in range(3)] == [503, 503, 200]
    assert Client("other").chat("sim-error-503-first-2").status == 503


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("sim-inband", b'data: {"error":{"message":"This bot fails on purpose.","type":"api_error"}}\n\n'),
        ("sim-midstream", b'data: {"error":{"message":"This bot fails on purpose.","type":"api_error"}}\n\n'),
        (
            "sim-event-error",
            b'event: error\ndata: {"error":{"message":"This bot fails on purpose.","type":"api_error"}}\n\n',
        ),
    ],
)
def test_a_stream_can_break_with_an_error(name: str, end: bytes) -> None:
    reply = Client().stream(name)
    assert reply.status == 200
    assert reply.data.endswith(end)
    assert (reply.data == end) is (name == "sim-inband")


@pytest.mark.parametrize(("name", "ends"), [("sim-cut", "cut"), ("sim-stall", "hang"), ("sim-eof", "clean")])
def test_a_stream_can_end_in_the_middle(name: str, ends: str) -> None:
    reply = Client().stream(name)
    assert reply.script.ends == ends
    assert reply.chunks
    assert b'"finish_reason":"stop"' not in reply.data
    assert b"[DONE]" not in reply.data


def test_the_end_mark_can_be_missing() -> None:
    reply = Client().stream("sim-no-done")
    assert b'"finish_reason":"stop"' in reply.data
    assert b"[DONE]" not in reply.data


def test_messages_break_in_their_own_words() -> None:
    frames = converse("sim-midstream", stream=True).events
    assert frames[-1][0] == "error"
    assert at(frames[-1][1], "type") == "error"


def test_a_plain_answer_can_be_an_error() -> None:
    assert Client().chat("sim-inband").at("error", "message")


def test_a_bot_without_tools_calls_none_on_responses_either() -> None:
    tools: Json = [{"type": "function", "name": "f", "parameters": {}}]
    assert respond(Client(), "Nano-Banana-Pro", tools=tools).at("error", "code") == "unsupported_feature_for_model"


def test_only_post_is_answered() -> None:
    assert Client().get("v1/chat/completions").status == 405


def test_responses_draw_as_well() -> None:
    text = respond(Client(), "Nano-Banana-Pro").at("output", -1, "content", 0, "text")
    assert "/poe/base/image/" in str(text)
