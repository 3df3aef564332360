"""Make a JSON value that a JSON Schema accepts, with a user's own words and numbers where they fit.

What is understood of schemas and patterns, and what is not, is told in `schema` and `pattern`; of an impossible schema
comes some JSON value nevertheless.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.testing.simulator.hints import Hints
from dragoman.testing.simulator.number import number_for
from dragoman.testing.simulator.pattern import MAX_TEXT, match_text
from dragoman.testing.simulator.schema import Json, Node, Path, Schemas, kind_of, strings

_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/example",
    "iri": "https://example.com/",
    "uuid": "6f1c2d0a-93b4-4c1e-8a75-2b9d3e4f5a60",
    "json-pointer": "/example",
    "regex": "[a-z]+",
}
_SAMPLES = {
    "name": "Ada Lovelace",
    "city": "Paris",
    "country": "France",
    "location": "Paris",
    "title": "A short title",
    "email": "ada@example.com",
    "url": "https://example.com/",
    "phone": "+33 1 23 45 67 89",
    "date": "2026-01-15",
    "time": "09:30",
    "color": "blue",
    "currency": "EUR",
    "language": "en",
    "id": "a1",
    "code": "print('hello')",
    "setup": "Why did the cat sit on the computer?",
    "punchline": "To keep an eye on the mouse.",
}
"""What fields by such a name usually hold."""
_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_MANY = 500
"""Values after which only what is required is filled in."""
_MOST = 20_000
"""Values after which no more are made: the schema has no end."""
_ITEMS = 1000
"""Longest list made, whatever a schema asks for."""


def fill(schema: Raw, hints: Hints) -> str:
    """Return the JSON text of a value that `schema` accepts; hints are used up in the order of its fields."""
    root: Json = msgspec.json.decode(schema)
    return msgspec.json.encode(_Filler(root, hints).value(root, "", ())).decode()


class _Filler:
    """Fills in one form."""

    def __init__(self, root: Json, hints: Hints) -> None:
        self._schemas = Schemas(root)
        self._hints = hints
        self._made = 0

    def value(self, schema: Json, name: str, path: Path) -> Json:
        """Return a value for field `name`; `path` are the references that led here."""
        self._made += 1
        node, path = self._schemas.plain(schema, path)
        if self._made > _MOST or node.get("not") == {}:
            return None
        if "const" in node:
            return node["const"]
        if isinstance(choices := node.get("enum"), list) and choices:
            return self._choose(choices, node)
        match kind_of(node):
            case "object":
                return self._object(node, path)
            case "array":
                return self._array(node, name, path)
            case "integer" | "number" as kind:
                return number_for(node, self._hints.number(whole=kind == "integer"), whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(node, name)

    def _choose(self, choices: list[Json], node: Node) -> Json:
        """The choice the user mentions, else the first that is not null."""
        kinds = strings(node.get("type"))
        fitting = [choice for choice in choices if not kinds or _KINDS.get(type(choice), "null") in kinds] or choices
        mentioned = self._hints.mentioned(strings(fitting))
        return mentioned or next((choice for choice in fitting if choice is not None), None)

    def _object(self, node: Node, path: Path) -> Json:
        known = node.get("properties")
        properties: Node = known if isinstance(known, dict) else {}
        required = strings(node.get("required"))
        filled: Node = {}
        for name, schema in properties.items():
            if name in required or not self._skips(schema, path):
                filled[name] = self.value(schema, name, path)
        more = node.get("additionalProperties", {})
        for name in required:
            if name not in filled:
                filled[name] = self.value(more, name, path)
        least = _size(node, "minProperties", 1 if isinstance(more, dict) and more and not properties else 0)
        if not self._schemas.recursive(more, path):
            for number in range(len(filled), least):
                filled[self._key(node, number + 1, path)] = self.value(more, "", path)
        return filled

    def _key(self, node: Node, number: int, path: Path) -> str:
        if "propertyNames" not in node:
            return f"key_{number}"
        key = self.value(node["propertyNames"], f"key_{number}", path)
        return key if isinstance(key, str) else f"key_{number}"

    def _array(self, node: Node, name: str, path: Path) -> Json:
        listed = node.get("prefixItems")
        filled = [self.value(schema, name, path) for schema in (listed if isinstance(listed, list) else [])]
        rest = node.get("items", {})
        most = _size(node, "maxItems", _ITEMS)
        if "contains" in node and not filled:
            filled += [self.value(node["contains"], name, path) for _ in range(_size(node, "minContains", 1))]
        least = max(_size(node, "minItems", 0), 0 if filled or self._skips(rest, path) else 1)
        if rest is False:
            least = 0
        for _ in range(len(filled), min(least, most, _ITEMS)):
            filled.append(self.value(rest, name, path))
        filled += self._rest_of_numbers(rest, most - len(filled), path)
        return self._distinct(filled, rest, path) if node.get("uniqueItems") is True else filled[:most]

    def _rest_of_numbers(self, schema: Json, room: int, path: Path) -> list[Json]:
        """A list of numbers takes all the user told."""
        node, _ = self._schemas.plain(schema, path)
        kind = kind_of(node) if isinstance(schema, dict) else ""
        numbers: list[Json] = []
        while kind in ("integer", "number") and len(numbers) < room:
            told = self._hints.number(whole=kind == "integer")
            if told is None or number_for(node, told, whole=kind == "integer") != told:
                break
            numbers.append(told)
        return numbers

    def _string(self, node: Node, name: str) -> str:
        least = min(_size(node, "minLength", 0), MAX_TEXT)
        most = _size(node, "maxLength", MAX_TEXT)
        pattern, form = node.get("pattern"), node.get("format")
        if isinstance(pattern, str):
            text = match_text(pattern, least)
            if text is not None:
                return text
        if isinstance(form, str) and form in _FORMATS:
            return self._hints.formatted(form) or _FORMATS[form]
        text = self._hints.string(name) or _sample(node, name)
        while len(text) < least:
            text += " and more" if text else "more"
        return text[: max(most, 0)]

    def _distinct(self, values: list[Json], schema: Json, path: Path) -> list[Json]:
        """Make equal items differ where that is easy: other choices, the next numbers, numbered texts."""
        choices = self._schemas.plain(schema, path)[0].get("enum")
        seen: list[Json] = []
        for value in values:
            if value in seen and isinstance(choices, list):
                value = next((choice for choice in choices if choice not in seen), value)
            elif value in seen and isinstance(value, int) and not isinstance(value, bool):
                value = max(item for item in seen if isinstance(item, int)) + 1
            elif value in seen and isinstance(value, str):
                value = f"{value} {len(seen) + 1}"
            if value not in seen:
                seen.append(value)
        return seen

    def _skips(self, schema: Json, path: Path) -> bool:
        return schema is False or self._made > _MANY or self._schemas.recursive(schema, path)


def _sample(node: Node, name: str) -> str:
    """What the schema gives as an example, else something that suits the name."""
    examples = node.get("examples")
    given = strings([*(examples if isinstance(examples, list) else []), node.get("default")])
    if given:
        return given[0]
    words = name.replace("_", " ").replace("-", " ").strip()
    return _SAMPLES.get(words.lower()) or _SAMPLES.get(words.lower().split(" ")[-1]) or f"some {words or 'text'}"


def _size(node: Node, name: str, default: int) -> int:
    value = node.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else default
