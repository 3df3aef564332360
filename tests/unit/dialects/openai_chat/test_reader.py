"""Streams of chat completion chunks: the same events and the same bytes, wherever the network cuts."""

from __future__ import annotations

import random
from itertools import cycle

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, Overloaded, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.openai_chat.reader import Reader
from dragoman.dialects.openai_chat.schema import NAME
from tests.schema import mismatches

FALLBACK = ev.Start("chatcmpl-made", "asked", 9)
START = ev.Start("c1", "m", 1)
DONE = b"data: [DONE]\n\n"
HEAD = b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":['
COUNTS = b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
USAGE = HEAD + b"]," + COUNTS + b"}\n\n"


def choice(delta: bytes, finish: bytes = b"null", index: int = 0, logprobs: bytes = b"null") -> bytes:
    return b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}' % (index, delta, logprobs, finish)


def frame(delta: bytes = b"{}", finish: bytes = b"null", index: int = 0, *, rest: bytes = b"") -> bytes:
    return HEAD + choice(delta, finish, index) + b"]" + rest + b"}\n\n"


ROLE = frame(b'{"role":"assistant","content":""}')
HEL, LO = frame(b'{"content":"Hel"}'), frame('{"content":"lö"}'.encode())
STOP = frame(finish=b'"stop"')


def read(data: bytes, sizes: list[int] | None = None, n: int = 1) -> tuple[list[ev.Event], bytes]:
    """Return events and bytes of a whole stream that arrives in pieces of these sizes, over and over."""
    reader, at = Reader(FALLBACK, n), 0
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


STREAM = b": hello\n\n" + ROLE + HEL + LO + STOP + USAGE + DONE


@pytest.mark.parametrize(
    "sizes", [[1], [2], [7], [10_000], *(random.Random(n).choices(range(1, 90), k=9) for n in range(4))]
)
def test_a_stream_survives_any_cut(sizes: list[int]) -> None:
    assert read(STREAM, sizes) == (
        [START, ev.Text("Hel"), ev.Text("lö"), ev.Finish("stop"), ev.Usage(1, 2)],
        ROLE + HEL + LO + STOP + USAGE,
    )


def test_frames_that_need_no_mending_are_the_very_bytes_that_came() -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(b": hello\n\n")
    block = ROLE + HEL
    burst = reader.feed(block)
    assert burst is not None
    assert burst.raw is block


def test_one_frame_that_is_mended_leaves_the_others_as_they_came() -> None:
    _, raw = read(ROLE + HEL + frame(b'{"role":"assistant","content":"x"}') + STOP + DONE)
    assert raw == ROLE + HEL + frame(b'{"content":"x"}') + STOP


def test_what_the_upstream_does_not_tell_is_filled_in() -> None:
    events, raw = read(b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n')
    assert events == [FALLBACK, ev.Text("a"), ev.Finish("stop")]
    assert b'"id":"chatcmpl-made"' in raw
    assert mismatches("CreateChatCompletionStreamResponse", raw.removeprefix(b"data: ")) == []


@pytest.mark.parametrize(
    ("delta", "event"),
    [
        (b'{"content":"a"}', ev.Text("a")),
        (b'{"refusal":"no"}', ev.Refusal("no")),
        (b'{"reasoning_content":"hm"}', ev.Thinking("hm")),
        (b'{"reasoning":"hm","content":null}', ev.Thinking("hm")),
        (b'{"audio":{"data":"AA"}}', ev.Media("audio/*", extra=Raw(b'{"data":"AA"}'))),
    ],
)
def test_every_delta_has_its_event(delta: bytes, event: ev.Event) -> None:
    data = ROLE + frame(delta) + frame(b'{"audio":null}') + STOP
    assert read(data) == ([START, event, ev.Finish("stop")], data)


def test_logprobs_come_with_the_text_they_are_of() -> None:
    logprobs = b'{"content":[]}'
    with_text = HEAD + choice(b'{"content":"a"}', logprobs=logprobs) + b"]}\n\n"
    without = HEAD + choice(b"{}", logprobs=logprobs) + b"]}\n\n"
    events, _ = read(ROLE + with_text + without + STOP)
    assert events[1:3] == [ev.Text("a", logprobs=Raw(logprobs)), ev.Text("", logprobs=Raw(logprobs))]


def tool(members: bytes, finish: bytes = b"null") -> bytes:
    return frame(b'{"tool_calls":[%b]}' % members, finish)


FIRST = b'{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""},"extra_content":{"sig":1}}'
MORE = b'{"index":0,"function":{"arguments":"{}"}}'
SECOND = b'{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}'
CALLED = frame(finish=b'"tool_calls"')


SAID = [
    ev.ToolDelta(0, "", "a", "f", extra=Raw(b'{"sig":1}')),
    ev.ToolDelta(1, "{}", "b", "g"),
    ev.ToolDelta(0, "{}"),
    ev.Finish("tool_calls"),
]


@pytest.mark.parametrize(
    "frames",
    [
        [tool(FIRST), tool(SECOND), tool(MORE)],
        [tool(FIRST + b"," + SECOND), tool(MORE)],
        [tool(FIRST + b"," + SECOND + b"," + MORE)],
    ],
)
def test_tool_calls_as_they_should_be_pass_as_they_came(frames: list[bytes]) -> None:
    data = ROLE + b"".join(frames) + CALLED
    assert read(data) == ([START, *SAID], data)


@pytest.mark.parametrize(
    "piece",
    [
        b'{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}',
        b'{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":{}}}',
        b'{"index":2,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}',
        b'{"index":0,"type":"function","function":{"name":"f","arguments":"{}"}}',
        b'{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}',
    ],
)
def test_a_tool_call_that_differs_from_the_norm_is_mended(piece: bytes) -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(ROLE)
    burst = reader.feed(tool(piece))
    assert burst is not None
    assert burst.events == [ev.ToolDelta(0, "{}", "a" if b'"a"' in piece else "call_c1_0_0", "f")]
    assert mismatches("CreateChatCompletionStreamResponse", (burst.raw or b"").removeprefix(b"data: ")) == []


def test_arguments_that_are_null_are_none_yet() -> None:
    null = b'{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":null}}'
    assert read(ROLE + tool(null) + tool(MORE) + CALLED)[0][1:3] == [
        ev.ToolDelta(0, "", "a", "f"),
        ev.ToolDelta(0, "{}"),
    ]


@pytest.mark.parametrize(
    "piece",
    [
        b'{"index":0,"id":"a"}',
        b'{"index":0,"id":"a","type":"function","function":{"arguments":"{}"}}',
        b'{"index":128,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}',
    ],
)
def test_a_tool_call_that_cannot_be_mended_is_invalid(piece: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        Reader(FALLBACK, 1).feed(ROLE + tool(piece))


@pytest.mark.parametrize(
    ("last", "finish"), [(STOP, "tool_calls"), (CALLED, "tool_calls"), (frame(finish=b'"length"'), "length")]
)
def test_a_call_without_arguments_ends_as_an_empty_object(last: bytes, finish: ev.FinishReason) -> None:
    events, _ = read(ROLE + tool(FIRST) + last)
    assert events[-2:] == [ev.ToolDelta(0, "{}"), ev.Finish(finish)]


def test_a_call_that_comes_with_the_finish_is_told_before_it() -> None:
    events, _ = read(ROLE + tool(SECOND.replace(b'"index":1', b'"index":0'), b'"tool_calls"'))
    assert events[1:] == [ev.ToolDelta(0, "{}", "b", "g"), ev.Finish("tool_calls")]


def test_free_text_for_a_custom_tool_is_the_input_of_an_object() -> None:
    first = b'{"index":0,"id":"a","type":"custom","custom":{"name":"c","input":"say "}}'
    data = ROLE + tool(first) + tool(b'{"index":0,"custom":{"input":"\\"hi\\""}}') + CALLED
    assert read(data) == (
        [
            START,
            ev.ToolDelta(0, '{"input":"say ', "a", "c"),
            ev.ToolDelta(0, '\\"hi\\"'),
            ev.ToolDelta(0, '"}'),
            ev.Finish("tool_calls"),
        ],
        data,
    )


def function(members: bytes, finish: bytes = b"null") -> bytes:
    return frame(b'{"function_call":{%b}}' % members, finish)


def test_the_deprecated_call_is_a_tool_call() -> None:
    data = ROLE + function(b'"name":"f","arguments":""') + function(b'"arguments":"{}"')
    data += frame(finish=b'"function_call"')
    assert read(data) == (
        [START, ev.ToolDelta(0, "", "call_0", "f"), ev.ToolDelta(0, "{}"), ev.Finish("tool_calls")],
        data,
    )


@pytest.mark.parametrize(
    "frames",
    [
        [function(b'"name":"f","arguments":null'), STOP],
        [function(b'"name":"f","arguments":"{}"', b'"function_call"')],
        [function(b'"name":"f","arguments":"{}"'), function(b'"name":"f","arguments":""'), STOP],
        [function(b'"name":"f","arguments":"{}"'), STOP],
    ],
)
def test_a_deprecated_call_that_differs_from_the_norm_is_mended(frames: list[bytes]) -> None:
    events, raw = read(ROLE + b"".join(frames))
    called = [event for event in events if isinstance(event, ev.ToolDelta)]
    assert (called[0].id, called[0].name) == ("call_0", "f")
    assert "".join(event.arguments for event in called) == "{}"
    assert raw.endswith(b'"finish_reason":"function_call"}]}\n\n')


def test_a_deprecated_call_after_others_takes_the_next_number() -> None:
    events, _ = read(ROLE + tool(SECOND.replace(b'"index":1', b'"index":0')) + function(b'"name":"f"') + STOP)
    called = [event for event in events if isinstance(event, ev.ToolDelta)]
    assert [(event.index, event.name) for event in called] == [(0, "g"), (1, "f"), (1, None)]


def test_usage_beside_a_choice_is_told_once_at_the_end() -> None:
    both = frame(b'{"content":"a"}', rest=b"," + COUNTS)
    events, raw = read(ROLE + both + frame(finish=b'"stop"', rest=b"," + COUNTS) + DONE)
    assert events == [START, ev.Text("a"), ev.Finish("stop"), ev.Usage(1, 2)]
    null = b',"usage":null'
    assert raw == ROLE + frame(b'{"content":"a"}', rest=null) + frame(finish=b'"stop"', rest=null) + USAGE


@pytest.mark.parametrize(
    "usage", [b"{}", b'{"prompt_tokens":-1,"completion_tokens":1}', b'{"prompt_tokens":"1"}', b"null"]
)
def test_usage_that_makes_no_sense_is_left_out(usage: bytes) -> None:
    rest = b',"usage":' + usage
    assert read(ROLE + STOP + HEAD + b"]" + rest + b"}\n\n")[0] == [START, ev.Finish("stop")]
    assert read(ROLE + frame(finish=b'"stop"', rest=rest))[0] == [START, ev.Finish("stop")]


def test_several_choices_are_read_apart() -> None:
    both = HEAD + choice(b'{"role":"assistant","content":"a"}') + b","
    both += choice(b'{"role":"assistant","content":"b"}', index=1) + b"]}\n\n"
    data = both + STOP + frame(finish=b'"length"', index=1)
    assert read(data, n=2) == (
        [START, ev.Text("a"), ev.Text("b", 1), ev.Finish("stop"), ev.Finish("length", 1)],
        data,
    )
    twice = HEAD + choice(b"{}") + b"," + choice(b"{}") + b"]}\n\n"
    for bad in (twice, frame(index=-1)):
        with pytest.raises(UpstreamInvalid):
            read(bad)


def test_a_stream_is_finished_when_all_choices_asked_for_are() -> None:
    reader = Reader(FALLBACK, 2)
    reader.feed(ROLE + STOP)
    assert not reader.finished
    reader.feed(frame(b'{"role":"assistant"}', b'"stop"', 1))
    assert (reader.finished, reader.done) == (True, False)
    assert reader.end() is None


def test_an_end_mark_may_have_spaces_behind_it() -> None:
    reader = Reader(FALLBACK, 1)
    assert reader.feed(ROLE + HEL + STOP + b"data: [DONE] \n\n") is not None
    assert reader.done


def test_a_stream_that_is_done_without_a_finish_is_complete() -> None:
    events, raw = read(ROLE + HEL + frame(b'{"role":"assistant"}', b'"length"', 1) + DONE, n=2)
    assert events == [START, ev.Text("Hel"), ev.Finish("length", 1), ev.Finish("stop")]
    *_, made, rest = raw.split(b"\n\n")
    assert made.startswith(b'data: {"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],')
    assert made.endswith(b',"usage":null}')
    assert mismatches("CreateChatCompletionStreamResponse", made.removeprefix(b"data: ")) == []
    assert rest == b""


@pytest.mark.parametrize("data", [b"", b": hello\n\n", DONE, ROLE + HEL, ROLE + STOP[:-9], b"da"])
def test_a_stream_that_is_cut_is_incomplete(data: bytes) -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(data)
    with pytest.raises(UpstreamIncomplete):
        reader.end()


def test_what_is_no_stream_at_all_is_invalid_not_incomplete() -> None:
    reader = Reader(FALLBACK, 1)
    assert reader.feed(b"<html>Bad gateway</html>") is None
    with pytest.raises(UpstreamInvalid):
        reader.end()


def test_a_last_frame_without_its_blank_line_counts_when_it_is_whole() -> None:
    assert read(ROLE + HEL + STOP[:-2]) == read(ROLE + HEL + STOP)


def test_a_torn_rest_does_no_harm_after_the_finish() -> None:
    assert read(ROLE + STOP + b'data: {"id":')[0] == [START, ev.Finish("stop")]


def test_what_follows_the_end_is_not_read() -> None:
    events = [START, ev.Finish("stop")]
    assert read(ROLE + STOP + DONE + b"garbage\n\n" + HEL) == (events, ROLE + STOP)
    assert read(ROLE + STOP + HEL) == (events, ROLE + STOP)
    reader = Reader(FALLBACK, 1)
    reader.feed(ROLE + STOP + DONE)
    assert reader.feed(HEL) is None
    assert reader.end() is None


def test_frames_that_say_nothing_are_dropped() -> None:
    nothing = b": ping\n\ndata: \n\n" + HEAD + b"]}\n\n"
    assert read(nothing + ROLE + nothing + STOP) == ([START, ev.Finish("stop")], ROLE + STOP)


@pytest.mark.parametrize(
    "data",
    [
        b"data: nothing\n\n",
        b"data: [1]\n\n",
        b"<html>\n\n",
        b'data: {"x":' + b"[" * 5000 + b"\n\n",
        frame(b'{"role":"assistant","refusal":7}'),
    ],
)
def test_what_is_no_chunk_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        Reader(FALLBACK, 1).feed(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'data: {"error":{"message":"full","code":503}}\n\n', Overloaded),
        (b'data: {"object":"error","message":"x"}\n\n', UpstreamError),
        (frame(b'{"content":"a"}', rest=b',"error":{"message":"x"}'), UpstreamError),
        (frame(finish=b'"error"'), UpstreamError),
    ],
)
def test_an_error_in_a_stream_is_raised(data: bytes, kind: type[DragomanError]) -> None:
    reader = Reader(FALLBACK, 1)
    reader.feed(ROLE)
    with pytest.raises(kind):
        reader.feed(data)


def test_what_is_read_can_be_changed_before() -> None:
    reader = Reader(ev.Start("c", "m", 1), 1, lambda data: data.replace(b"you", b"me"))
    chunk = (
        b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
        b'{"role":"assistant","content":"you"},"finish_reason":null}]}'
    )
    burst = reader.feed(b"data: %b\n\n" % chunk)
    assert burst is not None
    assert (burst.events[-1], burst.raw) == (ev.Text("me"), b"data: %b\n\n" % chunk.replace(b"you", b"me"))
