"""What the bodies of all OpenAI endpoints have in common: what is refused, what is read, what is changed."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_body import (
    FLAG,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
    check_count,
    check_kinds,
    check_list,
    find_start,
    hide_usage,
    is_true,
    missing,
    patch_body,
    read_model,
    read_n,
    shows_usage,
)
from dragoman.wire.json import Fields, read_fields

KINDS = {
    "temperature": ("number", NUMBER),
    "user": ("string", TEXT),
    "stop": ("string or an array of strings", TEXTS),
    "stream": ("boolean", FLAG),
    "tools": ("array", LIST),
    "metadata": ("object", OBJECT),
}


def fields_of(**members: bytes) -> Fields:
    return {name: Raw(value) for name, value in members.items()}


def test_a_missing_field_is_told_by_name() -> None:
    error = missing("messages")
    assert error.status == 400
    assert error.message == "missing required parameter: 'messages'"
    assert (error.param, error.code) == ("messages", "missing_required_parameter")


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("temperature", b'"warm"', "number"),
        ("user", b"7", "string"),
        ("stop", b"[1]", "string or an array of strings"),
        ("stop", b"{}", "string or an array of strings"),
        ("stream", b'"true"', "boolean"),
        ("stream", b"1", "boolean"),
        ("tools", b"{}", "array"),
        ("metadata", b"[]", "object"),
    ],
)
def test_a_wrong_type_is_refused_by_name(name: str, value: bytes, kind: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_kinds({"model": Raw(b'"m"'), name: Raw(value)}, KINDS)
    assert caught.value.message == f"invalid type for '{name}': expected {kind}"
    assert (caught.value.param, caught.value.code) == (name, "invalid_type")


def test_right_types_null_and_unknown_fields_pass() -> None:
    check_kinds({name: Raw(b"null") for name in KINDS}, KINDS)
    check_kinds(fields_of(temperature=b"99", stop=b'["a","b"]', stream=b"false", tools=b"[1]", unknown=b"[[]]"), KINDS)


def test_as_many_entries_as_allowed_pass_and_one_more_does_not() -> None:
    check_count("metadata", 2, 2)
    with pytest.raises(BadRequest) as caught:
        check_count("metadata", 3, 2)
    assert caught.value.message == "invalid 'metadata': more than 2 entries"
    assert (caught.value.param, caught.value.code) == ("metadata", "invalid_value")


@pytest.mark.parametrize("value", [None, b"null", b"[1,2]", b'["a long word",2]', b'"a text of many bytes"'])
def test_a_list_within_its_limit_passes(value: bytes | None) -> None:
    check_list({} if value is None else {"stop": Raw(value)}, "stop", 2)


@pytest.mark.parametrize("value", [b"[1,2,3]", b'[ "a" , "b" , "c" ]'])
def test_a_list_over_its_limit_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest, match="invalid 'stop': more than 2 entries"):
        check_list({"stop": Raw(value)}, "stop", 2)


@pytest.mark.parametrize("model", ["m", "poe/GPT-5.1:latest", "~" * 256])
def test_a_model_name_is_taken_as_it_is(model: str) -> None:
    assert read_model({"model": Raw(msgspec.json.encode(model))}) == model


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing_required_parameter"),
        (b"null", "invalid_type"),
        (b"7", "invalid_type"),
        (b'""', "invalid_value"),
        (b'"' + b"m" * 257 + b'"', "invalid_value"),
        ('"mödel"'.encode(), "invalid_value"),
        (rb'"a\nb"', "invalid_value"),
        (b'"a b"', "invalid_value"),
    ],
)
def test_what_could_be_no_models_name_is_refused(value: bytes | None, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_model({} if value is None else {"model": Raw(value)})
    assert (caught.value.param, caught.value.code) == ("model", code)


@pytest.mark.parametrize(("value", "n"), [(None, 1), (b"null", 1), (b"1", 1), (b"4", 4)])
def test_the_number_of_choices_is_one_unless_asked(value: bytes | None, n: int) -> None:
    assert read_n({} if value is None else {"n": Raw(value)}, 4) == n


@pytest.mark.parametrize(
    ("value", "code"),
    [(b"0", "invalid_value"), (b"5", "invalid_value"), (b"1.5", "invalid_type"), (b'"2"', "invalid_type")],
)
def test_a_wrong_number_of_choices_is_refused(value: bytes, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_n({"n": Raw(value)}, 4)
    assert (caught.value.param, caught.value.code) == ("n", code)


def test_only_true_is_true() -> None:
    assert is_true(fields_of(stream=b"true"), "stream")
    assert not any(is_true(fields, "stream") for fields in (fields_of(stream=b"false"), fields_of(stream=b"null"), {}))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (None, False),
        (b"null", False),
        (b"{}", False),
        (b'{"include_usage":null}', False),
        (b'{"include_usage":false}', False),
        (b'{"include_usage":true}', True),
    ],
)
def test_usage_is_shown_when_the_client_asks_for_it(options: bytes | None, shown: bool) -> None:
    assert shows_usage({} if options is None else {"stream_options": Raw(options)}) is shown


def test_a_wish_for_usage_that_is_no_boolean_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        shows_usage(fields_of(stream_options=b'{"include_usage":"yes"}'))
    assert (caught.value.param, caught.value.code) == ("stream_options.include_usage", "invalid_type")


def call_with(body: bytes, *, stream: bool = False, show_usage: bool = True) -> Call:
    fields = read_fields(body)
    call = Call(body, "openai_chat", read_model(fields), list, stream)
    call.fields, call.show_usage = fields, show_usage
    return call


def test_a_body_that_needs_no_change_goes_as_it_came() -> None:
    body = b'{ "model" : "m",\n "messages": [ ] }'
    assert patch_body(call_with(body), "m") is body
    assert patch_body(call_with(body, stream=True, show_usage=True), "m") is body


def test_only_the_models_name_changes() -> None:
    body = b'{ "model" : "alias",\n "messages": [ ] }'
    assert patch_body(call_with(body), "real/m") == b'{ "model" : "real/m",\n "messages": [ ] }'


@pytest.mark.parametrize(
    ("options", "patched"),
    [
        (b"", b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":null', b',"stream_options":{"include_usage":true}'),
        (
            b',"stream_options":{"include_obfuscation":false,"include_usage":false}',
            b',"stream_options":{"include_obfuscation":false,"include_usage":true}',
        ),
    ],
)
def test_a_stream_is_asked_for_usage_even_when_the_client_does_not_want_it(options: bytes, patched: bytes) -> None:
    call = call_with(b'{"model":"m","stream":true' + options + b"}", stream=True, show_usage=False)
    assert patch_body(call, "m") == b'{"model":"m","stream":true' + patched + b"}"


def test_a_client_cannot_say_where_its_request_goes() -> None:
    body = b'{"api_base":"http://evil.example","model":"a","api_key":"k","top_k":1,"extra_headers":{}}'
    assert patch_body(call_with(body), "m") == b'{"model":"m","top_k":1}'


TEXT_FRAME = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\n\n'
BARE_FRAME = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
USAGE_FRAME = b'data: {"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'


@pytest.mark.parametrize(
    ("raw", "events", "shown"),
    [
        (BARE_FRAME, [ev.Text("a")], BARE_FRAME),
        (TEXT_FRAME, [ev.Text("a")], BARE_FRAME),
        (TEXT_FRAME * 2, [ev.Text("a"), ev.Text("a")], BARE_FRAME * 2),
        (USAGE_FRAME, [ev.Usage(1, 2)], b""),
        (TEXT_FRAME + USAGE_FRAME, [ev.Text("a"), ev.Usage(1, 2)], BARE_FRAME),
        (
            b'data: {"choices":[], "usage": null, "obfuscation": "x"}\n\n',
            [ev.Text("a")],
            b'data: {"choices":[], "obfuscation": "x"}\n\n',
        ),
        (
            rb'data: {"choices":[{"delta":{"content":",\"usage\":null}"}}]}' + b"\n\n",
            [ev.Text(',"usage":null}')],
            rb'data: {"choices":[{"delta":{"content":",\"usage\":null}"}}]}' + b"\n\n",
        ),
    ],
)
def test_usage_is_hidden_from_a_client_that_did_not_ask(raw: bytes, events: list[ev.Event], shown: bytes) -> None:
    assert hide_usage(Burst(events, raw, "openai_chat")) == shown


def test_the_start_of_an_answer_is_found_where_there_is_one() -> None:
    start = ev.Start("chatcmpl-1", "m", 5)
    assert find_start(Burst([start, ev.Text("a")], b"", "openai_chat")) is start
    assert find_start(Burst([ev.Text("a")], b"", "openai_chat")) == ev.Start("", "")


def test_a_burst_without_bytes_shows_none() -> None:
    assert hide_usage(Burst([ev.Text("a")])) == b""
