"""Moderations: one verdict for each input."""

import pytest

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.ports import Limits
from dragoman.dialects.openai_moderations import INBOUND, NAME, OUTBOUND, VERDICT, read_reply, write_reply

START = ev.Start("modr-1", "m", 9)
PARTS = b'[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x"}}]'


def turn(*parts: msg.Part) -> msg.Message:
    return msg.Message("user", list(parts))


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (b'"a"', [turn(msg.Text("a"))]),
        (b'["a","b"]', [turn(msg.Text("a")), turn(msg.Text("b"))]),
        (PARTS, [turn(msg.Text("a"), msg.Image("https://x"))]),
    ],
)
def test_each_input_that_gets_a_verdict_is_a_message(given: bytes, messages: list[msg.Message]) -> None:
    call = INBOUND.read_call(b'{"model":"m","input":%b,"odd":1}' % given, Limits())
    assert (call.task, call.stream) == ("moderation", False)
    assert (call.request.messages, list(call.request.extra)) == (messages, ["odd"])


def test_a_model_need_not_be_named() -> None:
    call = INBOUND.read_call(b'{"input":"a"}', Limits())
    assert call.model == call.request.model == "omni-moderation-latest"
    assert OUTBOUND.patch_request(call, "up") == b'{"input":"a","model":"up"}'


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b"{}", "input", "missing_required_parameter"),
        (b'{"input":7}', "input", "invalid_type"),
        (b'{"input":[]}', "input", "invalid_value"),
        (b'{"input":[%b""]}' % (b'"",' * 2048), "input", "invalid_value"),
        (b'{"input":"a","model":7}', "model", "invalid_type"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(body: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        INBOUND.read_call(body, Limits())
    assert (caught.value.param, caught.value.code) == (param, code)


def test_an_answer_is_passed_on_as_it_came() -> None:
    body = b'{"id":"modr-7","model":"up","results":[{"flagged":true}]}'
    burst = read_reply(body, START)
    assert burst.events == [ev.Start("modr-7", "up", 9), ev.Note(VERDICT, '{"flagged":true}'), ev.Finish("stop")]
    assert breaches(burst.events) == []
    assert write_reply(INBOUND.read_call(b'{"input":"a"}', Limits()), burst) is body


def test_an_answer_without_a_verdict_is_invalid() -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(b'{"results":[]}', START)


def test_verdicts_are_written_from_events() -> None:
    burst = Burst([START, ev.Note(VERDICT, '{"flagged":false}'), ev.Finish("stop")])
    written = write_reply(INBOUND.read_call(b'{"input":"a"}', Limits()), burst)
    assert written == b'{"results":[{"flagged":false}],"id":"modr-1","model":"m"}'


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name, OUTBOUND.path) == (NAME, NAME, b"/moderations")
