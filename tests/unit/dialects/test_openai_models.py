"""The list of models, against OpenAI's own schema."""

from __future__ import annotations

import pytest

from dragoman.core.capabilities import Capabilities, Entry, Prices
from dragoman.dialects.openai_models import Model, show_model, write_model, write_models
from tests.schema import mismatches


def test_a_model_has_every_field_of_the_newer_and_the_older_api() -> None:
    body = write_model(Model("poe/GPT-5-mini", created=1_763_683_200, owned_by="poe", root="poe/GPT-5-mini"))
    assert body == (
        b'{"id":"poe/GPT-5-mini","object":"model","created":1763683200,"owned_by":"poe",'
        b'"permission":[],"root":"poe/GPT-5-mini","parent":null}'
    )
    assert mismatches("Model", body) == []


def test_what_is_not_known_of_a_model_is_written_empty() -> None:
    assert write_model(Model("m")) == (
        b'{"id":"m","object":"model","created":0,"owned_by":"","permission":[],"root":"","parent":null}'
    )


def test_models_keep_their_order_in_the_list() -> None:
    body = write_models((Model("b", owned_by="lab"), Model("a")))
    assert body.startswith(b'{"data":[{"id":"b",')
    assert body.index(b'"id":"b"') < body.index(b'"id":"a"')
    assert body.endswith(b'],"object":"list"}')
    assert mismatches("ListModelsResponse", body) == []


def test_a_list_without_models_is_a_list() -> None:
    assert write_models([]) == b'{"data":[],"object":"list"}'


def show(can: Capabilities, name: str = "") -> bytes:
    """Return what is told of a model beside the fields that every model has."""
    body = write_model(show_model(Entry("m", "lab", 7, can, name)))
    assert mismatches("Model", body) == []
    return body.partition(b'"parent":null')[2]


def test_of_a_model_of_which_nobody_knows_anything_nothing_more_is_told() -> None:
    assert write_model(show_model(Entry("m", "lab", 7))) == (
        b'{"id":"m","object":"model","created":7,"owned_by":"lab","permission":[],"root":"m","parent":null}'
    )


def test_what_is_known_of_a_model_is_told_beside_it() -> None:
    prices = Prices(input=2_600_000, output=13_000_000, cached=260_000, cache_write=0, request=3_900)
    gives = frozenset({"text", "image"})
    can = Capabilities(True, True, True, True, True, gives, context=983_040, output=128_000, prices=prices)
    assert show(can, "Big One") == (
        b',"name":"Big One","context_length":983040,"max_output_tokens":128000,"architecture":'
        b'{"input_modalities":["text","image","audio"],"output_modalities":["image","text"]},"pricing":'
        b'{"prompt":"0.0000026","completion":"0.000013","input_cache_read":"0.00000026","input_cache_write":"0",'
        b'"request":"0.0039"},"supported_parameters":["tools","tool_choice","response_format","structured_outputs",'
        b'"reasoning","reasoning_effort"]}'
    )


@pytest.mark.parametrize(
    ("can", "told"),
    [
        (Capabilities(vision=False), b',"architecture":{"input_modalities":["text"]}}'),
        (Capabilities(gives=frozenset({"video"})), b',"architecture":{"output_modalities":["video"]}}'),
        (Capabilities(audio=False), b"}"),
        (Capabilities(tools=False, thinking=False), b',"supported_parameters":[]}'),
        (Capabilities(tools=True, json_schema=False), b',"supported_parameters":["tools","tool_choice"]}'),
        (Capabilities(thinking=True, json_schema=True), b"}"),
        (Capabilities(prices=Prices(output=1)), b',"pricing":{"completion":"0.000000000001"}}'),
    ],
)
def test_only_what_is_known_is_told(can: Capabilities, told: bytes) -> None:
    assert show(can) == told
