"""Rounds of tools: the last one by itself, all others as text."""

import pytest

from dragoman.core import message as msg
from dragoman.dialects.poe_bot.rounds import last_round, tell_rounds
from dragoman.dialects.poe_bot.schema import FunctionCall, ToolCall, ToolResult

ASKED = msg.Message("user", [msg.Text("Weather?")])
CALL = msg.ToolCall("a", "weather", '{"city":"Oslo"}')
OTHER = msg.ToolCall("b", "clock", "{}")
RAIN = msg.ToolResult("a", [msg.Text("rain"), msg.Text("cold")])
SHOWN = msg.Image("https://x.test/i")


def called(*parts: msg.Part) -> msg.Message:
    return msg.Message("assistant", list(parts))


def answered(*results: msg.ToolResult) -> msg.Message:
    return msg.Message("tool", [*results])


def test_the_last_round_stands_by_itself() -> None:
    noon = msg.ToolResult("b", [msg.Text("noon")], failed=True)
    before, calls, results = last_round([ASKED, called(CALL, OTHER), answered(RAIN), answered(noon)])
    assert before == [ASKED]
    assert calls == [
        ToolCall("a", FunctionCall("weather", '{"city":"Oslo"}')),
        ToolCall("b", FunctionCall("clock", "{}")),
    ]
    assert results == [ToolResult("weather", "a", "rain\ncold"), ToolResult("clock", "b", "Error: noon")]


def test_what_is_said_beside_the_calls_stays() -> None:
    before, calls, _ = last_round([ASKED, called(msg.Text("I look."), CALL), answered(RAIN)])
    assert before == [ASKED, called(msg.Text("I look."))]
    assert len(calls) == 1


def test_what_a_tool_shows_the_user_shows() -> None:
    before, _, results = last_round([ASKED, called(CALL), answered(msg.ToolResult("a", [SHOWN]))])
    assert before == [ASKED, msg.Message("user", [msg.Text("This is what the tools show."), SHOWN])]
    assert results == [ToolResult("weather", "a", "")]


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [ASKED],
        [ASKED, called(CALL)],
        [answered(RAIN)],
        [ASKED, answered(RAIN)],
        [ASKED, called(OTHER), answered(RAIN)],
        [ASKED, called(CALL), answered(RAIN), ASKED],
        [ASKED, msg.Message("tool", [])],
    ],
)
def test_what_is_no_round_at_the_end_stays_as_it_is(turns: list[msg.Message]) -> None:
    assert last_round(turns) == (turns, [], [])


def test_calls_and_results_are_told_as_text() -> None:
    failed = msg.ToolResult("b", [msg.Text("error: no clock")], failed=True)
    silent = msg.ToolResult("c", [SHOWN], "camera", failed=True)
    told = tell_rounds([ASKED, called(msg.Text("I look."), CALL, OTHER), answered(RAIN, failed, silent)])
    assert told == [
        ASKED,
        called(
            msg.Text("I look."),
            msg.Text('[Called the tool weather with {"city":"Oslo"}]'),
            msg.Text("[Called the tool clock with {}]"),
        ),
        msg.Message(
            "user",
            [
                msg.Text(
                    "[The tool weather answered]\nrain\ncold\n\n[The tool clock answered]\nerror: no clock\n\n"
                    "[The tool camera answered]\nError:"
                )
            ],
        ),
        msg.Message("user", [msg.Text("This is what the tools show."), SHOWN]),
    ]


def test_a_result_of_an_unknown_call_is_told_by_its_id() -> None:
    assert tell_rounds([answered(RAIN)]) == [msg.Message("user", [msg.Text("[The tool a answered]\nrain\ncold")])]
