"""What is left of an account at Poe, and what was spent on which bots.

Source: Poe's usage API, 2026: ``/usage/current_balance`` and ``/usage/points_history`` beside ``/v1``, not below it.
Times are microseconds, in one page of the documentation seconds; older pages call the bot `app_name`.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Raw, Struct

from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_errors import read_error
from dragoman.net.reply import Patience
from dragoman.upstreams.http import Transport
from dragoman.upstreams.reading import read_error_body

PAGE = 100
"""Queries of one page, the most there can be."""
MAX_PAGES = 100
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of one answer."""
PATIENCE = Patience(first=10, total=30)
ACCEPT = b"accept: application/json\r\n"
_BALANCE, _HISTORY = b"/usage/current_balance", b"/usage/points_history"
_MICROSECONDS, _MILLISECONDS = 10**14, 10**11
"""Above it, a time is in these; in seconds it would be thousands of years from now."""


class Query(Struct, frozen=True):
    """One query of the last thirty days."""

    bot: str
    time: float
    """Seconds since the Unix epoch."""
    points: int
    usd: str
    """As Poe tells it, empty where it does not."""
    kind: str
    """``API``, ``Chat``, …"""
    key: str
    """The name of the key it was asked with."""
    id: str


class Cost(Struct, frozen=True):
    """What one bot has cost."""

    bot: str
    queries: int
    points: int


class Account(Struct, frozen=True):
    """What an account has, and what it has spent."""

    points: int
    queries: Sequence[Query]
    """The newest first."""
    costs: Sequence[Cost]
    """The most expensive bot first."""


class _Balance(Struct):
    current_point_balance: float


class _Query(Struct):
    query_id: str = ""
    bot_name: str = ""
    app_name: str = ""
    creation_time: float = 0
    cost_points: float = 0
    cost_usd: str | float | None = None
    usage_type: str = ""
    api_key_name: str | None = None


class _History(Struct):
    data: list[Raw]
    has_more: bool = False


_balance = msgspec.json.Decoder(_Balance)
_history = msgspec.json.Decoder(_History)
_query = msgspec.json.Decoder(_Query)


def find_origin(base_url: str) -> str:
    """Return the base URL below which the usage is: that of the API without its last segment, ``/v1``."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}"


async def read_account(transport: Transport, key: bytes, queries: int) -> Account:
    """Read the balance and the last `queries`; `key` is the header line with the credential. Raises `DragomanError`."""
    body = await _fetch(transport, _BALANCE, key)
    try:
        points = int(_balance.decode(body).current_point_balance)
    except (msgspec.DecodeError, OverflowError, RecursionError):
        raise UpstreamInvalid(detail="the balance is no number") from None
    found = await read_history(transport, key, queries)
    return Account(points, found, add_costs(found))


async def read_history(transport: Transport, key: bytes, queries: int) -> list[Query]:
    """Read the last `queries`, page by page, the newest first; raises `DragomanError`."""
    found: list[Query] = []
    after = ""
    for _ in range(MAX_PAGES):
        wanted = min(PAGE, queries - len(found))
        if wanted <= 0:
            break
        path = b"%b?limit=%d%b" % (_HISTORY, wanted, after.encode())
        page = _read_page(await _fetch(transport, path, key))
        read = [query for raw in page.data if (query := _read_query(raw)) is not None]
        found += read
        following = f"&starting_after={quote(read[-1].id, safe='')}" if read else ""
        if not page.has_more or following in ("", after):
            break
        after = following
    return found[:queries]


def add_costs(queries: Sequence[Query]) -> list[Cost]:
    """Return what each bot has cost, the most expensive first."""
    counts: dict[str, tuple[int, int]] = {}
    for query in queries:
        number, points = counts.get(query.bot, (0, 0))
        counts[query.bot] = (number + 1, points + query.points)
    costs = [Cost(bot, number, points) for bot, (number, points) in counts.items()]
    return sorted(costs, key=lambda cost: (-cost.points, cost.bot))


async def _fetch(transport: Transport, path: bytes, key: bytes) -> bytes:
    reply = await transport.request(b"GET", path, ACCEPT + key, b"", PATIENCE)
    try:
        if reply.status != 200:
            raise read_error(reply.status, reply.headers, await read_error_body(reply))
        return await reply.read_all(MAX_ANSWER)
    finally:
        reply.close()


def _read_page(body: bytes) -> _History:
    try:
        return _history.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the history is no list of queries") from None


def _read_query(raw: Raw) -> Query | None:
    """Return a query; None for what is none, for one odd entry must not hide the others."""
    try:
        told = _query.decode(raw)
        points = round(told.cost_points)
    except (msgspec.DecodeError, OverflowError, RecursionError):
        return None
    usd = "" if told.cost_usd is None else str(told.cost_usd)
    bot = told.bot_name or told.app_name
    return Query(
        bot, _read_time(told.creation_time), points, usd, told.usage_type, told.api_key_name or "", told.query_id
    )


def _read_time(time: float) -> float:
    if time >= _MICROSECONDS:
        return time / 1e6
    return time / 1e3 if time >= _MILLISECONDS else time
