"""Which tools are called, and with what arguments."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.testing.simulator.toolbox import Use, use_tools


def tool(name: str, description: str = "", **fields: str) -> msg.Tool:
    properties = {field: {"type": kind} for field, kind in fields.items()}
    schema = {"type": "object", "properties": properties, "required": [*fields]}
    return msg.Tool(name, description, Raw(msgspec.json.encode(schema)))


WEATHER = tool("get_weather", "Get the weather at a location.", location="string")
TIME = tool("current_time", "The time in a city", city="string")
MAGIC = tool("magic_function", "Apply a magic function to an input.", input="integer")
ALL = [WEATHER, TIME, MAGIC]


def used(
    asked: str, tools: list[msg.Tool], choice: msg.ToolChoice | None = None, parallel: bool | None = None
) -> list[Use]:
    turns = [msg.Message("user", [msg.Text(asked)])]
    return use_tools(msg.Request("chat", turns, tools=tools, tool_choice=choice, parallel_tools=parallel))


@pytest.mark.parametrize(
    ("asked", "use"),
    [
        ("What is the value of magic_function(3)? Use the tool.", Use("magic_function", '{"input":3}')),
        ("call magic_function with 3", Use("magic_function", '{"input":3}')),
        ("What is the weather in San Francisco, CA?", Use("get_weather", '{"location":"San Francisco, CA"}')),
        ("which city has the time of Rome?", Use("current_time", '{"city":"Rome"}')),
    ],
)
def test_the_tool_that_the_user_speaks_of_is_called_with_the_users_values(asked: str, use: Use) -> None:
    assert used(asked, ALL) == [use]


def test_a_word_of_the_description_will_do() -> None:
    assert used("Tell me your location", [WEATHER])[0].name == "get_weather"


def test_words_inside_a_name_are_words() -> None:
    assert used("a stock price", [tool("fetchStockPrice")]) == [Use("fetchStockPrice", "{}")]


def test_small_talk_calls_nothing() -> None:
    assert used("Hello, what can you do?", ALL) == []
    assert used("What is the weather in Rome?", []) == []


def test_several_tools_that_fit_are_called_in_parallel_each_with_its_own_values() -> None:
    asked = "What is the weather in Paris and the time in Tokyo?"
    expected = [Use("get_weather", '{"location":"Paris"}'), Use("current_time", '{"city":"Tokyo"}')]
    assert used(asked, ALL) == expected
    assert used(asked, ALL, parallel=True) == expected
    assert used(asked, ALL, parallel=False) == expected[:1]


def test_a_lone_tool_is_called_for_every_place() -> None:
    asked = "What is the weather in Paris and in Tokyo and in Paris again?"
    assert [use.arguments for use in used(asked, [WEATHER])] == ['{"location":"Paris"}', '{"location":"Tokyo"}']


def test_a_tool_with_two_places_takes_both_at_once() -> None:
    flight = tool("book_flight", origin="string", destination="string")
    assert used("Book a flight from Paris to Tokyo", [flight]) == [
        Use("book_flight", '{"origin":"Paris","destination":"Tokyo"}')
    ]


@pytest.mark.parametrize("parameters", [b"true", b'{"properties":3}', b'{"type":"string"}', b"{}"])
def test_arguments_are_an_object_whatever_the_schema(parameters: bytes) -> None:
    uses = used("use the gadget", [msg.Tool("gadget", parameters=Raw(parameters))])
    assert [use.arguments for use in uses] == ["{}"]


def test_none_means_none_and_required_means_one() -> None:
    assert used("weather in Rome", ALL, msg.ToolChoice("none")) == []
    assert [use.name for use in used("Hello", ALL, msg.ToolChoice("required"))] == ["get_weather"]
    assert [use.name for use in used("magic 3", ALL, msg.ToolChoice("required"))] == ["magic_function"]


def test_the_named_tool_is_called_whatever_is_asked() -> None:
    assert used("weather in Rome, 3", ALL, msg.ToolChoice("named", "magic_function")) == [
        Use("magic_function", '{"input":3}')
    ]
    assert used("Hello", ALL, msg.ToolChoice("named", "unheard_of")) == []


def test_only_allowed_tools_are_called() -> None:
    assert used("the weather", ALL, msg.ToolChoice("auto", allowed=["current_time"])) == []
    assert used("Hello", ALL, msg.ToolChoice("required", allowed=["current_time"]))[0].name == "current_time"


def test_after_the_results_it_is_time_to_answer() -> None:
    turns = [
        msg.Message("user", [msg.Text("What is the weather in Rome?")]),
        msg.Message("assistant", [msg.ToolCall("c", "get_weather", "{}")]),
        msg.Message("tool", [msg.ToolResult("c", [msg.Text("sunny")])]),
    ]
    assert use_tools(msg.Request("chat", turns, tools=ALL)) == []
    assert use_tools(msg.Request("chat", turns, tools=ALL, tool_choice=msg.ToolChoice("required")))


def test_the_number_of_calls_is_bounded() -> None:
    tools = [tool(f"weather_{number}") for number in range(50)]
    assert len(used("the weather", tools)) == 8


def test_a_system_message_behind_the_users_turn_changes_nothing() -> None:
    turns = [msg.Message("user", [msg.Text("magic_function(3)")]), msg.Message("system", [msg.Text("Be kind")])]
    assert use_tools(msg.Request("chat", turns, tools=ALL)) == [Use("magic_function", '{"input":3}')]
