"""Reasoning that a bot writes into its text, told from the answer: a heading, and then a quotation.

Source: Poe's bots and the bridges that read them, 2026: ``*Thinking...*`` on the first line, lines that begin with
``>``, an empty line, the answer.
"""

from __future__ import annotations

from typing import Literal

HEADINGS = ("*Thinking...*", "Thinking...")
_WHITE = " \t\r"


class Thoughts:
    """Takes a text in pieces; holds back what may still turn out to be (a part of) a heading.

    Only a heading on a line of its own, at the very beginning and with a quotation under it, begins thoughts: a
    quotation in an answer is none. They end with the first line that is neither quoted nor empty.
    """

    __slots__ = ("_gap", "_held", "_place", "_quoted", "settled")

    def __init__(self) -> None:
        self.settled = False
        """All that follows is said."""
        self._held = ""
        self._place: Literal["before", "inside", "behind"] = "before"
        self._quoted = False
        """Inside: the line that goes on is a quotation."""
        self._gap = 0
        """Line ends since the last thought."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return what of the text so far is certainly thought, and what is certainly said, in this order."""
        if self.settled:
            return "", text
        self._held += text
        if self._place == "before":
            self._begin()
        thought = self._think() if self._place == "inside" else ""
        return thought, self.rest() if self._place == "behind" else ""

    def rest(self) -> str:
        """Return what was held back of what is said, now that nothing more can be told from it; all else follows it."""
        said = "" if self._place == "inside" else self._held
        self._held, self.settled = "", True
        return said

    def _begin(self) -> None:
        """Find out whether the text begins with a heading and a quotation."""
        start = self._held.lstrip()
        heading = next((heading for heading in HEADINGS if start.startswith(heading)), None)
        if heading is None:
            if not any(heading.startswith(start) for heading in HEADINGS):
                self._place = "behind"
            return
        behind = start[len(heading) :].lstrip(_WHITE)
        body = behind.lstrip()
        if body.startswith(">") and behind.startswith("\n"):
            self._held, self._place = body, "inside"
        elif body:
            self._place = "behind"

    def _think(self) -> str:
        pieces: list[str] = []
        while self._held and self._place == "inside":
            if self._quoted:
                line, end, self._held = self._held.partition("\n")
                pieces.append(line)
                self._gap += len(end)
                self._quoted = not end
            elif not self._begin_line(pieces):
                break
        return "".join(pieces)

    def _begin_line(self, pieces: list[str]) -> bool:
        """Find out what kind of line begins; tell whether enough of it is here."""
        line = self._held.lstrip(_WHITE)
        if line.startswith("\n"):
            self._gap += 1
            self._held = line[1:]
        elif line.startswith(">") and len(line) > 1:
            pieces.append("\n" * self._gap)
            self._gap, self._quoted = 0, True
            self._held = line[1:].removeprefix(" ")
        elif line and line != ">":
            self._place = "behind"
        else:
            return False
        return True
