"""Sounds: real WAV files with a tone for each letter, which hold their text so that it can be heard again."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from msgspec import Struct

from dragoman.testing.simulator.chance import draw

RATE = 24_000
"""Samples a second, 16 bits each, one channel; what OpenAI's own PCM has."""
LETTER = 0.06
"""Seconds that a letter lasts."""
_BYTES = 2
_LOUD = 6000
_PIECE = 16
"""Letters that are spoken together."""
_COMMENT = b"ICMT"
"""The chunk of a WAV file that holds a comment. Source: RIFF MCI, 1994."""


class Heard(Struct, frozen=True):
    """What a recording says."""

    text: str | None
    """None: it does not hold its text."""
    seconds: float


def speak(text: str, speed: float, *, wav: bool) -> Iterator[bytes]:
    """Yield the pieces of a sound that says `text`: its head, where it has one, then the samples."""
    samples = max(1, round(RATE * LETTER / speed))
    if wav:
        yield _write_head(text, len(text) * samples * _BYTES)
    for at in range(0, len(text), _PIECE):
        yield b"".join([_tone(letter, samples) for letter in text[at : at + _PIECE]])


def hear(data: bytes) -> Heard:
    """Return what is said in a WAV file of ours; of any other sound its length, as far as that can be told."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return Heard(None, len(data) / (RATE * _BYTES))
    text, seconds, rate = None, 0.0, RATE * _BYTES
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt " and len(body) >= 12:
            rate = int.from_bytes(body[8:12], "little") or rate
        elif kind == b"data":
            seconds = len(body) / rate
        elif kind == b"LIST" and body[4:8] == _COMMENT:
            text = body[12:].split(b"\0")[0].decode("utf-8", "replace")
        at += 8 + size + size % 2
    return Heard(text, seconds)


def _tone(letter: str, samples: int) -> bytes:
    """A letter's own tone; what is none is silent."""
    if not letter.isalnum():
        return bytes(samples * _BYTES)
    period = 48 + draw(0, letter.lower(), below=72)
    wave = struct.pack(f"<{period}h", *[round(_LOUD * math.sin(2 * math.pi * n / period)) for n in range(period)])
    return (wave * (samples // period + 1))[: samples * _BYTES]


def _write_head(text: str, size: int) -> bytes:
    said = text.replace("\0", "").encode("utf-8", "replace") + b"\0"
    said += b"\0" * (len(said) % 2)
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * _BYTES, _BYTES, 8 * _BYTES)
    comment = b"INFO" + _COMMENT + struct.pack("<I", len(said)) + said
    head = b"fmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", len(comment)) + comment
    return b"RIFF" + struct.pack("<I", 4 + len(head) + 8 + size) + b"WAVE" + head + b"data" + struct.pack("<I", size)
