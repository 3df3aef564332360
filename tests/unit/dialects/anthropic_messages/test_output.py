"""What an answer is made of: blocks, reasons, ids and counts."""

from __future__ import annotations

import re

import msgspec
import pytest
from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.output import (
    check_arguments,
    is_object,
    make_id,
    write_content,
    write_stop,
    write_usage,
)
from dragoman.dialects.anthropic_messages.schema import (
    NAME,
    UNSIGNED,
    OutputDetails,
    Redacted,
    Stop,
    Text,
    Thinking,
    ToolUse,
    Usage,
)

REQUEST = msg.Request("m", [msg.Message("user", [msg.Text("12345678")])])
CALL = Call(b"", NAME, "m", lambda: [REQUEST], stream=False, serial="s1")
PICTURE = "data:image/png;base64,AA"


def test_texts_and_media_beside_each_other_are_one_block() -> None:
    parts: list[msg.Part] = [msg.Text("a"), msg.Image(PICTURE), msg.Refusal("no"), msg.Text("b")]
    assert write_content(msg.Choice(parts, "stop"), CALL) == [Text(f"a![image]({PICTURE})nob")]


def test_thinking_and_calls_are_blocks_of_their_own() -> None:
    parts: list[msg.Part] = [
        msg.Thinking("hm"),
        msg.Thinking("so", "S"),
        msg.Thinking("", "X", redacted=True),
        msg.Text("a"),
        msg.ToolCall("c1", "f", '{"a":1}', {"extra": Raw(b'{"google":1}')}),
        msg.File(id="f1"),
        msg.Text("b"),
    ]
    thinking, signed, redacted, before, called, after = write_content(msg.Choice(parts, "tool_calls"), CALL)
    assert thinking == Thinking("hm", UNSIGNED)
    assert signed == Thinking("so", "S")
    assert redacted == Redacted("X")
    assert (before, after) == (Text("a"), Text("b"))
    assert msgspec.json.encode(called) == (
        b'{"type":"tool_use","id":"c1","name":"f","input":{"a":1},"extra_content":{"google":1}}'
    )


def test_a_call_that_is_no_object_is_left_out_only_of_an_answer_that_was_cut() -> None:
    parts: list[msg.Part] = [msg.ToolCall("c1", "f", "{}"), msg.ToolCall("c2", "g", '{"a')]
    (kept,) = write_content(msg.Choice(parts, "length"), CALL)
    assert isinstance(kept, ToolUse)
    assert kept.id == "c1"
    with pytest.raises(UpstreamInvalid, match="not a JSON object"):
        write_content(msg.Choice(parts, "tool_calls"), CALL)


def test_arguments_are_an_object_or_an_error() -> None:
    assert bytes(check_arguments('{"ä": [1]}')) == '{"ä": [1]}'.encode()
    assert [is_object(text) for text in ("{}", " {} ", "[]", "", "{", '"a"', "[" * 100_000)] == [True, True] + [
        False
    ] * 5


@pytest.mark.parametrize("tool_id", ["toolu_01", "call-1", "A" * 128])
def test_an_id_that_this_api_allows_is_kept(tool_id: str) -> None:
    assert make_id(tool_id, 0, CALL) == tool_id


def test_any_other_id_is_made_and_always_the_same() -> None:
    ids = [make_id("functions.f:0", 0, CALL), make_id("functions.f:1", 0, CALL), make_id("A" * 129, 0, CALL)]
    ids += [make_id("", 0, CALL), make_id("", 1, CALL), make_id("", 0, Call(b"", NAME, "m", list, False, serial="s2"))]
    assert len(set(ids)) == 6
    assert all(re.fullmatch(r"toolu_[0-9a-f]{24}", made) for made in ids)
    assert make_id("functions.f:0", 7, Call(b"", NAME, "m", list, stream=False)) == ids[0]


@pytest.mark.parametrize(
    ("reason", "stop", "refused", "told"),
    [
        ("stop", "", False, Stop("end_turn")),
        ("stop", "END", False, Stop("stop_sequence", "END")),
        ("stop", "", True, Stop("refusal")),
        ("length", "", True, Stop("max_tokens")),
        ("tool_calls", "", False, Stop("tool_use")),
        ("content_filter", "", False, Stop("refusal")),
    ],
)
def test_every_end_has_its_reason(reason: ev.FinishReason, stop: str, refused: bool, told: Stop) -> None:
    assert write_stop(ev.Finish(reason, stop=stop), refused=refused) == told
    assert write_stop(msg.Choice([], reason, stop=stop), refused=refused) == told


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (ev.Usage(10, 5), Usage(10, 0, 0, 5)),
        (ev.Usage(10, 5, cached=4, cache_write=3, reasoning=2), Usage(3, 3, 4, 5, OutputDetails(2))),
        (ev.Usage(3, 5, cached=4), Usage(0, 0, 4, 5)),
        (ev.Usage(10, 5, estimated=True), Usage(10, 0, 0, 5, UNSET, estimated=True)),
        (None, Usage(6, 0, 0, 3, UNSET, estimated=True)),
    ],
)
def test_the_kinds_of_input_exclude_each_other_and_an_estimate_says_so(usage: ev.Usage | None, told: Usage) -> None:
    assert write_usage(CALL, usage, "nine char") == told
