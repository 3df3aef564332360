"""The list of models, against OpenAI's own schema."""

from __future__ import annotations

from dragoman.dialects.openai_models import Model, write_model, write_models
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
