"""Video frames, bit by bit."""

import pytest

from dragoman.testing.simulator.h264 import write_key_frame, write_parameters, write_same_frame

GREY, WHITE = (128, 128, 128), (255, 255, 255)


def bits(unit: bytes) -> str:
    """Return the bits behind a unit's first byte, protection taken out."""
    plain = unit[1:].replace(b"\0\0\3", b"\0\0")
    return "".join(f"{byte:08b}" for byte in plain)


def count(text: str) -> tuple[int, str]:
    """Read one number in the code in which small ones are short."""
    zeros = text.index("1")
    return int(text[zeros : 2 * zeros + 1], 2) - 1, text[2 * zeros + 1 :]


def test_the_parameters_tell_the_size() -> None:
    sequence, pictures = write_parameters(64, 32)
    assert (sequence[0], sequence[1], sequence[3], pictures[0]) == (0x67, 66, 51, 0x68)
    rest = bits(sequence)[24:]
    told: list[int] = []
    for _ in range(4):
        number, rest = count(rest)
        told.append(number)
    assert told == [0, 0, 2, 1]
    across, rest = count(rest[1:])
    down, rest = count(rest)
    assert (across + 1, down + 1) == (4, 2)
    assert rest[:5] == "11001"  # whole frames only, then the end


def test_a_frame_of_one_colour_holds_one_macroblock_of_samples() -> None:
    frame = write_key_frame([b"\0"], [GREY], (64, 64), 0)
    assert frame[0] == 0x65
    luma = 16 + (220 * 128 + 128) // 256
    assert frame.count(bytes([luma]) * 256 + bytes([128]) * 128) == 1
    assert len(frame) < 384 + 30


def test_each_square_holds_samples_of_its_own() -> None:
    cells = [b"\0\1", b"\1\0"]
    frame = write_key_frame(cells, [GREY, WHITE], (64, 64), 1)
    assert 4 * 384 < len(frame) < 4 * 384 + 40


@pytest.mark.parametrize("number", [1, 7, 17])
def test_a_frame_that_shows_the_same_is_tiny(number: int) -> None:
    frame = write_same_frame(1280, 720, number)
    assert frame[0] == 0x61
    assert len(frame) < 10
    rest = bits(frame)
    for expected in (0, 5, 0):
        found, rest = count(rest)
        assert found == expected
    assert int(rest[:4], 2) == number % 16
    rest = rest[7:]
    for expected in (0, 1, 80 * 45):  # the same quality, no filter, every macroblock skipped
        found, rest = count(rest)
        assert found == expected
    assert rest.rstrip("0") == "1"


def test_nothing_in_a_unit_looks_like_the_beginning_of_another() -> None:
    for size in ((64, 64), (1280, 720), (4096, 2048)):
        unit = write_same_frame(*size, 0) + write_parameters(*size)[0]
        assert b"\0\0\0" not in unit
        assert b"\0\0\1" not in unit
    frame = write_key_frame([b"\0\1", b"\1\0"], [GREY, WHITE], (512, 512), 0)
    assert not any(bytes([0, 0, last]) in frame for last in range(3))
