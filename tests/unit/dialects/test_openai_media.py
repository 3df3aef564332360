"""What the endpoints for pictures, sounds, videos, vectors and moderations have in common."""

import msgspec
import pytest
from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core.call import Call
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    RateLimited,
    TaskNotServed,
    UnsupportedMediaType,
    UpstreamInvalid,
)
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.openai_body import NUMBER, TEXT, Kinds
from dragoman.dialects.openai_media import (
    extra_fields,
    find_files,
    no_json,
    no_reader,
    no_stream,
    no_translation,
    patch_media,
    read_answer,
    read_form_fields,
    read_text,
    read_usage,
    write_usage,
)
from dragoman.wire.json import encode, read_fields
from dragoman.wire.multipart import read_form
from tests.form import TYPE, form

KINDS: Kinds = {"n": ("integer", NUMBER), "size": ("string", TEXT)}


class Whole(Struct):
    text: str


WHOLE = msgspec.json.Decoder(Whole)


def call(body: bytes, media_type: str = "application/json") -> Call:
    made = Call(body, "any", "m", list, stream=False)
    made.media_type = media_type
    made.fields = read_fields(body) if media_type != TYPE else read_form_fields(read_form(body, TYPE), KINDS)
    return made


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (b'{"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}', [ev.Usage(3, 4)]),
        (b'{"usage":{"input_tokens":3}}', [ev.Usage(3, 0)]),
        (b'{"usage":{"type":"duration","seconds":3}}', []),
        (b'{"usage":{"input_tokens":-3}}', []),
        (b'{"usage":"none"}', []),
        (b"{}", []),
    ],
)
def test_usage_that_makes_sense_is_read(told: bytes, usage: list[ev.Usage]) -> None:
    assert read_usage(told) == usage


def test_usage_is_written_with_its_total() -> None:
    assert encode(write_usage(ev.Usage(3, 4))) == b'{"input_tokens":3,"output_tokens":4,"total_tokens":7}'


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{}", "missing_required_parameter"), (b'{"a":null}', "missing_required_parameter"), (b'{"a":7}', "invalid_type"),
     (b'{"a":""}', "invalid_value")],
)  # fmt: skip
def test_a_text_that_must_be_there_is_missed_by_name(body: bytes, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_text(read_fields(body), "a")
    assert (caught.value.param, caught.value.code) == ("a", code)
    assert read_text(read_fields(b'{"a":"x"}'), "a") == "x"


def test_the_fields_of_a_form_are_those_of_an_object() -> None:
    body = form(n=" 2 ", size="8x8", other="7", **{"list[]": ["a", "b"], "image[]": ("a.png", b"1")})
    fields = read_form_fields(read_form(body, TYPE), KINDS)
    assert {name: bytes(raw) for name, raw in fields.items()} == {
        "n": b"2",
        "size": b'"8x8"',
        "other": b'"7"',
        "image": b'"a.png"',
        "list": b'["a","b"]',
    }
    assert [part.name for part in find_files(read_form(body, TYPE), "image")] == ["image[]"]


@pytest.mark.parametrize(("value", "code"), [("two", "invalid_type"), ("[1]", "invalid_type")])
def test_a_wrong_type_in_a_form_is_refused_by_name(value: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_form_fields(read_form(form(n=value), TYPE), KINDS)
    assert (caught.value.param, caught.value.code) == ("n", code)


def test_an_empty_number_is_none() -> None:
    assert bytes(read_form_fields(read_form(form(n=""), TYPE), KINDS)["n"]) == b"null"


def test_a_field_that_is_there_twice_is_refused() -> None:
    twice = form(n="1").removesuffix(b"--b--\r\n") + form(n="2")
    with pytest.raises(BadRequest) as caught:
        read_form_fields(read_form(twice, TYPE), KINDS)
    assert caught.value.param == "n"


def test_a_body_goes_on_with_the_upstreams_name_for_the_model() -> None:
    assert patch_media(call(b'{"model":"m", "a":1}'), "org/m") == b'{"model":"org/m", "a":1}'
    body = form(model="m", file=("a.wav", b"\0"))
    assert patch_media(call(body, TYPE), "m") is body
    assert patch_media(call(body, TYPE), "org/m") == form(model="org/m", file=("a.wav", b"\0"))


def test_a_form_cannot_say_where_its_request_goes() -> None:
    body = form(model="m", api_base="https://else.example", a="1")
    assert patch_media(call(body, TYPE), "m") == form(model="m", a="1")


def test_a_whole_answer_is_read_and_its_bytes_are_kept() -> None:
    body = b'{"text":"a","more":1}'
    whole, raw = read_answer(WHOLE, body)
    assert (whole.text, raw is body) == ("a", True)


@pytest.mark.parametrize(
    ("body", "raw"),
    [(b'{"text":"\xff"}', '{"text":"\ufffd"}'.encode()), (b'{"text":"\\ud800"}', b'{"text":"\\ufffd"}')],
)
def test_bad_text_is_repaired(body: bytes, raw: bytes) -> None:
    assert read_answer(WHOLE, body)[1] == raw


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        (b"<html>", UpstreamInvalid, "the answer is not a JSON object"),
        (b'{"txt":"a"}', UpstreamInvalid, "the answer lacks what it must have"),
        (b'{"error":{"message":"x","code":429}}', RateLimited, "429 x"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, kind: type[DragomanError], detail: str) -> None:
    with pytest.raises(kind) as caught:
        read_answer(WHOLE, body)
    assert caught.value.detail == detail


def test_fields_without_a_word_of_the_hub_ride_along() -> None:
    fields = read_fields(b'{"model":"m","odd":1,"api_base":"x"}')
    assert list(extra_fields(fields, frozenset({"model"}))) == ["odd"]


def test_what_an_endpoint_does_not_have_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        no_json(b"{}", Limits())
    with pytest.raises(BadRequest):
        no_stream(call(b"{}"))
    with pytest.raises(UpstreamInvalid):
        no_reader(ev.Start("", ""), 1)
    with pytest.raises(TaskNotServed):
        no_translation(Request("m", []), "up/m")
