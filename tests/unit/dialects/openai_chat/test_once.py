"""Reasoning that is told twice."""

import pytest

from dragoman.core.events import Start, Thinking
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_chat.once import say_once
from dragoman.dialects.openai_chat.outbound import fitted

CHUNK = b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%b]}'
START = Start("c", "m", 1)


def chunk(delta: bytes, finish: bytes = b"null") -> bytes:
    return CHUNK % (b'{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}' % (delta, finish))


@pytest.mark.parametrize("name", [b"delta", b"message"])
def test_the_second_time_is_left_out_and_all_else_kept(name: bytes) -> None:
    data = b'{"x":1.50,"choices":[{"%b":{"reasoning_content":"a","content":"\\u0041","reasoning":"a"}},{"i":1}],"y":[]}'
    told = b'{"x":1.50,"choices":[{"%b":{"reasoning_content":"a","content":"\\u0041"}},{"i":1}],"y":[]}'
    assert say_once(data % name) == told % name


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"delta":{"reasoning_content":"a"}}]}',
        b'{"choices":[{"delta":{"reasoning":"a"}}]}',
        b'{"choices":[{"delta":{"reasoning_content":"a","reasoning":"b"}}]}',
        b'{"choices":[],"reasoning":"a"}',
        b'{"reasoning":"a"}',
        b'{"choices":{"reasoning":1}}',
        b'{"choices":[{"delta":null,"reasoning":1}]}',
        b'"reasoning"',
        b'{"reasoning"',
    ],
)
def test_what_is_told_once_or_no_answer_keeps_its_bytes(data: bytes) -> None:
    assert say_once(data) is data


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_stream_of_such_a_server_tells_it_once(cut: int) -> None:
    twice = chunk(b'{"role":"assistant","reasoning_content":"Hm","reasoning":"Hm"}')
    once = chunk(b'{"role":"assistant","reasoning_content":"Hm"}')
    last = chunk(b"{}", b'"stop"')
    stream = b"data: %b\n\ndata: %b\n\ndata: [DONE]\n\n" % (twice, last)
    reader = fitted(Quirks(repeats_reasoning=True)).reader(START, 1)
    bursts = [reader.feed(stream[start : start + cut]) for start in range(0, len(stream), cut)]
    told = [burst for burst in bursts if burst is not None]
    assert b"".join([burst.raw or b"" for burst in told]) == b"data: %b\n\ndata: %b\n\n" % (once, last)
    assert [event for burst in told for event in burst.events if isinstance(event, Thinking)] == [Thinking("Hm")]


def test_a_server_that_tells_it_once_is_read_as_ever() -> None:
    twice = b"data: %b\n\n" % chunk(b'{"role":"assistant","reasoning_content":"Hm","reasoning":"Hm"}')
    burst = fitted(Quirks(plain=True)).reader(START, 1).feed(twice)
    assert burst is not None
    assert burst.raw == twice
