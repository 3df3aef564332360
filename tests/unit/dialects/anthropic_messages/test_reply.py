"""Plain answers of an upstream: passed on as they came, or mended where the official SDK could not read them."""

from __future__ import annotations

import pytest
from anthropic.types import Message
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import DragomanError, Overloaded, UpstreamError, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.dialects.anthropic_messages.reply import read_reply
from dragoman.dialects.anthropic_messages.schema import NAME

FALLBACK = ev.Start("msg_made", "asked", 9)
START = ev.Start("msg_1", "m", 9)
HELLO = b'{"type":"text","text":"Hello"}'
USAGE = b'{"input_tokens":9,"output_tokens":2}'


def body(content: bytes, reason: bytes = b'"end_turn"', usage: bytes = USAGE) -> bytes:
    return (
        b'{ "id":"msg_1","type":"message","role":"assistant","model":"m","content":[%b],"stop_reason":%b,'
        b'"stop_sequence":null,"usage":%b}'
    ) % (content, reason, usage)


def read(data: bytes) -> tuple[list[ev.Event], bytes]:
    """Return events and bytes of an answer; the SDK reads its bytes, they say the same again, and need no mending."""
    burst = read_reply(data, FALLBACK)
    assert burst.raw is not None
    assert burst.dialect == NAME
    assert breaches(burst.events) == []
    Message.model_validate_json(burst.raw, strict=True)
    again = read_reply(burst.raw, FALLBACK)
    assert (again.events, again.raw) == (burst.events, burst.raw)
    return burst.events, burst.raw


def test_a_normal_answer_is_kept_as_it_came() -> None:
    data = body(HELLO)
    events, raw = read(data)
    assert events == [START, ev.Text("Hello"), ev.Finish("stop"), ev.Usage(9, 2)]
    assert raw is data


@pytest.mark.parametrize(
    ("content", "events"),
    [
        (b"", []),
        (b'{"type":"text","text":""}', []),
        (b'{"type":"text","text":"a","citations":null}', [ev.Text("a")]),
        (b'{"type":"thinking","thinking":"hm","signature":"U0lH"}', [ev.Thinking("hm", signature="U0lH")]),
        (b'{"type":"thinking","thinking":"","signature":""}', []),
        (b'{"type":"redacted_thinking","data":"X"}', [ev.Thinking("", signature="X", redacted=True)]),
        (b'{"type":"server_tool_use","id":"s","name":"web_search","input":{}}', []),
    ],
)
def test_every_block_has_its_event(content: bytes, events: list[ev.Event]) -> None:
    data = body(content)
    told, raw = read(data)
    assert told[1:-2] == events
    assert raw is data


def test_tool_calls_are_numbered_and_keep_what_they_carry() -> None:
    calls = (
        b'{"type":"tool_use","id":"a","name":"f","input":{"x": 1},"extra_content":{"sig":1}},'
        b'{"type":"tool_use","id":"b","name":"g","input":{}}'
    )
    assert read(body(HELLO + b"," + calls, b'"tool_use"'))[0][1:-1] == [
        ev.Text("Hello"),
        ev.ToolDelta(0, '{"x": 1}', "a", "f", extra=Raw(b'{"sig":1}')),
        ev.ToolDelta(1, "{}", "b", "g"),
        ev.Finish("tool_calls"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b'{"content":[%b]}' % HELLO,
        body(HELLO).replace(b'"id":"msg_1",', b""),
        body(HELLO).replace(b'"assistant"', b"null"),
        body(HELLO, b"null"),
        body(HELLO, usage=b"null"),
        body(HELLO, usage=b'{"input_tokens":"many"}'),
        body(b'{"type":"text","text":"Hello","more":"\\ud800"},{"type":"text"}'),
        body(b'{"type":"text","text":"Hello"}').replace(b'"m"', b'"\xff"'),
    ],
)
def test_an_answer_that_differs_from_the_norm_is_mended(data: bytes) -> None:
    events, raw = read(data)
    assert events[1:3] == [ev.Text("Hello"), ev.Finish("stop")]
    assert raw != data


def test_a_call_ends_an_answer_that_gives_no_reason() -> None:
    events, raw = read(b'{"content":[{"type":"tool_use","name":"f"}],"usage":{"output_tokens":3}}')
    assert events == [FALLBACK, ev.ToolDelta(0, "{}", "toolu_msg_made_0", "f"), ev.Finish("tool_calls"), ev.Usage(0, 3)]
    assert b'"stop_reason":"tool_use"' in raw


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"Hello",
        b"{}",
        b'{"content":7}',
        body(b"7"),
        body(b'{"type":"tool_use","id":"a"}'),
        body(b",".join([b'{"type":"tool_use","id":"a","name":"f","input":{}}'] * 129)),
        b'{"content":' + b"[" * 5000,
    ],
)
def test_what_holds_no_answer_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(data, FALLBACK)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', Overloaded),
        (b'{"type":"error"}', UpstreamError),
        (b'{"error":{"message":"x"}}', UpstreamError),
        (body(HELLO, b'"error"'), UpstreamError),
    ],
)
def test_an_error_with_status_200_is_an_error(data: bytes, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        read_reply(data, FALLBACK)
