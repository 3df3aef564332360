"""How Ollama's clients steer a model."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.errors import BadRequest
from dragoman.core.message import Format, Reasoning, Sampling
from dragoman.dialects.ollama.options import (
    MAX_INTEGER,
    given,
    read_format,
    read_options,
    read_reasoning,
    read_sampling,
    unknown_options,
)
from dragoman.wire.json import Fields, read_fields


def sampling(options: bytes, stops: int = 4) -> Sampling:
    fields = read_fields(b'{"options":%b}' % options)
    return read_sampling(fields, read_options(fields), stops)


def fields_of(name: str, value: bytes) -> Fields:
    return read_fields(b'{"%b":%b}' % (name.encode(), value))


def test_what_is_null_is_not_given() -> None:
    fields = read_fields(b'{"a":null,"b":0}')
    assert (given(fields, "a"), given(fields, "b"), given(fields, "c")) == (None, Raw(b"0"), None)


def test_options_are_read_in_the_hubs_words() -> None:
    assert sampling(
        b'{"temperature":0.2,"top_p":1,"top_k":5,"min_p":0.05,"num_predict":64,"stop":["a","b"],"seed":7,'
        b'"presence_penalty":0.5,"frequency_penalty":-0.5,"repeat_penalty":1.1}'
    ) == Sampling(
        temperature=0.2,
        top_p=1.0,
        top_k=5,
        min_p=0.05,
        max_tokens=64,
        stop=["a", "b"],
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        repeat_penalty=1.1,
    )


@pytest.mark.parametrize("options", [b"null", b"{}", b'{"temperature":null,"top_k":null,"stop":null,"seed":null}'])
def test_nothing_given_is_nothing_asked(options: bytes) -> None:
    assert sampling(options) == Sampling()


def test_sentinels_mean_nothing_is_asked() -> None:
    assert sampling(b'{"top_k":-1,"num_predict":-1,"seed":-1}') == Sampling()
    assert sampling(b'{"top_k":0,"num_predict":-2,"seed":0}') == Sampling(seed=0)


def test_numbers_may_be_written_as_one_likes() -> None:
    assert sampling(b'{"temperature":"0.7","num_predict":64.0,"top_k":"40","seed":1e3,"stop":"END"}') == Sampling(
        temperature=0.7, max_tokens=64, top_k=40, seed=1000, stop=["END"]
    )


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("temperature", b'"hot"', "float32"),
        ("temperature", b"true", "float32"),
        ("temperature", b'"nan"', "float32"),
        ("top_p", b"1" + b"0" * 307 + b"00", "float32"),
        ("min_p", b"[]", "float32"),
        ("num_predict", b"1.5", "integer"),
        ("num_predict", b'"1.5"', "integer"),
        ("num_predict", b"{}", "integer"),
        ("seed", b"%d" % (MAX_INTEGER + 1), "integer"),
        ("seed", b"false", "integer"),
        ("stop", b"[1]", "array"),
        ("stop", b"7", "array"),
    ],
)
def test_an_option_of_the_wrong_type_is_named(name: str, value: bytes, kind: str) -> None:
    with pytest.raises(BadRequest) as caught:
        sampling(b'{"%b":%b}' % (name.encode(), value))
    assert caught.value.message == f'option "{name}" must be of type {kind}'
    assert caught.value.param == f"options.{name}"


def test_options_must_be_an_object_and_stops_few() -> None:
    with pytest.raises(BadRequest, match="invalid type for 'options'"):
        sampling(b"[]")
    assert sampling(b'{"stop":["a","b"]}', stops=2).stop == ["a", "b"]
    with pytest.raises(BadRequest, match="more than 2 entries"):
        sampling(b'{"stop":["a","b","c"]}', stops=2)


def test_options_without_a_word_ride_along_under_their_path() -> None:
    options = read_options(read_fields(b'{"options":{"num_ctx":8192,"top_k":1,"numa":null,"x":{"y":1}}}'))
    assert unknown_options(options) == {"options.num_ctx": Raw(b"8192"), "options.x": Raw(b'{"y":1}')}


@pytest.mark.parametrize(
    ("value", "effort"),
    [
        (b"true", "medium"), (b"false", "none"), (b'"low"', "low"), (b'"medium"', "medium"), (b'"high"', "high"),
        (b'"max"', "max"), (b"null", None),
    ],
)  # fmt: skip
def test_thinking_is_an_effort(value: bytes, effort: str | None) -> None:
    assert read_reasoning(fields_of("think", value)) == Reasoning(effort)
    assert read_reasoning({}) == Reasoning()


@pytest.mark.parametrize("value", [b'"a lot"', b'""', b"1", b"[]"])
def test_thinking_in_any_other_measure_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read_reasoning(fields_of("think", value))
    words = 'must be "low", "medium", "high", "max", true, or false'
    assert caught.value.message == f"invalid think value: {value.decode()} ({words})"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"null", Format()),
        (b'""', Format()),
        (b'"json"', Format("json")),
        (b'{"type":"object"}', Format("schema", "response", schema=Raw(b'{"type":"object"}'))),
    ],
)
def test_the_form_of_the_answer(value: bytes, form: Format) -> None:
    assert read_format(fields_of("format", value)) == form
    assert read_format({}) == Format()


@pytest.mark.parametrize("value", [b'"xml"', b"7", b"[]", b"true"])
def test_another_form_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read_format(fields_of("format", value))
    assert caught.value.message == f'invalid format: {value.decode()}; expected "json" or a valid JSON Schema object'


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (b'"logprobs":true', 0),
        (b'"logprobs":true,"top_logprobs":20', 20),
        (b'"logprobs":false,"top_logprobs":2', None),
        (b'"top_logprobs":2', None),
        (b'"logprobs":null', None),
    ],
)
def test_likelihoods_are_told_when_asked_for(members: bytes, told: int | None) -> None:
    assert read_sampling(read_fields(b"{%b}" % members), {}, 4).logprobs == told


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (b'"top_logprobs":21', "top_logprobs must be between 0 and 20"),
        (b'"top_logprobs":-1', "top_logprobs must be between 0 and 20"),
        (b'"logprobs":1', "expected a boolean 'logprobs'"),
        (b'"logprobs":true,"top_logprobs":"2"', "an integer 'top_logprobs'"),
    ],
)
def test_likelihoods_asked_for_in_a_wrong_way_are_refused(members: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        read_sampling(read_fields(b"{%b}" % members), {}, 4)


def test_an_integer_is_what_an_upstream_can_be_sent() -> None:
    msgspec.json.encode(sampling(b'{"seed":%d,"num_predict":%d}' % (-MAX_INTEGER, MAX_INTEGER)))
