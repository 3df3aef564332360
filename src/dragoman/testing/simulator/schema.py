"""JSON Schema as far as filling in a form needs it: follow references, merge what must hold together, tell types.

Not understood, and so left to luck: ``not``, ``if``, ``dependentSchemas``, ``patternProperties``, ``unevaluated…``,
references to other documents and anchors.
"""

from __future__ import annotations

from math import inf
from typing import TypeAlias
from urllib.parse import unquote

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any JSON value."""
Node = dict[str, Json]
"""A schema that is an object."""
Path = tuple[str, ...]
"""The references that are being followed."""

_KEYWORDS = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_TIGHTER_UP = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_TIGHTER_DOWN = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_DEEPEST = 24
"""References that are followed one inside the other before a value is given up."""


class Schemas:
    """The schemas of one document."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._heights: dict[str, float] = {}
        """The heights known of what is referred to."""

    def plain(self, schema: Json, path: Path = ()) -> tuple[Node, Path]:
        """Return `schema` without ``$ref`` and ``allOf``, one branch of every choice merged in, and the path to it."""
        if not isinstance(schema, dict):
            return ({"not": {}} if schema is False else {}), path
        node = dict(schema)
        while isinstance(target := node.pop("$ref", None), str):
            if len(path) > _DEEPEST:
                return {"not": {}}, path
            path = (*path, target)
            found = self._find(target)
            node = merge(found if isinstance(found, dict) else {}, node)
        for part in _list(node.pop("allOf", None)):
            held, path = self.plain(part, path)
            node = merge(node, held)
        for name in ("anyOf", "oneOf"):
            if branches := _list(node.pop(name, None)):
                held, path = self.plain(self._best(branches, node, path), path)
                node = merge(node, held)
        return node, path

    def recursive(self, schema: Json, path: Path) -> bool:
        """Tell whether `schema` is, or is nothing but a list or a choice of, what `path` is already inside of."""
        if not isinstance(schema, dict):
            return False
        target = schema.get("$ref")
        if isinstance(target, str) and target in path:
            return True
        branches = [branch for name in ("anyOf", "oneOf") for branch in _list(schema.get(name)) if not is_null(branch)]
        if branches and all(self.recursive(branch, path) for branch in branches):
            return True
        return any(self.recursive(schema[name], path) for name in ("items", "additionalProperties") if name in schema)

    def _best(self, branches: list[Json], base: Node, path: Path) -> Json:
        """The first branch that says something and does not lead back to where we are; in a circle the way out."""
        fitting = [branch for branch in branches if _agree(base, branch)] or branches
        onward = [branch for branch in fitting if not self.recursive(branch, path)]
        said = [branch for branch in onward if not is_null(branch)]
        if said and len(set(path)) == len(path):
            return said[0]
        return min(onward or fitting, key=lambda branch: self._height(branch, ()))

    def _height(self, schema: Json, path: Path) -> float:
        """How deep the flattest value of `schema` is, as far as the required goes; infinite when it never ends."""
        if not isinstance(schema, dict):
            return 0
        target = schema.get("$ref")
        if isinstance(target, str):
            return self._height_at(target, path)
        if branches := [*_list(schema.get("anyOf")), *_list(schema.get("oneOf"))]:
            return min(self._height(branch, path) for branch in branches)
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        needed = [known.get(name) for name in strings(schema.get("required"))]
        return 1 + max((self._height(part, path) for part in needed), default=0)

    def _height_at(self, target: str, path: Path) -> float:
        if target not in self._heights:
            if target in path or len(path) > _DEEPEST:
                return inf
            height = self._height(self._find(target), (*path, target))
            if height == inf:
                return inf
            self._heights[target] = height
        return self._heights[target]

    def _find(self, target: str) -> Json:
        """Follow a JSON pointer inside the document; what is not there says nothing."""
        at = self._root
        for step in target.removeprefix("#").split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict):
                at = at.get(name, {})
            elif isinstance(at, list) and name.isdigit() and int(name) < len(at):
                at = at[int(name)]
        return at if target.startswith("#") else {}


def merge(one: Node, other: Node) -> Node:
    """Return what holds when both hold; where they only differ, `other` wins."""
    node = one | other
    for name in one.keys() & other.keys():
        left, right = one[name], other[name]
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            node[name] = _merge_members(left, right) if name == "properties" else merge(left, right)
        elif name == "required":
            node[name] = list(dict.fromkeys([*strings(left), *strings(right)]))
        elif name in ("type", "enum"):
            node[name] = _common(left, right)
        elif isinstance(left, int | float) and isinstance(right, int | float):
            node[name] = _tighter(name, left, right)
    return node


def kind_of(node: Node) -> str:
    """Return the type of a plain schema's value: the first that is not null, or the one its keywords speak of."""
    kinds = [kind for kind in strings(node.get("type")) if kind != "null"]
    if kinds:
        return kinds[0]
    if "type" in node:
        return "null"
    return next((kind for kind, names in _KEYWORDS.items() if any(name in node for name in names)), "string")


def is_null(schema: Json) -> bool:
    """Tell whether `schema` allows null only."""
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("enum") == [None])


def strings(value: Json) -> list[str]:
    """Return a string, or the strings of a list, as a list."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _agree(base: Node, branch: Json) -> bool:
    """Tell whether a branch can hold together with `base`, judged by types alone."""
    if not isinstance(branch, dict) or "type" not in base or "type" not in branch:
        return branch is not False
    return bool(set(strings(base["type"])) & set(strings(branch["type"])))


def _merge_members(left: Node, right: Node) -> Node:
    members = left | right
    for name in left.keys() & right.keys():
        members[name] = {"allOf": [left[name], right[name]]}
    return members


def _common(left: Json, right: Json) -> Json:
    ours = left if isinstance(left, list) else [left]
    theirs = right if isinstance(right, list) else [right]
    both = [item for item in ours if item in theirs]
    if not both and "integer" in [*ours, *theirs] and "number" in [*ours, *theirs]:
        return "integer"
    return both or right


def _tighter(name: str, left: float, right: float) -> Json:
    if name in _TIGHTER_UP:
        return max(left, right)
    return min(left, right) if name in _TIGHTER_DOWN else right


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
