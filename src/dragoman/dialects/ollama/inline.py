"""Reasoning between tags at the beginning of the text, as some open models write it: taken out for `thinking`.

Source: Ollama API 0.33, 2026: no answer has ``<think>`` in its content.
"""

from __future__ import annotations

from typing import Literal

OPEN = "<think>"
CLOSE = "</think>"


class Inline:
    """Tells thoughts from text; holds back what may still turn out to be (a part of) a tag."""

    __slots__ = ("_held", "_place", "settled")

    def __init__(self) -> None:
        self.settled = False
        """All that follows is text."""
        self._held = ""
        self._place: Literal["before", "inside", "behind"] = "before"

    def split(self, text: str) -> tuple[str, str]:
        """Return what of the text so far is certainly thought, and what is certainly said, in this order."""
        self._held += text
        if self._place == "before":
            start = self._held.lstrip()
            if start.startswith(OPEN):
                self._held, self._place = start[len(OPEN) :], "inside"
            elif not OPEN.startswith(start):
                return self.rest()
        thought = self._think() if self._place == "inside" else ""
        if self._place == "behind":
            self._held = self._held.lstrip()  # white space behind the thoughts is no part of the text
        return thought, self.rest()[1] if self._place == "behind" and self._held else ""

    def rest(self) -> tuple[str, str]:
        """Return what was held back, now that nothing more can be told from it; all that follows is text."""
        held, self._held, self.settled = self._held, "", True
        return (held, "") if self._place == "inside" else ("", held)

    def _think(self) -> str:
        thought, found, said = self._held.partition(CLOSE)
        if found:
            self._held, self._place = said, "behind"
            return thought
        kept = next((size for size in range(len(CLOSE) - 1, 0, -1) if thought.endswith(CLOSE[:size])), 0)
        self._held = thought[len(thought) - kept :]
        return thought[: len(thought) - kept]
