"""Blocks: one open at a time, numbered without gaps, whatever the order in which a model says its pieces."""

from __future__ import annotations

import pytest

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.blocks import Blocks
from dragoman.dialects.anthropic_messages.schema import UNSIGNED, ToolUse
from tests.unit.dialects.anthropic_messages.official import frames

Said = ev.Text | ev.Thinking | ev.ToolDelta


def add(blocks: Blocks, event: Said) -> bytes:
    match event:
        case ev.Text():
            return blocks.add_text(event.text)
        case ev.Thinking():
            return blocks.add_thinking(event)
        case _:
            return blocks.add_tool(event, ToolUse(event.id or "", event.name or "") if event.id else None)


def pieces(written: bytes) -> list[str]:
    """Tell in short what is written: `+` begins a block, `-` ends it, all else is added to it."""
    told: list[str] = []
    for name, data in frames(written):
        _, _, rest = data.decode().partition('"index":')
        index, _, said = rest[:-1].partition(",")
        mark = {"content_block_start": "+", "content_block_stop": "-"}.get(name, "")
        value = said.partition(":")[2]
        told.append(f"{mark}{index} {value}".strip())
    return told


def say(*events: Said, cut: bool = False) -> list[str]:
    blocks = Blocks()
    written = b"".join([add(blocks, event) for event in events])
    return pieces(written + blocks.end(cut=cut))


TEXT = '{"type":"text","text":""}'
THINKING = '{"type":"thinking","thinking":"","signature":""}'


def called(index: int, call_id: str, name: str) -> str:
    return f'+{index} {{"type":"tool_use","id":"{call_id}","name":"{name}","input":{{}}}}'


def text(index: int, piece: str) -> str:
    return f'{index} {{"type":"text_delta","text":"{piece}"}}'


def thought(index: int, piece: str) -> str:
    return f'{index} {{"type":"thinking_delta","thinking":"{piece}"}}'


def signed(index: int, signature: str) -> str:
    return f'{index} {{"type":"signature_delta","signature":"{signature}"}}'


def arguments(index: int, piece: str) -> str:
    escaped = piece.replace('"', '\\"')
    return f'{index} {{"type":"input_json_delta","partial_json":"{escaped}"}}'


def test_neighbours_of_one_kind_are_one_block() -> None:
    assert say(ev.Text("a"), ev.Text('"\n'), ev.Text("c")) == [
        f"+0 {TEXT}",
        text(0, "a"),
        text(0, r"\"\n"),
        text(0, "c"),
        "-0",
    ]


def test_thinking_is_signed_before_its_block_ends() -> None:
    assert say(ev.Thinking("h"), ev.Thinking("m"), ev.Text("a"), ev.Thinking("b")) == [
        f"+0 {THINKING}",
        thought(0, "h"),
        thought(0, "m"),
        signed(0, UNSIGNED),
        "-0",
        f"+1 {TEXT}",
        text(1, "a"),
        "-1",
        f"+2 {THINKING}",
        thought(2, "b"),
        signed(2, UNSIGNED),
        "-2",
    ]


def test_an_upstreams_own_signature_ends_its_thinking() -> None:
    assert say(ev.Thinking("a"), ev.Thinking("", signature="S1"), ev.Thinking("b", signature="S2")) == [
        f"+0 {THINKING}",
        thought(0, "a"),
        signed(0, "S1"),
        "-0",
        f"+1 {THINKING}",
        thought(1, "b"),
        signed(1, "S2"),
        "-1",
    ]


def test_withheld_thinking_is_a_block_of_its_own() -> None:
    assert say(ev.Thinking("", signature="X", redacted=True), ev.Thinking("", signature="Y", redacted=True)) == [
        '+0 {"type":"redacted_thinking","data":"X"}',
        "-0",
        '+1 {"type":"redacted_thinking","data":"Y"}',
        "-1",
    ]


def test_the_arguments_of_a_call_are_told_as_they_come() -> None:
    blocks = Blocks()
    assert pieces(add(blocks, ev.ToolDelta(0, "", "c1", "f"))) == [called(0, "c1", "f")]
    assert pieces(add(blocks, ev.ToolDelta(0, '{"a"'))) == [arguments(0, '{"a"')]
    assert pieces(add(blocks, ev.ToolDelta(0, ":1}"))) == [arguments(0, ":1}")]
    assert pieces(blocks.end(cut=False)) == ["-0"]


def test_a_call_without_arguments_has_no_pieces() -> None:
    assert say(ev.ToolDelta(0, "", "c1", "f"), ev.ToolDelta(1, "", "c2", "g")) == [
        called(0, "c1", "f"),
        "-0",
        called(1, "c2", "g"),
        "-1",
    ]


def test_a_call_is_told_at_once_when_the_one_before_is_whole() -> None:
    blocks = Blocks()
    add(blocks, ev.ToolDelta(0, '{"a":{}}', "c1", "f"))
    assert pieces(add(blocks, ev.ToolDelta(1, '{"b"', "c2", "g"))) == [
        "-0",
        called(1, "c2", "g"),
        arguments(1, '{"b"'),
    ]


def test_pieces_of_two_calls_in_turns_become_two_blocks_in_turn() -> None:
    first: list[Said] = [
        ev.ToolDelta(0, '{"a":{}', "c1", "f"),
        ev.ToolDelta(1, '{"b"', "c2", "g"),
        ev.ToolDelta(0, ',"c":1'),
    ]
    then: list[Said] = [ev.Text("t"), ev.ToolDelta(0, "}"), ev.ToolDelta(1, ":2}")]
    assert say(*first, *then) == [
        called(0, "c1", "f"),
        arguments(0, '{"a":{}'),
        arguments(0, ',"c":1'),
        arguments(0, "}"),
        "-0",
        called(1, "c2", "g"),
        arguments(1, '{"b"'),
        arguments(1, ":2}"),
        "-1",
        f"+2 {TEXT}",
        text(2, "t"),
        "-2",
    ]


def test_text_goes_on_quickly_only_in_a_block_that_is_open() -> None:
    blocks = Blocks()
    add(blocks, ev.Text("a"))
    add(blocks, ev.ToolDelta(0, "{", "c1", "f"))
    assert add(blocks, ev.Text("b")) == b""
    assert pieces(add(blocks, ev.ToolDelta(0, "}"))) == [
        arguments(1, "}"),
        "-1",
        f"+2 {TEXT}",
        text(2, "b"),
    ]
    assert pieces(add(blocks, ev.Text("c"))) == [text(2, "c")]


def test_white_space_behind_whole_arguments_is_nothing() -> None:
    events: list[Said] = [ev.ToolDelta(0, "{}\n", "c1", "f"), ev.Text("a")]
    assert say(*events, ev.ToolDelta(0, " \n")) == say(*events)


def test_arguments_that_go_on_behind_their_end_break_the_answer() -> None:
    with pytest.raises(UpstreamInvalid, match="goes on"):
        say(ev.ToolDelta(0, "{}", "c1", "f"), ev.Text("a"), ev.ToolDelta(0, '{"a":1}'))


@pytest.mark.parametrize("broken", ['{"a":', "[]", "null", '{"a":1}}', "1"])
def test_arguments_that_are_no_object_break_the_answer_at_its_end(broken: str) -> None:
    with pytest.raises(UpstreamInvalid, match="not a JSON object"):
        say(ev.ToolDelta(0, broken, "c1", "f"))


def test_in_an_answer_that_was_cut_for_its_length_arguments_may_be_unfinished() -> None:
    assert say(ev.ToolDelta(0, '{"a', "c1", "f"), cut=True) == [
        called(0, "c1", "f"),
        arguments(0, '{"a'),
        "-0",
    ]


def test_an_answer_that_says_nothing_has_no_blocks() -> None:
    assert say() == []
