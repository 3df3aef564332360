"""Requests written as Messages; the official SDK's types allow each of them."""

from __future__ import annotations

import pytest
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.anthropic_messages.compose import compose
from tests.unit.dialects.anthropic_messages.official_request import Body, read_body, refuses

ASKED = msg.Request("alias", [msg.Message("user", [msg.Text("Hi")])])
LEAST: Body = {"model": "up/m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4096}
SCHEMA = Raw(b'{ "type":"object"}')
TOOL = msg.Tool("f", "d", SCHEMA)
TOLD = {"name": "f", "description": "d", "input_schema": {"type": "object"}}


def write(request: msg.Request, quirks: Quirks = NO_QUIRKS) -> Body:
    return read_body(compose(request, "up/m", quirks))


def test_the_types_that_are_held_against_it_notice_what_is_wrong() -> None:
    assert not refuses(LEAST)
    assert refuses(LEAST | {"messages": [{"role": "tool", "content": "Hi"}]})
    image: Body = {"type": "image", "source": {"type": "base64"}}
    assert refuses(LEAST | {"messages": [{"role": "user", "content": [image]}]})
    assert refuses({"model": "m", "messages": []})


def test_the_least_request_says_no_more_than_it_must() -> None:
    assert write(ASKED) == LEAST


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        (replace(ASKED, user="u"), {"metadata": {"user_id": "u"}}),
        (replace(ASKED, stream=True), {"stream": True}),
        (replace(ASKED, sampling=msg.Sampling(max_tokens=5, stop=["x"])), {"max_tokens": 5, "stop_sequences": ["x"]}),
        (
            replace(ASKED, sampling=msg.Sampling(temperature=0.5, top_p=0.9, top_k=4)),
            {"temperature": 0.5, "top_p": 0.9, "top_k": 4},
        ),
        (replace(ASKED, messages=[msg.Message("system", [msg.Text("s")]), *ASKED.messages]), {"system": "s"}),
        (replace(ASKED, reasoning=msg.Reasoning("none")), {"thinking": {"type": "disabled"}}),
        (
            replace(ASKED, reasoning=msg.Reasoning("minimal")),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            replace(ASKED, reasoning=msg.Reasoning(None, 3_000)),
            {"thinking": {"type": "enabled", "budget_tokens": 3_000}, "max_tokens": 7_096},
        ),
        (
            replace(ASKED, reasoning=msg.Reasoning("low", 3_000), sampling=msg.Sampling(max_tokens=3_001)),
            {"thinking": {"type": "enabled", "budget_tokens": 3_000}, "max_tokens": 3_001},
        ),
        (
            replace(ASKED, reasoning=msg.Reasoning(None, 2_000)),
            {"thinking": {"type": "enabled", "budget_tokens": 2_000}},
        ),
        (
            replace(ASKED, format=msg.Format("schema", "n", "d", SCHEMA), reasoning=msg.Reasoning("max")),
            {
                "thinking": {"type": "adaptive"},
                "output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            },
        ),
        (replace(ASKED, format=msg.Format("schema")), {}),
        (
            replace(ASKED, extra={"cache_control": Raw(b'{"type":"ephemeral"}'), "messages.x": Raw(b"1")}),
            {"cache_control": {"type": "ephemeral"}},
        ),
    ],
)
def test_every_parameter_has_its_field(request_: msg.Request, members: Body) -> None:
    assert write(request_) == LEAST | members


def test_fields_the_hub_has_no_word_for_ride_along_but_never_win() -> None:
    assert write(replace(ASKED, extra={"model": Raw(b'"evil"'), "speed": Raw(b'"fast"')})) == LEAST | {"speed": "fast"}


@pytest.mark.parametrize(
    ("choice", "parallel", "told"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (msg.ToolChoice("auto"), None, {"type": "auto"}),
        (msg.ToolChoice("none"), False, {"type": "none"}),
        (msg.ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (msg.ToolChoice("named", "f"), None, {"type": "tool", "name": "f"}),
    ],
)
def test_every_choice_of_tools_can_be_told(choice: msg.ToolChoice | None, parallel: bool | None, told: object) -> None:
    body = write(replace(ASKED, tools=[TOOL], tool_choice=choice, parallel_tools=parallel))
    assert body == LEAST | {"tools": [TOLD]} | ({"tool_choice": told} if told else {})


def test_a_tool_that_may_not_be_called_is_not_told() -> None:
    tools = [TOOL, msg.Tool("g")]
    some = replace(ASKED, tools=tools, tool_choice=msg.ToolChoice("required", allowed=["f"]))
    assert write(some) == LEAST | {"tools": [TOLD], "tool_choice": {"type": "any"}}
    assert write(replace(some, tool_choice=msg.ToolChoice("auto", allowed=[]))) == LEAST


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        (msg.Tool("f"), {"name": "f", "input_schema": {"type": "object", "properties": {}}}),
        (msg.Tool("f", parameters=Raw(b"{}")), {"name": "f", "input_schema": {"type": "object"}}),
        (
            msg.Tool("f", parameters=SCHEMA, strict=True),
            {"name": "f", "input_schema": {"type": "object"}, "strict": True},
        ),
        (
            msg.Tool("f", parameters=SCHEMA, extra={"cache_control": Raw(b'{"type":"ephemeral"}')}),
            {"cache_control": {"type": "ephemeral"}, "name": "f", "input_schema": {"type": "object"}},
        ),
    ],
)
def test_a_tool_says_that_its_arguments_are_an_object(tool: msg.Tool, told: object) -> None:
    assert write(replace(ASKED, tools=[tool])) == LEAST | {"tools": [told]}


def test_a_schema_is_the_clients_own_bytes() -> None:
    assert bytes(SCHEMA) in compose(replace(ASKED, tools=[TOOL]), "m")
    with pytest.raises(BadRequest, match=r"tools\[0\].function.parameters"):
        compose(replace(ASKED, tools=[msg.Tool("f", parameters=Raw(b"true"))]), "m")


@pytest.mark.parametrize("name", ["", "a.b", "a" * 129])
def test_a_name_that_no_tool_may_have_is_the_clients_mistake(name: str) -> None:
    with pytest.raises(BadRequest, match=r"tools\[1\].name") as caught:
        write(replace(ASKED, tools=[TOOL, msg.Tool(name)]))
    assert caught.value.param == "tools[1].name"


def test_a_tool_that_has_to_be_called_is_called_without_thinking() -> None:
    forced = replace(ASKED, tools=[TOOL], tool_choice=msg.ToolChoice("required"), reasoning=msg.Reasoning("low"))
    body = write(forced)
    assert (body.get("thinking"), body["output_config"]) == (None, {"effort": "low"})


def test_what_a_model_always_wants_is_told_unless_the_client_says_it() -> None:
    quirks = Quirks(always={"max_tokens": Raw(b"9000"), "speed": Raw(b'"fast"')}, efforts=("low", "high"))
    assert write(ASKED, quirks) == LEAST | {"max_tokens": 9_000, "speed": "fast"}
    assert write(replace(ASKED, sampling=msg.Sampling(max_tokens=5)), quirks)["max_tokens"] == 5
    thinking = replace(ASKED, reasoning=msg.Reasoning(None, 5_000))
    assert write(thinking, quirks)["max_tokens"] == 14_000
    assert write(replace(ASKED, reasoning=msg.Reasoning("max")), quirks)["output_config"] == {"effort": "high"}


def test_a_limit_below_nothing_and_a_schema_that_is_none_are_the_clients_mistakes() -> None:
    turns = [msg.Message("user", [msg.Text("Hi")])]
    with pytest.raises(BadRequest, match="must not be negative"):
        write(msg.Request("m", turns, sampling=msg.Sampling(max_tokens=-1)))
    with pytest.raises(BadRequest, match="expected object"):
        write(msg.Request("m", turns, format=msg.Format("schema", schema=Raw(b"true"))))
