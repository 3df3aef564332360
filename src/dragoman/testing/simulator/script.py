"""What goes over the wire, when, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from dragoman.core import events as ev
from dragoman.testing.simulator.tokens import count

Piece = tuple[float, bytes]
"""Seconds to wait after the piece before (or after the request), and bytes of the body."""
End = Literal["clean", "cut", "hang"]


class Cadence(Struct, frozen=True):
    """How fast a model speaks."""

    first: float = 0.2
    """Seconds to the first token."""
    rate: float = 50.0
    """Tokens a second after it; 0 = all of them at once."""

    def seconds(self, tokens: int) -> float:
        """Return how long it takes to say `tokens`, the first excepted."""
        return tokens / self.rate if self.rate else 0.0


INSTANT = Cadence(0.0, 0.0)
"""No delay anywhere."""


class Script(Struct, frozen=True):
    """One response. The head goes out together with the first piece; without pieces, with the end."""

    status: int
    headers: list[tuple[str, str]]
    """Without framing, which is up to whoever plays the script."""
    pieces: Iterable[Piece]
    ends: End = "clean"
    """After the last piece: the body is complete, the connection is cut, or nothing comes for ever."""


def play_at_once(status: int, headers: list[tuple[str, str]], body: bytes) -> Script:
    """Return a script that says `body` without delay."""
    return Script(status, headers, [(0.0, body)] if body else [])


def pace_stream(spoken: Sequence[tuple[ev.Event, bytes]], marker: bytes, cadence: Cadence) -> list[Piece]:
    """Return each event's frames after the time it takes to say it; what has no frames takes no piece."""
    pieces: list[Piece] = []
    for event, frames in spoken:
        if frames:
            delay = cadence.seconds(_count(event)) if pieces else cadence.first
            pieces.append((delay, frames))
    if marker:
        pieces.append((0.0, marker))
    return pieces


def pace_reply(body: bytes, events: Sequence[ev.Event], cadence: Cadence) -> list[Piece]:
    """Return the body of a plain answer after the time it takes to say all of it."""
    return [(cadence.first + cadence.seconds(sum(_count(event) for event in events)), body)]


def _count(event: ev.Event) -> int:
    match event:
        case ev.Text() | ev.Thinking() | ev.Refusal():
            return count(event.text)
        case ev.ToolDelta():
            return count(event.arguments) or 1
        case _:
            return 0
