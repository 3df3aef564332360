"""Chunks cut out of a stream, put together again as they came or as they were kept."""

import pytest

from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.core.events import Event, Text
from dragoman.dialects.openai_stream import DataStream


def keep(data: bytes, events: list[Event]) -> bytes:
    """Say the chunk itself: drop what begins with `-`, change what begins with `~`, refuse what begins with `!`."""
    if data.startswith(b"!"):
        raise UpstreamInvalid
    if data.startswith(b"-"):
        return b""
    events.append(Text(data.decode()))
    return data.upper() if data.startswith(b"~") else data


def fed(data: bytes, size: int) -> tuple[bytes, list[Event], DataStream]:
    stream = DataStream("dialect", keep)
    bursts = [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    said = [burst for burst in bursts if burst is not None]
    assert all(burst.dialect == "dialect" for burst in said)
    return b"".join(burst.raw or b"" for burst in said), [event for burst in said for event in burst.events], stream


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize(
    ("data", "raw"),
    [
        (b"data: a\n\ndata: b\n\n", b"data: a\n\ndata: b\n\n"),
        (b"data: a\n\ndata: -b\n\ndata: ~c\n\n", b"data: a\n\ndata: ~C\n\n"),
        (b": hello\n\ndata:a\r\n\r\n", b"data: a\n\n"),
        (b"data: a\n\ndata: [DONE] \n\ndata: !b\n\n", b"data: a\n\n"),
        (b"data: -a\n\n", b""),
    ],
)
def test_what_is_kept_is_written_once_whatever_the_cuts(data: bytes, raw: bytes, size: int) -> None:
    written, events, stream = fed(data, size)
    assert written == raw
    assert len(events) == raw.count(b"data: ")
    assert stream.done == (b"[DONE]" in data)
    assert stream.close(finished=False) is None


def test_an_untouched_block_keeps_its_very_bytes() -> None:
    block = b"data: a\n\ndata: b\n\n"
    assert DataStream("dialect", keep).feed(block) == Burst([Text("a"), Text("b")], block, "dialect")


def test_a_last_event_counts_without_its_blank_line() -> None:
    assert fed(b"data: a\n\ndata: b", 3)[2].close(finished=False) == Burst([Text("b")], b"data: b\n\n", "dialect")
    stream = fed(b"data: a\n\ndata: [DONE]", 3)[2]
    assert stream.close(finished=False) is None
    assert stream.done


def test_a_last_event_that_is_broken_was_cut() -> None:
    with pytest.raises(UpstreamIncomplete):
        fed(b"data: a\n\ndata: !", 3)[2].close(finished=False)
    with pytest.raises(UpstreamIncomplete):
        fed(b"data: a\n\n<html>", 3)[2].close(finished=False)


def test_text_that_is_no_stream_at_all_is_invalid() -> None:
    with pytest.raises(UpstreamInvalid):
        fed(b"<html>", 3)[2].close(finished=False)


def test_rubbish_behind_a_finished_answer_does_no_harm() -> None:
    assert fed(b"data: a\n\ndata: !", 3)[2].close(finished=True) is None


def test_what_a_chunk_is_refused_for_is_raised() -> None:
    with pytest.raises(UpstreamInvalid):
        DataStream("dialect", keep).feed(b"data: !\n\n")
