"""Who calls: each key has an account of its own, with its rate limit, its points and what they were spent on.

What an account is like can be said in its key, behind semicolons: ``any;limit=3;balance=100;legacy``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.poe.refusal import refuse_key, refuse_rate, refuse_spent
from dragoman.testing.simulator.poe.window import Window

MAX_ACCOUNTS, MAX_HISTORY = 1_000, 10_000
_BAD = "bad"
"""How a key begins that nobody has."""


class Switches(Struct, frozen=True):
    """How Poe treats one account."""

    limit: int = 500
    """Requests a minute."""
    balance: int = 1_000_000
    """Points."""
    legacy: bool = False
    """Whether undeclared fields are ignored where no header says otherwise."""
    unknown: int = 404
    """Status for an unknown model; the pages contradict each other: 404 or 400."""
    no_images: bool = False
    """Whether `/v1/images` answers 404."""
    deaf: bool = False
    """Whether `instructions` of Responses are ignored."""


class Spent(Struct):
    """One entry of the points history."""

    bot_name: str
    creation_time: int
    """Microseconds."""
    query_id: str
    cost_points: int
    cost_usd: str
    cost_breakdown_in_points: dict[str, str]
    usage_type: str = "API"
    api_key_name: str = "simulator"


class Account:
    """One user of Poe."""

    def __init__(self, seed: int, key: str, switches: Switches) -> None:
        self.switches = switches
        self.balance = switches.balance
        self.window = Window(switches.limit)
        self.history: deque[Spent] = deque(maxlen=MAX_HISTORY)
        """The newest first."""
        self._seed = seed
        self._key = key
        self._asked: dict[str, int] = {}
        self._spent = 0

    def enter(self, now: int) -> None:
        """Count a request; raises `Refused` when there are too many."""
        if not self.window.admit(now):
            raise refuse_rate(self.window.reset(now))

    def afford(self) -> None:
        """Raise `Refused` when there are no points left."""
        if self.balance <= 0:
            raise refuse_spent()

    def ask(self, name: str) -> int:
        """Return how often this account has asked for `name`, this time included."""
        if len(self._asked) > MAX_ACCOUNTS:
            self._asked.clear()
        self._asked[name] = self._asked.get(name, 0) + 1
        return self._asked[name]

    def charge(self, bot: str, now: int, prompt: int, completion: int) -> None:
        """Take the points for an answer, two for each token of it and one for each of the prompt."""
        points = max(1, prompt + 2 * completion)
        self.balance = max(0, self.balance - points)
        self._spent += 1
        breakdown = {
            "Input": f"{prompt} points ({prompt} tokens)",
            "Output": f"{2 * completion} points ({completion} tokens)",
            "Total": f"{points} points",
        }
        query = digest(self._seed, self._key, str(self._spent)).hex()
        spent = Spent(bot, now * 1_000_000 + self._spent, query, points, f"{points * 0.00003:.6f}", breakdown)
        self.history.appendleft(spent)


class Accounts:
    """All accounts of one simulator."""

    def __init__(self, seed: int, now: Callable[[], int]) -> None:
        self._seed = seed
        self.now = now
        self._accounts: dict[str, Account] = {}

    def of(self, headers: Mapping[str, str], *, by_header: bool = False) -> Account:
        """Return the account of the bearer; `by_header`: an ``x-api-key`` wins. Raises `Refused`."""
        kind, _, key = headers.get("authorization", "").partition(" ")
        bearer = key.strip() if kind.lower() == "bearer" else ""
        return self.open(headers.get("x-api-key", bearer) if by_header else bearer)

    def open(self, key: str) -> Account:
        """Return the account of a key, made when it is first used; raises `Refused`."""
        if key not in self._accounts:
            if len(self._accounts) >= MAX_ACCOUNTS:
                self._accounts.clear()
            self._accounts[key] = Account(self._seed, key, read_switches(key))
        return self._accounts[key]


def read_switches(key: str) -> Switches:
    """Return what a key says of its account; raises `Refused` for one that is none."""
    name, *words = key.split(";")
    if not name or name.startswith(_BAD):
        raise refuse_key()
    said = {word.partition("=")[0].replace("-", "_"): word.partition("=")[2] or "true" for word in words}
    try:
        return msgspec.convert(said, Switches, strict=False)
    except msgspec.ValidationError:
        raise refuse_key() from None
