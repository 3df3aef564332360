"""Values that schemas accept."""

from __future__ import annotations

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from dragoman.testing.simulator.fill import fill
from dragoman.testing.simulator.hints import Hints
from dragoman.testing.simulator.schema import Json

NODE: Json = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        "parent": {"$ref": "#/$defs/Node"},
    },
    "required": ["value", "next", "kids"],
    "additionalProperties": False,
}
EXPRESSION: Json = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"left": {"$ref": "#/$defs/E"}, "right": {"$ref": "#/$defs/E"}},
            "required": ["left", "right"],
        },
        {"type": "number"},
    ]
}
SCHEMAS: list[Json] = [
    True,
    {},
    {"foo": "bar"},
    {"type": "string"},
    {"type": "integer"},
    {"type": "number", "minimum": 0.2, "maximum": 0.3},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["null", "string"]},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    {"const": {"a": [1]}},
    {"type": "array", "items": {"type": "object", "minProperties": 1}, "minItems": 1, "uniqueItems": True},
    {"enum": [None, 3, "x"]},
    {"type": "string", "enum": [3, "x"]},
    {"type": "string", "minLength": 30},
    {"type": "string", "minLength": 3, "maxLength": 4},
    {"type": "string", "maxLength": 0},
    {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$", "minLength": 6},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "object", "additionalProperties": False, "properties": {"a": True}, "required": ["a"]},
    {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[a-z]{3}$"}},
    {"type": "object", "minProperties": 2, "propertyNames": {"type": "string", "minLength": 1}},
    {"type": "array"},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3},
    {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "null"}, "minItems": 4},
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "minItems": 4, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "contains": {"const": 7}, "minContains": 2},
    {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string", "format": "date"}, {"type": "integer"}]},
    {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"minLength": 9}}, "required": ["a"]}]},
    {"type": "object", "properties": {"kind": {"const": "x"}}, "oneOf": [{"required": ["kind"]}]},
    {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    {"type": "object", "properties": {"e": {"$ref": "#/$defs/E"}}, "$defs": {"E": EXPRESSION}, "required": ["e"]},
    {"type": "object", "additionalProperties": {"$ref": "#"}},
    {"type": "object", "properties": {"again": {"$ref": "#"}, "many": {"type": "array", "items": {"$ref": "#"}}}},
]
FORMATS = ["date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid", "json-pointer"]


def filled(schema: Json, asked: str = "") -> Json:
    value: Json = msgspec.json.decode(fill(Raw(msgspec.json.encode(schema)), Hints(asked)))
    return value


def check(schema: Json, value: Json) -> None:
    assert isinstance(schema, dict | bool)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


@pytest.mark.parametrize("asked", ["", "Call it with 3 and 'x' for Ada in Paris, or with 7.5 and 12 on 2026-05-17"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_value_is_valid(schema: Json, asked: str) -> None:
    check(schema, filled(schema, asked))


@pytest.mark.parametrize("form", FORMATS)
def test_formats_are_kept(form: str) -> None:
    schema: Json = {"type": "string", "format": form}
    check(schema, filled(schema))


LEAVES = st.sampled_from(
    [schema for schema in SCHEMAS if isinstance(schema, dict) and "$ref" not in str(schema) and "type" in schema]
)


def containers(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    members = st.dictionaries(st.sampled_from(["a", "name", "city", "input"]), inner, max_size=3)

    def make_object(properties: dict[str, Json]) -> Json:
        return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}

    def make_array(items: Json) -> Json:
        return {"type": "array", "items": items, "minItems": 2}

    def make_choice(branches: list[Json]) -> Json:
        return {"anyOf": [*branches]}

    return members.map(make_object) | inner.map(make_array) | st.lists(inner, min_size=1, max_size=3).map(make_choice)


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, containers, max_leaves=6), st.text(max_size=60))
def test_the_value_of_any_composed_schema_is_valid(schema: Json, asked: str) -> None:
    check(schema, filled(schema, asked))


def test_values_come_from_the_users_words() -> None:
    schema: Json = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "day": {"type": "string", "format": "date"},
            "numbers": {"type": "array", "items": {"type": "number"}},
        },
    }
    asked = "The weather in Oslo for 5 days from 2026-05-17 in Fahrenheit, and add 1, 2.5 and 3"
    assert filled(schema, asked) == {
        "city": "Oslo",
        "days": 5,
        "unit": "fahrenheit",
        "day": "2026-05-17",
        "numbers": [1, 2.5, 3],
    }


def test_a_number_that_is_not_allowed_is_not_taken() -> None:
    schema: Json = {"type": "array", "items": {"type": "integer", "maximum": 5}}
    assert filled(schema, "4 and 9 and 3") == [4]


def test_examples_and_defaults_are_used() -> None:
    assert filled({"type": "string", "examples": ["one"], "default": "two"}) == "one"
    assert filled({"type": "string", "default": "two"}) == "two"


def test_equal_items_that_cannot_differ_are_told_once() -> None:
    assert filled({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True}) == [True]


def test_optional_properties_are_filled_unless_they_lead_back() -> None:
    schema: Json = {"type": "object", "properties": {"a": {"type": "boolean"}, "again": {"$ref": "#"}}}
    assert filled({"$ref": "#/$defs/S", "$defs": {"S": schema}}) == {"a": True, "again": {"a": True}}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"$ref": "#"},
        {"$ref": "#/$defs/X", "$defs": {"X": {"required": ["x"], "properties": {"x": {"$ref": "#/$defs/X"}}}}},
        {"type": "array", "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "pattern": "(?=a)b"},
        {"type": 3, "enum": [], "properties": [], "required": "a", "minimum": "x", "allOf": {}, "prefixItems": 1},
    ],
    ids=str,
)
def test_an_impossible_schema_gives_some_json_nevertheless(schema: Json) -> None:
    filled(schema)


def test_a_schema_that_doubles_at_every_level_has_an_end() -> None:
    levels: dict[str, Json] = {
        f"L{level}": {"properties": {side: {"$ref": f"#/$defs/L{level + 1}"} for side in "lr"}} for level in range(20)
    }
    optional: Json = {"$ref": "#/$defs/L0", "$defs": {**levels}}
    filled(optional)
    for level in levels.values():
        assert isinstance(level, dict)
        level["required"] = ["l", "r"]
    filled(optional)
