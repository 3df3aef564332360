"""A text that matches a simple regular expression, made without running it.

Understood: literals, escapes, classes and ranges, ``.``, groups, alternatives (the first is taken), quantifiers and the
anchors at both ends. Not understood: look-around, back-references and word boundaries inside; then there is no text.
"""

from __future__ import annotations

import re
from string import ascii_letters, digits, punctuation

_ALL = ascii_letters + digits + punctuation + " "
_WORD = ascii_letters + digits + "_"
_CLASSES = {
    "d": digits,
    "w": _WORD,
    "s": " \t\n",
    "D": "".join(sign for sign in _ALL if sign not in digits),
    "W": "".join(sign for sign in _ALL if sign not in _WORD),
    "S": "".join(sign for sign in _ALL if sign != " "),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_GROUP = re.compile(r"\?(?::|P?<[A-Za-z_]\w*>)")
_CODE = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")
MAX_TEXT = 4096
"""Longest text made, whatever a pattern asks for."""


class _Unknown(Exception):
    """The pattern uses what is not understood here."""


def match_text(pattern: str, shortest: int = 0) -> str | None:
    """Return a text that matches `pattern`, of `shortest` characters or more if it can be made longer; else None."""
    text = None
    for extra in (0, 1, shortest):
        try:
            text = _Pattern(pattern, extra).text()
        except (_Unknown, RecursionError):
            return None
        if len(text) >= shortest:
            break
    return text


class _Pattern:
    """Reads a pattern from left to right and writes a text on the way."""

    def __init__(self, source: str, extra: int) -> None:
        self._source = source
        self._at = 0
        self._extra = extra
        """How often to repeat what may be repeated without limit, beyond the least."""

    def text(self) -> str:
        text = self._alternatives()
        if self._at < len(self._source):
            raise _Unknown
        return text[:MAX_TEXT]

    def _alternatives(self) -> str:
        first = self._sequence()
        while self._next("|"):
            self._sequence()
        return first

    def _sequence(self) -> str:
        text = ""
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            piece = self._repeat(self._one())
            text += piece if len(text) < MAX_TEXT else ""
        return text

    def _one(self) -> str:
        sign = self._take()
        match sign:
            case "^" | "$":
                return ""
            case "(":
                return self._group()
            case "[":
                return self._class()[0]
            case ".":
                return "a"
            case "\\":
                return self._escape()[0]
            case "*" | "+" | "?":
                raise _Unknown
            case _:
                return sign

    def _group(self) -> str:
        if opened := _GROUP.match(self._source, self._at):
            self._at = opened.end()
        elif self._source.startswith("?", self._at):
            raise _Unknown
        text = self._alternatives()
        if not self._next(")"):
            raise _Unknown
        return text

    def _repeat(self, text: str) -> str:
        low, high = self._quantity()
        self._next("?")
        times = low + self._extra if high is None else min(low + self._extra, high)
        return text * min(times, MAX_TEXT // max(len(text), 1))

    def _quantity(self) -> tuple[int, int | None]:
        for sign, limits in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._next(sign):
                return limits
        if counted := _COUNT.match(self._source, self._at):
            self._at = counted.end()
            low = int(counted[1])
            if counted[2] is None:
                return low, low
            return low, int(counted[3]) if counted[3] else None
        return 1, 1

    def _class(self) -> str:
        """Read a class after its bracket and return characters of it, the most usual first."""
        negated = self._next("^")
        members = ""
        while not (members and self._next("]")):
            first = self._member()
            if len(first) == 1 and not self._source.startswith("-]", self._at) and self._next("-"):
                members += _range(first, self._member())
            else:
                members += first
        if negated:
            members = "".join(sign for sign in _ALL if sign not in members)
        if not members:
            raise _Unknown
        return members

    def _member(self) -> str:
        sign = self._take()
        return self._escape() if sign == "\\" else sign

    def _escape(self) -> str:
        """Read what follows a backslash and return the characters it stands for."""
        if code := _CODE.match(self._source, self._at):
            self._at = code.end()
            return chr(int(code[1] or code[2], 16))
        sign = self._take()
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign.isalnum() and sign not in _ESCAPES:
            raise _Unknown
        return _ESCAPES.get(sign, sign)

    def _take(self) -> str:
        if self._at >= len(self._source):
            raise _Unknown
        self._at += 1
        return self._source[self._at - 1]

    def _next(self, sign: str) -> bool:
        found = self._source.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found


def _range(first: str, last: str) -> str:
    """Return the characters from `first` to `last`, as many as are of use."""
    if len(last) != 1:
        raise _Unknown
    return "".join(map(chr, range(ord(first), min(ord(last), ord(first) + 255) + 1)))
