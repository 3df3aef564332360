"""Counting tokens: whoever counts is told what is asked, and the client what was counted."""

from __future__ import annotations

import msgspec
import pytest
from anthropic.types import MessageTokensCount

from dragoman.core.burst import Burst
from dragoman.core.count import count_request
from dragoman.core.errors import BadRequest
from dragoman.core.events import Finish, Start, Usage
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.dialects.anthropic_messages.schema import TOKENS
from dragoman.dialects.anthropic_messages.tokens import INBOUND, read_call, write_reply
from tests.unit.dialects.anthropic_messages.asking import LEAST

EMPTY: dict[str, object] = {}
TOOL: dict[str, object] = {"name": "f", "description": "d", "input_schema": {"type": "object", "properties": EMPTY}}
BODY: dict[str, object] = {"model": "m", "messages": LEAST["messages"], "system": "Be kind.", "tools": [TOOL]}


def counted(members: dict[str, object]) -> int:
    """Return what the official SDK reads in the answer."""
    call = read_call(msgspec.json.encode(BODY | members), Limits())
    body = write_reply(call, Burst([Usage(count_request(call.request), 0, estimated=True)]))
    assert body.endswith(b',"estimated":true}')
    return MessageTokensCount.model_validate_json(body, strict=True).input_tokens


def test_the_dialect_is_found_by_its_name() -> None:
    assert inbound(TOKENS) is INBOUND
    assert INBOUND.id_header == b"request-id"


def test_a_question_holds_all_that_there_is_to_count() -> None:
    call = read_call(msgspec.json.encode(BODY), Limits())
    assert (call.dialect, call.model, call.stream) == (TOKENS, "m", False)
    assert counted({}) == count_request(call.request) > 10


def test_more_to_read_is_more_tokens() -> None:
    assert counted({"system": "word " * 1000}) > counted({"system": "word " * 10}) + 1000


def test_the_count_is_that_of_whoever_answers() -> None:
    call = read_call(msgspec.json.encode(BODY), Limits())
    assert write_reply(call, Burst([Start("", "m"), Finish("stop"), Usage(7, 3)])) == b'{"input_tokens":7}'


@pytest.mark.parametrize(
    ("members", "param"),
    [({"messages": []}, "messages"), ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content")],
)
def test_what_cannot_be_counted_is_refused(members: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        assert read_call(msgspec.json.encode(BODY | members), Limits()).requests
    assert caught.value.param == param
