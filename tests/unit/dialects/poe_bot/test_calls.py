"""Chunks of chat completions within a bot's answer."""

import pytest

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_chat.schema import Delta, Function, ToolCall, Usage
from dragoman.dialects.poe_bot.calls import Calls
from dragoman.dialects.poe_bot.schema import Json
from dragoman.dialects.poe_bot.speech import Speech


def piece(
    index: int | None, call_id: str | None = None, name: str | None = None, arguments: str | None = None
) -> ToolCall:
    return ToolCall(index, call_id, "function", Function(name, arguments))


def said(*deltas: Delta) -> list[ev.Event]:
    calls, speech, events = Calls(), Speech(lambda: None), list[ev.Event]()
    for delta in deltas:
        calls.say(delta, speech, events)
    calls.end(events)
    return events


def called(*pieces: ToolCall) -> list[ev.Event]:
    return said(*(Delta(tool_calls=[each]) for each in pieces))


@pytest.mark.parametrize(
    ("delta", "events"),
    [
        (Delta(role="assistant", content=None), []),
        (Delta(content="a"), [ev.Text("a")]),
        (Delta(reasoning_content="a"), [ev.Thinking("a")]),
        (Delta(reasoning="a"), [ev.Thinking("a")]),
        (Delta(content="T", refusal="no"), [ev.Text("T"), ev.Refusal("no")]),
    ],
)
def test_a_chunk_says_what_any_chat_completion_says(delta: Delta, events: list[ev.Event]) -> None:
    assert said(delta) == events


@pytest.mark.parametrize(
    ("pieces", "events"),
    [
        (
            [piece(0, "a", "f", ""), piece(0, arguments='{"x"'), piece(0, arguments=":1}")],
            [ev.ToolDelta(0, "", "a", "f"), ev.ToolDelta(0, '{"x"'), ev.ToolDelta(0, ":1}")],
        ),
        ([piece(3, "a", "f", "{}"), piece(1, None, "g")], [
            ev.ToolDelta(0, "{}", "a", "f"), ev.ToolDelta(1, "", "call_1", "g"), ev.ToolDelta(1, "{}"),
        ]),
        ([piece(None, "a", "f", "{"), piece(None, arguments="}")], [
            ev.ToolDelta(0, "{", "a", "f"), ev.ToolDelta(0, "}"),
        ]),
    ],
)  # fmt: skip
def test_calls_are_numbered_without_gaps_and_are_never_without_arguments(
    pieces: list[ToolCall], events: list[ev.Event]
) -> None:
    assert called(*pieces) == events


@pytest.mark.parametrize("wrong", [piece(-1, "a", "f"), piece(128, "a", "f"), piece(0, "a", None), ToolCall(0, "a")])
def test_a_call_that_makes_no_sense_is_refused(wrong: ToolCall) -> None:
    with pytest.raises(UpstreamInvalid):
        called(wrong)


def test_text_that_was_held_back_is_told_before_a_call() -> None:
    assert said(Delta(content="Thinking"), Delta(tool_calls=[piece(0, "a", "f", "{}")])) == [
        ev.Text("Thinking"),
        ev.ToolDelta(0, "{}", "a", "f"),
    ]


def test_calls_are_counted() -> None:
    calls = Calls()
    assert calls.count == 0
    calls.say(Delta(tool_calls=[piece(0, "a", "f")]), Speech(lambda: None), [])
    assert calls.count == 1


def test_usage_is_told_when_it_makes_sense() -> None:
    calls = Calls()
    assert calls.read_usage(Json(usage=Usage(7, 3, 10))) == ev.Usage(7, 3)
    assert calls.read_usage(Json(usage=Usage(-7, 3, 10))) is None
    assert calls.read_usage(Json()) is None
