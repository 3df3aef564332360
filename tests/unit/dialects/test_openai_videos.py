"""Videos: the call that orders one."""

import pytest

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.ports import Limits
from dragoman.dialects.openai_videos import INBOUND, JOB, NAME, OUTBOUND, read_reply, write_reply
from tests.form import TYPE, form

START = ev.Start("video_1", "m", 9)


def test_an_order_is_read_from_json() -> None:
    call = INBOUND.read_call(b'{"model":"m","prompt":"a","seconds":"8"}', Limits())
    assert (call.task, call.stream, call.model) == ("video", False, "m")
    assert call.request.messages == [msg.Message("user", [msg.Text("a")])]
    assert list(call.request.extra) == ["seconds"]
    assert OUTBOUND.patch_request(call, "up") == b'{"model":"up","prompt":"a","seconds":"8"}'


def test_an_order_is_read_from_a_form() -> None:
    assert INBOUND.read_form is not None
    call = INBOUND.read_form(form(model="m", prompt="a", input_reference=("a.png", b"\0")), TYPE, Limits())
    assert (call.media_type, call.request.messages[0].parts) == (TYPE, [msg.Text("a")])
    assert OUTBOUND.patch_request(call, "up") == form(model="up", prompt="a", input_reference=("a.png", b"\0"))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"prompt":"a"}', "model"),
        (b'{"model":"m"}', "prompt"),
        (b'{"model":"m","prompt":"a","seconds":8}', "seconds"),
    ],
)
def test_what_cannot_be_ordered_is_refused_by_name(body: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        INBOUND.read_call(body, Limits())
    assert caught.value.param == param


def test_a_job_is_passed_on_as_it_came() -> None:
    body = b'{"id":"v","status":"queued","created_at":7,"odd":1}'
    burst = read_reply(body, START)
    assert burst.events == [ev.Start("v", "m", 7), ev.Note(JOB, body.decode()), ev.Finish("stop")]
    assert breaches(burst.events) == []
    call = INBOUND.read_call(b'{"model":"m","prompt":"a"}', Limits())
    assert write_reply(call, burst) is body
    assert write_reply(call, Burst(burst.events)) == body


@pytest.mark.parametrize("body", [b'{"id":"","status":"queued"}', b'{"id":"v"}'])
def test_a_job_without_name_or_state_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(body, START)


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name, OUTBOUND.path) == (NAME, NAME, b"/videos")
