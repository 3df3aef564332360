"""Answers as Messages, read back by the official SDK: streamed and plain say the same, at any cut."""

from __future__ import annotations

import pytest
from anthropic import APIStatusError
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import Overloaded, UpstreamInvalid
from dragoman.dialects.anthropic_messages.schema import NAME, UNSIGNED
from dragoman.dialects.anthropic_messages.writer import Writer, write_reply
from tests.unit.dialects.anthropic_messages.official import frames, read_plain, read_stream

REQUEST = msg.Request("m", [msg.Message("user", [msg.Text("12345678")])])
CALL = Call(b"", NAME, "fast", lambda: [REQUEST], stream=True, serial="0123", id="request-1")
START = ev.Start("chatcmpl-1", "up/m", 5)
DONE: list[ev.Event] = [ev.Finish("stop"), ev.Usage(10, 5, cached=4, reasoning=2)]
EVERYTHING: list[ev.Event] = [
    START,
    ev.Thinking("hm"),
    ev.Thinking("", signature="S"),
    ev.Thinking("", signature="X", redacted=True),
    ev.Text("one "),
    ev.Note("reply", "more?"),
    ev.Text("two", logprobs=Raw(b"{}")),
    ev.Text("", logprobs=Raw(b"{}")),
    ev.Text("other choice", 1),
    ev.Replace("one two three"),
    ev.Replace("one two three"),
    ev.Media("image/png", "AA"),
    ev.Media("audio/*", extra=Raw(b"{}")),
    ev.ToolDelta(0, "", "c1", "f", extra=Raw(b'{"google":1}')),
    ev.ToolDelta(1, '{"b":', "c.2", "g"),
    ev.ToolDelta(0, '{"a":1}'),
    ev.ToolDelta(1, "2}"),
    ev.Finish("tool_calls"),
    ev.Finish("length", 1),
    ev.Usage(10, 5, cached=4, reasoning=2),
]


def stream(*bursts: list[ev.Event]) -> bytes:
    writer = Writer(CALL)
    return b"".join([writer.write(Burst(events)) for events in bursts]) + writer.end()


def test_the_official_sdk_reads_everything_that_can_be_said() -> None:
    message = read_stream(stream(EVERYTHING))
    assert message.model_dump(mode="json", exclude_none=True) == {
        "id": "msg_0123",
        "type": "message",
        "role": "assistant",
        "model": "up/m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "S"},
            {"type": "redacted_thinking", "data": "X"},
            {"type": "text", "text": "one two three![image](data:image/png;base64,AA)"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}, "extra_content": {"google": 1}},
            {"type": "tool_use", "id": message.content[4].to_dict()["id"], "name": "g", "input": {"b": 2}},
        ],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 6,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


def test_a_plain_answer_says_the_same_as_a_stream() -> None:
    streamed = read_stream(stream(EVERYTHING))
    plain = read_plain(write_reply(CALL, Burst(EVERYTHING)))
    assert plain.to_dict() == streamed.to_dict(exclude_none=True) | {"stop_sequence": None}


def test_a_stream_is_the_same_in_any_bursts() -> None:
    whole = stream(EVERYTHING)
    assert stream(*[[event] for event in EVERYTHING]) == whole
    for at in range(len(EVERYTHING)):
        assert stream(EVERYTHING[:at], EVERYTHING[at:]) == whole


ARGUMENTS = ("", "{}", '{"a":{"b":[]}}', '{"city":"Oslo"}')


@st.composite
def woven(draw: st.DrawFn) -> list[ev.Event]:
    """Text, thinking and the pieces of some tool calls, in any order in which a model could say them."""
    rest: dict[int, str] = {}
    events: list[ev.Event] = [START]
    for _ in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from(["text", "thinking", "signature", "redacted", "call", "piece", "piece"]))
        if kind == "text":
            events.append(ev.Text(draw(st.sampled_from(["a", "\n", '"'])), draw(st.sampled_from([0, 0, 0, 1]))))
        elif kind == "call":
            index = len(rest)
            rest[index] = draw(st.sampled_from(ARGUMENTS))
            events.append(ev.ToolDelta(index, "", f"c{index}", "f"))
        elif kind == "piece" and rest:
            index = draw(st.sampled_from(sorted(rest)))
            cut = draw(st.integers(0, len(rest[index])))
            events.append(ev.ToolDelta(index, rest[index][:cut]))
            rest[index] = rest[index][cut:]
        elif kind == "thinking":
            events.append(ev.Thinking("hm"))
        elif kind != "piece":
            events.append(ev.Thinking("", signature="S", redacted=kind == "redacted"))
    events += [ev.ToolDelta(index, piece) for index, piece in rest.items() if piece]
    return [*events, ev.Finish("tool_calls" if rest else "stop"), ev.Finish("stop", 1), ev.Usage(1, 1)]


@settings(max_examples=60, deadline=None)
@given(woven())
def test_whatever_order_it_is_said_in_a_stream_ends_as_the_plain_answer(events: list[ev.Event]) -> None:
    written = stream(*[[event] for event in events])
    begun = [data for name, data in frames(written) if name == "content_block_start"]
    assert all(b'"index":%d,' % index in data for index, data in enumerate(begun))
    plain = read_plain(write_reply(CALL, Burst(events)))
    assert read_stream(written).to_dict(exclude_none=True) | {"stop_sequence": None} == plain.to_dict()


def test_events_come_in_the_order_that_clients_insist_on() -> None:
    written = stream([START, ev.Text("a"), ev.Text("b"), *DONE])
    assert [name for name, _ in frames(written)] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert written.startswith(
        b'event: message_start\ndata: {"type":"message_start","message":{"type":"message","id":"msg_0123",'
        b'"role":"assistant","model":"up/m","content":[],"stop_reason":null,"stop_sequence":null,'
        b'"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}\n\n'
    )


def test_why_it_ended_is_not_told_before_the_end() -> None:
    writer = Writer(CALL)
    written = writer.write(Burst([START, ev.Text("a"), *DONE]))
    assert b"message_delta" not in written
    assert [name for name, _ in frames(writer.end())] == ["message_delta", "message_stop"]


@pytest.mark.parametrize(
    ("events", "reason", "sequence", "content"),
    [
        ([ev.Refusal("I "), ev.Refusal("won't"), ev.Finish("stop")], "refusal", None, "I won't"),
        ([ev.Text("a"), ev.Finish("content_filter")], "refusal", None, "a"),
        ([ev.Text("a"), ev.Finish("length")], "max_tokens", None, "a"),
        ([ev.Text("a"), ev.Finish("stop", stop="END")], "stop_sequence", "END", "a"),
        ([ev.Finish("stop")], "end_turn", None, ""),
    ],
)
def test_every_end_is_told_in_both_forms(
    events: list[ev.Event], reason: str, sequence: str | None, content: str
) -> None:
    said = [START, *events, ev.Usage(1, 1)]
    for message in (read_stream(stream(said)), read_plain(write_reply(CALL, Burst(said)))):
        assert (message.stop_reason, message.stop_sequence) == (reason, sequence)
        assert "".join(block.text for block in message.content if block.type == "text") == content


def test_tokens_that_nobody_counted_are_estimated_and_marked() -> None:
    said: list[ev.Event] = [
        START,
        ev.Thinking("abcd"),
        ev.Text("efgh"),
        ev.ToolDelta(0, '{"a":1}', "c", "f"),
        ev.Finish("tool_calls"),
    ]
    estimate = b'"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
    estimate += b'"output_tokens":4,"estimated":true}'
    assert estimate in stream(said)
    assert estimate in write_reply(CALL, Burst(said))


def test_thinking_nobody_signed_gets_a_signature_of_ours() -> None:
    said: list[ev.Event] = [START, ev.Thinking("hm"), *DONE]
    for message in (read_stream(stream(said)), read_plain(write_reply(CALL, Burst(said)))):
        assert [block.to_dict() for block in message.content] == [
            {"type": "thinking", "thinking": "hm", "signature": UNSIGNED}
        ]


def test_an_id_of_this_kind_is_kept_and_a_model_nobody_named_is_the_one_asked_for() -> None:
    message = read_plain(write_reply(CALL, Burst([ev.Start("msg_up", ""), *DONE])))
    assert (message.id, message.model) == ("msg_up", "fast")


def test_what_is_said_instead_stands_on_a_new_line() -> None:
    writer = Writer(CALL)
    writer.write(Burst([START, ev.Text("abc")]))
    assert b'"text":"\\nabd"' in writer.write(Burst([ev.Replace("abd")]))
    assert b'"text":"e"' in writer.write(Burst([ev.Replace("abde")]))
    assert writer.write(Burst([ev.Replace("abde"), ev.Replace("")])) == b""


def test_a_plain_answer_holds_what_was_said_last() -> None:
    message = read_plain(write_reply(CALL, Burst([START, ev.Text("abc"), ev.Replace("abd"), *DONE])))
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "abd"}]


@pytest.mark.parametrize("arguments", ['{"a"', "[1]"])
def test_arguments_are_never_invented(arguments: str) -> None:
    said: list[ev.Event] = [START, ev.ToolDelta(0, arguments, "c1", "f"), ev.Finish("tool_calls")]
    with pytest.raises(UpstreamInvalid):
        stream(said)
    with pytest.raises(UpstreamInvalid):
        write_reply(CALL, Burst(said))


def test_a_broken_stream_ends_with_an_error_that_the_official_sdk_raises() -> None:
    writer = Writer(CALL)
    written = writer.write(Burst([START, ev.Text("a")])) + writer.fail(Overloaded("no room"))
    assert frames(written)[-1][0] == "error"
    assert b"message_stop" not in written
    with pytest.raises(APIStatusError) as caught:
        read_stream(written)
    assert caught.value.type == "overloaded_error"


def test_a_ping_is_an_event_once_the_answer_has_begun_and_a_comment_before() -> None:
    writer = Writer(CALL)
    before = writer.ping()
    begun = writer.write(Burst([START]))
    after = writer.ping()
    assert (before, after) == (b": ping\n\n", b'event: ping\ndata: {"type":"ping"}\n\n')
    rest = writer.write(Burst([ev.Text("a"), *DONE]))
    message = read_stream(before + begun + after + rest + after + writer.end())
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "a"}]


def test_the_upstreams_own_bytes_are_sent_as_they_are_up_to_the_success_marker() -> None:
    raw = stream([START, ev.Text("a"), *DONE])
    marker = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    burst = Burst([START, ev.Text("a"), *DONE], raw.removesuffix(marker), NAME)
    writer = Writer(CALL)
    written = writer.write(burst)
    assert written is burst.raw
    assert writer.ping().startswith(b"event: ping")
    assert written + writer.end() == raw
    assert write_reply(CALL, burst) is burst.raw


def test_bytes_of_another_dialect_are_written_anew() -> None:
    burst = Burst([START, ev.Text("a"), *DONE], b"data: {}\n\n", "openai_chat")
    assert Writer(CALL).write(burst).startswith(b"event: message_start\n")
    assert read_plain(write_reply(CALL, burst)).stop_reason == "end_turn"


def test_a_changed_answer_has_no_bytes_to_send() -> None:
    burst = Burst([START, ev.Text("a"), *DONE], None, NAME)
    assert Writer(replace(CALL, serial="77")).write(burst).startswith(b"event: message_start\n")
