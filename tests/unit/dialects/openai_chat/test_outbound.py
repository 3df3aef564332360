"""Plain answers of an upstream: passed on as they came, or mended where the official SDK could not read them."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.call import Words
from dragoman.core.errors import DragomanError, Overloaded, UpstreamError, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.loss import carry
from dragoman.core.message import Message, Request, Text
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_chat.outbound import OUTBOUND, fitted, read_reply
from dragoman.dialects.openai_chat.reader import Reader
from dragoman.dialects.openai_chat.schema import NAME
from tests.schema import mismatches

FALLBACK = ev.Start("chatcmpl-made", "asked", 9)
START = ev.Start("c1", "m", 1)
HELLO = b'{"role":"assistant","content":"Hello"}'


def choice(message: bytes, finish: bytes = b'"stop"', index: int = 0, logprobs: bytes = b"null") -> bytes:
    parts = (index, message, logprobs, finish)
    return b'{"index":%d,"message":%b,"logprobs":%b,"finish_reason":%b}' % parts


def body(choices: bytes, rest: bytes = b"") -> bytes:
    return b'{ "id":"c1","object":"chat.completion","created":1,"model":"m","choices":[%b]%b}' % (choices, rest)


def read(data: bytes) -> tuple[list[ev.Event], bytes]:
    """Return events and bytes of an answer; its bytes say the same again, and nothing is left to mend."""
    burst = read_reply(data, FALLBACK)
    assert burst.raw is not None
    assert burst.dialect == NAME
    assert breaches(burst.events) == []
    again = read_reply(burst.raw, FALLBACK)
    assert (again.events, again.raw) == (burst.events, burst.raw)
    return burst.events, burst.raw


def said(message: bytes, finish: bytes = b'"stop"', logprobs: bytes = b"null") -> list[ev.Event]:
    """Return what a choice says, between start and end, in an answer that needs no mending."""
    data = body(choice(message, finish, logprobs=logprobs))
    events, raw = read(data)
    assert raw is data
    assert events[0] == START
    assert isinstance(events[-1], ev.Finish)
    return events[1:-1]


@pytest.mark.parametrize(
    ("message", "events"),
    [
        (HELLO, [ev.Text("Hello")]),
        (b'{"role":"assistant","content":null}', []),
        (b'{"role":"assistant","content":null,"refusal":"no"}', [ev.Refusal("no")]),
        (b'{"role":"assistant","content":"a","reasoning_content":"hm"}', [ev.Thinking("hm"), ev.Text("a")]),
        (b'{"role":"assistant","content":"a","reasoning":"hm"}', [ev.Thinking("hm"), ev.Text("a")]),
        (
            b'{"role":"assistant","content":null,"audio":{"data":"AA"}}',
            [ev.Media("audio/*", extra=Raw(b'{"data":"AA"}'))],
        ),
        (b'{"role":"assistant","content":"a","audio":null}', [ev.Text("a")]),
    ],
)
def test_a_normal_message_is_kept_as_it_came(message: bytes, events: list[ev.Event]) -> None:
    assert said(message) == events


def test_logprobs_come_with_the_text_they_are_of() -> None:
    logprobs = b'{"content":[]}'
    assert said(HELLO, logprobs=logprobs) == [ev.Text("Hello", logprobs=Raw(logprobs))]
    empty = b'{"role":"assistant","content":null}'
    assert said(empty, logprobs=logprobs) == [ev.Text("", logprobs=Raw(logprobs))]
    assert said(HELLO, logprobs=b"[]") == [ev.Text("Hello")]


CALLS = (
    b'{"role":"assistant","content":null,"tool_calls":['
    b'{"id":"c1","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"},"extra_content":{"sig":1}},'
    b'{"id":"c2","type":"custom","custom":{"name":"c","input":"say \\"hi\\""}}]}'
)


def test_tool_calls_are_told_with_all_they_carry() -> None:
    assert said(CALLS, b'"tool_calls"') == [
        ev.ToolDelta(0, '{"a":1}', "c1", "f", extra=Raw(b'{"sig":1}')),
        ev.ToolDelta(1, '{"input":"say \\"hi\\""}', "c2", "c"),
    ]


def test_the_deprecated_call_is_a_tool_call_without_id() -> None:
    message = b'{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}'
    assert said(message, b'"function_call"') == [ev.ToolDelta(0, "{}", "call_0", "f")]
    message = b'{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}}'
    assert said(message, b'"function_call"') == [ev.ToolDelta(0, "{}", "call_0", "f")]


def test_the_choices_keep_their_numbers_and_usage_comes_last() -> None:
    usage = b',"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
    data = body(choice(HELLO, b'"length"', 1) + b"," + choice(HELLO, b'"content_filter"'), usage)
    assert read(data) == (
        [
            START,
            ev.Text("Hello", 1),
            ev.Finish("length", 1),
            ev.Text("Hello"),
            ev.Finish("content_filter"),
            ev.Usage(1, 2),
        ],
        data,
    )


def test_usage_that_is_null_needs_no_mending() -> None:
    data = body(choice(HELLO), b',"usage":null')
    assert read(data)[1] is data


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"message":{"content":"Hello"}}]}',
        body(choice(HELLO)).replace(b'"id":"c1",', b""),
        body(choice(HELLO)).replace(b'"created":1', b'"created":"1.5"'),
        body(choice(HELLO)).replace(b'"model":"m"', b'"model":null'),
        body(choice(HELLO)).replace(b'"chat.completion"', b'"chat.completion.chunk"'),
        body(choice(HELLO), b',"error":null'),
        body(choice(HELLO), b',"usage":{}'),
        body(choice(HELLO), b',"usage":{"prompt_tokens":"many"}'),
        body(choice(b'{"content":"Hello"}')),
        body(choice(HELLO, index=-1)),
        body(choice(HELLO, b'"eos"')),
        body(choice(HELLO, b"null")),
        body(choice(b'{"role":"assistant","content":[{"type":"text","text":"Hello"}]}')),
    ],
)
def test_a_message_that_differs_from_the_norm_is_mended(data: bytes) -> None:
    events, raw = read(data)
    assert events[1:] == [ev.Text("Hello"), ev.Finish("stop")]
    assert raw != data
    assert mismatches("CreateChatCompletionResponse", raw) == []


def test_usage_survives_the_mending() -> None:
    usage = b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
    events, raw = read(b'{"choices":[{"message":{"content":"Hello"}}],%b}' % usage)
    assert events == [FALLBACK, ev.Text("Hello"), ev.Finish("stop"), ev.Usage(1, 2)]
    assert usage in raw


def test_choices_with_the_same_number_are_counted_anew() -> None:
    events, _ = read(body(choice(HELLO) + b"," + choice(HELLO)))
    assert events == [START, ev.Text("Hello"), ev.Finish("stop"), ev.Text("Hello", 1), ev.Finish("stop", 1)]


@pytest.mark.parametrize(
    ("called", "finish"),
    [
        (b'"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]', b'"stop"'),
        (b'"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]', b'"tool_calls"'),
        (b'"tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]', b'"tool_calls"'),
        (b'"tool_calls":[{"id":"c","type":"function","function":{"name":"f"},"index":0}]', b'"tool_use"'),
    ],
)
def test_a_tool_call_that_differs_from_the_norm_is_mended(called: bytes, finish: bytes) -> None:
    events, raw = read(body(choice(b'{"role":"assistant","content":null,%b}' % called, finish)))
    assert events == [START, ev.ToolDelta(0, "{}", "c", "f"), ev.Finish("tool_calls")]
    assert mismatches("CreateChatCompletionResponse", raw) == []


def test_bad_text_is_repaired() -> None:
    assert read(body(choice(b'{"role":"assistant","content":"a\\ud800"}')))[0][1] == ev.Text("a�")
    assert read(body(choice(HELLO), b',"x":"\xff"'))[1].endswith('"x":"�"}'.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"Hello",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":7}',
        b'{"choices":[{}]}',
        body(choice(b"null")),
        body(choice(b'{"content":7}')),
        body(choice(b'{"content":"a","refusal":7}')),
        body(choice(b'{"tool_calls":[{"id":"c"}]}')),
        b'{"choices":' + b"[" * 5000,
    ],
)
def test_what_holds_no_answer_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(data, FALLBACK)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error":{"message":"full","code":503}}', Overloaded),
        (b'{"object":"error","message":"x"}', UpstreamError),
        (body(choice(HELLO), b',"error":{"message":"x"}'), UpstreamError),
        (body(choice(HELLO, b'"error"')), UpstreamError),
    ],
)
def test_an_error_with_status_200_is_an_error(data: bytes, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        read_reply(data, FALLBACK)


@pytest.mark.parametrize("word", ["top_k", "min_p", "repeat_penalty", "budget", "signature"])
def test_what_chat_completions_have_no_field_for_is_told(word: str) -> None:
    assert word in OUTBOUND.terms.cannot
    assert all(OUTBOUND.terms.cannot.values())


@pytest.mark.parametrize("dialect", ["openai_completions", "openai_responses"])
def test_what_other_endpoints_of_openai_call_the_same_is_carried(dialect: str) -> None:
    request = Request("a", [], extra={"service_tier": Raw(b'"flex"')})
    assert carry(request, dialect, Words(), OUTBOUND.terms) == (request, {})


def test_the_dialect_offers_its_upstream_side() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.id_prefix) == (NAME, b"/chat/completions", "chatcmpl-")
    assert isinstance(OUTBOUND.reader(FALLBACK, 1), Reader)
    assert OUTBOUND.read_error(503, {}, b"").status == 503
    asked = OUTBOUND.write_request(Request("a", [Message("user", [Text("Hi")])]), "up/m")
    assert asked == b'{"model":"up/m","messages":[{"role":"user","content":"Hi"}]}'


def test_a_server_that_tells_its_reasoning_twice_is_read_once() -> None:
    body = (
        b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
        b'"assistant","content":"a","reasoning_content":"b"%b},"finish_reason":"stop"}]}'
    )
    side = fitted(Quirks(repeats_reasoning=True))
    assert side.read_reply(body % b',"reasoning":"b"', ev.Start("", "")).raw == body % b""
    assert fitted(Quirks(plain=True)).read_reply(body % b',"reasoning":"b"', ev.Start("", "")).raw != body % b""
