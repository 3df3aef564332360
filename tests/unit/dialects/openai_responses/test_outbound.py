"""Responses towards an upstream: the client's own bytes, and what is changed in them."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.call import Call
from dragoman.core.errors import RateLimited
from dragoman.core.message import Message, Request, Text
from dragoman.core.ports import Limits
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import outbound
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.outbound import OUTBOUND, patch_request
from dragoman.dialects.openai_responses.request import Session
from dragoman.dialects.openai_responses.terms import TERMS
from tests.schema import mismatches


def make_call(members: bytes = b"", given: bytes = b'"Hi"') -> Call:
    return read_call(b'{"model":"m","input":%b%b}' % (given, members), Limits())


def patch(members: bytes, quirks: Quirks = NO_QUIRKS, given: bytes = b'"Hi"') -> tuple[str, dict[str, str]]:
    """Return what goes on behind the input, and what is lost."""
    call = make_call(members, given)
    body = patch_request(call, "m", quirks)
    assert mismatches("CreateResponse", body) == []
    told = body.removeprefix(b'{"model":"m","input":"Hi"')
    return told.decode(), call.losses


def test_only_the_name_of_the_model_changes_where_nothing_is_to_be_kept() -> None:
    call = read_call(b' { "model" : "m", "x":[ 1 ],  "input": [ ], "store":false }', Limits())
    assert patch_request(call, "up", Quirks()) == b' { "model" : "up", "x":[ 1 ],  "input": [ ], "store":false }'
    call = read_call(b'{"model":"up","input":"Hi","store":false,"previous_response_id":null}', Limits())
    assert patch_request(call, "up") == call.body


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (b"", ',"store":false}'),
        (b',"store":true', ',"store":false}'),
        (b',"store":null', ',"store":false}'),
        (b',"previous_response_id":"resp_1","store":false', ',"store":false}'),
        (b',"api_key":"k","store":false', ',"store":false}'),
    ],
)
def test_nothing_is_kept_upstream(members: bytes, told: str) -> None:
    assert patch(members) == (told, {})


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            b',"reasoning":{"effort":"low"}',
            ',"reasoning":{"effort":"low"},"store":false,"include":["reasoning.encrypted_content"]}',
        ),
        (
            b',"reasoning":{"effort":"low"},"include":["message.output_text.logprobs"],"store":null',
            ',"reasoning":{"effort":"low"},"include":["message.output_text.logprobs","reasoning.encrypted_content"],'
            '"store":false}',
        ),
        (
            b',"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"store":null',
            ',"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"store":false}',
        ),
        (b',"reasoning":{"effort":"none"}', ',"reasoning":{"effort":"none"},"store":false}'),
        (b',"reasoning":{"effort":"low"},"store":false', ',"reasoning":{"effort":"low"},"store":false}'),
    ],
)
def test_the_reasoning_of_a_turn_that_is_kept_here_is_sealed(members: bytes, told: str) -> None:
    assert patch(members) == (told, {})


def test_all_turns_that_are_kept_here_are_told() -> None:
    call = make_call(b',"previous_response_id":"resp_1"')
    assert isinstance(call.thread, Session)
    call.thread.history = [Raw(b'{"type":"message","role":"user","content":"One","id":"msg_1"}')]
    assert patch_request(call, "m") == (
        b'{"model":"m","input":[{"type":"message","role":"user","content":"One"},{"role":"user","content":"Hi"}],'
        b'"store":false}'
    )


def test_what_a_model_does_not_take_is_left_out_and_told() -> None:
    quirks = Quirks(lacks={"temperature": "too cold", "max_tokens": "none", "top_p": ""})
    members = b',"temperature":1,"max_output_tokens":null,"top_p":1,"store":false'
    assert patch(members, quirks) == (',"store":false}', {"temperature": "too cold"})


def test_a_model_has_fields_that_it_always_wants_and_may_give_no_streams() -> None:
    quirks = Quirks(always={"truncation": Raw(b'"auto"'), "top_p": Raw(b"1")}, plain=True)
    told, _ = patch(b',"stream":true,"top_p":0.5,"store":false', quirks)
    assert told == ',"stream":false,"top_p":0.5,"store":false,"truncation":"auto"}'


def test_instructions_that_nobody_heeds_are_what_the_system_says() -> None:
    quirks, members = Quirks(instructions=False), b',"instructions":"Be kind.","store":false'
    call = make_call(members)
    assert patch_request(call, "m", quirks) == (
        b'{"model":"m","input":[{"type":"message","role":"system","content":"Be kind."},{"role":"user","content":"Hi"}]'
        b',"store":false}'
    )
    assert patch(b',"instructions":null,"store":false', quirks)[0] == ',"instructions":null,"store":false}'


def test_roles_are_those_that_the_server_knows() -> None:
    call = make_call(given=b'[{"role":"developer","content":"d"}]')
    assert b'"role":"system"' in patch_request(call, "m", Quirks(developer_role=False))


def test_a_call_without_a_thread_is_told_as_it_is() -> None:
    call = make_call(b',"store":false')
    call.thread = None
    assert patch_request(call, "m") == call.body


def test_the_side_can_be_fitted_to_a_model() -> None:
    assert outbound("openai_responses") is OUTBOUND
    assert OUTBOUND.fitted is not None
    side = OUTBOUND.fitted(Quirks(lacks={"temperature": "no"}, developer_role=False))
    assert side.terms.cannot["temperature"] == "no"
    assert TERMS is OUTBOUND.terms
    written = side.write_request(Request("m", [Message("developer", [Text("a")])]), "up")
    assert msgspec.json.decode(written, type=dict[str, Raw])["input"] == Raw(
        b'[{"type":"message","role":"system","content":"a"}]'
    )
    assert side.patch_request(make_call(b',"temperature":1,"store":false'), "m") == make_call(b',"store":false').body
    assert isinstance(OUTBOUND.read_error(429, {}, b"{}"), RateLimited)
