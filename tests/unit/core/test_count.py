from collections.abc import Callable

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.count import (
    MEDIUM,
    PIECE,
    TURN,
    Said,
    count_request,
    count_text,
    cut_text,
    estimate,
    list_request,
)

REQUEST = msg.Request(
    "m",
    [
        msg.Message("user", [msg.Text("abcd"), msg.Image("https://example.com/a.png")]),
        msg.Message("assistant", [msg.Thinking("abcd"), msg.ToolCall("c", "tool", "{}")]),
        msg.Message("tool", [msg.ToolResult("c", [msg.Text("abcdefgh")])]),
    ],
    tools=[msg.Tool("tool", "does", Raw(b"{}")), msg.Tool("bare")],
    format=msg.Format("schema", schema=Raw(b"true")),
)


def test_four_bytes_are_a_token_and_a_part_of_one_counts_whole() -> None:
    assert [count_text(text) for text in ("", "a", "four", "fives", "\u20ac\u20ac", "\ud800")] == [0, 1, 1, 2, 2, 1]


def test_an_estimate_is_the_same_for_every_model() -> None:
    assert estimate("gpt-4")("fives") == estimate("poe/other")("fives") == 2


def test_all_that_a_request_says_is_counted() -> None:
    assert count_request(REQUEST) == 3 * TURN + (1 + MEDIUM) + (1 + 1 + 1) + 2 + (2 + 1) + 1 + 1


def test_whoever_counts_sees_every_text() -> None:
    assert count_request(REQUEST, len) == 3 * TURN + (4 + MEDIUM) + (4 + 4 + 2) + 8 + (8 + 2) + 4 + 4


def test_texts_to_embed_are_counted_and_tokens_are_what_they_are() -> None:
    assert count_request(msg.Request("m", [], inputs=["abcd", [1, 2, 3]])) == 1 + 3
    assert list(list_request(msg.Request("m", [], inputs=["abcd", [1, 2, 3]]))) == ["abcd", 3]


@pytest.mark.parametrize(
    "text",
    ["", "short", "a" * PIECE, "a" * (2 * PIECE + 1), "a word " * PIECE, " " * (3 * PIECE), "\ud800\u6df1" * PIECE],
)
def test_pieces_are_the_text_and_none_is_long(text: str) -> None:
    pieces = list(cut_text(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= PIECE for piece in pieces)
    assert len(pieces) <= 2 * len(text) // PIECE + 1


def test_a_piece_ends_before_a_blank_where_there_is_one() -> None:
    first, second = cut_text("a" * (PIECE - 10) + " " + "b" * 100)
    assert (first[-1], second[:2]) == ("a", " b")


def said(*events: ev.Event) -> list[str | int]:
    """What is counted, without the media when there are none."""
    media, *words = Said(events).words()
    return [media, *words] if media else list(words)


def test_all_that_an_answer_says_is_counted() -> None:
    tool = [ev.ToolDelta(0, '{"a"', "c", "run"), ev.ToolDelta(1, "{}", "d", "go"), ev.ToolDelta(0, ":1}")]
    texts: list[ev.Event] = [ev.Text("He"), ev.Thinking("hm"), ev.Text("llo"), ev.Text("Bye", 1), ev.Refusal("no")]
    assert said(ev.Start("c", "m"), *texts, *tool, ev.Finish("stop")) == [
        "Hello",
        "hm",
        "Bye",
        "no",
        'run{"a":1}',
        "go{}",
    ]


def test_what_was_taken_back_is_not_counted() -> None:
    assert said(ev.Text("Wait"), ev.Text("Other", 1), ev.Replace("Done"), ev.Text(".")) == ["Done.", "Other"]


def test_a_medium_counts_as_in_a_prompt() -> None:
    assert said(ev.Media("image/png", url="https://example.com"), ev.Media("image/png", "AAAA")) == [2 * MEDIUM]


def test_the_proof_of_hidden_reasoning_is_no_text() -> None:
    assert said(ev.Thinking("", signature="x" * 1000, redacted=True)) == [""]


@pytest.mark.parametrize("width", [1, 7, 999, 1000, 1001, 5000])
def test_an_answer_is_the_same_in_bursts_of_any_size(width: int) -> None:
    make: Callable[[int], ev.Event] = lambda number: ev.Text(f"{number} ", number % 2)  # noqa: E731
    events = [make(number) for number in range(5000)]
    whole = Said()
    for at in range(0, len(events), width):
        whole.add(events[at : at + width])
    assert list(whole.words()) == [
        0,
        "".join(f"{number} " for number in range(0, 5000, 2)),
        "".join(f"{number} " for number in range(1, 5000, 2)),
    ]
