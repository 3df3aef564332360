"""What is written as TOML is read as the same document."""

import tomllib

import pytest

from dragoman.config.check import Table
from dragoman.config.write import write_toml


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": {}},
        {"a": {"b": {}}},
        {"a": {"b": {"c": 1}, "d": 2}},
        {"server": {"port": 8484, "key_in_path": True, "timeout": {"head": 0.5}}},
        {"models": {"gpt-4.1": "poe/x", "a b": ["x", "y"], "": 'quote " and \\ and \n and \x7f and é'}},
        {"models": {"]": "#", "[x]": "'", "=": "= 1"}},
        {"n": {"big": 10**12, "small": -0.25, "list": [1, 2]}},
    ],
)
def test_a_document_survives(document: Table) -> None:
    assert tomllib.loads(write_toml(document)) == document


def test_tables_are_apart_and_in_their_order() -> None:
    assert write_toml({"b": {"x": 1, "y": {"z": "w"}}, "a": {}}) == '[b]\nx = 1\n\n[b.y]\nz = "w"\n\n[a]\n'


@pytest.mark.parametrize("value", [None, object(), b"x"])
def test_what_toml_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=f"cannot write {type(value).__name__}"):
        write_toml({"a": {"b": value}})
