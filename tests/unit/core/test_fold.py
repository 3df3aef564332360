import pytest
from msgspec import Raw

from dragoman.core import message as msg
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
from dragoman.core.fold import fold, unfold
from dragoman.core.legal import breaches

START = Start("a-1", "m-1", 5)
STOP = Finish("stop")


def parts_of(*events: Event) -> list[msg.Part]:
    return fold([START, *events, STOP]).choices[0].parts


def test_a_reply_says_who_answered_and_what_it_took() -> None:
    reply = fold([START, Text("Hi"), Finish("length"), Usage(9, 4)])
    assert reply == msg.Reply("a-1", "m-1", 5, [msg.Choice([msg.Text("Hi")], "length")], Usage(9, 4))


def test_neighbours_of_one_kind_are_one_part() -> None:
    assert parts_of(Thinking("h"), Thinking("m"), Text("R"), Text("ain"), Refusal("n"), Refusal("o"), Text(".")) == [
        msg.Thinking("hm"),
        msg.Text("Rain"),
        msg.Refusal("no"),
        msg.Text("."),
    ]


def test_a_signature_ends_a_block_of_thinking() -> None:
    assert parts_of(Thinking("a"), Thinking("", signature="proof"), Thinking("b")) == [
        msg.Thinking("a", "proof"),
        msg.Thinking("b"),
    ]


def test_tool_calls_grow_by_their_number() -> None:
    pieces = [
        ToolDelta(0, '{"a":', "call_a", "f", extra=Raw(b"1")),
        ToolDelta(1, "", "call_b", "g"),
        ToolDelta(0, "1}"),
    ]
    assert parts_of(Text("Look"), *pieces) == [
        msg.Text("Look"),
        msg.ToolCall("call_a", "f", '{"a":1}', {"extra": Raw(b"1")}),
        msg.ToolCall("call_b", "g", "{}"),
    ]


def test_a_replacement_voids_the_text_but_not_the_rest() -> None:
    assert parts_of(Thinking("hm"), Text("a"), ToolDelta(0, "{}", "c", "f"), Text("b"), Replace("c"), Text("d")) == [
        msg.Thinking("hm"),
        msg.ToolCall("c", "f", "{}"),
        msg.Text("cd"),
    ]
    assert parts_of(Text("a"), Replace("")) == []


def test_media_keep_their_place_and_what_only_their_dialect_knows() -> None:
    extra = Raw(b'{"id":"audio_1"}')
    assert parts_of(
        Media("image/png", "aWJ="),
        Media("image/png", url="https://example.com/a.png"),
        Media("video/mp4", url="https://example.com/a.mp4"),
        Media("audio/wav", "UklG"),
        Media("audio/mpeg", url="https://example.com/a.mp3"),
        Media("audio/*", extra=extra),
    ) == [
        msg.Image("data:image/png;base64,aWJ="),
        msg.Image("https://example.com/a.png"),
        msg.Video("https://example.com/a.mp4"),
        msg.Audio("UklG", "wav"),
        msg.Audio("", "mpeg", url="https://example.com/a.mp3"),
        msg.Audio("", "*", {"extra": extra}),
    ]


def test_choices_come_in_the_order_of_their_numbers() -> None:
    reply = fold([START, Text("b", 1), Text("a"), Finish("stop", 1), STOP])
    assert [choice.parts for choice in reply.choices] == [[msg.Text("a")], [msg.Text("b")]]


def test_vectors_are_no_choices() -> None:
    vectors = [Vector(0, Raw(b"[0.5]")), Vector(1, Raw(b"[1]"))]
    reply = fold([START, *vectors, Usage(9, 0)])
    assert (reply.choices, reply.vectors) == ([], vectors)
    assert unfold(reply) == [START, *vectors, Usage(9, 0)]


def test_reasoning_that_is_withheld_stands_alone() -> None:
    assert parts_of(Thinking("hm"), Thinking("", 0, "sealed", redacted=True), Thinking("so")) == [
        msg.Thinking("hm"),
        msg.Thinking("", "sealed", redacted=True),
        msg.Thinking("so"),
    ]


def test_a_choice_knows_what_stopped_it() -> None:
    (choice,) = fold([START, Text("a"), Finish("stop", stop="END")]).choices
    assert choice == msg.Choice([msg.Text("a")], "stop", stop="END")


def test_what_is_said_beside_the_answer_is_no_part_of_it() -> None:
    assert parts_of(Note("status", "working"), Text("a"), Note("status", "done")) == [msg.Text("a")]


def test_log_probabilities_are_kept_in_pieces() -> None:
    reply = fold([START, Text("a", logprobs=Raw(b"1")), Text("", logprobs=Raw(b"2")), STOP])
    assert reply.choices == [msg.Choice([msg.Text("a")], "stop", [Raw(b"1"), Raw(b"2")])]


@pytest.mark.parametrize(
    "reply",
    [
        msg.Reply("a-1", "m-1", 5, [msg.Choice([msg.Text("Hi")], "stop")]),
        msg.Reply(
            "a-1",
            "m-1",
            5,
            [
                msg.Choice(
                    [
                        msg.Thinking("hm", "proof"),
                        msg.Text("Hi"),
                        msg.Refusal("no"),
                        msg.ToolCall("call_a", "f", "{}", {"extra": Raw(b"1")}),
                        msg.Image("https://example.com/a.png"),
                        msg.Video("https://example.com/a.mp4"),
                        msg.Audio("UklG", "wav", {"extra": Raw(b"2")}),
                        msg.ToolCall("call_b", "g", "{}"),
                    ],
                    "tool_calls",
                    [Raw(b'{"content":[]}')],
                ),
                msg.Choice([], "length"),
            ],
            Usage(9, 4),
        ),
    ],
)
def test_unfolding_is_the_inverse_of_folding(reply: msg.Reply) -> None:
    events = unfold(reply)
    assert breaches(events) == []
    assert fold(events) == reply


def test_an_answer_holds_neither_files_nor_results() -> None:
    parts: list[msg.Part] = [msg.File(id="file-1"), msg.ToolResult("call_a", [])]
    assert unfold(msg.Reply("", "", 0, [msg.Choice(parts, "stop")])) == [Start("", "", 0), STOP]
