"""A stream event by event, and the same answer as one object."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import pytest
from msgspec import Raw, Struct
from openai import omit
from openai.lib.streaming.responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import DragomanError, RateLimited, UpstreamIncomplete, UpstreamRejected
from dragoman.core.ports import Limits
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.writer import DONE, Writer, write_reply, write_whole
from tests.schema import mismatches
from tests.unit.dialects.openai_responses.said_words import frame

STEM = "ab" * 16
START, STOP, USAGE = ev.Start("chatcmpl-1", "up/m", 5), ev.Finish("stop"), ev.Usage(10, 5, cached=4, reasoning=2)
TOOLS = (
    b',"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"custom","name":"apply"},'
    b'{"type":"namespace","name":"mcp","description":"","tools":[{"type":"function","name":"g"}]}]'
)
ALL = TOOLS + b',"reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"]'
_event: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


def make_call(members: bytes = b"") -> Call:
    call = read_call(b'{"model":"m","input":"Hi","stream":true%b}' % members, Limits())
    call.serial, call.clock = STEM, Clock(lambda: 1.0, lambda: 99.5)
    return call


class Reply(Struct):
    """What of a response is looked at."""

    id: str
    status: str
    output: list[Raw]
    store: bool
    usage: Raw
    error: Raw
    incomplete_details: Raw
    completed_at: int | None


class Event(Struct):
    type: str
    sequence_number: int
    response: Reply | None = None


def events_of(stream: bytes) -> list[bytes]:
    """Return the data of all events, each checked: named twice, numbered, and as the schema has it."""
    assert stream.endswith(DONE) != (b"event: response.failed\n" in stream)
    told: list[bytes] = []
    for number, event_frame in enumerate(stream.removesuffix(DONE).split(b"\n\n")[:-1]):
        name, data = event_frame.split(b"\n")
        event = msgspec.json.decode(data.removeprefix(b"data: "), type=Event)
        assert name == b"event: " + event.type.encode()
        assert event.sequence_number == number
        told.append(data.removeprefix(b"data: "))
    return told


def stream(call: Call, events: Sequence[ev.Event], size: int = 1) -> list[bytes]:
    writer = Writer(call)
    written = [writer.write(Burst(list(events[at : at + size]))) for at in range(0, len(events), size)]
    told = events_of(b"".join(written) + writer.end())
    for data in told:
        assert mismatches("ResponseStreamEvent", data) == []
    return told


def types(told: Sequence[bytes]) -> list[str]:
    return [msgspec.json.decode(data, type=Event).type.removeprefix("response.") for data in told]


def last(told: Sequence[bytes]) -> Reply:
    response = msgspec.json.decode(told[-1], type=Event).response
    assert response is not None
    return response


def said(*events: ev.Event, members: bytes = ALL) -> list[str]:
    return types(stream(make_call(members), [START, *events, STOP]))[2:-1]


MESSAGE = ["output_item.added", "content_part.added"]
MESSAGE_DONE = ["output_text.done", "content_part.done", "output_item.done"]


def test_a_text_is_a_message_from_its_first_word_to_its_last() -> None:
    told = stream(make_call(), [START, ev.Text("Hel"), ev.Text("lo"), STOP, USAGE])
    assert types(told) == [
        "created", "in_progress", *MESSAGE, "output_text.delta", "output_text.delta", *MESSAGE_DONE, "completed",
    ]  # fmt: skip
    place = b'"item_id":"msg_%bo0","output_index":0,"content_index":0' % STEM.encode()
    assert told[4] == (
        b'{"type":"response.output_text.delta",%b,"sequence_number":4,"logprobs":[],"delta":"Hel"}' % place
    )
    item = (
        b'{"type":"message","id":"msg_%bo0","status":"completed","content":[{"type":"output_text","text":"Hello",'
        b'"annotations":[],"logprobs":[]}],"role":"assistant"}' % STEM.encode()
    )
    reply = last(told)
    assert (reply.id, reply.status, reply.completed_at) == (f"resp_{STEM}", "completed", 99)
    assert [bytes(raw) for raw in reply.output] == [item]
    assert bytes(reply.usage) == (
        b'{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"output_tokens":5,'
        b'"output_tokens_details":{"reasoning_tokens":2},"total_tokens":15}'
    )


def test_a_summary_goes_to_whoever_asked_for_one() -> None:
    assert said(ev.Thinking("h"), ev.Thinking("m"), ev.Thinking("", signature="S"), ev.Text("a")) == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done",
        "output_item.done", *MESSAGE, "output_text.delta", *MESSAGE_DONE,
    ]  # fmt: skip


def test_thoughts_as_they_went_go_to_everybody_else() -> None:
    assert said(ev.Thinking("hm"), members=b"") == [
        "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done",
        "output_item.done",
    ]  # fmt: skip


def test_calls_that_come_interleaved_stay_apart() -> None:
    told = stream(
        make_call(ALL),
        [
            START,
            ev.ToolDelta(0, '{"a"', "c1", "f"),
            ev.ToolDelta(1, "", "c2", "mcp__g"),
            ev.ToolDelta(0, ":1}"),
            ev.ToolDelta(2, '{"input":"x', "c3", "apply"),
            ev.ToolDelta(2, 'y"}'),
            ev.Finish("tool_calls"),
        ],
    )
    assert types(told)[2:-1] == [
        "output_item.added", "function_call_arguments.delta", "output_item.added", "function_call_arguments.delta",
        "output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.delta",
        "function_call_arguments.done", "output_item.done",
        "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "custom_tool_call_input.done", "output_item.done",
    ]  # fmt: skip
    assert [bytes(raw) for raw in last(told).output] == [
        b'{"type":"function_call","id":"fc_%bo0","call_id":"c1","name":"f","arguments":"{\\"a\\":1}",'
        b'"status":"completed"}' % STEM.encode(),
        b'{"type":"function_call","id":"fc_%bo1","call_id":"c2","name":"g","arguments":"{}","status":"completed",'
        b'"namespace":"mcp"}' % STEM.encode(),
        b'{"type":"custom_tool_call","id":"ctc_%bo2","call_id":"c3","name":"apply","input":"xy",'
        b'"status":"completed"}' % STEM.encode(),
    ]


@pytest.mark.parametrize(
    ("reason", "details"),
    [
        ("length", b'{"reason":"max_output_tokens"}'),
        ("content_filter", b'{"reason":"content_filter"}'),
    ],
)
def test_an_answer_that_was_cut_is_incomplete(reason: ev.FinishReason, details: bytes) -> None:
    told = stream(make_call(TOOLS), [START, ev.Text("a"), ev.ToolDelta(0, "{", "c", "f"), ev.Finish(reason)])
    reply = last(told)
    assert types(told)[-1] == "incomplete"
    assert (reply.status, reply.completed_at, bytes(reply.incomplete_details)) == ("incomplete", None, details)
    assert [b'"status":"incomplete"' in raw for raw in map(bytes, reply.output)] == [False, True]


def test_usage_that_nobody_counted_is_null() -> None:
    assert bytes(last(stream(make_call(), [START, STOP])).usage) == b"null"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (UpstreamIncomplete("it broke"), b'{"code":"server_error","message":"it broke"}'),
        (
            RateLimited("slow down", retry_after=11.05),
            b'{"code":"rate_limit_exceeded","message":"slow down, please try again in 11.05s"}',
        ),
        (
            UpstreamRejected("too long", code="context_length_exceeded"),
            b'{"code":"context_length_exceeded","message":"too long"}',
        ),
    ],
)
def test_an_answer_that_broke_is_told_as_failed_and_no_open_item_as_done(error: DragomanError, fault: bytes) -> None:
    writer = Writer(make_call(TOOLS))
    begun = writer.write(Burst([START, ev.Text("a"), ev.ToolDelta(0, '{"a', "c", "f")]))
    told = events_of(begun + writer.fail(error))
    assert types(told)[-3:] == ["output_item.added", "function_call_arguments.delta", "failed"]
    reply = last(told)
    assert (reply.status, reply.store, bytes(reply.error)) == ("failed", False, fault)
    assert [b'"status":"incomplete"' in raw for raw in map(bytes, reply.output)] == [False, True]


def test_an_answer_that_breaks_before_it_begins_begins_with_that() -> None:
    assert types(events_of(Writer(make_call()).fail(UpstreamIncomplete()))) == ["created", "in_progress", "failed"]


def test_an_answer_that_could_not_be_stored_says_so_in_the_end() -> None:
    call = make_call()
    writer = Writer(call)
    written = writer.write(Burst([START, ev.Text("a"), STOP]))
    assert call.thread is not None
    call.thread.keep = False
    stores = [b'"store":true' in data for data in events_of(written + writer.end()) if b'"response":' in data]
    assert stores == [True, True, False]


def test_a_ping_is_a_comment() -> None:
    assert Writer(make_call()).ping() == b": ping\n\n"


def test_proofs_are_for_those_who_ask_and_for_the_store() -> None:
    events: list[ev.Event] = [START, ev.Thinking("hm", signature="S"), ev.Thinking("", signature="T", redacted=True)]
    plain = write_reply(make_call(), Burst([*events, STOP]))
    assert b"encrypted_content" not in plain
    kept = msgspec.json.encode(write_whole(make_call(), [*events, STOP], encrypted=True))
    assert b'"encrypted_content":"S"' in kept
    assert b'"encrypted_content":"redacted:T"' in kept
    assert [msgspec.json.decode(body, type=Reply).id for body in (plain, kept)] == [f"resp_{STEM}"] * 2


ANSWERS: list[list[ev.Event]] = [
    [],
    [ev.Text("a"), ev.Text("b")],
    [ev.Text("a"), ev.Refusal("n"), ev.Refusal("o"), ev.Text("c")],
    [ev.Thinking("a"), ev.Text("b"), ev.Thinking("c"), ev.Thinking("d", signature="S"), ev.Thinking("e")],
    [ev.Thinking(""), ev.Thinking("x"), ev.Thinking("", signature="R", redacted=True)],
    [ev.Text("a"), ev.ToolDelta(0, "{", "c", "f"), ev.Text("b"), ev.ToolDelta(0, "}"), ev.Note("n", "x")],
    [ev.ToolDelta(0, '{"input":"\\ud8', "c", "apply"), ev.ToolDelta(0, '3d\\ude00"}')],
    [ev.Text("a"), ev.Media("image/png", "AAAA"), ev.Media("image/png", url="https://x.test/a.png"), ev.Text("b")],
    [ev.Media("audio/wav", "AAAA"), ev.Media("audio/*", extra=Raw(b'{"id":1}'))],
    [ev.Text("Thinking"), ev.Replace("Thinking..."), ev.Replace("Thinking..."), ev.Replace("Done"), ev.Text("!")],
    [ev.Text("a"), ev.Refusal("n"), ev.Replace("b"), ev.Replace("")],
    [
        ev.Text("a", logprobs=Raw(b'{"content":[{"token":"a","logprob":-1,"bytes":null}]}')),
        ev.Text("", logprobs=Raw(b"7")),
    ],
]


@pytest.mark.parametrize("events", ANSWERS)
def test_a_stream_ends_in_what_a_plain_answer_says(events: list[ev.Event]) -> None:
    whole: list[ev.Event] = [START, *events, STOP, USAGE]
    plain = write_reply(make_call(ALL), Burst(whole))
    assert mismatches("Response", plain) == []
    told = stream(make_call(ALL), whole)
    assert told == stream(make_call(ALL), whole, random.Random(1).randrange(2, 5))
    assert told[-1] == b'{"type":"response.completed","response":%b,"sequence_number":%d}' % (plain, len(told) - 1)


@pytest.mark.parametrize("events", ANSWERS)
def test_the_sdk_accepts_every_stream(events: list[ev.Event]) -> None:
    """Its helper raises for an item that changes its identity, for a delta before its item, and for much more."""
    state: ResponseStreamState[None] = ResponseStreamState(input_tools=[], text_format=omit)
    for data in stream(make_call(ALL), [START, *events, STOP]):
        state.handle_event(_event.validate_json(data))


def test_what_was_taken_back_is_not_part_of_the_answer() -> None:
    told = stream(make_call(), [START, ev.Text("Thinking"), ev.Replace("Thinking..."), ev.Replace("Done"), STOP])
    assert types(told).count("output_item.done") == 2
    (item,) = last(told).output
    assert b'"id":"msg_%bo1"' % STEM.encode() in bytes(item)
    assert b'"text":"Done"' in bytes(item)
    assert b'"status":"incomplete"' in told[8]


def test_only_the_first_choice_is_told() -> None:
    others: list[ev.Event] = [ev.Text("X", 1), ev.ToolDelta(0, "{}", "c", "f", 1), ev.Finish("length", 1)]
    alone = stream(make_call(ALL), [START, ev.Text("Hello"), STOP])
    assert stream(make_call(ALL), [START, ev.Text("Hello"), *others, STOP]) == alone


BEGUN = frame("response.created", b'"response":%b' % (b'{"id":"resp_up","model":"m-1"}'), 0)
ENDED = frame("response.completed", b'"response":{"id":"resp_up"}', 8)
UP = ev.Start("resp_up", "m-1", 5)


def passed(raw: bytes, *events: ev.Event) -> Burst:
    return Burst([*events], raw, "openai_responses")


@pytest.mark.parametrize("end", [[STOP], [STOP, USAGE]])
def test_the_upstreams_bytes_pass_and_its_last_event_is_held_back(end: list[ev.Event]) -> None:
    for bursts in (
        [passed(BEGUN, UP), passed(ENDED, *end)],
        [passed(BEGUN + ENDED, UP, *end)],
        [passed(BEGUN, UP), passed(BEGUN + ENDED, *end)],
    ):
        writer = Writer(make_call())
        raw = b"".join(burst.raw or b"" for burst in bursts)
        assert b"".join(writer.write(burst) for burst in bursts) == raw.removesuffix(ENDED)
        assert writer.end() == ENDED + DONE


def test_an_answer_that_breaks_after_the_upstreams_bytes_goes_on_with_its_numbers() -> None:
    piece = frame("response.output_text.delta", b'"delta":"a"', 41)
    for bursts, number in (
        ([passed(BEGUN + piece, UP)], 42),
        ([passed(BEGUN + piece, UP), passed(ENDED, STOP)], 42),
        ([passed(b"event: x\ndata: {}\n\n", UP)], 0),
    ):
        writer = Writer(make_call())
        for burst in bursts:
            writer.write(burst)
        told = writer.fail(UpstreamIncomplete())
        event = msgspec.json.decode(told.partition(b"data: ")[2], type=Event)
        assert told.startswith(b"event: response.failed\n")
        assert event.sequence_number == number
        assert event.response is not None
        assert (event.response.id, event.response.output) == ("resp_up", [])


def test_a_plain_answer_of_the_upstream_passes_as_it_came() -> None:
    assert write_reply(make_call(), passed(b'{"id":"resp_up"}', UP, STOP)) == b'{"id":"resp_up"}'
    assert write_reply(make_call(), Burst([UP, STOP], b"{}", "openai_chat")) != b"{}"
