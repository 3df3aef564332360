"""What a bot says and shows: text that it may take back, thoughts at its beginning, files."""

from __future__ import annotations

import re
from collections.abc import Callable

from dragoman.core import events as ev
from dragoman.dialects.poe_bot.schema import Shown
from dragoman.wire.thoughts import Thoughts

_SEEN = ("image/", "audio/", "video/")
"""What is a part of an answer; the address of any other file is text."""


class Speech:
    """Tells what is said at once. A replacement that only goes on is no replacement."""

    def __init__(self, took_back: Callable[[], None]) -> None:
        """`took_back` is called for a replacement that is one."""
        self._took_back = took_back
        self._thoughts = Thoughts()
        self._thought: list[str] = []
        self._said: list[str] = []
        self._shown: set[str] = set()

    def say(self, text: str, events: list[ev.Event]) -> None:
        """Tell a piece of text, as far as it is known for what it is."""
        if self._thoughts.settled:
            self._said.append(text)
            events.append(ev.Text(text))
        else:
            self._tell(*self._thoughts.feed(text), events)

    def think(self, text: str, events: list[ev.Event]) -> None:
        """Tell a piece of reasoning that has a place of its own."""
        self._tell(text, "", events)

    def replace(self, text: str, events: list[ev.Event]) -> None:
        """Put `text` in the place of all that was said; reasoning stays, and only more of it is told."""
        old_thought, old = "".join(self._thought), "".join(self._said)
        self._thoughts = Thoughts()
        thought, said = self._thoughts.feed(text)
        if not old_thought.startswith(thought):
            self._tell(thought.removeprefix(old_thought), "", events)
        if said.startswith(old):
            self._tell("", said[len(old) :], events)
            return
        self._said = [said]
        events.append(ev.Replace(said))
        self._took_back()

    def show(self, shown: Shown, events: list[ev.Event]) -> None:
        """Tell a file, unless the text has its address already."""
        self.settle(events)
        if shown.url in self._shown or shown.url in "".join(self._said):
            return
        self._shown.add(shown.url)
        if (shown.content_type or "").startswith(_SEEN):
            events.append(ev.Media(shown.content_type or "", url=shown.url))
        else:
            self._tell("", f"\n\n{shown.url}" if self._said else shown.url, events)

    def settle(self, events: list[ev.Event]) -> None:
        """Tell what was held back before something else is told."""
        if not self._thoughts.settled:
            self._tell("", self._thoughts.rest(), events)

    def end(self, events: list[ev.Event]) -> None:
        """Tell the rest."""
        self.settle(events)

    def _tell(self, thought: str, said: str, events: list[ev.Event]) -> None:
        if thought:
            self._thought.append(thought)
            events.append(ev.Thinking(thought))
        if said:
            self._said.append(said)
            events.append(ev.Text(said))


class HeldSpeech(Speech):
    """Tells nothing before the end, and then all of it once: for bots that show their progress by replacing it."""

    def __init__(self) -> None:
        super().__init__(_nothing)
        self._whole: list[str] = []
        self._reasoning: list[str] = []
        self._files: dict[str, Shown] = {}

    def say(self, text: str, events: list[ev.Event]) -> None:
        """Keep a piece of text."""
        self._whole.append(text)

    def think(self, text: str, events: list[ev.Event]) -> None:
        """Keep a piece of reasoning."""
        self._reasoning.append(text)

    def replace(self, text: str, events: list[ev.Event]) -> None:
        """Keep `text` instead of all that was said."""
        self._whole = [text]

    def show(self, shown: Shown, events: list[ev.Event]) -> None:
        """Keep a file."""
        self._files.setdefault(shown.url, shown)

    def settle(self, events: list[ev.Event]) -> None:
        """Tell nothing yet: what else is told has a place of its own."""

    def end(self, events: list[ev.Event]) -> None:
        """Tell thoughts, text and files; what the text only refers to is shown where it does."""
        text = "".join(self._whole)
        for shown in self._files.values():
            text = _insert(text, shown)
        super().think("".join(self._reasoning), events)
        super().say(text, events)
        super().settle(events)
        for shown in self._files.values():
            super().show(shown, events)


def _insert(text: str, shown: Shown) -> str:
    """Replace ``![title][ref]`` by the picture at its address."""
    if not shown.inline_ref:
        return text
    reference = re.compile(r"!?\[([^\]\n]*)\]\[" + re.escape(shown.inline_ref) + r"\]")
    return reference.sub(lambda found: f"![{found[1]}]({shown.url})", text)


def _nothing() -> None:
    """Nobody has to know: nothing had been told."""
