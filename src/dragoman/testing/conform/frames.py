"""Strict readers of the two ways to stream: what a tolerant client forgives is told here.

Source: WHATWG HTML, "Server-sent events"; and what the official SDKs were seen to do with frames that break a rule.
"""

from __future__ import annotations

from msgspec import Struct

from dragoman.testing.conform.field import Field, read_json, show
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Mismatch

DONE = "[DONE]"
"""The end mark of OpenAI's streams."""


class Frame(Struct, frozen=True):
    """One server-sent event."""

    path: str
    """Its name in a verdict."""
    event: str
    """Empty: it has no ``event:`` line."""
    data: str

    def json(self) -> Field:
        """Return its data."""
        return read_json(self.data.encode(), self.path)

    def typed(self) -> Field:
        """Return its data, whose type has to be the name of the event."""
        data = self.json()
        Field(f"{self.path}.event", self.event).equals(data["type"].text())
        return data


def read_sse(reply: Reply) -> list[Frame]:
    """Return the events of a stream; comments are left out."""
    reply.expect_type("text/event-stream")
    text = _decode(reply.body).replace("\r\n", "\n")
    if not text.endswith("\n\n"):
        raise Mismatch("stream", "a blank line after the last event", show(text[-40:]))
    frames: list[Frame] = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            frames.append(_read_frame(f"events[{len(frames)}]", lines))
    return frames


def read_lines(reply: Reply) -> list[Field]:
    """Return the objects of newline-delimited JSON."""
    reply.expect_type("application/x-ndjson")
    text = _decode(reply.body)
    if not text.endswith("\n"):
        raise Mismatch("stream", "a line end after the last line", show(text[-40:]))
    lines = text.splitlines()
    # Python's clients split at every line end that Unicode knows, inside a string too.
    if len(lines) != text.count("\n"):
        raise Mismatch("stream", "no line end within a line (U+2028, U+0085, …)", f"{len(lines)} lines")
    for index, line in enumerate(lines):
        if not line.strip():
            raise Mismatch(f"lines[{index}]", "an object", "a blank line")
    return [read_json(line.encode(), f"lines[{index}]") for index, line in enumerate(lines)]


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Mismatch("stream", "UTF-8", show(body[error.start : error.end].hex())) from None


def _read_frame(path: str, lines: list[str]) -> Frame:
    """An event has one line of data and, before it, perhaps its name; the SDKs fail on any other."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if name not in ("data", "event") or not colon or name in found:
            raise Mismatch(path, "one data line, and at most one event line", show(line))
        found[name] = value.removeprefix(" ")
    if "data" not in found:
        raise Mismatch(path, "a data line", show(lines[0]))
    return Frame(path, found.get("event", ""), found["data"])
