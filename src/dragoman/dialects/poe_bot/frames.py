"""The named events of a stream of the bot protocol, cut out of complete frames."""

from __future__ import annotations

from collections.abc import Iterator

from dragoman.core.errors import UpstreamInvalid
from dragoman.wire.json import is_utf8

_TEXT = b"event: text\ndata: "
_AT = len(_TEXT)
_LINE = ord("\n")
_OTHERS = (b"", b"id", b"retry")


def read_frames(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of every event in a block of frames, ended by a blank line; bad UTF-8 becomes U+FFFD.

    Raises `UpstreamInvalid` for a line that no event stream has.
    """
    if not is_utf8(block):
        block = block.decode("utf-8", "replace").encode()
    for frame in block.split(b"\n\n"):
        if frame.startswith(_TEXT) and frame.find(_LINE, _AT) < 0:
            yield b"text", frame[_AT:]
        elif frame:
            yield _read_frame(frame)


def _read_frame(frame: bytes) -> tuple[bytes, bytes]:
    name, lines = b"", list[bytes]()
    for line in frame.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip()
        elif field not in _OTHERS:
            raise UpstreamInvalid(detail="the stream holds a line that is not part of an event")
    return name, b" ".join(lines)
