"""The head of a request: what is taken at once, and what is refused at once."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.dialects.anthropic_messages.inbound import INBOUND, read_asked, read_call
from dragoman.dialects.anthropic_messages.schema import NAME
from dragoman.dialects.anthropic_messages.words import WORDS
from tests.unit.dialects.anthropic_messages.asking import LEAST, ask

TURN = {"role": "user", "content": "Hi"}


def test_the_dialect_is_found_by_its_name() -> None:
    assert inbound(NAME) is INBOUND
    assert INBOUND.id_header == b"request-id"
    assert INBOUND.headers == ("anthropic-beta", "anthropic-version"), "what they switch on is part of the request"
    assert INBOUND.stream_type == b"text/event-stream; charset=utf-8"


def test_model_and_stream_are_taken_without_reading_the_rest() -> None:
    call = ask(stream=True, messages=[{"role": "nobody"}])
    assert (call.dialect, call.model, call.stream, call.task, call.n) == (NAME, "m", True, "chat", 1)
    assert call.words is WORDS
    assert set(call.fields) == {"model", "max_tokens", "messages", "stream"}
    with pytest.raises(BadRequest):
        _ = call.request


@pytest.mark.parametrize("stream", [False, None])
def test_an_answer_is_streamed_only_when_asked_for(stream: bool | None) -> None:
    assert ask(stream=stream).stream is False


@pytest.mark.parametrize("field", ["model", "max_tokens", "messages"])
def test_a_field_that_must_be_there_is_named(field: str) -> None:
    body = {name: value for name, value in LEAST.items() if name != field}
    with pytest.raises(BadRequest) as caught:
        read_call(msgspec.json.encode(body), Limits())
    assert (caught.value.param, caught.value.code) == (field, "missing_required_parameter")
    assert b'"message":"%b: field required"' % field.encode() in INBOUND.write_error(caught.value, "")[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 5),
        ("messages", {}),
        ("messages", []),
        ("max_tokens", "many"),
        ("max_tokens", None),
        ("max_tokens", 1.5),
        ("max_tokens", -1),
        ("temperature", "hot"),
        ("top_p", True),
        ("top_k", 1.5),
        ("stream", "yes"),
        ("system", 1),
        ("stop_sequences", "END"),
        ("stop_sequences", [1]),
        ("tools", {}),
        ("tool_choice", "auto"),
        ("thinking", True),
        ("output_config", []),
        ("output_format", 5),
        ("metadata", "u"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        ask(**{field: value})
    assert caught.value.param == field


def test_a_cache_may_be_warmed_without_an_answer() -> None:
    assert ask(max_tokens=0).request.sampling.max_tokens == 0


@pytest.mark.parametrize(
    ("members", "limits", "field"),
    [
        ({"messages": [TURN] * 3}, Limits(messages=2), "messages"),
        ({"messages": [TURN] * 300}, Limits(messages=200), "messages"),
        ({"tools": [{"name": "a tool with a long name"}] * 3}, Limits(tools=2), "tools"),
        ({"stop_sequences": ["END", "STOP", "HALT"]}, Limits(stop=2), "stop_sequences"),
    ],
)
def test_no_list_may_be_too_long(members: dict[str, object], limits: Limits, field: str) -> None:
    with pytest.raises(BadRequest, match="more than") as caught:
        read_call(msgspec.json.encode(LEAST | members), limits)
    assert caught.value.param == field


def test_a_long_conversation_within_its_limits_is_read() -> None:
    assert len(ask(messages=[TURN, {"role": "assistant", "content": "Yes?"}] * 300).request.messages) == 600


def test_whatever_is_asked_about_a_conversation_needs_no_room_for_an_answer() -> None:
    call = read_asked(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}', Limits(), "counting")
    assert (call.dialect, call.stream, call.request.sampling.max_tokens) == ("counting", False, None)
