"""Checks JSON against OpenAI's published schema: strictly what we write, never what a client or an upstream sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NoReturn

import jsonschema_rs
import msgspec

BUNDLE = Path(__file__).parent / "data" / "openai-schemas.json"


def mismatches(definition: str, data: bytes) -> list[str]:
    """Return what in the JSON text `data` is not as the schema's `definition` has it; nothing when it fits."""
    instance: object = msgspec.json.decode(data)
    return [f"{list(error.instance_path)}: {error.message}" for error in _validator(definition).iter_errors(instance)]


def properties(definition: str) -> set[str]:
    """Return the names of all members that an object after the schema's `definition` may have."""
    return _members(msgspec.json.decode(_definitions()[definition], type=_Object))


class _Object(msgspec.Struct):
    """What of a definition tells its members."""

    properties: dict[str, msgspec.Raw] = {}
    all_of: list[_Object] = msgspec.field(name="allOf", default_factory=list["_Object"])
    ref: str = msgspec.field(name="$ref", default="")


class _Bundle(msgspec.Struct):
    definitions: dict[str, msgspec.Raw] = msgspec.field(name="$defs")


@cache
def _definitions() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(BUNDLE.read_bytes(), type=_Bundle).definitions


def _members(said: _Object) -> set[str]:
    if said.ref:
        return properties(said.ref.rpartition("/")[2])
    return said.properties.keys() | {name for part in said.all_of for name in _members(part)}


@cache
def _validator(definition: str) -> jsonschema_rs.Validator:
    schema = msgspec.json.decode(BUNDLE.read_bytes(), type=dict[str, object])
    return jsonschema_rs.validator_for({**schema, "$ref": f"#/$defs/{definition}"}, retriever=_refuse)


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri}: a test fetches nothing")
