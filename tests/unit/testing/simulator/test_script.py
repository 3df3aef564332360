"""What goes over the wire, and when."""

from __future__ import annotations

import pytest

from dragoman.core import events as ev
from dragoman.testing.simulator.script import INSTANT, Cadence, pace_reply, pace_stream, play_at_once

EVENTS: list[ev.Event] = [
    ev.Start("", "m"),
    ev.Thinking("Well"),
    ev.Text("Hello there"),
    ev.ToolDelta(0, "", "c", "add"),
    ev.ToolDelta(0, '{"a":1}'),
    ev.Refusal("no"),
    ev.Finish("stop"),
    ev.Usage(1, 2),
]
FRAMES = [b"", b"a", b"b", b"c", b"d", b"e", b"f", b""]


def test_each_piece_waits_for_its_tokens_and_the_first_for_the_first() -> None:
    pieces = pace_stream(list(zip(EVENTS, FRAMES, strict=True)), b"end", Cadence(0.5, 10))
    assert [data for _, data in pieces] == [b"a", b"b", b"c", b"d", b"e", b"f", b"end"]
    assert [delay for delay, _ in pieces] == pytest.approx([0.5, 0.2, 0.1, 0.5, 0.1, 0, 0])


def test_a_plain_answer_waits_for_all_its_tokens() -> None:
    [(delay, body)] = pace_reply(b"{}", EVENTS, Cadence(0.5, 10))
    assert body == b"{}"
    assert delay == pytest.approx(1.5)


def test_instant_is_without_any_delay_piece_by_piece() -> None:
    pieces = pace_stream(list(zip(EVENTS, FRAMES, strict=True)), b"", INSTANT)
    assert pieces == [(0, frame) for frame in FRAMES if frame]


def test_an_empty_body_is_no_piece() -> None:
    assert play_at_once(200, [], b"").pieces == []
    assert play_at_once(200, [], b"x").pieces == [(0, b"x")]
