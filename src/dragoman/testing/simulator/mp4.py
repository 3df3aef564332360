"""Videos: real MP4 files, one picture a second, that browsers and players show. Source: ISO/IEC 14496-12 and -15."""

from __future__ import annotations

from struct import pack

from dragoman.testing.simulator.h264 import MACROBLOCK, write_key_frame, write_parameters, write_same_frame
from dragoman.testing.simulator.png import arrange, choose_colours

FRAMES = 8
"""Frames a second."""
_SCALE = 1000
"""Units of time in a second."""
_UNITY = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The matrix that turns nothing."""


def film(seed: int, words: str, width: int, height: int, seconds: int) -> bytes:
    """Return a video for `words`; its sides are rounded up to multiples of 16 pixels."""
    width, height = (-(-side // MACROBLOCK) * MACROBLOCK for side in (width, height))
    colours = choose_colours(seed, words)
    frames: list[bytes] = []
    for second in range(seconds):
        cells = arrange(seed, f"{second} {words}")
        frames.append(_sample(write_key_frame(cells, colours, (width, height), second)))
        frames += [_sample(write_same_frame(width, height, number)) for number in range(1, FRAMES)]
    kind = _box(b"ftyp", b"isom", pack(">I", 512), b"isomiso2avc1mp41")
    at = len(kind) + len(_write_movie(width, height, frames, 0)) + 8
    return kind + _write_movie(width, height, frames, at) + _box(b"mdat", *frames)


def _write_movie(width: int, height: int, frames: list[bytes], at: int) -> bytes:
    """All about the frames, which follow one another from byte `at` on."""
    duration = len(frames) * _SCALE // FRAMES
    head = pack(">IIIIIH10x", 0, 0, _SCALE, duration, 0x10000, 0x100) + _UNITY + pack(">24xI", 2)
    track = pack(">IIIII8xHHHH", 0, 0, 1, 0, duration, 0, 0, 0, 0) + _UNITY + pack(">II", width << 16, height << 16)
    media = _box(
        b"mdia",
        _full(b"mdhd", pack(">IIIIHH", 0, 0, _SCALE, duration, 0x55C4, 0)),
        _full(b"hdlr", pack(">I4s12x", 0, b"vide"), b"video\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", pack(">I", 1), _full(b"url ", flags=1))),
            _write_table(width, height, frames, at),
        ),
    )
    return _box(b"moov", _full(b"mvhd", head), _box(b"trak", _full(b"tkhd", track, flags=3), media))


def _write_table(width: int, height: int, frames: list[bytes], at: int) -> bytes:
    """How the frames are coded, how long each is to be seen, and where it stands."""
    sequence, pictures = write_parameters(width, height)
    setup = b"\x01" + sequence[1:4] + b"\xff\xe1" + pack(">H", len(sequence)) + sequence
    setup += b"\x01" + pack(">H", len(pictures)) + pictures
    entry = pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 24, -1)
    keys = range(1, len(frames) + 1, FRAMES)
    return _box(
        b"stbl",
        _full(b"stsd", pack(">I", 1), _box(b"avc1", entry, _box(b"avcC", setup))),
        _full(b"stts", pack(">III", 1, len(frames), _SCALE // FRAMES)),
        _full(b"stss", pack(f">{1 + len(keys)}I", len(keys), *keys)),
        _full(b"stsc", pack(">IIII", 1, 1, len(frames), 1)),
        _full(b"stsz", pack(f">{2 + len(frames)}I", 0, len(frames), *map(len, frames))),
        _full(b"stco", pack(">II", 1, at)),
    )


def _sample(unit: bytes) -> bytes:
    return pack(">I", len(unit)) + unit


def _full(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    return _box(kind, pack(">I", flags), *content)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return pack(">I", 8 + len(body)) + kind + body
