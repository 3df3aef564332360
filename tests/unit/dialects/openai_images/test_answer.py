"""Answers with pictures, read and written."""

from functools import partial

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.ports import Limits
from dragoman.dialects.openai_images.answer import PARTIAL, make_reader, make_writer, read_reply, write_reply
from dragoman.dialects.openai_images.request import read_generation
from tests.schema import mismatches

NAME = "openai_images"
START = ev.Start("", "m", 9)
USAGE = (
    '"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7,'
    '"input_tokens_details":{"text_tokens":3,"image_tokens":0}}'
)
read = partial(read_reply, NAME)
write = partial(write_reply, NAME)


def call(more: str = "") -> Call:
    return read_generation(f'{{"model":"m","prompt":"a"{more}}}'.encode(), Limits())


def event(kind: str, more: str) -> bytes:
    data = (
        f'{{"type":"image_generation.{kind}","b64_json":"AAAA","created_at":9,"size":"auto","quality":"auto",'
        f'"background":"auto","output_format":"png",{more}}}'
    )
    return f"event: image_generation.{kind}\ndata: {data}\n\n".encode()


STREAM = event("partial_image", '"partial_image_index":0') + event("completed", USAGE)


def test_a_whole_answer_is_read_and_passed_on() -> None:
    body = (
        f'{{"created":7,"data":[{{"b64_json":"AAAA","revised_prompt":"b"}},{{"url":"https://x"}}],'
        f'"output_format":"webp",{USAGE}}}'
    ).encode()
    burst = read(body, START)
    assert burst.events == [
        ev.Start("", "m", 7),
        ev.Media("image/webp", "AAAA", extra=Raw(b'{"revised_prompt":"b"}')),
        ev.Finish("stop"),
        ev.Media("image/webp", url="https://x", choice=1),
        ev.Finish("stop", 1),
        ev.Usage(3, 4),
    ]
    assert breaches(burst.events) == []
    assert write(call(), burst) is body


def test_an_answer_without_a_picture_is_invalid() -> None:
    with pytest.raises(UpstreamInvalid):
        read(b'{"created":7,"data":[]}', START)


def test_a_whole_answer_is_written_from_events() -> None:
    events: list[ev.Event] = [
        START,
        ev.Media("image/png", "AAAA", extra=Raw(b'{"revised_prompt":"b"}')),
        ev.Media("image/png", url="https://x", choice=1),
        ev.Note("odd", ""),
        ev.Usage(3, 4),
    ]
    written = write(call(), Burst(events))
    assert mismatches("ImagesResponse", written) == []
    again = read(written, START)
    assert [one for one in again.events if not isinstance(one, ev.Finish)] == [*events[:3], ev.Usage(3, 4)]


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_a_stream_is_read_and_passed_on(size: int) -> None:
    reader = make_reader(NAME, START, 1)
    bursts = [burst for at in range(0, len(STREAM), size) if (burst := reader.feed(STREAM[at : at + size]))]
    assert (reader.done, reader.end()) == (True, None)
    events = [one for burst in bursts for one in burst.events]
    assert events == [
        START,
        ev.Note(PARTIAL, "AAAA"),
        ev.Media("image/png", "AAAA"),
        ev.Finish("stop"),
        ev.Usage(3, 4),
    ]
    assert breaches(events) == []
    writer = make_writer(NAME, "image_generation", call())
    assert b"".join([writer.write(burst) for burst in bursts]) + writer.end() == STREAM


def test_several_pictures_of_a_stream_are_numbered() -> None:
    reader = make_reader(NAME, START, 2)
    burst = reader.feed(b'data: {"type":"image_generation.odd"}\n\n' + event("completed", USAGE) * 2)
    assert burst is not None
    assert burst.events[1] == ev.Note("image_generation.odd", "")
    assert burst.events[3:] == [
        ev.Finish("stop"),
        ev.Media("image/png", "AAAA", choice=1),
        ev.Finish("stop", 1),
        ev.Usage(6, 8),
    ]


def test_a_stream_is_written_from_events_and_its_pictures_come_last() -> None:
    writer = make_writer(NAME, "image_generation", call(',"size":"8x8","quality":null'))
    events: list[ev.Event] = [
        START,
        ev.Note(PARTIAL, "AAAA"),
        ev.Media("image/png", "AAAA"),
        ev.Finish("stop"),
        ev.Usage(3, 4),
    ]
    frames = [writer.write(Burst([one])) for one in events] + [writer.end()]
    assert [bool(frame) for frame in frames] == [False, True, False, False, False, True]
    expected = STREAM.replace(b'"size":"auto"', b'"size":"8x8"')
    assert b"".join(frames) == expected


def test_what_is_written_is_what_the_specification_says() -> None:
    for frame in STREAM.split(b"\n\n")[:-1]:
        assert mismatches("ImageGenStreamEvent", frame.partition(b"data: ")[2]) == []


def test_a_picture_of_which_only_the_address_is_known_has_no_format() -> None:
    burst = Burst([START, ev.Media("image/*", url="https://x/y"), ev.Finish("stop")])
    assert write(call(), burst) == b'{"data":[{"url":"https://x/y"}],"created":9}'
