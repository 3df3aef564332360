"""JSON Schemas without references."""

import msgspec
import pytest
from msgspec import UNSET, Raw

from dragoman.dialects.poe_bot.inline import MAX_NODES, inline_schema

CITY = {"type": "string"}


def inlined(schema: object) -> object:
    return inline_schema(Raw(msgspec.json.encode(schema)))


def test_what_bots_insist_on_is_there_always() -> None:
    nothing: dict[str, object] = {"type": "object", "properties": {}}
    assert inline_schema(UNSET) == nothing
    assert inlined(None) == nothing
    assert inlined({"additionalProperties": False}) == {**nothing, "additionalProperties": False}


@pytest.mark.parametrize("place", ["$defs", "definitions"])
def test_a_reference_is_replaced_by_what_it_points_to(place: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": f"#/{place}/x~1y", "description": "d"},
            "b": {"type": "array", "items": [{"$ref": f"#/{place}/list"}, 5]},
        },
        place: {"x/y": CITY, "list": {"items": {"$ref": f"#/{place}/x~1y"}}, "unused": {"$ref": "#/nowhere"}},
    }
    assert inlined(schema) == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "description": "d"},
            "b": {"type": "array", "items": [{"items": CITY}, 5]},
        },
    }


def test_what_a_reference_points_to_may_be_no_object() -> None:
    assert inlined({"properties": {"a": {"$ref": "#/$defs/any"}}, "$defs": {"any": True}}) == {
        "type": "object",
        "properties": {"a": True},
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#"}}},
        {"properties": {"a": {"$ref": "https://x.test/schema"}}},
        {"properties": {"a": {"$ref": "#/$defs/none"}}, "$defs": {}},
        {"properties": {"a": {"$ref": "#/$defs/a/b"}}, "$defs": {"a": 5}},
        {"properties": {"a": {"$ref": "#/$defs/tree"}}, "$defs": {"tree": {"items": {"$ref": "#/$defs/tree"}}}},
        {"properties": {str(number): True for number in range(MAX_NODES)}},
    ],
)
def test_what_cannot_be_replaced_stays_as_it_is(schema: dict[str, object]) -> None:
    assert inlined(schema) == {"type": "object", **schema}


def test_definitions_that_double_each_other_do_not_grow_without_end() -> None:
    defs: dict[str, object] = {
        f"d{number}": {"items": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(60)
    }
    schema = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**defs, "d60": CITY}}
    assert inlined(schema) == {"type": "object", **schema}


def test_a_property_may_be_called_like_a_reference() -> None:
    schema = {"properties": {"$ref": {"type": "string"}}}
    assert inlined(schema) == {"type": "object", **schema}
