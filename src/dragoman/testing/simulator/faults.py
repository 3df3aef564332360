"""What an upstream can do wrong, one function each: some spoil what is said, some how it goes over the wire."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from dragoman.core import events as ev
from dragoman.testing.simulator.script import Piece, Script

_HUGE = 9 * 1024 * 1024
"""Bytes; more than a gateway holds of one event."""
_MARK = "\ue5a1"
"""Stands for what no text may hold, until the text has become bytes."""
_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_ROLE = re.compile(rb'"delta":\{(?!"role")(\}?)')
_TOOL = re.compile(rb'"tool_calls":\[\{"index":(\d+),(?:"id":("[^"]*"))?')


class Wire(Struct, frozen=True):
    """A response that is ready to go out, and what a fault may need to spoil it."""

    script: Script
    pieces: list[Piece]
    error: Callable[[int], bytes]
    """An error in the dialect's own words: a whole body, or the frame that ends a stream after so many pieces."""
    stream: bool


def spoil_events(fault: str, events: list[ev.Event]) -> list[ev.Event]:
    """Return what a model with `fault` says instead of `events`."""
    spoil = _EVENTS.get(fault)
    return events if spoil is None else spoil(events)


def spoil_wire(fault: str, wire: Wire) -> Script:
    """Return what goes over the wire of a model with `fault`."""
    spoil = _WIRES.get(fault)
    return wire.script if spoil is None else spoil(wire)


def _without_usage(events: list[ev.Event]) -> list[ev.Event]:
    return [event for event in events if not isinstance(event, ev.Usage)]


def _without_finish(events: list[ev.Event]) -> list[ev.Event]:
    return [event for event in events if not isinstance(event, ev.Finish)]


def _say_marked(events: list[ev.Event]) -> list[ev.Event]:
    return [events[0], ev.Text(f"broken {_MARK} text "), *events[1:]]


def _say_much(events: list[ev.Event]) -> list[ev.Event]:
    return [events[0], ev.Text("a" * _HUGE), *events[1:]]


def _html(wire: Wire) -> Script:
    return Script(200, [("content-type", "text/html; charset=utf-8")], [(0.0, _PAGE)])


def _redirect(wire: Wire) -> Script:
    return Script(302, [("location", "https://example.com/"), ("content-type", "text/html")], [(0.0, _PAGE)])


def _empty(wire: Wire) -> Script:
    return Script(200, wire.script.headers, [])


def _inband(wire: Wire) -> Script:
    return Script(200, wire.script.headers, [(wire.pieces[0][0], wire.error(0))])


def _midstream(wire: Wire) -> Script:
    if not wire.stream:
        return _inband(wire)
    half = _first_half(wire)
    return Script(200, wire.script.headers, [*half, (0.0, wire.error(len(half)))])


def _silent(wire: Wire) -> Script:
    return Script(200, wire.script.headers, [], "hang")


def _reset(wire: Wire) -> Script:
    return Script(200, wire.script.headers, [], "cut")


def _stall(wire: Wire) -> Script:
    return Script(200, wire.script.headers, _first_half(wire), "hang")


def _cut(wire: Wire) -> Script:
    return Script(200, wire.script.headers, _first_half(wire), "cut")


def _eof(wire: Wire) -> Script:
    return Script(200, wire.script.headers, _first_half(wire))


def _malformed(wire: Wire) -> Script:
    """Half a frame, ended as if it were whole."""
    last = len(_first_half(wire)) - 1
    pieces = [_halve(piece) if at == last else piece for at, piece in enumerate(wire.pieces)]
    return Script(200, wire.script.headers, pieces)


def _bad_utf8(wire: Wire) -> Script:
    return _replace(wire, b"\xff\xfe\xc3(")


def _lone_surrogate(wire: Wire) -> Script:
    return _replace(wire, b"\\ud800")


def _without_marker(wire: Wire) -> Script:
    return Script(200, wire.script.headers, wire.pieces[:-1] if wire.stream else wire.pieces)


def _without_reason(wire: Wire) -> Script:
    """A stream has lost its finish already; of a plain answer the reason is made null."""
    pieces = [(delay, re.sub(rb'("finish_reason":)"\w+"', rb"\1null", data)) for delay, data in wire.pieces]
    return Script(200, wire.script.headers, pieces)


def _repeat_role(wire: Wire) -> Script:
    pieces = [(delay, _ROLE.sub(_add_role, data)) for delay, data in wire.pieces]
    return Script(200, wire.script.headers, pieces)


def _tool_gaps(wire: Wire) -> Script:
    ids: dict[bytes, bytes] = {}

    def mangle(found: re.Match[bytes]) -> bytes:
        call_id = ids.setdefault(found[1], found[2] or b'""')
        return b'"tool_calls":[{"id":' + call_id + (b"" if found[2] else b",")

    return Script(200, wire.script.headers, [(delay, _TOOL.sub(mangle, data)) for delay, data in wire.pieces])


_EVENTS: dict[str, Callable[[list[ev.Event]], list[ev.Event]]] = {
    "no-usage": _without_usage,
    "no-finish": _without_finish,
    "bad-utf8": _say_marked,
    "lone-surrogate": _say_marked,
    "huge-event": _say_much,
}
_WIRES: dict[str, Callable[[Wire], Script]] = {
    "html": _html,
    "redirect": _redirect,
    "empty": _empty,
    "inband": _inband,
    "midstream": _midstream,
    "silent": _silent,
    "reset": _reset,
    "stall": _stall,
    "cut": _cut,
    "eof": _eof,
    "malformed": _malformed,
    "bad-utf8": _bad_utf8,
    "lone-surrogate": _lone_surrogate,
    "no-done": _without_marker,
    "no-finish": _without_reason,
    "repeat-role": _repeat_role,
    "tool-gaps": _tool_gaps,
}
FAULTS = frozenset(_EVENTS) | frozenset(_WIRES)
"""The names of all faults."""


def _first_half(wire: Wire) -> list[Piece]:
    """The first half of a stream, never its finish (unless it says nothing else); half the bytes of a plain answer."""
    if wire.stream:
        return wire.pieces[: max(1, (len(wire.pieces) - 2) // 2)]
    delay, body = wire.pieces[0]
    return [(delay, body[: len(body) // 2])]


def _halve(piece: Piece) -> Piece:
    delay, frames = piece
    body = frames.rstrip(b"\n")
    return delay, body[: len(body) // 2] + frames[len(body) :]


def _replace(wire: Wire, data: bytes) -> Script:
    mark = _MARK.encode()
    return Script(200, wire.script.headers, [(delay, piece.replace(mark, data)) for delay, piece in wire.pieces])


def _add_role(found: re.Match[bytes]) -> bytes:
    return b'"delta":{"role":"assistant"' + (b"}" if found[1] else b",")
