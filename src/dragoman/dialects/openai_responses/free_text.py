"""The free text a custom tool is called with, out of the JSON arguments of the function that stands for it."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

_BEGIN = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_HELD = re.compile(r"\\(?:u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?)?$")
"""An escape that may go on in the next piece."""
_END = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)


class _Arguments(Struct):
    input: str


_arguments = msgspec.json.Decoder(_Arguments)
_text = msgspec.json.Decoder(str)


class FreeText:
    """Gives the text piece by piece as the arguments arrive, and whole at their end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._told: list[str] = []
        self._pending = ""
        self._state = "before"

    def feed(self, arguments: str) -> str:
        """Return what of the text became known."""
        self._pieces.append(arguments)
        if self._state == "after":
            return ""
        self._pending += arguments
        if self._state == "before":
            begin = _BEGIN.match(self._pending)
            if begin is None:
                return ""
            self._pending = self._pending[begin.end() :]
            self._state = "inside"
        return self._read()

    def end(self) -> tuple[str, str]:
        """Return the rest of the text, and all of it; arguments of another form are the text themselves."""
        arguments, told = "".join(self._pieces), "".join(self._told)
        try:
            whole = _arguments.decode(arguments).input
        except msgspec.DecodeError:
            whole = told or arguments
        return (whole[len(told) :], whole) if whole.startswith(told) else ("", told)

    def _read(self) -> str:
        """Decode up to the closing quote, or up to what may be half an escape."""
        end = _END.match(self._pending)
        if end is not None:
            self._state = "after"
            ready, self._pending = self._pending[: end.end() - 1], ""
        else:
            held = _HELD.search(self._pending) if _odd(self._pending) else None
            cut = len(self._pending) if held is None else held.start()
            ready, self._pending = self._pending[:cut], self._pending[cut:]
        try:
            piece = _text.decode(f'"{ready}"')
        except msgspec.DecodeError:
            self._state = "after"  # no JSON: the end says what becomes of it
            return ""
        self._told.append(piece)
        return piece


def _odd(text: str) -> bool:
    """Tell whether the last backslash of `text` begins an escape, and is none that is escaped itself."""
    at = text.rfind("\\")
    if at < 0:
        return False
    run = len(text[: at + 1]) - len(text[: at + 1].rstrip("\\"))
    return bool(run % 2)
