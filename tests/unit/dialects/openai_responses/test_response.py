"""What a response repeats of its request, and how it ends."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.call import Call, Clock
from dragoman.core.errors import BadRequest, DragomanError, RateLimited, UpstreamError
from dragoman.core.ports import Limits
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.response import (
    begin_response,
    end_response,
    fail_response,
    read_wishes,
)
from tests.schema import mismatches

START = ev.Start("chatcmpl-1", "up/m", 5)


def make_call(members: bytes = b"") -> Call:
    call = read_call(b'{"model":"m","input":"Hi"%b}' % members, Limits())
    call.serial, call.clock = "ab" * 16, Clock(lambda: 1.0, lambda: 99.9)
    return call


def begin(members: bytes) -> dict[str, bytes]:
    written = msgspec.json.encode(begin_response(make_call(members), START))
    assert mismatches("Response", written) == []
    return {name: bytes(raw) for name, raw in msgspec.json.decode(written, type=dict[str, Raw]).items()}


def test_a_response_begins_with_what_is_known() -> None:
    begun = begin(b',"store":false')
    assert {name: begun[name] for name in ("id", "created_at", "model", "status", "output", "store", "usage")} == {
        "id": b'"resp_%b"' % (b"ab" * 16),
        "created_at": b"5",
        "model": b'"up/m"',
        "status": b'"in_progress"',
        "output": b"[]",
        "store": b"false",
        "usage": b"null",
    }


def test_a_response_that_passes_has_the_id_that_the_upstream_told() -> None:
    assert begin_response(make_call(), START, passed=True).id == "chatcmpl-1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", b"0.5"),
        ("instructions", b'"Be brief."'),
        ("metadata", b'{"a":"b"}'),
        ("previous_response_id", b'"resp_1"'),
        ("tool_choice", b'"required"'),
        ("truncation", b'"auto"'),
        ("service_tier", b'"flex"'),
        ("user", b'"u"'),
    ],
)
def test_a_field_of_the_request_is_repeated(name: str, value: bytes) -> None:
    assert begin(b',"%b":%b' % (name.encode(), value))[name] == value


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("temperature", b"null", b"1.0"),
        ("reasoning", b'{"effort":"low"}', b'{"effort":"low","summary":null}'),
        ("reasoning", b"null", b'{"effort":null,"summary":null}'),
        ("text", b'{"verbosity":"low"}', b'{"format":{"type":"text"},"verbosity":"low"}'),
        ("tools", b"null", b"[]"),
        ("tools", b'[{"type":"web_search"}]', b'[{"type":"web_search"}]'),
        (
            "tools",
            b'[{"type":"function","name":"f"}]',
            b'[{"description":null,"parameters":null,"strict":null,"type":"function","name":"f"}]',
        ),
    ],
)
def test_what_was_left_out_is_filled_in(name: str, given: bytes, told: bytes) -> None:
    assert begin(b',"%b":%b' % (name.encode(), given))[name] == told


def test_tools_that_were_refused_are_told_as_they_came() -> None:
    begun = begin_response(make_call(b',"tools":[7]'), START)
    assert bytes(fail_response(begun, [], BadRequest()).tools) == b"[7]"


def test_a_call_without_a_name_of_its_own_takes_the_answers() -> None:
    call = make_call()
    call.serial = ""
    assert begin_response(call, ev.Start("resp_sim1", "m")).id == "resp_sim1"


@pytest.mark.parametrize(
    ("members", "summary", "encrypted"),
    [
        (b"", False, False),
        (b',"reasoning":{"effort":"low"}', False, False),
        (b',"reasoning":{"summary":"auto"}', True, False),
        (b',"reasoning":{"generate_summary":"concise"}', True, False),
        (b',"include":["reasoning.encrypted_content"]', False, True),
    ],
)
def test_wishes_are_read(members: bytes, summary: bool, encrypted: bool) -> None:
    wishes = read_wishes(make_call(members))
    assert (wishes.summary, wishes.encrypted, wishes.names()) == (summary, encrypted, {})
    assert read_wishes(make_call(members), encrypted=True).encrypted


@pytest.mark.parametrize(
    ("finish", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", wire.Incomplete("max_output_tokens")),
        ("content_filter", "incomplete", wire.Incomplete("content_filter")),
    ],
)
def test_a_response_ends(finish: ev.FinishReason, status: str, details: wire.Incomplete | None) -> None:
    call = make_call()
    item = wire.MessageItem("msg_1", "completed", [])
    ended = end_response(begin_response(call, START), call, [item], finish, ev.Usage(1, 2))
    assert (ended.status, ended.incomplete_details, ended.output) == (status, details, [item])
    assert ended.completed_at == (99 if status == "completed" else None)
    assert ended.usage is not None
    assert end_response(ended, call, [], finish, None).usage is None


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UpstreamError("it broke"), "server_error", "it broke"),
        (UpstreamError("it broke", retry_after=2), "server_error", "it broke, please try again in 2s"),
        (RateLimited("slow"), "rate_limit_exceeded", "slow"),
        (RateLimited("no money", code="insufficient_quota"), "insufficient_quota", "no money"),
        (BadRequest("long", code="context_length_exceeded"), "context_length_exceeded", "long"),
    ],
)
def test_a_response_that_broke_says_why(error: DragomanError, code: str, message: str) -> None:
    failed = fail_response(begin_response(make_call(), START), [], error)
    assert (failed.status, failed.error, failed.store) == ("failed", wire.Fault(code, message), False)
