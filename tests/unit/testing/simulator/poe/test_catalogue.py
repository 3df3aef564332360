"""The list of bots: the shape of every item, and that every kind of bot is there."""

from dragoman.testing.simulator.poe.catalogue import BOTS, as_model
from tests.unit.testing.simulator.poe.client import Client, at


def items() -> dict[str, dict[str, object]]:
    data = Client("").get("v1/models").at("data")
    assert isinstance(data, list)
    return {str(at(item, "id")): dict(item) for item in data if isinstance(item, dict)}


def test_the_list_needs_no_key() -> None:
    reply = Client("").get("v1/models")
    assert (reply.status, reply.at("object")) == (200, "list")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


def test_an_item_has_all_its_fields() -> None:
    item = items()["claude-sonnet-4.6"]
    assert item["object"] == "model"
    assert item["owned_by"] == "Anthropic"
    assert item["root"] == "claude-sonnet-4.6"
    assert item["architecture"] == {
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "modality": "text,image->text",
    }
    assert item["supported_features"] == ["web_search", "tools"]
    assert item["supported_endpoints"] == ["/v1/messages", "/v1/responses", "/v1/chat/completions"]
    assert item["context_window"] == {"context_length": 983040, "max_output_tokens": 128000}
    assert item["reasoning"] == {"budget": None, "required": False, "supports_reasoning_effort": False}
    assert set(item) == {
        "id", "object", "created", "description", "owned_by", "root", "architecture", "supported_features",
        "supported_endpoints", "pricing", "context_window", "context_length", "metadata", "reasoning", "parameters",
    }  # fmt: skip


def test_ids_are_lower_case_and_times_in_milliseconds() -> None:
    listed = items()
    assert all(name == name.lower() for name in listed)
    assert all(isinstance(item["created"], int) and item["created"] > 10**12 for item in listed.values())


def test_much_is_null() -> None:
    item = items()["kimi-k2.5-fw"]
    assert (item["pricing"], item["context_window"], item["context_length"], item["reasoning"]) == (None,) * 4
    assert item["supported_endpoints"] == item["supported_features"] == item["parameters"] == []


def test_parameters_tell_their_schema() -> None:
    parameters = items()["gemini-2.5-flash"]["parameters"]
    assert isinstance(parameters, list)
    assert parameters[0] == {
        "name": "thinking_budget",
        "schema": {"type": "number", "minimum": 0, "maximum": 24576},
        "default_value": 0,
        "description": "Tokens to think",
    }


def test_every_kind_of_bot_is_there() -> None:
    bots = BOTS.values()
    assert {bot.gives for bot in bots} == {"text", "image", "audio", "video"}
    assert {bot.tools for bot in bots if bot.gives == "text"} == {True, False}
    assert any("image" in bot.takes for bot in bots)
    assert any(bot.reasoning is not None and bot.reasoning.budget is not None for bot in bots)
    assert any(bot.reasoning is not None and bot.reasoning.supports_reasoning_effort for bot in bots)
    assert any(bot.leaks for bot in bots)
    assert any(bot.signs for bot in bots)
    assert any(bot.endpoints == ("/v1/responses",) for bot in bots)


def test_a_bot_can_stand_for_a_simulated_model() -> None:
    model = as_model(BOTS["grok-4"])
    assert (model.id, model.can.tools) == ("grok-4", True)
