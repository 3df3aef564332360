"""Video frames: the least of H.264 that every player shows. A few coloured squares, then nothing that moves.

Only one macroblock of each square holds samples, uncompressed; its neighbours are predicted from it, exactly.
Source: ITU-T H.264 (2021), §7.3 and tables 7-11 and 9-5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MACROBLOCK = 16
_CONFIG, _PARAMETERS, _KEY, _OTHER = 0x67, 0x68, 0x65, 0x61
"""First bytes of the units: sequence and picture parameters, a key frame, any other frame."""
_PCM = 25
_VERTICAL, _HORIZONTAL = (1, 2), (2, 1)
"""Macroblock type and chroma mode: a copy of what is above, or to the left."""
_UNSAFE = re.compile(rb"\0\0(?=[\0-\3])")
Colour = tuple[int, int, int]


def write_parameters(width: int, height: int) -> tuple[bytes, bytes]:
    """Return the parameters of the sequence and of its pictures; both sides are multiples of 16 pixels."""
    across, down = width // MACROBLOCK, height // MACROBLOCK
    sequence = _Bits().put(66, 8).put(0xC0, 8).put(51, 8)  # constrained baseline, level 5.1
    sequence.count(0, 0, 2, 1).put(0, 1).count(across - 1, down - 1)
    sequence.put(1, 1).put(1, 1).put(0, 1).put(0, 1)  # whole frames, no cropping, nothing more
    pictures = _Bits().count(0, 0).put(0, 2).count(0, 0, 0).put(0, 3).count(0, 0, 0).put(0b100, 3)
    return _unit(_CONFIG, sequence), _unit(_PARAMETERS, pictures)


def write_key_frame(cells: Sequence[bytes], colours: Sequence[Colour], size: tuple[int, int], number: int) -> bytes:
    """Return a frame that shows `cells`, numbers of `colours`; two in a row need `number`s that differ."""
    across, down = size[0] // MACROBLOCK, size[1] // MACROBLOCK
    samples = [_samples(colour) for colour in colours]
    bits = _Bits().count(0, 7, 0).put(0, 4).count(number % 2).put(0, 2).count(0, 1)
    above = bytes([255]) * across
    pcm_above = [False] * across
    for y in range(down):
        row = cells[y * len(cells) // down]
        line = bytes(row[x * len(row) // across] for x in range(across))
        pcm = [line[x] != above[x] and (not x or line[x] != line[x - 1]) for x in range(across)]
        for x in range(across):
            if pcm[x]:
                bits.count(_PCM).align().add(samples[line[x]])
                continue
            kind, chroma = _VERTICAL if line[x] == above[x] else _HORIZONTAL
            bits.count(kind, chroma, 0)
            beside_pcm = (x > 0 and pcm[x - 1]) or pcm_above[x]
            bits.put(0b11, 6) if beside_pcm else bits.put(1, 1)  # no coefficients, in the code the neighbours call for
        above, pcm_above = line, pcm
    return _unit(_KEY, bits)


def write_same_frame(width: int, height: int, number: int) -> bytes:
    """Return a frame that shows what the one before it showed; `number` counts from the last key frame."""
    blocks = (width // MACROBLOCK) * (height // MACROBLOCK)
    bits = _Bits().count(0, 5, 0).put(number % 16, 4).put(0, 1).put(0, 1).put(0, 1).count(0, 1, blocks)
    return _unit(_OTHER, bits)


class _Bits:
    """Bits on their way to bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._held = 0
        self._size = 0

    def put(self, value: int, size: int) -> _Bits:
        """Add a number of `size` bits."""
        self._held = self._held << size | value
        self._size += size
        if self._size >= 64:
            self._flush()
        return self

    def count(self, *values: int) -> _Bits:
        """Add numbers in the code in which small ones are short (Exp-Golomb)."""
        for value in values:
            self.put(value + 1, 2 * (value + 1).bit_length() - 1)
        return self

    def align(self) -> _Bits:
        """Fill up the last byte with zeros."""
        self.put(0, -self._size % 8)
        self._flush()
        return self

    def add(self, data: bytes) -> _Bits:
        """Add whole bytes; the ones before them are whole as well."""
        self._bytes += data
        return self

    def end(self) -> bytes:
        """Return all bytes, the last one ended as a unit is."""
        return bytes(self.put(1, 1).align()._bytes)

    def _flush(self) -> None:
        """Keep whole bytes."""
        rest = self._size % 8
        self._bytes += (self._held >> rest).to_bytes(self._size // 8, "big")
        self._held &= (1 << rest) - 1
        self._size = rest


def _unit(kind: int, bits: _Bits) -> bytes:
    """A unit in which no three bytes look like the beginning of another."""
    return bytes([kind]) + _UNSAFE.sub(b"\0\0\3", bits.end())


def _samples(colour: Colour) -> bytes:
    """A macroblock of one colour: brightness, blue and red. Source: ITU-R BT.601."""
    red, green, blue = colour
    luma = 16 + (66 * red + 129 * green + 25 * blue + 128) // 256
    blueness = 128 + (-38 * red - 74 * green + 112 * blue + 128) // 256
    redness = 128 + (112 * red - 94 * green - 18 * blue + 128) // 256
    return bytes([luma]) * 256 + bytes([blueness]) * 64 + bytes([redness]) * 64
