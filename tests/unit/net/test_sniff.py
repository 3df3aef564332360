"""Files by their first bytes."""

import struct

import pytest

from dragoman.net.sniff import AUDIO, DOCUMENTS, IMAGES, VIDEO, sniff

EBML = (
    b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08"
)
OGG = b"OggS\x00\x02" + bytes(8) + b"\x01\x02\x03\x04" + bytes(4) + b"\xaa\xbb\xcc\xdd" + b"\x01\x1e"
RIFF = b"RIFF" + struct.pack("<I", 0x0A0D0A0D)


def box(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x20ftyp" + brand + b"\x00\x00\x02\x00isommp42"


FILES = {
    "image/png": [b"\x89PNG\r\n\x1a\n"],
    "image/jpeg": [b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb"],
    "image/gif": [b"GIF87a", b"GIF89a"],
    "image/webp": [RIFF + b"WEBPVP8 "],
    "application/pdf": [b"%PDF-1.7\n"],
    "audio/wav": [RIFF + b"WAVEfmt "],
    "audio/mpeg": [b"ID3\x03\x00", b"\xff\xfb\x90\x64", b"\xff\xf3\x48\xc4", b"\xff\xe3\x18\xc4"],
    "audio/mp4": [box(b"M4A "), box(b"M4B ")],
    "video/mp4": [box(b"isom"), box(b"iso5"), box(b"mp42"), box(b"avc1"), box(b"M4V ")],
    "video/webm": [EBML + b"\x42\x82\x84webm"],
    "audio/ogg": [OGG + b"OpusHead", OGG + b"\x01vorbis", OGG + b"\x7fFLAC", OGG + b"Speex   "],
    "video/ogg": [OGG + b"\x80theora"],
    "audio/flac": [b"fLaC\x00\x00\x00\x22"],
}


@pytest.mark.parametrize("media_type", FILES)
def test_a_file_is_known_by_its_first_bytes(media_type: str) -> None:
    for file in FILES[media_type]:
        assert sniff(file) == media_type
        assert sniff(file + bytes(100)) == media_type


def test_every_media_type_is_of_one_kind() -> None:
    kinds = [IMAGES, AUDIO, VIDEO, DOCUMENTS]
    assert sorted(FILES) == sorted(media_type for kind in kinds for media_type in kind)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<!doctype html><html>",
        b'{"error":"x"}',
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\n\x1a\n",
        b"\n\x89PNG\r\n\x1a\n",
        b"GIF88a",
        b"\xff\xd8",
        RIFF + b"AVI LIST",
        b"PK\x03\x04",
        b"\x7fELF",
        b"\xff\xfe<\x00h\x00",
        b"\xff\xfb\xf0\x00",
        b"\xff\xfb\x00\x00",
        b"\xff\xf1\x50\x80",
        b"\x00\x00\x00\x18ftypheic",
        b"\x00\x00\x00\x18ftypavif",
        b"\x00\x00\x00\x14ftypqt  ",
        EBML + b"\x42\x82\x88matroska",
        b"OggS",
        OGG + b"unknown",
    ],
)
def test_anything_else_is_unknown(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("media_type", FILES)
def test_a_beginning_cut_short_is_unknown(media_type: str) -> None:
    assert all(sniff(file[:2]) is None for file in FILES[media_type])
