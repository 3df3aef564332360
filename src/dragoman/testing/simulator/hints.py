"""What a model would take from a user's words to fill in a form: numbers, names, quotations, places, dates."""

from __future__ import annotations

import re

_NAME = r"[A-ZÀ-ÖØ-Þ][\w'\u2019.-]*\w"
_NAMES = rf"{_NAME}(?: {_NAME})*(?:, [A-Z]{{2}}\b)?"
_QUOTED = re.compile(
    r"\"([^\"\n]{1,500})\"|“([^”\n]{1,500})”|«([^»\n]{1,500})»|(?<!\w)'([^'\n]{1,500})'(?!\w)|`([^`\n]{1,500})`"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?![\w])")
_FORMATS = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    "uri": re.compile(r"https?://[^\s\"'<>()]{1,500}[^\s\"'<>().,;:!?]"),
    "uuid": re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    "date-time": re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d)\b"),
}
_PLACE = re.compile(rf"\b(?:in|at|near|for|of|from|to|and|or)\s+(?:the\s+)?({_NAMES})")
_PROPER = re.compile(rf"(?:(?<=[\w,;:)] )|(?<=\())({_NAMES})")
_ROOM = re.compile(r"\b(?:in|at|near)\s+(?:the\s+)?([^\W\d_][\w-]*)")
_SUM = re.compile(r"[\d(][\d\s.()]{0,40}(?:[+*/^%\u00d7\u00f7-][\d\s.()]{1,40}){1,10}(?<=[\d)])")
_PLACES = frozenset({"city", "location", "place", "country", "region", "town", "destination", "origin", "room", "area"})
_WHOLE = frozenset({"query", "question", "prompt", "text", "input", "message", "content", "request", "task", "body"})
_LONGEST = 4000
"""Characters of a text that are looked at."""


class Hints:
    """Values found in a text, each handed out once, in the order of the text."""

    def __init__(self, text: str) -> None:
        self.text = text = text[:_LONGEST]
        self._formats = {name: _all(form, text) for name, form in _FORMATS.items()}
        plain = text
        for form in _FORMATS.values():
            plain = form.sub(" ", plain)
        self._quoted = _all(_QUOTED, plain)
        self._numbers = _all(_NUMBER, plain)
        self._places = _unique(_all(_PLACE, plain))
        self._proper = _unique(_all(_PROPER, plain))
        self._rooms = _all(_ROOM, plain)

    @property
    def places(self) -> list[str]:
        """The places named, none twice."""
        return self._places

    def keys(self) -> list[str]:
        """Return all quotations that could name the fields of an object."""
        return [text for text in _unique(self._quoted) if re.fullmatch(r"[A-Za-z_][\w-]{0,63}", text)]

    def number(self, *, whole: bool) -> float | None:
        """Return the next number, or the next whole one."""
        for at, number in enumerate(self._numbers):
            if not whole or "." not in number:
                del self._numbers[at]
                return float(number) if "." in number else int(number)
        return None

    def mentioned(self, values: list[str]) -> str | None:
        """Return the one of `values` that the text mentions first."""
        found = [(_find(value, self.text), value) for value in values]
        return min(((at, value) for at, value in found if at >= 0), default=(0, None))[1]

    def formatted(self, name: str) -> str | None:
        """Return the next text of a JSON Schema format."""
        return _take(self._formats.get(name, []))

    def string(self, field: str) -> str | None:
        """Return what `field` may be meant to hold."""
        words = _words(field)
        for name in ("email", "uri", "date"):
            if name in words or (name == "uri" and "url" in words):
                return self.formatted(name)
        if words & _PLACES:
            return self._place()
        if "expression" in words and (found := _SUM.search(self.text)):
            return found[0].strip()
        quoted = _take(self._quoted)
        if quoted is None and words & _WHOLE:
            return self.text.strip() or None
        return quoted or self._name()

    def _place(self) -> str | None:
        place = _take(self._places) or _take(self._quoted) or _take(self._rooms)
        if place in self._proper:
            self._proper.remove(place)
        return place

    def _name(self) -> str | None:
        name = _take(self._proper)
        if name in self._places:
            self._places.remove(name)
        return name


def is_place(field: str) -> bool:
    """Tell whether a field by that name holds a place."""
    return bool(_words(field) & _PLACES)


def _words(field: str) -> set[str]:
    return set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", field).lower()))


def _take(values: list[str]) -> str | None:
    return values.pop(0) if values else None


def _all(form: re.Pattern[str], text: str) -> list[str]:
    """Every match's first group that took part, or else the whole match."""
    return [match[match.lastindex or 0] for match in form.finditer(text)]


def _find(word: str, text: str) -> int:
    """Return where `word` stands in `text` on its own, whatever its case; -1 = nowhere."""
    found = re.search(rf"(?<!\w){re.escape(word[:_LONGEST])}(?!\w)", text, re.IGNORECASE) if word else None
    return found.start() if found else -1


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))
