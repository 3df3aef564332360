"""Compressed bodies: cut anywhere, in several members, broken, endless."""

import gzip
import zlib

import pytest

from dragoman.core.errors import UpstreamInvalid
from dragoman.net.inflate import PIECE, Inflater, inflater_for

TEXT = b"".join(b"data: %d\n\n" % number for number in range(2000))


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def decode(inflater: Inflater, data: bytes, size: int) -> bytes:
    """Return everything that `data`, cut into parts of `size` bytes, decodes to."""
    pieces: list[bytes] = []
    for start in range(0, len(data), size):
        inflater.feed(data[start : start + size])
        while inflater.pending:
            pieces.append(inflater.read())
    inflater.finish()
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1, 2, 7, 1_000_000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(TEXT)),
        (" X-GZip ", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:500]) + gzip.compress(b"") + gzip.compress(TEXT[500:])),
        ("gzip", gzip.compress(TEXT) + bytes(20)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
    ids=["gzip", "x-gzip", "members", "padded", "deflate", "raw deflate"],
)
def test_a_compressed_body_survives_any_cut(encoding: str, data: bytes, size: int) -> None:
    inflater = inflater_for(encoding)
    assert inflater is not None
    assert decode(inflater, data, size) == TEXT


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_identity_needs_no_decoder(encoding: str) -> None:
    assert inflater_for(encoding) is None


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "gzip;q=1"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(UpstreamInvalid):
        inflater_for(encoding)


def test_what_the_sender_flushed_is_not_held_back() -> None:
    deflater = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    inflater = Inflater(gzip=True)
    for event in (b"data: one\n\n", b"data: two\n\n"):
        inflater.feed(deflater.compress(event) + deflater.flush(zlib.Z_SYNC_FLUSH))
        assert inflater.read() == event
        assert inflater.read() == b""


@pytest.mark.parametrize("length", [PIECE - 1, PIECE, PIECE + 1, 40 * PIECE])
def test_a_bomb_goes_off_a_piece_at_a_time(length: int) -> None:
    inflater = Inflater(gzip=True)
    inflater.feed(gzip.compress(bytes(length)))
    sizes: list[int] = []
    while piece := inflater.read():
        sizes.append(len(piece))
    inflater.finish()
    assert max(sizes) <= PIECE
    assert sum(sizes) == length
    assert not inflater.pending


def test_input_that_comes_before_the_last_was_read_is_not_lost() -> None:
    data = gzip.compress(TEXT)
    inflater = Inflater(gzip=True)
    inflater.feed(data[:10])
    inflater.feed(data[10:])
    assert inflater.read() == TEXT


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", b"this is no gzip at all"),
        ("gzip", gzip.compress(TEXT)[:-8] + bytes(8)),
        ("gzip", gzip.compress(TEXT) + b"more"),
        ("deflate", b"\x78\x9c\xff\xff\xff"),
        ("deflate", zlib.compress(TEXT) + zlib.compress(TEXT)),
        ("gzip", gzip.compress(TEXT)[:-1]),
        ("deflate", zlib.compress(TEXT)[:50]),
    ],
    ids=["no gzip", "checksum", "more after gzip", "bad block", "more after deflate", "short gzip", "short deflate"],
)
def test_broken_data_are_refused(encoding: str, data: bytes) -> None:
    inflater = inflater_for(encoding)
    assert inflater is not None
    with pytest.raises(UpstreamInvalid):
        decode(inflater, data, 7)


def test_no_data_at_all_are_no_cut_body() -> None:
    inflater = Inflater(gzip=True)
    assert inflater.read() == b""
    inflater.finish()
