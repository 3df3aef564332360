"""Pictures that other programs can open."""

import io

import pytest
from PIL import Image

from dragoman.testing.simulator.png import CELLS, COLOURS, arrange, choose_colours, draw


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (100, 37), (1024, 1536)])
def test_a_picture_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(draw(0, "a house", *size))) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", size)


def test_its_squares_have_their_colours() -> None:
    cells, colours = arrange(0, "a house"), choose_colours(0, "a house")
    with Image.open(io.BytesIO(draw(0, "a house", 80, 160))) as image:
        pixels = image.convert("RGB")
    for y in range(CELLS):
        for x in range(CELLS):
            assert pixels.getpixel((10 * x + 5, 20 * y + 10)) == colours[cells[y][x]]


def test_its_halves_mirror_each_other() -> None:
    assert all(row == row[::-1] and max(row) < COLOURS for row in arrange(0, "a house"))


def test_other_words_make_another_picture_and_the_same_the_same() -> None:
    assert draw(0, "a house", 64, 64) == draw(0, "a house", 64, 64)
    assert len({draw(0, "a house", 64, 64), draw(0, "a horse", 64, 64), draw(1, "a house", 64, 64)}) == 3


def test_an_unfinished_picture_lacks_its_lower_part() -> None:
    with (
        Image.open(io.BytesIO(draw(0, "a house", 64, 64, 0.5))) as half,
        Image.open(io.BytesIO(draw(0, "a house", 64, 64))) as whole,
    ):
        upper = (0, 0, 64, 32)
        assert half.crop(upper).tobytes() == whole.crop(upper).tobytes()
        assert set(half.crop((0, 32, 64, 64)).tobytes()) == {0}
