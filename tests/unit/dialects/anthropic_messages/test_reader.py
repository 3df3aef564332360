"""Streams of Messages: the same events and the same bytes, wherever the network cuts."""

from __future__ import annotations

import random
from itertools import cycle

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, Overloaded, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.anthropic_messages.reader import Reader
from dragoman.dialects.anthropic_messages.schema import NAME
from tests.unit.dialects.anthropic_messages.official import read_stream

FALLBACK = ev.Start("msg_made", "asked", 9)
START = ev.Start("msg_1", "m", 9)


def event(kind: str, members: str = "") -> bytes:
    return f'event: {kind}\ndata: {{"type":"{kind}"{"," if members else ""}{members}}}\n\n'.encode()


def begin(block: str, index: int = 0) -> bytes:
    return event("content_block_start", f'"index":{index},"content_block":{block}')


def delta(piece: str, index: int = 0) -> bytes:
    return event("content_block_delta", f'"index":{index},"delta":{piece}')


def text(said: str, index: int = 0) -> bytes:
    return delta(f'{{"type":"text_delta","text":"{said}"}}', index)


def arguments(piece: str, index: int = 0) -> bytes:
    return delta(f'{{"type":"input_json_delta","partial_json":"{piece}"}}', index)


def close(index: int = 0) -> bytes:
    return event("content_block_stop", f'"index":{index}')


def finish(reason: str = "end_turn", usage: str = '{"output_tokens":2}') -> bytes:
    return event("message_delta", f'"delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{usage}')


COUNTS = '"usage":{"input_tokens":9,"output_tokens":1}'
MESSAGE = '"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null'
HEAD = event("message_start", f'"message":{{{MESSAGE},"stop_sequence":null,{COUNTS}}}')
TEXT = '{"type":"text","text":""}'
TOOL = '{"type":"tool_use","id":"a","name":"f","input":{}}'
PING = event("ping")
STOP = event("message_stop")
HELLO = begin(TEXT) + PING + text("Hel") + text("lö") + close()
SAID = [START, ev.Text("Hel"), ev.Text("lö"), ev.Finish("stop"), ev.Usage(9, 2)]


def read(data: bytes, sizes: list[int] | None = None) -> tuple[list[ev.Event], bytes]:
    """Return events and bytes of a stream in pieces of these sizes, over and over; the SDK reads the bytes as well."""
    events, raw = hear(data, sizes)
    read_stream(raw + STOP)
    return events, raw


def hear(data: bytes, sizes: list[int] | None = None) -> tuple[list[ev.Event], bytes]:
    """The same for what the SDK has no type for."""
    reader, at = Reader(FALLBACK, 1), 0
    bursts: list[Burst | None] = []
    for size in cycle(sizes or [len(data)]):
        bursts.append(reader.feed(data[at : at + size]))
        at += size
        if at >= len(data):
            break
    bursts.append(reader.end())
    told = [burst for burst in bursts if burst is not None]
    events = [event for burst in told for event in burst.events]
    assert breaches(events) == []
    assert all(burst.dialect == NAME for burst in told)
    return events, b"".join(burst.raw or b"" for burst in told)


@pytest.mark.parametrize(
    "sizes", [[1], [2], [7], [10_000], *(random.Random(n).choices(range(1, 90), k=9) for n in range(4))]
)
def test_a_stream_survives_any_cut(sizes: list[int]) -> None:
    assert read(b": hello\n\n" + HEAD + HELLO + finish() + STOP, sizes) == (SAID, HEAD + HELLO + finish())


def test_frames_that_need_no_mending_are_the_very_bytes_that_came() -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(HEAD + begin(TEXT))
    block = text("Hel") + text("lo")
    burst = reader.feed(block)
    assert burst is not None
    assert burst.raw is block


def test_a_ping_passes_and_says_nothing() -> None:
    reader = Reader(FALLBACK, 1)
    assert reader.feed(PING) is None, "nothing may precede the beginning"
    reader.feed(HEAD)
    assert reader.feed(PING) == Burst([], PING, NAME)


def test_the_success_marker_is_held_back_and_ends_the_answer() -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(HEAD + HELLO)
    assert (reader.finished, reader.done) == (False, False)
    burst = reader.feed(finish())
    assert burst == Burst([ev.Finish("stop")], finish(), NAME)
    assert (reader.finished, reader.done) == (True, False)
    assert reader.feed(STOP + text("more")) is None
    assert (reader.done, reader.feed(text("more"))) == (True, None)
    assert reader.end() == Burst([ev.Usage(9, 2)], b"", NAME)


def test_thinking_is_signed_at_its_end() -> None:
    block = (
        begin('{"type":"thinking","thinking":"","signature":""}')
        + delta('{"type":"thinking_delta","thinking":"hm"}')
        + delta('{"type":"signature_delta","signature":"U0lH"}')
        + close()
        + begin('{"type":"redacted_thinking","data":"X"}', 1)
        + close(1)
    )
    data = HEAD + block + finish()
    signed = [ev.Thinking("hm"), ev.Thinking("", signature="U0lH"), ev.Thinking("", signature="X", redacted=True)]
    assert read(data) == ([START, *signed, ev.Finish("stop"), ev.Usage(9, 2)], data)


def test_what_a_block_begins_with_is_said() -> None:
    thinking = '{"type":"thinking","thinking":"hm","signature":"U0lH"}'
    data = HEAD + begin(thinking) + close() + begin('{"type":"text","text":"a"}', 1) + close(1) + finish()
    said = [ev.Thinking("hm"), ev.Thinking("", signature="U0lH"), ev.Text("a")]
    assert read(data)[0][1:-2] == said


def test_tool_calls_are_numbered_whatever_stands_between_them() -> None:
    data = HEAD + HELLO
    data += begin(TOOL, 1) + arguments("", 1) + arguments('{\\"x\\":', 1) + arguments("1}", 1) + close(1)
    data += begin('{"type":"tool_use","id":"b","name":"g","input":{},"extra_content":{"sig":1}}', 2) + close(2)
    data += finish("tool_use")
    events, raw = read(data)
    assert raw == data
    assert events[3:-1] == [
        ev.ToolDelta(0, "", "a", "f"),
        ev.ToolDelta(0, '{"x":'),
        ev.ToolDelta(0, "1}"),
        ev.ToolDelta(1, "", "b", "g", extra=Raw(b'{"sig":1}')),
        ev.ToolDelta(1, "{}"),
        ev.Finish("tool_calls"),
    ]


def test_arguments_may_come_whole_with_the_beginning_of_a_call() -> None:
    data = HEAD + begin(TOOL.replace("{}", '{"x":1}')) + close() + finish("tool_use")
    assert read(data)[0][1:3] == [ev.ToolDelta(0, "", "a", "f"), ev.ToolDelta(0, '{"x":1}')]


def test_what_the_vendors_own_tools_do_passes_and_is_not_said() -> None:
    block = begin('{"type":"server_tool_use","id":"s","name":"web_search","input":{}}') + arguments("{}") + close()
    cited = '{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x","document_index":0,'
    cited += '"document_title":null,"start_char_index":0,"end_char_index":1}}'
    block += begin(TEXT, 1) + delta(cited, 1) + text("Hello", 1) + close(1)
    data = HEAD + block + finish()
    assert read(data) == ([START, ev.Text("Hello"), ev.Finish("stop"), ev.Usage(9, 2)], data)


def test_what_is_newer_than_this_reader_passes_and_is_not_said() -> None:
    data = HEAD + begin(TEXT) + delta('{"type":"new_delta"}') + close() + event("new_thing", '"x":1') + finish()
    assert hear(data) == ([START, ev.Finish("stop"), ev.Usage(9, 2)], data)
    assert hear(event("new_thing") + data)[1] == data, "nothing may precede the beginning"
    assert hear(data.replace(b"new_thing", b"new thing"))[1] == data.replace(event("new_thing", '"x":1'), b"")
    stray = delta('{"type":"new_delta"}', 5)
    assert hear(data + stray)[1] == hear(HEAD + stray + data.removeprefix(HEAD))[1] == data


def test_the_last_counts_hold() -> None:
    data = HEAD + HELLO + finish(usage='{"input_tokens":20,"cache_read_input_tokens":4,"output_tokens":2}')
    data += event(
        "message_delta", '"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}'
    )
    assert read(data) == ([*SAID[:-1], ev.Usage(24, 7, 4)], data)


@pytest.mark.parametrize("usage", ['{"output_tokens":"2"}', '{"output_tokens":-2}', "null", "7"])
def test_nonsense_usage_is_left_out(usage: str) -> None:
    assert read(HEAD + HELLO + finish(usage=usage)) == (SAID[:-1], HEAD + HELLO + finish(usage='{"output_tokens":0}'))


def test_usage_may_come_before_and_after_the_reason() -> None:
    early = event("message_delta", '"delta":{"stop_reason":null,"stop_sequence":null},"usage":{"output_tokens":1}')
    late = event("message_delta", '"delta":{},"usage":{"output_tokens":5}')
    bare = event("message_delta", '"usage":{"output_tokens":1}')
    events, raw = read(HEAD + HELLO + early + finish("max_tokens") + late)
    assert events[-2:] == [ev.Finish("length"), ev.Usage(9, 5)]
    reason = finish("max_tokens", '{"output_tokens":5}')
    assert raw == HEAD + HELLO + early + finish("max_tokens") + reason, "what comes later does not take the reason back"
    assert early.replace(b'"delta":', b"") not in read(HEAD + HELLO + bare + finish())[1]


def test_what_comes_behind_the_reason_is_not_said() -> None:
    data = HEAD + HELLO + finish()
    late = begin(TEXT, 1) + text("more", 1) + close(1)
    assert read(data + late + PING) == (SAID, data + PING)


def test_an_event_without_its_name_gets_one() -> None:
    bare = b"".join(frame.partition(b"\n")[2] + b"\n\n" for frame in (HEAD + HELLO + finish()).split(b"\n\n")[:-1])
    assert read(bare) == (SAID, HEAD + HELLO + finish())
    wrong = HEAD + HELLO.replace(b"event: content_block_start", b"event: message") + finish()
    assert read(wrong) == (SAID, HEAD + HELLO + finish())


def test_lines_of_data_are_joined_and_bad_text_is_repaired() -> None:
    split = HEAD + HELLO.replace(b'"index":0,"delta"', b'"index":0,\ndata: "delta"') + finish()
    assert read(split)[0] == SAID
    assert read(HEAD + HELLO.replace("lö".encode(), b"l\xff") + finish())[0][2] == ev.Text("l\ufffd")
    assert read(HEAD + HELLO.replace("lö".encode(), b"\\ud800") + finish())[0][2] == ev.Text("\ufffd")


def test_a_message_that_does_not_begin_is_begun() -> None:
    events, raw = read(HELLO + finish())
    assert events == [FALLBACK, *SAID[1:-1], ev.Usage(0, 2)]
    assert raw.startswith(b'event: message_start\ndata: {"type":"message_start","message":{')
    assert raw.endswith(HELLO + finish())
    assert read(finish())[0] == [FALLBACK, ev.Finish("stop"), ev.Usage(0, 2)]
    assert read(text("a") + finish())[0] == [FALLBACK, ev.Text("a"), ev.Finish("stop"), ev.Usage(0, 2)]
    assert read(HEAD + HEAD + HELLO + finish()) == (SAID, HEAD + HELLO + finish())


def test_a_block_that_does_not_begin_or_end_does_so() -> None:
    whole = HEAD + HELLO + finish()
    assert read(whole.replace(begin(TEXT), b"")) == (SAID, HEAD + PING + HELLO.replace(PING, b"") + finish())
    assert read(whole.replace(close(), b"")) == (SAID, whole)
    assert read(whole.replace(close(), close() + close())) == (SAID, whole)
    unclosed = HEAD + begin(TEXT) + text("a") + begin(TEXT, 1) + text("b", 1) + close(1) + finish()
    events, raw = read(unclosed)
    assert events[1:3] == [ev.Text("a"), ev.Text("b")]
    assert raw == unclosed.replace(begin(TEXT, 1), close() + begin(TEXT, 1))


def test_thinking_within_a_block_of_text_is_a_block_of_its_own() -> None:
    thought = '{"type":"thinking_delta","thinking":"hm"}'
    events, raw = read(HEAD + begin(TEXT) + text("a") + delta(thought) + finish())
    assert events[1:3] == [ev.Text("a"), ev.Thinking("hm")]
    assert raw.count(b"content_block_stop\n") == raw.count(b"content_block_start\n") == 2


def test_blocks_are_numbered_anew_where_numbers_are_missing_or_wrong() -> None:
    numbered = HEAD + begin(TEXT, 7) + text("Hel", 7) + text("lö", 7) + close(7) + finish()
    bare = numbered.replace(b'"index":7,', b"").replace(b',"index":7', b"")
    for data in (numbered, bare):
        events, raw = read(data)
        assert events == SAID
        assert raw.count(b'"index":0') == 4
        assert raw.count(b'"index"') == 4


def test_an_end_mark_without_a_reason_is_complete() -> None:
    for end in (STOP, b"data: [DONE]\n\n"):
        events, raw = read(HEAD + HELLO + end)
        assert events == SAID[:-1]
        assert raw.endswith(finish(usage='{"output_tokens":0}'))
        assert read(HEAD + begin(TOOL) + end)[0][-1] == ev.Finish("tool_calls")
    early = event("message_delta", '"delta":{},"usage":{"output_tokens":5}')
    assert read(HEAD + HELLO + early + STOP)[0][-1] == ev.Usage(9, 5)


def test_the_last_blank_line_may_be_missing() -> None:
    assert read((HEAD + HELLO + finish()).rstrip()) == (SAID, HEAD + HELLO + finish())
    assert read((HEAD + HELLO + finish() + STOP).rstrip()) == (SAID, HEAD + HELLO + finish())
    assert read(HEAD + HELLO + finish() + b"data: {") == (SAID, HEAD + HELLO + finish())


@pytest.mark.parametrize(
    "data", [b"", HEAD, HEAD + HELLO, HEAD + HELLO + finish()[:-20], STOP, b"data: [DONE]\n\n", b": hello\n\n"]
)
def test_an_answer_that_breaks_off_is_incomplete(data: bytes) -> None:
    with pytest.raises(UpstreamIncomplete):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>\n\n",
        b"<html>",
        HEAD + b"data: {oops}\n\n",
        HEAD + b"data: []\n\n",
        HEAD + event("content_block_delta", '"index":"x"'),
        HEAD + delta('{"type":"text_delta","text":7}'),
        HEAD + begin('{"type":"tool_use","id":"a"}'),
        HEAD + arguments("{}"),
        HEAD + begin(TEXT) + arguments("{}"),
        HEAD + b"".join(begin(TOOL, index) + close(index) for index in range(129)),
    ],
)
def test_what_is_no_answer_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (event("error", '"error":{"type":"overloaded_error","message":"x"}'), Overloaded),
        (b'data: {"error":{"message":"x"}}\n\n', UpstreamError),
        (b'data: {"type":"error","message":"x"}\n\n', UpstreamError),
        (finish("error"), UpstreamError),
    ],
)
def test_an_error_in_the_stream_is_raised_and_never_passed_on(data: bytes, kind: type[DragomanError]) -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(HEAD + HELLO)
    with pytest.raises(kind):
        reader.feed(data)


def test_a_piece_without_a_delta_says_nothing() -> None:
    whole = HEAD + HELLO + finish()
    assert read(whole.replace(PING, PING + event("content_block_delta", '"index":0'))) == (SAID, whole)


def test_an_event_without_a_type_says_nothing() -> None:
    whole = HEAD + HELLO + finish()
    assert read(whole.replace(PING, PING + b'data: {"x":1}\n\n')) == (SAID, whole)


def test_a_block_that_lacks_something_is_mended() -> None:
    events, raw = read(HEAD + begin('{"type":"text"}') + text("") + text("a") + close() + finish())
    assert events[1:-2] == [ev.Text("a")]
    assert raw.startswith(HEAD + begin(TEXT))
    thinking = begin('{"type":"thinking"}', 1) + delta('{"type":"thinking_delta","thinking":""}', 1) + close(1)
    assert read(HEAD + HELLO + thinking + finish())[0] == SAID
