"""What is left of the accounts at an upstream, and what was spent on what, for people: the command `upstream`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from dragoman.config.schema import Config
from dragoman.config.upstreams import PoeUpstream
from dragoman.connect import make_pool, read_keys
from dragoman.core.errors import DragomanError
from dragoman.explain import make_console, print_table
from dragoman.net.deadlines import Deadlines
from dragoman.upstreams.http import Transport
from dragoman.upstreams.openai_compatible import write_bearer
from dragoman.upstreams.poe.usage import Account, find_origin, read_account
from dragoman.wire.json import encode

SHOWN = 10
"""Queries that are shown one by one."""


class _Told(Struct):
    """An account in JSON, called by the place of its key in the configuration."""

    key: int
    account: Account | None = None
    error: str = ""


def show_accounts(config: Config, name: str, queries: int, *, as_json: bool) -> int:
    """Print the account of every key of an upstream; returns the exit status, 1 when one could not be read.

    Raises `ValueError` when the upstream is none that tells.
    """
    upstream = config.upstreams.get(name)
    if not isinstance(upstream, PoeUpstream):
        raise ValueError("expected the name of an upstream of the kind poe")
    told = asyncio.run(_read_all(upstream, queries))
    if as_json:
        sys.stdout.write(encode(told).decode() + "\n")
    for each in () if as_json else told:
        if each.account is not None:
            _print(each.key, each.account)
    for each in told:
        if each.error:
            sys.stderr.write(f"error: {name}, key {each.key}: {each.error}\n")
    return 1 if any(each.error for each in told) else 0


async def _read_all(upstream: PoeUpstream, queries: int) -> list[_Told]:
    """Read the accounts in turn: most people have one."""
    pools: list[Transport] = []
    transport = make_pool(pools, upstream, Deadlines(asyncio.get_running_loop()), find_origin(upstream.base_url))
    told: list[_Told] = []
    try:
        for number, line in enumerate(write_bearer(read_keys(upstream)) or [b""], 1):
            try:
                told.append(_Told(number, await read_account(transport, line, queries)))
            except DragomanError as error:
                told.append(_Told(number, error=error.message))
    finally:
        transport.close()
    return told


def _print(key: int, account: Account) -> None:
    console = make_console()
    console.print(f"Key {key}: {account.points:,} points", highlight=False)
    rows = [(cost.bot, f"{cost.queries:,}", f"{cost.points:,}") for cost in account.costs]
    print_table(console, ("bot", "queries", "points"), rows)
    last: list[Sequence[str]] = [
        (_write_time(query.time), query.bot, f"{query.points:,}", query.usd, query.kind)
        for query in account.queries[:SHOWN]
    ]
    print_table(console, ("when (UTC)", "bot", "points", "USD", "from"), last)


def _write_time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return ""
