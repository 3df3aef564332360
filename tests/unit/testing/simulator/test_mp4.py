"""Videos that players show: checked by a decoder that is not ours."""

import io

import av
import pytest
from PIL import Image

from dragoman.testing.simulator.mp4 import FRAMES, film
from dragoman.testing.simulator.png import CELLS, arrange, choose_colours


@pytest.mark.parametrize("size", [(720, 1280), (1280, 720), (100, 50)])
def test_a_video_is_decoded_frame_by_frame(size: tuple[int, int]) -> None:
    with av.open(io.BytesIO(film(0, "a house", *size, 2)), "r") as video:
        stream = video.streams.video[0]
        width, height = (-(-side // 16) * 16 for side in size)
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", width, height)
        assert (float(stream.average_rate or 0), video.duration) == (FRAMES, 2_000_000)
        frames = list(video.decode(video=0))
    assert [frame.key_frame for frame in frames] == [number % FRAMES == 0 for number in range(2 * FRAMES)]


def test_each_second_shows_a_picture_of_its_own() -> None:
    with av.open(io.BytesIO(film(0, "a house", 1280, 1280, 2)), "r") as video:
        shown = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]
    colours = choose_colours(0, "a house")
    for number, image in enumerate(shown):
        cells = arrange(0, f"{number // FRAMES} a house")
        for y in range(CELLS):
            for x in range(CELLS):
                pixel = image.getpixel((160 * x + 80, 160 * y + 80))
                assert pixel == pytest.approx(colours[cells[y][x]], abs=6)


def test_the_same_words_make_the_same_video() -> None:
    assert film(0, "a house", 64, 64, 1) == film(0, "a house", 64, 64, 1)
    assert film(0, "a house", 64, 64, 1) != film(0, "a horse", 64, 64, 1)
