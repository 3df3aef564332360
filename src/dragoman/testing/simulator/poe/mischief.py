"""What goes wrong on purpose, told by the name of the model: ``sim-error-529-first-2``, ``sim-cut``."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from dragoman.testing.simulator.faults import FAULTS
from dragoman.testing.simulator.poe.account import Account
from dragoman.testing.simulator.poe.refusal import KINDS, Refused, refuse_key, refuse_rate, refuse_spent

STREAMS = FAULTS | {"event-error", "usage-last", "pings"}
"""What can go wrong with an answer that is told: the faults of all simulated models, and Poe's own."""
_ERROR = re.compile(r"sim-error-([45]\d\d)(?:-(int|text|bare))?(?:-first-(\d{1,3}))?")
_PAGE = re.compile(r"sim-html-502(?:-first-(\d{1,3}))?")
_PAUSE = re.compile(r"sim-pause-(\d{1,4})")
_LIVE: dict[int, Callable[[], Refused]] = {401: refuse_key, 402: refuse_spent, 429: lambda: refuse_rate(1)}
_MESSAGE = "This bot fails on purpose."


class Mischief(Struct, frozen=True):
    """What one bot does wrong."""

    status: int = 0
    """0 = it answers."""
    code: str = ""
    """How its error tells a code: ``int``, ``text``, ``bare`` (not at all); empty: as Poe does for this status."""
    page: bool = False
    """Whether its error is a web page."""
    first: int = 0
    """How many calls of an account fail before it works; 0 = all."""
    pause: int = 0
    """Seconds of silence in the middle of its stream."""
    fault: str = ""
    """What is wrong with its answer, one of `STREAMS`."""

    def fails(self, account: Account, name: str) -> bool:
        """Tell whether this call of `account` fails with the status."""
        return bool(self.status) and (not self.first or account.ask(name) <= self.first)

    def refuse(self) -> Refused:
        """Return the error of the status."""
        if self.page:
            refused = Refused(self.status, _MESSAGE)
            refused.page = True
            return refused
        if self.code == "bare" or (not self.code and self.status not in _LIVE):
            return Refused(self.status, _MESSAGE)
        if not self.code:
            return _LIVE[self.status]()
        return Refused(
            self.status, _MESSAGE, code=self.status if self.code == "int" else KINDS.get(self.status, "error")
        )


NONE = Mischief()
"""Nothing goes wrong."""


def read_mischief(name: str) -> Mischief:
    """Return what the bot of a lower-case name does wrong."""
    if found := _ERROR.fullmatch(name):
        return Mischief(int(found[1]), found[2] or "", first=int(found[3] or 0))
    if found := _PAGE.fullmatch(name):
        return Mischief(502, page=True, first=int(found[1] or 0))
    if found := _PAUSE.fullmatch(name):
        return Mischief(pause=int(found[1]))
    fault = name.removeprefix("sim-")
    return Mischief(fault=fault) if fault != name and fault in STREAMS else NONE
