"""Poe as one face of the simulator: what lies below its path prefix, and who has asked for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct

from dragoman.testing.simulator.poe.account import Accounts
from dragoman.testing.simulator.poe.bot import Bots
from dragoman.testing.simulator.poe.gallery import Gallery
from dragoman.testing.simulator.poe.media import Media
from dragoman.testing.simulator.poe.refusal import Refused, tell
from dragoman.testing.simulator.poe.rest import Rest
from dragoman.testing.simulator.poe.talk import Talk
from dragoman.testing.simulator.poe.upload import Uploads
from dragoman.testing.simulator.poe.usage import Ledger
from dragoman.testing.simulator.script import Cadence, Script, play_at_once
from dragoman.wire.json import encode

MAX_HEARD = 1_000
_SHOWN = 10_000
"""Characters that are remembered of a body."""


class Heard(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class PoeFace:
    """All of Poe."""

    def __init__(self, seed: int, now: Callable[[], int], cadence: Cadence) -> None:
        """`now` gives the Unix time, `cadence` is how fast all bots speak."""
        accounts, gallery = Accounts(seed, now), Gallery(seed)
        talk, media = Talk(seed, now, cadence, gallery), Media(seed, now, cadence, gallery)
        self.heard: deque[Heard] = deque(maxlen=MAX_HEARD)
        """The last requests, the oldest first; ``GET /heard`` shows them."""
        self._parts: dict[str, Callable[[str, str, Mapping[str, str], bytes], Script]] = {
            "v1": Rest(seed, accounts, talk, media).answer,
            "usage": Ledger(accounts).answer,
            "bot": Bots(seed, accounts, cadence, gallery).answer,
            "poe_api": Uploads(accounts, gallery).answer,
            "base": gallery.answer,
            "heard": self._show,
        }

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request for what `path` names, with lower-case header names."""
        part, _, rest = path.partition("/")
        if part != "heard":
            text = body[:_SHOWN].decode("utf-8", "replace")
            self.heard.append(Heard(method, path, dict(headers), text))
        try:
            if part not in self._parts:
                raise Refused(404, "Not found")
            return self._parts[part](method, rest, headers, body)
        except Refused as refused:
            return tell(refused)

    def _show(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        return play_at_once(200, [("content-type", "application/json")], encode(list(self.heard)))
