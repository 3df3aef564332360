"""Newline-delimited JSON, without I/O: cut a byte stream into complete lines.

Lines end in LF; a CR before it is white space to whoever reads the JSON, and stays. A leading BOM is dropped.
"""

from __future__ import annotations

from dragoman.core.errors import UpstreamTooLarge

MAX_LINE = 8 * 1024 * 1024
"""Bytes of one unfinished line we are willing to hold."""
_BOM = b"\xef\xbb\xbf"
_LF = ord("\n")


class LineFramer:
    """Gives complete lines, each with its line end, whatever the cuts of the network."""

    __slots__ = ("_begun", "_pending")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Return every line that is complete so far as one block, ``b""`` if none is; raises `UpstreamTooLarge`."""
        pending = self._pending
        if not pending and self._begun and data.endswith(b"\n"):
            return data
        known = len(pending)
        pending += data
        cut = pending.rfind(_LF, known) + 1
        if len(pending) - cut > MAX_LINE:
            raise UpstreamTooLarge
        if not cut:
            return b""
        block = bytes(pending[:cut])
        del pending[:cut]
        return self._begin(block)

    def close(self) -> bytes:
        """Return what is left when the stream ended without a line end."""
        rest = bytes(self._pending)
        self._pending.clear()
        return self._begin(rest)

    def _begin(self, block: bytes) -> bytes:
        if self._begun:
            return block
        self._begun = True
        return block.removeprefix(_BOM)
