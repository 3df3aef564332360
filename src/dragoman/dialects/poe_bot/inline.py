"""JSON Schemas without references: bots drop the definitions that a reference points to.

Source: what fastapi_poe 0.0.83 keeps of the parameters of a tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeGuard

import msgspec
from msgspec import Raw, UnsetType

MAX_NODES = 10_000
"""Members and items of a schema whose references are put in their places."""
_DEFINITIONS = ("$defs", "definitions")
_schema = msgspec.json.Decoder(dict[str, object])


class _Endless(Exception):
    """A definition holds itself, or the whole grows too large."""


def inline_schema(parameters: Raw | UnsetType) -> Mapping[str, object]:
    """Return the schema of a tool's arguments with every local reference replaced by what it points to.

    One that refers to itself stays as it is. `type` and `properties` are there always, for bots insist on them.
    """
    schema: dict[str, object] = {} if isinstance(parameters, UnsetType) else _read(parameters)
    with suppress(_Endless):  # told as the client said it: some bots read references
        schema = _Inliner(schema).whole()
    return {"type": "object", "properties": {}, **schema}


def _read(parameters: Raw) -> dict[str, object]:
    try:
        return _schema.decode(parameters)
    except msgspec.DecodeError:
        return {}  # null: no arguments


class _Inliner:
    """Follows the references of one schema."""

    def __init__(self, schema: dict[str, object]) -> None:
        self._schema = schema
        self._open: list[str] = []
        self._nodes = 0

    def whole(self) -> dict[str, object]:
        """Return the schema without references and definitions; raises `_Endless`."""
        return {name: self._walk(value) for name, value in self._schema.items() if name not in _DEFINITIONS}

    def _walk(self, node: object) -> object:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _Endless
        if _is_object(node):
            reference = node.get("$ref")
            if isinstance(reference, str):
                return self._follow(reference, node)
            return {name: self._walk(value) for name, value in node.items()}
        return [self._walk(value) for value in node] if _is_list(node) else node

    def _follow(self, reference: str, node: Mapping[str, object]) -> object:
        """Return what a reference points to, with what else is said beside it."""
        if reference in self._open:
            raise _Endless
        self._open.append(reference)
        found = self._walk(self._find(reference))
        self._open.pop()
        beside = {name: self._walk(value) for name, value in node.items() if name != "$ref"}
        return {**found, **beside} if _is_object(found) else found

    def _find(self, reference: str) -> object:
        """Return what a reference points to; raises `_Endless` for one that points elsewhere."""
        node: object = self._schema
        if not reference.startswith("#/"):
            raise _Endless
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not _is_object(node) or name not in node:
                raise _Endless
            node = node[name]
        return node


def _is_object(node: object) -> TypeGuard[dict[str, object]]:
    return isinstance(node, dict)


def _is_list(node: object) -> TypeGuard[list[object]]:
    return isinstance(node, list)
