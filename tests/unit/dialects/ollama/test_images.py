"""Pictures in bare base64."""

from __future__ import annotations

import base64

import pytest

from dragoman.core.errors import BadRequest
from dragoman.dialects.ollama.images import read_image, sniff_image

PIXELS = {
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(9),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(9),
    "image/gif": b"GIF89a" + bytes(9),
    "image/webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
}


@pytest.mark.parametrize("media_type", PIXELS)
def test_a_picture_is_told_by_its_first_bytes(media_type: str) -> None:
    data = base64.b64encode(PIXELS[media_type]).decode()
    assert sniff_image(data) == media_type
    whole = f"data:{media_type};base64,{data}"
    assert [read_image(one, "x") for one in (data, whole, f"data:image/any;base64,{data}")] == [whole] * 3


@pytest.mark.parametrize("data", ["", "AAAA", "ä", "%%%%", "data:", "https://x.test/a.png", "UklGRgAAAABXQVZFZm10IA=="])
def test_what_is_no_picture_is_refused_by_its_place(data: str) -> None:
    assert sniff_image(data) == ""
    with pytest.raises(BadRequest, match="expected a PNG, JPEG, WebP or GIF in base64") as caught:
        read_image(data, "messages[3].images[1]")
    assert caught.value.param == "messages[3].images[1]"
