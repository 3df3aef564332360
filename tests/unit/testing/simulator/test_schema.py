"""Schemas made plain."""

from __future__ import annotations

import pytest

from dragoman.testing.simulator.schema import Json, Node, Schemas, is_null, kind_of, merge, strings


def test_references_are_followed_and_what_stands_beside_them_is_kept() -> None:
    root: Json = {"$defs": {"a/b": {"type": "string", "minLength": 2}, "l": [{"type": "null"}]}}
    schemas = Schemas(root)
    assert schemas.plain({"$ref": "#/$defs/a~1b", "minLength": 5}) == (
        {"type": "string", "minLength": 5},
        ("#/$defs/a~1b",),
    )
    assert schemas.plain({"$ref": "#/$defs/l/0"})[0] == {"type": "null"}


@pytest.mark.parametrize("target", ["#/nowhere", "https://example.com/schema", "#/$defs/l/7"])
def test_a_reference_to_nothing_says_nothing(target: str) -> None:
    assert Schemas({"$defs": {"l": []}}).plain({"$ref": target})[0] == {}


def test_a_reference_to_itself_has_no_value() -> None:
    assert Schemas({"$ref": "#"}).plain({"$ref": "#"})[0] == {"not": {}}


def test_true_allows_anything_and_false_nothing() -> None:
    assert Schemas(True).plain(True)[0] == {}
    assert Schemas(False).plain(False)[0] == {"not": {}}


def test_all_of_holds_together() -> None:
    schema: Json = {"allOf": [{"required": ["a"], "minimum": 1}, {"required": ["b"], "minimum": 3, "maximum": 9}]}
    assert Schemas(schema).plain(schema)[0] == {"required": ["a", "b"], "minimum": 3, "maximum": 9}


def test_the_first_choice_that_is_not_null_and_agrees_is_taken() -> None:
    schema: Json = {
        "type": "string",
        "anyOf": [{"type": "null"}, {"type": "integer"}, {"type": "string", "format": "date"}],
    }
    assert Schemas(schema).plain(schema)[0] == {"type": "string", "format": "date"}
    only_null: Json = {"oneOf": [{"type": "null"}]}
    assert Schemas(only_null).plain(only_null)[0] == {"type": "null"}


def test_a_choice_does_not_lead_back() -> None:
    root: Json = {"$defs": {"E": {"anyOf": [{"$ref": "#/$defs/E"}, {"type": "number"}]}}}
    assert Schemas(root).plain({"$ref": "#/$defs/E"})[0] == {"type": "number"}


def test_where_all_choices_lead_back_the_flattest_is_taken() -> None:
    deep: Json = {"type": "object", "required": ["x"], "properties": {"x": {"$ref": "#/$defs/D"}}}
    flat: Json = {"type": "object", "required": ["y"], "properties": {"y": {"type": "null"}}}
    root: Json = {"$defs": {"D": deep, "F": flat, "E": {"anyOf": [{"$ref": "#/$defs/D"}, {"$ref": "#/$defs/F"}]}}}
    schemas = Schemas(root)
    schema, _ = schemas.plain({"anyOf": [{"$ref": "#/$defs/D"}, {"$ref": "#/$defs/F"}]}, ("#/$defs/D", "#/$defs/F"))
    assert schema == flat


def test_in_a_circle_anything_goes_before_another_round() -> None:
    root: Json = {"$defs": {"E": {"anyOf": [{"required": ["e"], "properties": {"e": {"$ref": "#/$defs/E"}}}, True]}}}
    assert Schemas(root).plain({"$ref": "#/$defs/E"}, ("#/$defs/E",))[0] == {}


@pytest.mark.parametrize(
    ("schema", "recursive"),
    [
        ({"$ref": "#/a"}, True),
        ({"$ref": "#/b"}, False),
        ({"type": "array", "items": {"$ref": "#/a"}}, True),
        ({"additionalProperties": {"$ref": "#/a"}}, True),
        ({"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}, True),
        ({"anyOf": [{"$ref": "#/a"}, {"type": "string"}]}, False),
        (True, False),
    ],
)
def test_what_leads_back_is_recursive(schema: Json, *, recursive: bool) -> None:
    assert Schemas({}).recursive(schema, ("#/a",)) is recursive


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"type": "number"}, {"type": "integer"}, {"type": "integer"}),
        ({"type": ["string", "null"]}, {"type": "string"}, {"type": ["string"]}),
        ({"type": "string"}, {"type": "string"}, {"type": "string"}),
        ({"enum": [1, 2]}, {"enum": [2, 3]}, {"enum": [2]}),
        ({"maximum": 1}, {"maximum": 2}, {"maximum": 1}),
        ({"multipleOf": 2}, {"multipleOf": 3}, {"multipleOf": 3}),
        ({"format": "date"}, {"format": "time"}, {"format": "time"}),
        ({"items": {"minimum": 1}}, {"items": {"minimum": 2}}, {"items": {"minimum": 2}}),
        (
            {"properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"minLength": 1}}},
            {"properties": {"a": {"allOf": [{"type": "string"}, {"minLength": 1}]}}},
        ),
    ],
)
def test_two_schemas_become_one(one: Node, other: Node, both: Node) -> None:
    assert merge(one, other) == both


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ({}, "string"),
        ({"type": "null"}, "null"),
        ({"type": ["null", "boolean"]}, "boolean"),
        ({"properties": {}}, "object"),
        ({"items": {}}, "array"),
        ({"maximum": 3}, "number"),
        ({"pattern": "a"}, "string"),
    ],
)
def test_the_type_is_told_or_guessed(node: Node, kind: str) -> None:
    assert kind_of(node) == kind


def test_null_alone_is_null() -> None:
    assert is_null({"type": "null"})
    assert is_null({"enum": [None]})
    assert not is_null({"type": ["null", "string"]})
    assert not is_null(None)


def test_strings_of_anything() -> None:
    assert strings("a") == ["a"]
    assert strings(["a", 1, "b"]) == ["a", "b"]
    assert strings(None) == []
