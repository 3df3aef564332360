"""What a bot is asked, read by Poe's own library."""

import pytest
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core import message as msg
from dragoman.core.errors import LossRefused
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.poe_bot.compose import compose
from tests.poe_library import types

HI = msg.Message("user", [msg.Text("Hi")])
HELLO = msg.Message("assistant", [msg.Text("Hello")])
KIND = msg.Message("system", [msg.Text("Be kind.")])
CALL = msg.ToolCall("a", "weather", "{}")
CALLED = msg.Message("assistant", [CALL])
RAIN = msg.Message("tool", [msg.ToolResult("a", [msg.Text("rain")])])
IMAGE = msg.Image("https://x.test/i.png")
TOOLS = [msg.Tool("weather", "Tells it.", Raw(b'{"properties":{"city":{}}}')), msg.Tool("clock")]


def query(*messages: msg.Message, quirks: Quirks = NO_QUIRKS, **more: object) -> types.QueryRequest:
    request = replace(msg.Request("bot", list(messages)), **more)
    return types.QueryRequest.model_validate_json(compose(request, quirks))


def said(*messages: msg.Message, quirks: Quirks = NO_QUIRKS) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in query(*messages, quirks=quirks).query]


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([KIND, HI, HELLO, HI], [("system", "Be kind."), ("user", "Hi"), ("bot", "Hello"), ("user", "Hi")]),
        ([replace(KIND, role="developer"), HI], [("system", "Be kind."), ("user", "Hi")]),
        ([HI, HI, HELLO, HELLO, HI], [("user", "Hi\n\nHi"), ("bot", "Hello\n\nHello"), ("user", "Hi")]),
        ([msg.Message("user", [msg.Text("a"), msg.Text("b")])], [("user", "a\nb")]),
        ([msg.Message("user", []), HI], [("user", "Hi")]),
        ([KIND], [("user", "Be kind.")]),
        ([HI, msg.Message("assistant", [msg.Refusal("No")]), HI], [("user", "Hi"), ("bot", "No"), ("user", "Hi")]),
        ([HI, CALLED, RAIN], [("user", "Hi")]),
        (
            [HI, CALLED, RAIN, HELLO, HI],
            [
                ("user", "Hi"),
                ("bot", "[Called the tool weather with {}]"),
                ("user", "[The tool weather answered]\nrain"),
                ("bot", "Hello"),
                ("user", "Hi"),
            ],
        ),
        (
            [HI, msg.Message("assistant", [msg.Text("I look."), CALL]), RAIN],
            [("user", "Hi"), ("bot", "I look."), ("tool", "rain")],
        ),
    ],
)
def test_roles_alternate_and_the_user_or_a_tool_is_last(
    messages: list[msg.Message], roles: list[tuple[str, str]]
) -> None:
    assert said(*messages) == roles


def test_a_bot_without_a_system_role_is_told_by_the_user() -> None:
    assert said(KIND, HI, quirks=Quirks(system_role=False)) == [("user", "Be kind.\n\nHi")]


@pytest.mark.parametrize("messages", [[], [HI, HELLO], [HELLO], [HI, CALLED]])
def test_a_conversation_that_ends_with_the_bot_is_refused(messages: list[msg.Message]) -> None:
    with pytest.raises(LossRefused) as raised:
        query(*messages)
    assert (raised.value.param, raised.value.retry) == ("messages", "elsewhere")


def test_a_round_without_a_question_is_asked_all_the_same() -> None:
    asked = query(msg.Message("assistant", [msg.Text("I look."), CALL]), RAIN, extra={"a": Raw(b"1")})
    assert [(message.role, message.parameters) for message in asked.query] == [("bot", {}), ("tool", {"a": 1})]


def test_files_belong_to_their_messages_and_are_there_once() -> None:
    other = msg.Image("https://x.test/other.png")
    seen = msg.Message("user", [msg.Text("Look"), IMAGE])
    again = msg.Message("user", [IMAGE, other])
    first, _, last = query(seen, HELLO, seen, again).query
    assert [file.url for file in first.attachments] == [IMAGE.url]
    assert [(file.url, file.content_type, file.name) for file in last.attachments] == [
        (IMAGE.url, "image/png", "i.png"),
        (other.url, "image/png", "other.png"),
    ]


def test_sampling_has_places_of_its_own() -> None:
    asked = query(HI, sampling=msg.Sampling(temperature=0.5, stop=["END"], logit_bias={"1": 2.0}))
    assert (asked.temperature, asked.stop_sequences, asked.logit_bias) == (0.5, ["END"], {"1": 2.0})


@pytest.mark.parametrize(
    ("quirks", "more", "parameters"),
    [
        (NO_QUIRKS, {}, {}),
        (NO_QUIRKS, {"reasoning": msg.Reasoning("low"), "extra": {"aspect": Raw(b'"1:1"')}},
         {"reasoning_effort": "low", "aspect": "1:1"}),
        (Quirks(effort="output_effort", efforts=("low", "high")), {"reasoning": msg.Reasoning("max")},
         {"output_effort": "high"}),
        (Quirks(budget="thinking_budget"), {"reasoning": msg.Reasoning(budget=99)}, {"thinking_budget": 99}),
        (Quirks(switch="enable_thinking", effort=""), {"reasoning": msg.Reasoning("none")}, {"enable_thinking": False}),
        (Quirks(sampling={"max_tokens": "max_output_tokens", "seed": "seed"}),
         {"sampling": msg.Sampling(max_tokens=9)}, {"max_output_tokens": 9}),
        (Quirks(always={"image_only": Raw(b"true"), "b": Raw(b"1")}), {"extra": {"b": Raw(b"2")}},
         {"image_only": True, "b": 2}),
    ],
)  # fmt: skip
def test_parameters_are_on_the_last_message_of_the_user(
    quirks: Quirks, more: dict[str, object], parameters: dict[str, object]
) -> None:
    asked = query(HI, HELLO, HI, CALLED, RAIN, quirks=quirks, **more)
    assert [message.parameters for message in asked.query] == [{}, {}, parameters]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (None, ["weather", "clock"]),
        (msg.ToolChoice("auto"), ["weather", "clock"]),
        (msg.ToolChoice("auto", allowed=["clock"]), ["clock"]),
        (msg.ToolChoice("none"), []),
    ],
)
def test_a_bot_is_told_of_the_tools_that_it_may_call(choice: msg.ToolChoice | None, names: list[str]) -> None:
    asked = query(HI, tools=TOOLS, tool_choice=choice)
    assert [tool.function.name for tool in asked.tools or []] == names
    if "weather" in names:
        assert asked.tools is not None
        assert asked.tools[0].function.description == "Tells it."
        assert asked.tools[0].function.parameters.properties == {"city": {}}


def test_the_last_round_stands_beside_the_conversation() -> None:
    asked = query(HI, CALLED, RAIN, tools=TOOLS)
    assert asked.tool_calls is not None
    assert asked.tool_results is not None
    assert asked.tool_calls[0].function.name == "weather"
    assert (asked.tool_results[0].name, asked.tool_results[0].content) == ("weather", "rain")
