"""Named events, cut out of complete frames."""

import pytest

from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.poe_bot.frames import read_frames


@pytest.mark.parametrize(
    ("block", "events"),
    [
        (b'event: text\ndata: {"text":"a"}\n\n', [(b"text", b'{"text":"a"}')]),
        (b"event: text\ndata: {}\n\nevent: done\ndata: {}\n\n", [(b"text", b"{}"), (b"done", b"{}")]),
        (b"event:text\ndata:{}\n\n", [(b"text", b"{}")]),
        (b"data: {}\nevent: text\n\n", [(b"text", b"{}")]),
        (b'event: text\ndata: {"text":\ndata: "a"}\n\n', [(b"text", b'{"text": "a"}')]),
        (b"event: text\ndata: {}\nid: 7\nretry: 9\n: hm\n\n", [(b"text", b"{}")]),
        (b"event: done\n\n", [(b"done", b"")]),
        (b": ping\n\n", [(b"", b"")]),
        (b"\n\n\n\nevent: done\ndata: {}\n\n", [(b"done", b"{}")]),
        (b"event: text\ndata: \xff\n\n", [(b"text", b"\xef\xbf\xbd")]),
    ],
)
def test_a_block_is_events(block: bytes, events: list[tuple[bytes, bytes]]) -> None:
    assert list(read_frames(block)) == events


def test_a_line_that_no_event_has_is_refused() -> None:
    with pytest.raises(UpstreamInvalid):
        list(read_frames(b"<html>\n\n"))
