"""Server-sent events, without I/O: cut a byte stream into complete frames, and frames into data.

Source: WHATWG HTML, "Server-sent events" (UTF-8, what is not becomes U+FFFD; lines end in LF, CRLF or CR; a leading BOM
is dropped; comments and unknown lines are skipped), with two exceptions. A line that no event stream has is an error,
because it means the upstream sent something else. Several ``data:`` lines are joined by a space: all that we read is
JSON, where a line end is a space, and what is passed on stays one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from dragoman.core.errors import UpstreamInvalid, UpstreamTooLarge
from dragoman.wire.json import is_utf8

MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one unfinished event we are willing to hold."""
PING = b": ping\n\n"
"""A comment: tells the reader of a stream that more will come; every reader skips it."""
_FIELDS = (b"data", b"", b"event", b"id", b"retry")
_BOM = b"\xef\xbb\xbf"
_CR = ord("\r")
"""A number is found ten times as fast as a byte string of length 1."""


class SseFramer:
    """Gives complete frames, each ended by a blank line, whatever the cuts of the network; line ends become LF."""

    __slots__ = ("_begun", "_carriage", "_pending")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._carriage = False
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Return every frame that is complete so far as one block, ``b""`` if none is; raises `UpstreamTooLarge`."""
        if self._carriage or _CR in data:
            data = self._plain_line_ends(data)
        pending = self._pending
        if data.endswith(b"\n\n") and self._begun and not pending:
            return data
        known = max(0, len(pending) - 1)
        pending += data
        if not self._begun:
            self._begin()
        cut = pending.rfind(b"\n\n", known) + 2
        block = b""
        if cut > 1:
            block = bytes(pending[:cut])
            del pending[:cut]
        if len(pending) > MAX_EVENT:
            raise UpstreamTooLarge
        return block

    def close(self) -> bytes:
        """Return what is left when the stream ended without a blank line."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest

    def _begin(self) -> None:
        """Drop a BOM, once enough is there to see one."""
        if len(self._pending) >= len(_BOM) or not _BOM.startswith(self._pending):
            self._begun = True
            if self._pending.startswith(_BOM):
                del self._pending[: len(_BOM)]

    def _plain_line_ends(self, data: bytes) -> bytes:
        """CRLF and CR become LF; the LF of a CRLF that was cut in the middle is not counted twice."""
        if self._carriage and data.startswith(b"\n"):
            data = data[1:]
            self._carriage = False
        self._carriage = data.endswith(b"\r") or (self._carriage and not data)
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def read_events(block: bytes) -> tuple[Iterable[bytes], bool]:
    """Return the data of every event in a block, and whether the block is nothing else: one ``data: `` line for each.

    Reading on raises `UpstreamInvalid` where foreign text begins; what nobody reads, such as what follows an end mark,
    is not looked at.
    """
    plain = block[6:-2].split(b"\n\ndata: ")
    if block.count(b"\n") == 2 * len(plain) and block.startswith(b"data: ") and b"" not in plain and is_utf8(block):
        return plain, True
    frames = block.decode("utf-8", "replace").encode().split(b"\n\n")
    return filter(None, map(_read_data, frames)), False


def is_foreign(text: bytes) -> bool:
    """Tell whether `text`, perhaps cut short, cannot be the beginning of an event."""
    name, colon, _ = text.partition(b"\n")[0].partition(b":")
    return not any(known == name if colon else known.startswith(name) for known in _FIELDS)


def _read_data(frame: bytes) -> bytes:
    """The data of one frame; empty when it has none (a comment)."""
    lines: list[bytes] = []
    for line in frame.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
        elif name not in _FIELDS:
            raise UpstreamInvalid(detail="the stream holds a line that is not part of an event")
    return b" ".join(lines)
