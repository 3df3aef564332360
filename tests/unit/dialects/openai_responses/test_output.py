"""Which item each thing belongs to that a model says."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.output import Output, Wishes
from dragoman.dialects.openai_responses.tools import Name
from dragoman.dialects.openai_responses.writer import Unsaid

WISHES = Wishes(lambda: {"mcp__g": Name("g", "mcp"), "apply": Name("apply", custom=True)}, summary=True, encrypted=True)


def output(*events: ev.Event, whole: bool = True) -> list[wire.Item]:
    said = Output(Unsaid(), "resp_x", WISHES)
    for event in events:
        said.take(event)
    said.end(whole=whole)
    return said.items()


def message(number: int, text: str, status: wire.Status = "completed") -> wire.MessageItem:
    return wire.MessageItem(f"msg_xo{number}", status, [wire.OutputText(text)])


def thought(number: int, text: str, proof: str | None = None) -> wire.ReasoningItem:
    return wire.ReasoningItem(f"rs_xo{number}", [wire.SummaryText(text)] if text else [], encrypted_content=proof)


def test_neighbours_of_one_kind_are_one_item() -> None:
    assert output(ev.Thinking("a"), ev.Thinking("b"), ev.Text("c"), ev.Text("d"), ev.Note("n", "x")) == [
        thought(0, "ab"),
        message(1, "cd"),
    ]


def test_a_proof_ends_a_thought_and_a_withheld_one_stands_alone() -> None:
    assert output(
        ev.Thinking(""),
        ev.Thinking("a", signature="S"),
        ev.Thinking("b"),
        ev.Thinking("", signature="R", redacted=True),
        ev.Thinking("c"),
    ) == [thought(0, "a", "S"), thought(1, "b"), thought(2, "", "redacted:R"), thought(3, "c")]


def test_calls_have_their_clients_names() -> None:
    assert output(
        ev.ToolDelta(0, "{}", "c0", "f"),
        ev.ToolDelta(1, "{", "c1", "mcp__g"),
        ev.ToolDelta(2, '{"input":"x"}', "c2", "apply"),
        ev.ToolDelta(1, "}"),
    ) == [
        wire.FunctionItem("fc_xo0", "c0", "f", "{}", "completed"),
        wire.FunctionItem("fc_xo1", "c1", "g", "{}", "completed", "mcp"),
        wire.CustomItem("ctc_xo2", "c2", "apply", "x", "completed"),
    ]


def test_only_the_last_item_of_an_answer_that_was_cut_is_incomplete() -> None:
    assert output(ev.ToolDelta(0, "{}", "c", "f"), ev.Text("a"), whole=False) == [
        wire.FunctionItem("fc_xo0", "c", "f", "{}", "completed"),
        message(1, "a", "incomplete"),
    ]
    assert output(ev.Text("a"), ev.Media("image/png", "AAAA"), whole=False)[0] == message(0, "a")


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (ev.Media("image/png", url="https://x.test/a.png"), "![image](https://x.test/a.png)"),
        (ev.Media("video/mp4", url="https://x.test/v"), "![video](https://x.test/v)"),
        (ev.Media("audio/wav", "AAAA"), "![audio](data:audio/wav;base64,AAAA)"),
    ],
)
def test_media_are_links_in_the_text(media: ev.Media, text: str) -> None:
    assert output(ev.Text("See "), media) == [message(0, f"See {text}")]


def test_a_picture_that_is_here_is_an_item() -> None:
    assert output(ev.Text("See"), ev.Media("image/png", "AAAA"), ev.Text("it")) == [
        message(0, "See"),
        wire.ImageItem("ig_xo1", "completed", "AAAA"),
        message(2, "it"),
    ]


def test_media_that_say_nothing_are_nothing() -> None:
    assert output(ev.Media("audio/*", extra=Raw(b"{}"))) == []


def test_an_answer_that_only_grows_takes_nothing_back() -> None:
    assert output(ev.Text("a"), ev.Replace("ab"), ev.Replace("ab"), ev.Text("c")) == [message(0, "abc")]


def test_what_is_taken_back_is_gone_but_for_its_refusals() -> None:
    assert output(ev.Text("a"), ev.Thinking("t"), ev.Text("b"), ev.Refusal("no"), ev.Replace("c")) == [
        thought(1, "t"),
        wire.MessageItem("msg_xo2", "incomplete", [wire.RefusalPart("no")]),
        message(3, "c"),
    ]
    assert output(ev.Text("a"), ev.Replace("")) == []
    assert output(ev.Replace("a")) == [message(0, "a")]
