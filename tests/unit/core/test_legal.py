import pytest
from msgspec import Raw

from dragoman.core.events import (
    Event,
    Finish,
    Media,
    Note,
    Refusal,
    Replace,
    Start,
    Text,
    Thinking,
    ToolDelta,
    Usage,
    Vector,
)
from dragoman.core.legal import breaches

START = Start("a-1", "m-1")
STOP = Finish("stop")


@pytest.mark.parametrize(
    "events",
    [
        [START, Text("Hi"), STOP],
        [START, STOP, Usage(1, 0)],
        [START, Vector(0, Raw(b"[0.5]")), Usage(1, 0)],
        [
            START,
            Note("status", "working"),
            Thinking("hm"),
            Text("Hi"),
            Media("image/png"),
            Replace(""),
            Refusal("no"),
            STOP,
        ],
        [START, Text("a", 1), Text("b"), Finish("length", 1), STOP, Usage(1, 2)],
        [START, Text("", logprobs=Raw(b"{}")), STOP],
        [START, ToolDelta(0, "{", "a", "f"), ToolDelta(0, "}"), ToolDelta(1, "{}", "b", "f"), Finish("tool_calls")],
        [START, ToolDelta(0, '{"city":', "a", "f"), Finish("length")],
    ],
)
def test_a_legal_answer_has_no_breaches(events: list[Event]) -> None:
    assert breaches(events) == []


@pytest.mark.parametrize(
    ("events", "breach"),
    [
        ([Text("Hi"), STOP], "Text before start"),
        ([START, START, STOP], "Start twice"),
        ([START, Text(""), STOP], "Text empty"),
        ([START, STOP, Text("Hi")], "Text after finish"),
        ([START, STOP, STOP], "Finish after finish"),
        ([START, Text("Hi", -1), STOP, Finish("stop", -1)], "Text negative choice"),
        ([START, STOP, Usage(1, 2), Usage(1, 2)], "Usage after usage"),
        ([START, STOP, Usage(1, 2), Note("a", "b")], "Note after usage"),
        ([START, STOP, Usage(1, -2)], "Usage negative"),
        ([START, STOP, Usage(1, 2, cache_write=-1)], "Usage negative"),
        ([START, Text("Hi"), Usage(1, 2), STOP], "Usage before every choice is finished"),
        ([START, Text("Hi", 1), STOP], "choice 1 has no finish"),
        ([START], "nothing was said"),
        ([], "nothing was said"),
        ([START, ToolDelta(1, "{}", "a", "f"), Finish("tool_calls")], "ToolDelta index out of order"),
        ([START, ToolDelta(-1, "{}", "a", "f"), Finish("tool_calls")], "ToolDelta index out of order"),
        ([START, ToolDelta(0, "{}"), STOP], "ToolDelta id and name belong to the first piece only"),
        ([START, ToolDelta(0, "{}", "a"), STOP], "ToolDelta id and name belong to the first piece only"),
        ([START, ToolDelta(0, "", "a", "f"), STOP], "choice 0: the arguments of tool call 0 are not a JSON object"),
        ([START, ToolDelta(0, "[1]", "a", "f"), STOP], "choice 0: the arguments of tool call 0 are not a JSON object"),
    ],
)
def test_a_breach_is_named(events: list[Event], breach: str) -> None:
    assert breach in breaches(events)


def test_an_answer_that_broke_need_not_be_finished() -> None:
    assert breaches([START, ToolDelta(0, "{", "a", "f")], complete=False) == []
    assert breaches([], complete=False) == []
    assert breaches([Text("Hi")], complete=False) == ["Text before start"]
