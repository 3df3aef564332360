"""Files of a message: address, media type and name."""

import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.dialects.poe_bot.attach import describe, find_attachments, find_url
from dragoman.dialects.poe_bot.schema import Attachment


@pytest.mark.parametrize(
    ("part", "attachment"),
    [
        (
            msg.Image("https://x.test/a%20b.jpg?w=1"),
            Attachment("https://x.test/a%20b.jpg?w=1", "image/jpeg", "a b.jpg"),
        ),
        (
            msg.Image("https://x.test/base/image/abc"),
            Attachment("https://x.test/base/image/abc", "image/png", "abc.png"),
        ),
        (msg.Image("https://x.test/a.pdf"), Attachment("https://x.test/a.pdf", "image/png", "a.pdf")),
        (msg.Image("https://x.test"), Attachment("https://x.test", "image/png", "image.png")),
        (msg.Video("https://x.test/v.webm"), Attachment("https://x.test/v.webm", "video/webm", "v.webm")),
        (msg.Audio("", "wav", url="https://x.test/s"), Attachment("https://x.test/s", "audio/mpeg", "s.mp3")),
        (msg.File("https://x.test/f", name="a.txt"), Attachment("https://x.test/f", "text/plain", "a.txt")),
        (msg.File("https://x.test/"), Attachment("https://x.test/", "application/octet-stream", "file.bin")),
        (msg.Image("data:image/gif;base64,AA"), Attachment("data:image/gif;base64,AA", "image/gif", "image.gif")),
        (
            msg.File("https://p/1", extra={"content_type": Raw(b'"text/csv"'), "name": Raw(b'"t.csv"')}),
            Attachment("https://p/1", "text/csv", "t.csv"),
        ),
    ],
)
def test_a_file_has_an_address_a_type_and_a_name_with_an_ending(part: msg.Part, attachment: Attachment) -> None:
    assert find_attachments([msg.Text("Look"), part, part]) == [attachment]


def test_a_file_without_an_address_is_none() -> None:
    assert find_attachments([msg.File(id="file-1")]) == []


@pytest.mark.parametrize(
    ("part", "url"),
    [
        (msg.Audio("AA", "mp3"), "data:audio/mpeg;base64,AA"),
        (msg.Audio("AA", "odd"), "data:audio/odd;base64,AA"),
        (msg.Text("a"), ""),
    ],
)
def test_bytes_are_an_address_too(part: msg.Part, url: str) -> None:
    assert find_url(part) == url


def test_a_name_gets_the_ending_of_its_type() -> None:
    assert describe(msg.Image("data:,"), "image/webp") == ("image/webp", "image.webp")
    assert describe(msg.File("data:,", name="a"), "application/pdf") == ("application/pdf", "a.pdf")
    assert describe(msg.File("data:,"), "application/x-odd") == ("application/x-odd", "file.bin")
