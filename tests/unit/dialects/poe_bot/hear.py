"""A bot's events as bytes, and what the reader makes of them."""

import msgspec

from dragoman.core import events as ev
from dragoman.core.legal import breaches
from dragoman.dialects.poe_bot.reader import Reader

START = ev.Start("poe-1", "bot", 7)
STOP = ev.Finish("stop")
DONE = b"event: done\ndata: {}\n\n"


def event(kind: str, **data: object) -> bytes:
    """Return an event."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(data))


def text(said: str, **more: object) -> bytes:
    """Return a piece of text."""
    return event("text", text=said, **more)


def chunk(delta: dict[str, object], finish: str | None = None, **more: object) -> bytes:
    """Return a chunk of a chat completion."""
    return event("json", choices=[{"index": 0, "delta": delta, "finish_reason": finish}], **more)


def hear(*said: bytes, replaces: bool = False, size: int = 0) -> list[ev.Event]:
    """Return what is heard of a whole answer behind its start, whose end is added; read in pieces of `size` bytes."""
    reader = Reader(START, 1, replaces=replaces)
    data = b"".join(said) + DONE
    size = size or len(data)
    bursts = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    assert (reader.done, reader.finished, reader.end()) == (True, True, None)
    events = [event for burst in bursts if burst is not None for event in burst.events]
    assert events.pop(0) == START
    assert breaches([START, *events]) == []
    return events
