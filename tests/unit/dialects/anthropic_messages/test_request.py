"""What a request asks for besides its conversation: tools, thinking, form, and what has no counterpart."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_messages.schema import Block, Body, Source, Turn
from tests.unit.dialects.anthropic_messages.asking import ask

SCHEMA: dict[str, object] = {"type": "object", "properties": {}}
RAW_SCHEMA = b'{"type":"object","properties":{}}'
TOOL: dict[str, object] = {"name": "f", "description": "d", "input_schema": SCHEMA}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}


def test_the_least_request_asks_for_nothing_else() -> None:
    request = ask().request
    assert request == msg.Request(
        "m", [msg.Message("user", [msg.Text("Hi")])], sampling=msg.Sampling(max_tokens=9), tools=[]
    )


def test_sampling_is_taken_from_clients_of_either_version() -> None:
    request = ask(temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["END"], max_tokens=5, stream=True).request
    assert request.sampling == msg.Sampling(temperature=0.5, top_p=0.9, top_k=40, max_tokens=5, stop=["END"])
    assert request.stream


@pytest.mark.parametrize("field", ["system", "stop_sequences", "temperature", "tools", "tool_choice", "thinking"])
def test_null_is_nothing(field: str) -> None:
    assert ask(**{field: None}).request == ask().request


def test_the_clients_own_tools_are_kept_whole() -> None:
    strict = TOOL | {"name": "g", "strict": True, "type": "custom", "cache_control": {"type": "ephemeral"}}
    first, second = ask(tools=[TOOL, strict]).request.tools
    assert isinstance(first.parameters, Raw)
    assert (first.name, first.description, bytes(first.parameters), first.strict) == ("f", "d", RAW_SCHEMA, None)
    assert (second.strict, list(second.extra)) == (True, ["cache_control"])


def test_tools_that_anthropic_would_run_are_lost_and_told() -> None:
    request = ask(tools=[SEARCH, TOOL, {"type": "mcp_toolset", "mcp_server_name": "s"}]).request
    assert [tool.name for tool in request.tools] == ["f"]
    assert set(request.extra) == {"tools.web_search", "tools.mcp_toolset"}
    assert ask(tools=[SEARCH], tool_choice={"type": "tool", "name": "web_search"}).request.tool_choice is None


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "auto"}, msg.ToolChoice("auto")),
        ({"type": "any"}, msg.ToolChoice("required")),
        ({"type": "none"}, msg.ToolChoice("none")),
        ({"type": "tool", "name": "f"}, msg.ToolChoice("named", "f")),
    ],
)
def test_every_tool_choice_has_its_mode(choice: dict[str, object], told: msg.ToolChoice) -> None:
    request = ask(tools=[TOOL], tool_choice=choice).request
    assert (request.tool_choice, request.parallel_tools) == (told, None)
    assert ask(tools=[TOOL], tool_choice=choice | {"disable_parallel_tool_use": True}).request.parallel_tools is False


@pytest.mark.parametrize(
    ("thinking", "effort", "told"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, None, msg.Reasoning("low", 2000)),
        ({"type": "enabled", "budget_tokens": 2001}, None, msg.Reasoning("medium", 2001)),
        ({"type": "enabled", "budget_tokens": 8000}, None, msg.Reasoning("medium", 8000)),
        ({"type": "enabled", "budget_tokens": 8001}, None, msg.Reasoning("high", 8001)),
        ({"type": "enabled", "budget_tokens": 1024}, "max", msg.Reasoning("max", 1024)),
        ({"type": "adaptive"}, None, msg.Reasoning()),
        ({"type": "adaptive"}, "low", msg.Reasoning("low")),
        ({"type": "between_tools"}, None, msg.Reasoning()),
        ({"type": "disabled"}, None, msg.Reasoning("none")),
        ({"type": "disabled"}, "high", msg.Reasoning("none")),
        (None, "xhigh", msg.Reasoning("xhigh")),
    ],
)
def test_thinking_and_effort_say_how_much_to_think(thinking: object, effort: str | None, told: msg.Reasoning) -> None:
    assert ask(thinking=thinking, output_config={"effort": effort}).request.reasoning == told


@pytest.mark.parametrize(
    "members",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
        {
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            "output_format": {"type": "json_schema", "schema": {"type": "string"}},
        },
    ],
)
def test_a_schema_is_asked_for_by_its_new_or_its_old_name(members: dict[str, object]) -> None:
    form = ask(**members).request.format
    assert (form.kind, form.name, form.strict) == ("schema", "response", True)
    assert form.schema is not UNSET
    assert bytes(form.schema) == RAW_SCHEMA


def test_the_user_is_the_id_in_the_metadata() -> None:
    assert ask(metadata={"user_id": "u1"}).request.user == "u1"
    assert ask(metadata={"user_id": None}).request.user == ""


def test_what_the_hub_has_no_word_for_rides_along_under_its_path() -> None:
    request = ask(
        service_tier="auto",
        mcp_servers=[],
        new={"a": 1},
        metadata={"team": "t"},
        output_config={"effort": "low", "task_budget": 1},
        thinking={"type": "disabled", "display": "omitted"},
        tool_choice={"type": "auto", "odd": 1},
    ).request
    assert {name: bytes(raw) for name, raw in request.extra.items()} == {
        "service_tier": b'"auto"',
        "new": b'{"a":1}',
        "metadata.team": b'"t"',
        "output_config.task_budget": b"1",
        "output_config.effort": b"true",
        "thinking.display": b'"omitted"',
        "tool_choice.odd": b"1",
    }
    assert set(ask(thinking={"type": "between_tools"}).request.extra) == {"thinking.between_tools"}


@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key", "extra_headers", "extra_body", "proxy"])
def test_where_a_request_goes_is_not_the_clients_to_say(field: str) -> None:
    assert ask(**{field: "https://evil.test"}).request.extra == {}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": [{"role": "robot", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"system": [{"type": "text", "text": 1}]}, "system[0].text"),
        ({"tools": [{"input_schema": SCHEMA}]}, "tools[0].name"),
        ({"tools": [TOOL, {"name": "f"}]}, "tools[1].input_schema"),
        ({"tools": [{"name": "f", "input_schema": "object"}]}, "tools[0].input_schema"),
        ({"tools": [{"name": "f", "input_schema": None}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"output_config": {"effort": 3}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_config": {"format": {"type": "json_schema", "schema": "s"}}}, "output_config.format.schema"),
        ({"output_format": {"type": "json_schema", "schema": 7}}, "output_format.schema"),
        ({"output_format": {"type": "xml", "schema": SCHEMA}}, "output_format.type"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id"),
    ],
)
def test_a_field_that_is_wrong_is_named(members: dict[str, object], param: str) -> None:
    call = ask(**members)
    with pytest.raises(BadRequest) as caught:
        _ = call.request
    assert caught.value.param == param


WORDS = (
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result", "base64",
    "url", "file", "content", "user", "assistant", "system", "auto", "tool", "enabled", "json_schema", "custom",
)  # fmt: skip
NAMES = sorted({*Body.__struct_fields__, *Turn.__struct_fields__, *Block.__struct_fields__, *Source.__struct_fields__})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(WORDS[:8])},
    optional={name: VALUES for name in NAMES if name in {*Block.__struct_fields__} - {"type"}},
)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.lists(BLOCKS, max_size=3) | VALUES}
)


@settings(max_examples=100, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=4), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
def test_whatever_a_client_sends_is_read_or_refused(messages: list[object], members: dict[str, object]) -> None:
    with suppress(BadRequest):
        request = ask(**{**members, "model": "m", "messages": messages}).request
        assert all(message.parts for message in request.messages)
