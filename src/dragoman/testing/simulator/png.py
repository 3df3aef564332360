"""Pictures: real PNG files, made of a few coloured squares that depend on what was asked for."""

from __future__ import annotations

import struct
import zlib

from dragoman.testing.simulator.chance import digest

CELLS = 8
"""Squares in each direction; the right half mirrors the left."""
COLOURS = 4
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INDEXED = 3
"""Colour type: each pixel is a number in the palette. Source: PNG specification, third edition."""


def draw(seed: int, words: str | bytes, width: int, height: int, shown: float = 1.0) -> bytes:
    """Return a picture for `words` in the size given; only the upper part `shown` of it is there yet."""
    cells = arrange(seed, words)
    rows: list[bytes] = []
    for y in range(height):
        row = cells[y * CELLS // height] if y < height * shown else bytes(CELLS)
        rows.append(b"\0" + b"".join(row[x : x + 1] * _width(x, width) for x in range(CELLS)))
    head = struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in choose_colours(seed, words))
    pieces = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(rows), 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in pieces)


def arrange(seed: int, words: str | bytes) -> list[bytes]:
    """Return the squares of a picture, row by row: the number of each one's colour."""
    bits = int.from_bytes(digest(seed, "squares", words) + digest(seed, "more", words), "big")
    rows: list[bytes] = []
    for _ in range(CELLS):
        half = bytes((bits >> (2 * x)) % COLOURS for x in range(CELLS // 2))
        bits >>= CELLS
        rows.append(half + half[::-1])
    return rows


def choose_colours(seed: int, words: str | bytes) -> list[tuple[int, int, int]]:
    """Return red, green and blue of each colour, the background's first."""
    drawn = digest(seed, "colours", words)
    return [(drawn[3 * n], drawn[3 * n + 1], drawn[3 * n + 2]) for n in range(COLOURS)]


def _width(x: int, width: int) -> int:
    return (x + 1) * width // CELLS - x * width // CELLS


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
