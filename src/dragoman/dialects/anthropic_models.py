"""The list of models as Anthropic writes it, a page at a time. Source: Anthropic API reference, models, 2026."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from dragoman.core.capabilities import Entry
from dragoman.core.errors import BadRequest
from dragoman.wire.json import encode

PAGE = 20
MAX_PAGE = 1_000


class Model(Struct, frozen=True):
    """One model."""

    id: str
    display_name: str
    created_at: str
    """RFC 3339; the epoch where nobody knows, as Anthropic does it."""
    type: Literal["model"] = "model"
    lifecycle: Literal["active"] = "active"
    max_input_tokens: int | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET


class Page(Struct, frozen=True):
    """Some of the models, in the order of the list."""

    data: list[Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


def write_page(entries: Sequence[Entry], query: Mapping[str, str]) -> bytes:
    """Return the page that `query` asks for (``limit``, ``after_id``, ``before_id``); raises `BadRequest`."""
    size = _read_limit(query.get("limit"))
    after, before = query.get("after_id"), query.get("before_id")
    if after and before:
        raise BadRequest("after_id and before_id cannot both be given", param="before_id")
    first, end = 0, len(entries)
    if after:
        first = _find(entries, after, "after_id") + 1
    elif before:
        end = _find(entries, before, "before_id")
        first = max(0, end - size)
    shown = entries[first : min(end, first + size)]
    more = first > 0 if before else first + size < end
    data = [_model(entry) for entry in shown]
    return encode(Page(data, more, data[0].id if data else None, data[-1].id if data else None))


def write_model(entry: Entry) -> bytes:
    """Return the body of ``GET /v1/models/{id}``."""
    return encode(_model(entry))


def _model(entry: Entry) -> Model:
    return Model(
        entry.id,
        entry.name or entry.id,
        datetime.fromtimestamp(entry.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        max_input_tokens=entry.can.context or UNSET,
        max_tokens=entry.can.output or UNSET,
    )


def _read_limit(text: str | None) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
        raise BadRequest(f"limit must be a whole number from 1 to {MAX_PAGE}", param="limit")
    return int(text)


def _find(entries: Sequence[Entry], model: str, param: str) -> int:
    for at, entry in enumerate(entries):
        if entry.id == model:
            return at
    raise BadRequest(f"{param} names no model of the list", param=param)
