"""A burst: everything that became complete in one network read of an upstream."""

from __future__ import annotations

from msgspec import Struct

from dragoman.core.events import Event


class Burst(Struct, frozen=True):
    """Some consecutive events of one answer and, while nobody has changed them, the bytes they came in."""

    events: list[Event]
    raw: bytes | None = None
    """Complete, normalised frames (or the one whole body) in `dialect`; None once a stage has made its own events.

    A stage that changes an answer drops the bytes of *every* burst: a writer is never used for half an answer.
    """
    dialect: str = ""
    """The dialect `raw` is written in."""
