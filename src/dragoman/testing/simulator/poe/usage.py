"""What an account has left and what it was spent on: ``/usage/…``, below no version."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from msgspec import Struct

from dragoman.testing.simulator.poe.account import Account, Accounts, Spent
from dragoman.testing.simulator.poe.refusal import Refused
from dragoman.testing.simulator.script import Script, play_at_once
from dragoman.wire.json import encode

_MOST, _USUAL = 100, 20
"""Entries of one page."""


class _Balance(Struct):
    current_point_balance: int


class _History(Struct):
    has_more: bool
    length: int
    data: list[Spent]


class Ledger:
    """The usage endpoints."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request for what `path` names below ``/usage/``; raises `Refused`."""
        name, _, query = path.partition("?")
        told = {"current_balance": _tell_balance, "points_history": _tell_history}.get(name)
        if told is None or method != "GET":
            raise Refused(404, "Not found")
        account = self._accounts.of(headers)
        account.enter(self._accounts.now())
        return play_at_once(200, [("content-type", "application/json")], told(account, parse_qs(query)))


def _tell_balance(account: Account, query: Mapping[str, list[str]]) -> bytes:
    return encode(_Balance(account.balance))


def _tell_history(account: Account, query: Mapping[str, list[str]]) -> bytes:
    limit, after = query.get("limit", [str(_USUAL)])[-1], query.get("starting_after", [""])[-1]
    if not limit.isdecimal() or not 1 <= int(limit) <= _MOST:
        raise Refused(400, f"limit must be 1 to {_MOST}", param="limit", code="invalid_parameter")
    entries = list(account.history)
    names = [entry.query_id for entry in entries]
    if after and after not in names:
        raise Refused(400, "starting_after names no query", param="starting_after", code="invalid_parameter")
    begin = names.index(after) + 1 if after else 0
    page = entries[begin : begin + int(limit)]
    return encode(_History(begin + len(page) < len(entries), len(page), page))
