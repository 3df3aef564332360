"""The whole body of a request in the hub's words."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.request import (
    Reasoning,
    Session,
    read_include,
    read_reasoning,
    read_request,
)
from dragoman.wire.json import read_fields


def read(members: bytes, session: Session | None = None) -> msg.Request:
    body = b'{"model":"m","input":"Hi"%b}' % members
    return read_request(body, read_fields(body), session or Session(keep=True))


def test_a_text_is_what_the_user_says() -> None:
    assert read(b"") == msg.Request("m", [msg.Message("user", [msg.Text("Hi")])])


def test_instructions_come_first_and_then_what_was_said_before() -> None:
    session = Session(keep=True)
    session.history = [Raw(b'{"role":"user","content":"old"}'), Raw(b'{"type":"odd"}')]
    request = read(b',"instructions":"Be brief."', session)
    assert request.messages == [
        msg.Message("system", [msg.Text("Be brief.")]),
        msg.Message("user", [msg.Text("old")]),
        msg.Message("user", [msg.Text("Hi")]),
    ]
    assert list(request.extra) == ["previous[1].odd"]


def test_items_may_refer_to_known_ones() -> None:
    session = Session(keep=True)
    session.known = {"msg_1": Raw(b'{"role":"assistant","content":"old"}')}
    body = b'{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}'
    request = read_request(body, read_fields(body), session)
    assert request.messages == [msg.Message("assistant", [msg.Text("old")])]


def test_every_field_has_its_place() -> None:
    request = read(
        b',"temperature":0.5,"top_p":0.9,"presence_penalty":1,"frequency_penalty":-1,"max_output_tokens":50,'
        b'"top_logprobs":3,"reasoning":{"effort":"low","summary":"auto"},"parallel_tool_calls":false,"user":"u",'
        b'"stream":true,"tools":[{"type":"function","name":"f"}],"tool_choice":"required"'
    )
    assert request.sampling == msg.Sampling(
        temperature=0.5, top_p=0.9, presence_penalty=1, frequency_penalty=-1, max_tokens=50, logprobs=3
    )
    assert (request.reasoning, request.parallel_tools) == (msg.Reasoning("low"), False)
    assert (request.user, request.stream, request.extra) == ("u", True, {})
    assert (request.tools, request.tool_choice) == ([msg.Tool("f")], msg.ToolChoice("required"))


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        (b"", None),
        (b',"include":["message.output_text.logprobs"]', 0),
        (b',"include":["message.output_text.logprobs"],"top_logprobs":2', 2),
        (b',"include":["reasoning.encrypted_content"]', None),
        (b',"top_logprobs":0', None),
    ],
)
def test_logprobs_are_asked_for_in_two_ways(members: bytes, wanted: int | None) -> None:
    assert read(members).sampling.logprobs == wanted


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"null", msg.Format()),
        (b"{}", msg.Format()),
        (b'{"format":{"type":"text"}}', msg.Format()),
        (b'{"format":{"type":"json_object"}}', msg.Format("json")),
        (
            b'{"format":{"type":"json_schema","name":"n","description":"d","schema":{},"strict":true}}',
            msg.Format("schema", "n", "d", Raw(b"{}"), strict=True),
        ),
    ],
)
def test_the_form_of_the_answer_is_flat(text: bytes, form: msg.Format) -> None:
    assert read(b',"text":%b' % text).format == form


def test_what_has_no_place_is_named() -> None:
    extra = read(
        b',"service_tier":"flex","odd":1,"truncation":"auto","client_metadata":{},"max_tool_calls":null,'
        b'"text":{"verbosity":"low","odd":2},"reasoning":{"mode":"pro"},"tools":[{"type":"web_search"}],'
        b'"store":false,"metadata":{"a":"b"},"previous_response_id":null,"base_url":"https://x.test","stream_options":{"include_obfuscation":false}'
    ).extra
    assert {name: bytes(raw) for name, raw in extra.items()} == {
        "service_tier": b'"flex"',
        "odd": b"1",
        "truncation": b'"auto"',
        "client_metadata": b"{}",
        "verbosity": b'"low"',
        "text.odd": b"2",
        "reasoning.mode": b'"pro"',
        "tools[0].web_search": b'{"type":"web_search"}',
    }


def test_what_asks_for_nothing_is_not_lost() -> None:
    assert read(b',"truncation":"disabled","service_tier":null,"text":{"verbosity":null}').extra == {}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        (b',"text":{"format":{"type":"xml"}}', "text.format.type"),
        (b',"text":{"format":7}', "text.format"),
        (b',"max_output_tokens":"many"', "max_output_tokens"),
        (b',"tools":[7]', "tools[0]"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(members: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(members)
    assert caught.value.param == param


def test_wishes_are_read_apart() -> None:
    assert read_reasoning({}) == Reasoning()
    assert read_reasoning({"reasoning": Raw(b'{"summary":"auto"}')}).summary == "auto"
    assert read_include({"include": Raw(b"null")}) == []
    assert read_include({"include": Raw(b'["a"]')}) == ["a"]


def test_a_conversation_in_which_nothing_is_said_is_refused() -> None:
    body = b'{"model":"m","input":[{"type":"web_search_call","id":"ws_1","status":"completed"}]}'
    with pytest.raises(BadRequest) as caught:
        read_request(body, read_fields(body), Session(keep=False))
    assert caught.value.param == "input"
