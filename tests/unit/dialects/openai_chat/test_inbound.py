"""Chat completions from a client: what is known at once, what is refused at the door."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, ModelNotFound
from dragoman.core.events import Finish, Start
from dragoman.core.loss import NO_COUNTERPART, Terms, carry
from dragoman.core.ports import Limits
from dragoman.dialects.openai_chat.inbound import INBOUND, read_call, read_request
from dragoman.dialects.openai_chat.schema import NAME
from dragoman.wire.json import read_fields

HI = b'{"role":"user","content":"Hi"}'
LONG = b'{"role":"user","content":"' + b"x" * 5000 + b'"}'
LIMITS = Limits(messages=3, tools=2, stop=2, n=4, metadata=2)


def body_with(members: bytes = b"", messages: bytes = HI) -> bytes:
    return b'{"model":"m","messages":[%b]%b}' % (messages, members)


def test_a_body_tells_at_once_what_routing_needs() -> None:
    body = b"\xef\xbb\xbf" + body_with(b',"stream":true,"n":2')
    call = read_call(body, LIMITS)
    assert (call.body, call.dialect, call.model) == (body[3:], NAME, "m")
    assert (call.stream, call.n, call.show_usage) == (True, 2, False)
    assert list(call.fields) == ["model", "messages", "stream", "n"]


def test_a_plain_answer_shows_its_usage_and_a_stream_when_asked() -> None:
    assert read_call(body_with(), LIMITS).show_usage
    asked = b',"stream":true,"stream_options":{"include_usage":true}'
    assert read_call(body_with(asked), LIMITS).show_usage


def test_the_meaning_is_read_when_somebody_asks_for_it() -> None:
    call = read_call(body_with(b',"top_a":4', b'{"role":"robot"}'), LIMITS)
    with pytest.raises(BadRequest):
        _ = call.request
    assert read_call(body_with(b',"top_a":4'), LIMITS).request == msg.Request(
        "m", [msg.Message("user", [msg.Text("Hi")])], extra={"top_a": Raw(b"4")}
    )


def test_fields_that_choose_the_destination_do_not_ride_along() -> None:
    body = body_with(b',"top_a":4,"api_base":"http://evil.example","seed":1,"extra_body":{}')
    assert read_request(body, read_fields(body)).extra == {"top_a": Raw(b"4")}


def test_a_loss_is_told_in_the_words_of_this_dialect() -> None:
    members = b',"repetition_penalty":1.1,"service_tier":"flex","prompt_cache_key":"k","top_a":1'
    call = read_call(body_with(members), LIMITS)
    _, losses = carry(call.request, call.dialect, call.words, Terms({"repeat_penalty": "no"}))
    assert losses == {
        "repetition_penalty": "no",
        "service_tier": "the upstream has no tiers",
        "top_a": NO_COUNTERPART,
    }


@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        (b',"temperature":"hot"', "temperature", "invalid_type"),
        (b',"stream":"yes"', "stream", "invalid_type"),
        (b',"n":5', "n", "invalid_value"),
        (b',"n":1.5', "n", "invalid_type"),
        (b',"tools":{}', "tools", "invalid_type"),
        (b',"tools":[{},{},{}]', "tools", "invalid_value"),
        (b',"functions":[{},{},{}]', "functions", "invalid_value"),
        (b',"stop":["a","b","c"]', "stop", "invalid_value"),
        (b',"metadata":{"a":"1","b":"2","c":"3"}', "metadata", "invalid_value"),
        (b',"metadata":[]', "metadata", "invalid_type"),
        (b',"stream":true,"stream_options":{"include_usage":1}', "stream_options.include_usage", "invalid_type"),
    ],
)
def test_a_wrong_field_is_refused_before_anybody_is_asked(members: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_call(body_with(members), LIMITS)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    "members", [b',"metadata":null', b',"metadata":{"a":"1","b":"2"}', b',"tools":[{},{}]', b',"stop":["a","b"]']
)
def test_what_is_within_the_limits_passes(members: bytes) -> None:
    assert read_call(body_with(members), LIMITS).model == "m"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b"{}", "model", "missing_required_parameter"),
        (b'{"model":"m"}', "messages", "missing_required_parameter"),
        (b'{"model":"m","messages":null}', "messages", "invalid_type"),
        (b'{"model":"m","messages":{"role":"user"}}', "messages", "invalid_type"),
        (body_with(messages=b""), "messages", "invalid_value"),
        (body_with(messages=b",".join([HI] * 4)), "messages", "invalid_value"),
        (body_with(messages=b",".join([LONG] * 4)), "messages", "invalid_value"),
        (b"[]", None, "invalid_type"),
        (b"{", None, "invalid_json"),
        (b'{"model":"\xff"}', None, "invalid_json"),
    ],
)
def test_a_body_without_messages_or_with_too_many_is_refused(body: bytes, param: str | None, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_call(body, LIMITS)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    "messages",
    [
        b",".join([HI] * 3),
        b",".join([LONG, LONG]),
        b'{"role":"user","content":"' + b"{" * 5000 + b'"}',
    ],
)
def test_as_many_messages_as_allowed_pass_whatever_their_length(messages: bytes) -> None:
    assert read_call(body_with(messages=messages), LIMITS).body == body_with(messages=messages)


def test_the_dialect_offers_its_client_side() -> None:
    call = INBOUND.read_call(body_with(), Limits())
    assert INBOUND.name == NAME
    assert INBOUND.stream_type == b"text/event-stream; charset=utf-8"
    assert INBOUND.writer(call).end() == b"data: [DONE]\n\n"
    assert INBOUND.write_reply(call, Burst([Start("1", "m"), Finish("stop")])).startswith(b'{"id":"1"')
    assert INBOUND.write_error(ModelNotFound(), "request-1")[0] == 404
