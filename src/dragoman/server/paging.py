"""Which part of a list a client wants, as OpenAI's lists are asked for: ``limit``, ``after`` and ``order``."""

from __future__ import annotations

from urllib.parse import parse_qs

from msgspec import Struct

from dragoman.core.errors import BadRequest

PAGE, MAX_PAGE = 20, 100
"""Entries of a page: when nothing is said, and at most."""


class Page(Struct, frozen=True):
    """A part of a list."""

    limit: int = PAGE
    after: str = ""
    """The id of the entry before the first; empty: from the beginning."""
    newest: bool = True
    """Whether the newest come first."""


def read_page(query: str) -> Page:
    """Return what a query string asks for; raises `BadRequest`."""
    fields = parse_qs(query)
    limit, order = fields.get("limit", [str(PAGE)])[-1], fields.get("order", ["desc"])[-1]
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MAX_PAGE):
        raise BadRequest(f"invalid 'limit': expected 1 to {MAX_PAGE}", param="limit", code="invalid_value")
    if order not in ("asc", "desc"):
        raise BadRequest("invalid 'order': expected asc or desc", param="order", code="invalid_value")
    return Page(int(limit), fields.get("after", [""])[-1], order == "desc")
