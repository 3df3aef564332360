"""One value of a JSON answer with the way to it, so that whatever is wrong with it is told by its path."""

from __future__ import annotations

from typing import NoReturn, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from dragoman.testing.conform.verdict import Mismatch

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any JSON value."""
_SHOWN = 100
"""Characters of a wrong value that are told."""


class Field:
    """A value, which may be absent; each method says what should be there, and raises `Mismatch` if it is not."""

    __slots__ = ("path", "value")

    def __init__(self, path: str, value: Json | UnsetType) -> None:
        self.path = path
        self.value = value

    def __getitem__(self, name: str) -> Field:
        """Return a member of an object, absent or not."""
        members = self.members()
        return Field(f"{self.path}.{name}" if self.path else name, members.get(name, UNSET))

    def __contains__(self, name: str) -> bool:
        return name in self.members()

    def members(self) -> dict[str, Json]:
        """Return an object."""
        return self.value if isinstance(self.value, dict) else self._fail("an object")

    def items(self) -> list[Field]:
        """Return the items of an array."""
        values = self.value if isinstance(self.value, list) else self._fail("an array")
        return [Field(f"{self.path}[{index}]", value) for index, value in enumerate(values)]

    def only(self) -> Field:
        """Return the one item of an array."""
        items = self.items()
        return items[0] if len(items) == 1 else self._fail("one item")

    def text(self) -> str:
        """Return a string."""
        return self.value if isinstance(self.value, str) else self._fail("a string")

    def words(self) -> str:
        """Return a string that says something."""
        return self.text() or self._fail("a string that is not empty")

    def maybe(self) -> str:
        """Return a string, empty when it is null or absent."""
        return "" if self.value is None or self.value is UNSET else self.text()

    def count(self, least: int = 0) -> int:
        """Return an integer, and no fraction, of at least `least`."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < least:
            return self._fail(f"an integer >= {least}")
        return self.value

    def number(self) -> float:
        """Return a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return self._fail("a number")
        return self.value

    def equals(self, *expected: Json | UnsetType) -> None:
        """Accept one of several values; `UNSET` is one too."""
        if not any(self.value == value and type(self.value) is type(value) for value in expected):
            self._fail(" or ".join(map(show, expected)))

    def present(self) -> None:
        """Accept anything, null too, but what is absent."""
        if self.value is UNSET:
            self._fail("a value, or null")

    def absent(self) -> None:
        """Accept nothing, not even null."""
        if self.value is not UNSET:
            self._fail("nothing")

    def blank(self) -> None:
        """Accept what says nothing: absent, null or an empty string."""
        if self.value not in (UNSET, None, ""):
            self._fail("nothing")

    def _fail(self, expected: str) -> NoReturn:
        raise Mismatch(self.path or "body", expected, show(self.value))


def read_json(data: bytes, path: str = "") -> Field:
    """Return the value that `data` is the JSON of; `path` says where it stands."""
    try:
        value: Json = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Mismatch(path or "body", "JSON", show(data.decode("utf-8", "replace"))) from None
    return Field(path, value)


def choose(**members: Json) -> dict[str, Json]:
    """Return an object of those `members` that say something."""
    return {name: value for name, value in members.items() if value}


def show(value: Json | UnsetType) -> str:
    """Return a value in a few words."""
    text = "nothing" if value is UNSET else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
