"""Decode compressed bodies as they come in, a bounded piece at a time.

We ask upstreams for `identity`, but some compress all the same.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from dragoman.core.errors import UpstreamInvalid

PIECE = 256 * 1024
"""Most bytes one `read` gives: a bomb of 300 kB holds 300 MB, and nobody has asked for them at once."""

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


class _Stream(Protocol):
    """What `zlib.decompressobj` returns, a type without a public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Inflater:
    """An incremental decoder of ``gzip`` (of one or several members) or ``deflate`` (with or without zlib's frame)."""

    __slots__ = ("_gzip", "_input", "_more", "_stream", "_used")

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream: _Stream | None = None
        self._input = b""
        self._more = False
        """The last piece was full, so zlib may hold back more of it."""
        self._used = False
        """A member or stream has ended."""

    @property
    def pending(self) -> bool:
        """Whether `read` may have something to give without new input."""
        return self._more or bool(self._input)

    def feed(self, data: bytes) -> None:
        """Take in compressed bytes."""
        self._input = self._input + data if self._input else data

    def read(self) -> bytes:
        """Return all that can be decoded, at most `PIECE` bytes, or nothing; raises `UpstreamInvalid`."""
        while self.pending:
            stream = self._stream or self._start()
            if stream is None:
                break
            try:
                piece = stream.decompress(self._input, PIECE)
            except zlib.error as error:
                raise UpstreamInvalid(detail=str(error)) from None
            self._more = len(piece) == PIECE and not stream.eof
            self._input = stream.unused_data if stream.eof else stream.unconsumed_tail
            self._stream = None if stream.eof else stream
            self._used = self._used or stream.eof
            if piece:
                return piece
        return b""

    def finish(self) -> None:
        """Raise `UpstreamInvalid` unless the compressed data have come to their end; no data at all are fine."""
        if self._stream is not None:
            raise UpstreamInvalid(detail="the compressed body is cut short")

    def _start(self) -> _Stream | None:
        """Return the decoder of what begins with the first byte of the input; None when only padding is left."""
        if self._used:
            self._input = self._input.lstrip(b"\0") if self._gzip else self._input
            if not self._input:
                return None
            if not self._gzip:
                raise UpstreamInvalid(detail="bytes after the compressed body")
        # RFC 9110 means zlib's frame by `deflate`, some servers send none. The lower half of a frame's first byte is
        # 8, with which only a stored block with odd padding could begin.
        framed = _ZLIB if self._input[0] & 0x0F == 8 else _RAW
        return zlib.decompressobj(_GZIP if self._gzip else framed)


def inflater_for(encoding: str) -> Inflater | None:
    """Return a decoder for a `Content-Encoding`, None for ``identity``; raises `UpstreamInvalid` for all others."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Inflater(gzip=True)
        case "deflate":
            return Inflater(gzip=False)
        case _:
            raise UpstreamInvalid(detail="unknown content-encoding")
