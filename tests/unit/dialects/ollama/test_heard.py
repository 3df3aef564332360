"""What one line says."""

from __future__ import annotations

import re

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.ollama.heard import Listener, leave_out_counts
from dragoman.dialects.ollama.schema import Line

START = ev.Start("chatcmpl-made", "m", 7)
PNG = "iVBORw0KGgoAAAANSUhEUgAA"


def hear(*lines: bytes) -> list[ev.Event]:
    """Return what lines say, the last of which ends the answer if it is done."""
    listener, events = Listener(START), list[ev.Event]()
    for data in lines:
        line = msgspec.json.decode(data, type=Line)
        listener.hear(line, events)
        if line.done:
            listener.hear_end(line, events)
    return events


@pytest.mark.parametrize(
    "line",
    [
        b'{"message":{"role":"assistant","content":"So","thinking":"Hm"}}',
        b'{"response":"So","thinking":"Hm","message":null}',
    ],
)
def test_thoughts_come_before_text_in_a_message_or_beside_each_other(line: bytes) -> None:
    assert hear(line) == [ev.Thinking("Hm"), ev.Text("So")]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"response":"","thinking":"","done":false}',
        b'{"message":{"role":"assistant","content":null,"thinking":null,"tool_calls":null,"images":null}}',
        b'{"message":{"content":"","tool_calls":[]},"done":null}',
    ],
)
def test_a_line_may_say_nothing(line: bytes) -> None:
    assert hear(line) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (b',"arguments":{"city": "Oslo"}', '{"city": "Oslo"}'),
        (b',"arguments":"{\\"city\\":1}"', '{"city":1}'),
        (b',"arguments":{}', "{}"),
        (b',"arguments":""', "{}"),
        (b',"arguments":null', "{}"),
        (b"", "{}"),
    ],
)
def test_a_call_is_told_whole(arguments: bytes, text: str) -> None:
    line = b'{"message":{"tool_calls":[{"id":"call_a","function":{"index":3,"name":"f"%b}}]}}' % arguments
    assert hear(line) == [ev.ToolDelta(0, text, "call_a", "f")]


@pytest.mark.parametrize("arguments", [b"5", b"[]", b'"no"', b'"[]"'])
def test_arguments_that_are_no_object_are_invalid(arguments: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        hear(b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":%b}}]}}' % arguments)


def test_calls_are_counted_over_all_lines_and_get_the_ids_they_lack() -> None:
    line = b'{"message":{"tool_calls":[{"function":{"name":"f"}},{"id":"","function":{"name":"g"}}]}}'
    calls = [event for event in hear(line, line) if isinstance(event, ev.ToolDelta)]
    assert [call.index for call in calls] == [0, 1, 2, 3]
    ids = {call.id for call in calls}
    assert len(ids) == 4
    assert all(re.fullmatch("call_[0-9a-f]{8}", made or "") for made in ids)
    assert hear(line, line) == calls, "the same answer has the same ids"


def test_another_answer_has_other_ids() -> None:
    line = msgspec.json.decode(b'{"message":{"tool_calls":[{"function":{"name":"f"}}]}}', type=Line)
    events = list[ev.Event]()
    for start in (START, ev.Start("chatcmpl-other", "m", 7)):
        Listener(start).hear(line, events)
    one, other = events
    assert one != other


def test_pictures_are_told_by_their_first_bytes() -> None:
    line = b'{"message":{"content":"See","images":["%b","AAAA"]}}' % PNG.encode()
    assert hear(line) == [ev.Text("See"), ev.Media("image/png", PNG), ev.Media("image/*", "AAAA")]


def test_likelihoods_are_told_as_openai_does_with_nothing_left_out() -> None:
    other = b'{"token":"b","logprob":-1}'
    line = b'{"response":"a","logprobs":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[%b]}]}' % other
    told = Raw(
        b'{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-1.0,'
        b'"bytes":null}]}],"refusal":null}'
    )
    assert hear(line) == [ev.Text("a", 0, told)]


@pytest.mark.parametrize("logprobs", [b"null", b"[]", b"5", b'[{"token":1}]'])
def test_likelihoods_that_are_none_are_left_out(logprobs: bytes) -> None:
    assert hear(b'{"response":"a","logprobs":%b}' % logprobs) == [ev.Text("a")]


@pytest.mark.parametrize(
    ("reason", "finish"), [(b'"stop"', "stop"), (b'"length"', "length"), (b'"load"', "stop"), (b"null", "stop")]
)
def test_the_last_line_says_why_it_ends(reason: bytes, finish: ev.FinishReason) -> None:
    assert hear(b'{"done":true,"done_reason":%b}' % reason) == [ev.Finish(finish)]


@pytest.mark.parametrize(("reason", "finish"), [(b"stop", "tool_calls"), (b"length", "length")])
def test_an_answer_that_calls_tools_stops_for_that(reason: bytes, finish: ev.FinishReason) -> None:
    line = b'{"message":{"tool_calls":[{"id":"a","function":{"name":"f"}}]},"done":true,"done_reason":"%b"}' % reason
    assert hear(line) == [ev.ToolDelta(0, "{}", "a", "f"), ev.Finish(finish)]


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (b',"prompt_eval_count":9,"eval_count":4', [ev.Usage(9, 4)]),
        (b',"eval_count":4', [ev.Usage(0, 4)]),
        (b',"prompt_eval_count":9', [ev.Usage(9, 0)]),
        (b',"eval_count":4,"estimated":true', [ev.Usage(0, 4, estimated=True)]),
        (b',"eval_count":4,"estimated":1', [ev.Usage(0, 4)]),
        (b"", []),
        (b',"prompt_eval_count":null,"eval_count":null', []),
        (b',"prompt_eval_count":-1,"eval_count":4', []),
        (b',"prompt_eval_count":9,"eval_count":"many"', []),
        (b',"prompt_eval_count":9,"eval_count":9007199254740993', []),
    ],
)
def test_a_count_that_is_left_out_is_zero_if_the_other_is_there(counts: bytes, usage: list[ev.Event]) -> None:
    assert hear(b'{"done":true%b}' % counts) == [ev.Finish("stop"), *usage]


def test_a_line_without_its_counts_says_all_else() -> None:
    line = b'{"x":1.50,"prompt_eval_count":-1,"done":true,"eval_count":"many"}'
    assert leave_out_counts(line) == b'{"x":1.50,"done":true}'
