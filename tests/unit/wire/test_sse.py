"""Bytes to frames and frames to data, whatever the cuts."""

import pytest

from dragoman.core.errors import UpstreamInvalid, UpstreamTooLarge
from dragoman.wire.sse import MAX_EVENT, SseFramer, is_foreign, read_events


def frame(*pieces: bytes) -> list[bytes]:
    framer = SseFramer()
    return [framer.feed(piece) for piece in pieces]


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def test_complete_frames_come_out_as_they_went_in() -> None:
    block = b"data: a\n\ndata: b\n\n"
    assert frame(block, block) == [block, block]


def test_an_unfinished_frame_waits_for_its_end() -> None:
    assert frame(b"data: a\n\nda", b"ta: b", b"\n", b"\ndata: c\n\n") == [
        b"data: a\n\n",
        b"",
        b"",
        b"data: b\n\ndata: c\n\n",
    ]


def test_nothing_in_is_nothing_out() -> None:
    assert frame(b"", b"data: a\n\n", b"") == [b"", b"data: a\n\n", b""]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_every_line_end_becomes_a_line_feed_and_a_bom_is_dropped(end: bytes, bom: bytes) -> None:
    stream = bom + b"data: a\n\n: ping\n\ndata: b\n\n".replace(b"\n", end)
    assert b"".join(frame(stream)) == b"data: a\n\n: ping\n\ndata: b\n\n"
    assert b"".join(frame(*one_by_one(stream))) == b"data: a\n\n: ping\n\ndata: b\n\n"


def test_a_line_feed_after_a_cut_is_counted_once() -> None:
    assert b"".join(frame(b"data: a\r", b"\n\r", b"", b"\n", b"data: b\r", b"\n", b"\n")) == b"data: a\n\ndata: b\n\n"


def test_a_bom_is_dropped_only_at_the_beginning() -> None:
    assert b"".join(frame(b"data: \xef\xbb\xbf\n\n", b"\xef\xbb\xbf\n\n")) == b"data: \xef\xbb\xbf\n\n\xef\xbb\xbf\n\n"
    assert b"".join(frame(b"\xef", b"\xbbdata: a\n\n")) == b"\xef\xbbdata: a\n\n"


def test_what_has_no_end_is_left_over_once() -> None:
    framer = SseFramer()
    framer.feed(b"data: a\n\ndata: b\n")
    assert (framer.close(), framer.close()) == (b"data: b\n", b"")


def test_an_event_may_be_as_large_as_the_limit_and_no_larger() -> None:
    framer = SseFramer()
    assert framer.feed(b"x" * MAX_EVENT) == b""
    with pytest.raises(UpstreamTooLarge):
        framer.feed(b"x")


def test_a_large_event_costs_no_more_than_its_size() -> None:
    framer = SseFramer()
    piece = b"x" * 64
    for _ in range(MAX_EVENT // 64):  # quadratic, this would be 60 times the time a test may take
        framer.feed(piece)
    assert len(framer.feed(b"\n\n")) == MAX_EVENT + 2


@pytest.mark.parametrize(
    "block",
    [b"data: a\n\n", b"data: a\n\ndata: b\n\n", b"data: \xc3\xa9\n\n", b"data: [DONE]\n\n"],
)
def test_a_plain_block_is_nothing_but_its_data(block: bytes) -> None:
    data, plain = read_events(block)
    assert plain
    assert b"".join(b"data: %b\n\n" % one for one in data) == block


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"\ndata: a\n\n", [b"a"]),
        (b"data: a\n\n\ndata: b\n\n", [b"a", b"b"]),
        (b"event: message\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b": ping\n\ndata: a\n\n", [b"a"]),
        (b": ping\n\n", []),
        (b"data: a\n\n: data: b\n\n", [b"a"]),
        (b"data\n\n", []),
        (b"data: \n\ndata: a\n\n", [b"a"]),
        (b'data: {"a":\ndata: 1}\n\n', [b'{"a": 1}']),
        (b"data: \xff\n\n", [b"\xef\xbf\xbd"]),
        (b"data: \xe2\x82\n\ndata: \xac\n\n", [b"\xef\xbf\xbd", b"\xef\xbf\xbd"]),
    ],
)
def test_what_is_not_plain_is_read_all_the_same(block: bytes, data: list[bytes]) -> None:
    found, plain = read_events(block)
    assert (list(found), plain) == (data, plain and block == b"data:  a\n\n")


@pytest.mark.parametrize("foreign", [b"<html>", b'{"error":"x"}', b"Internal Server Error", b"data : a"])
def test_foreign_text_is_no_event_stream(foreign: bytes) -> None:
    found, _ = read_events(b"data: a\n\n%b\n\n" % foreign)
    with pytest.raises(UpstreamInvalid):
        list(found)


def test_what_follows_an_end_mark_is_not_looked_at() -> None:
    found, _ = read_events(b": ping\n\ndata: [DONE]\n\nrubbish\n\n")
    assert next(iter(found)) == b"[DONE]"


@pytest.mark.parametrize(
    "text", [b"", b"da", b"data", b"data: a", b"event: x\ndata", b": ping", b"id: 1", b"ret", b"retry: 5"]
)
def test_what_may_become_an_event_is_not_foreign(text: bytes) -> None:
    assert not is_foreign(text)


@pytest.mark.parametrize("text", [b"<html>", b'{"error":"x"}', b"Internal Server Error", b"dat: a", b"datas"])
def test_what_can_never_become_an_event_is_foreign(text: bytes) -> None:
    assert is_foreign(text)
