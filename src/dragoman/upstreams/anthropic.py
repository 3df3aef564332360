"""Anthropic, or whoever serves Messages as Anthropic does: its keys, and its list of models with all that it tells.

Source: Claude platform documentation and the `anthropic` SDK 2.11 (`ModelInfo`), 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct, field

from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import outbound
from dragoman.dialects.anthropic_messages.compose import EFFORTS
from dragoman.net.reply import Patience
from dragoman.upstreams.connector import CATALOGUE_PATIENCE, Connector, Wiring
from dragoman.upstreams.http import Transport
from dragoman.upstreams.listing import Model
from dragoman.upstreams.reading import MAX_BODY
from dragoman.wire.json import repair_text

DIALECT = "anthropic_messages"
ACCEPT = b"accept: application/json, text/event-stream\r\n"
PAGE = 1_000
"""Models of one page, the most there can be."""
MAX_PAGES = 100
MOST_UNASKED = 32_000
"""Tokens an answer may have at most when the client sets no limit: the prompt needs its part of the context, too."""


class _Support(Struct):
    supported: bool = False


class _Efforts(Struct):
    supported: bool = False
    low: _Support | None = None
    medium: _Support | None = None
    high: _Support | None = None
    xhigh: _Support | None = None
    max: _Support | None = None


class _Types(Struct):
    adaptive: _Support = field(default_factory=_Support)
    enabled: _Support = field(default_factory=_Support)
    disabled: _Support = field(default_factory=_Support)


class _Thinking(Struct):
    supported: bool = False
    types: _Types = field(default_factory=_Types)


class _Capabilities(Struct):
    effort: _Efforts = field(default_factory=_Efforts)
    image_input: _Support = field(default_factory=_Support)
    pdf_input: _Support = field(default_factory=_Support)
    structured_outputs: _Support = field(default_factory=_Support)
    thinking: _Thinking = field(default_factory=_Thinking)


class _Entry(Struct):
    id: str
    display_name: str | None = None
    created_at: str | None = None
    lifecycle: str | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: _Capabilities | None = None


class _Page(Struct):
    data: list[Raw]
    has_more: bool = False
    last_id: str | None = None


class _Named(Struct):
    id: str


_page = msgspec.json.Decoder(_Page)
_entry = msgspec.json.Decoder(_Entry)
_named = msgspec.json.Decoder(_Named)


def build(wiring: Wiring) -> Connector:
    """Return an upstream that is asked in Messages."""
    dialect = outbound(DIALECT)
    keys = [b"x-api-key: %b\r\n" % key.encode() for key in wiring.keys]
    http = wiring.speak([dialect], headers=ACCEPT, keys=keys)
    headers = ACCEPT + wiring.headers + _lines(dialect.headers) + b"".join(keys[:1])
    return Connector(http, http.ask_model, partial(read_models, wiring.transport, headers, CATALOGUE_PATIENCE))


async def read_models(transport: Transport, headers: bytes, patience: Patience) -> list[Model]:
    """Read all pages of ``GET /models``; raises `UpstreamError`."""
    models: list[Model] = []
    after = ""
    for _ in range(MAX_PAGES):
        path = f"/models?limit={PAGE}{after}".encode()
        page = _read_page(await _fetch(transport, path, headers, patience))
        models += [model for entry in page.data if (model := _read_entry(entry)) is not None]
        following = f"&after_id={quote(page.last_id or '', safe='')}"
        if not (page.has_more and page.last_id) or following == after:
            break
        after = following
    return models


async def _fetch(transport: Transport, path: bytes, headers: bytes, patience: Patience) -> bytes:
    reply = await transport.request(b"GET", path, headers, b"", patience)
    try:
        body = await reply.read_all(MAX_BODY)
        if reply.status != 200:
            raise UpstreamInvalid(detail=f"the catalogue answered {reply.status}")
    finally:
        reply.close()
    return body


def _read_page(body: bytes) -> _Page:
    try:
        return _page.decode(repair_text(body))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the catalogue is not a list of models") from None


def _read_entry(raw: Raw) -> Model | None:
    """Return a model, None for what is none or serves no more; one that tells nonsense of itself is there still."""
    try:
        entry = _entry.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        try:
            entry = _Entry(_named.decode(raw).id)
        except (msgspec.DecodeError, RecursionError):
            return None
    if not entry.id or entry.lifecycle == "retired":
        return None
    return Model(
        entry.id, _read_time(entry.created_at), _read_can(entry), entry.display_name or "", _read_quirks(entry)
    )


def _read_time(text: str | None) -> int:
    """Return seconds of a date; the epoch itself says that nobody knows."""
    try:
        return max(0, int(datetime.fromisoformat(text or "").timestamp()))
    except (ValueError, OverflowError, OSError):
        return 0


def _read_can(entry: _Entry) -> Capabilities:
    told = entry.capabilities
    return Capabilities(
        vision=told.image_input.supported if told else None,
        thinking=told.thinking.supported if told else None,
        embedding=False,
        insert=False,
        context=_positive(entry.max_input_tokens),
        output=_positive(entry.max_tokens),
    )


def _read_quirks(entry: _Entry) -> Quirks:
    most, told = _positive(entry.max_tokens), entry.capabilities
    always = {} if most is None else {"max_tokens": Raw(b"%d" % min(most, MOST_UNASKED))}
    if told is None:
        return Quirks(always=always) if always else NO_QUIRKS
    types, efforts = told.thinking.types, told.effort
    levels = tuple(name for name in EFFORTS if _has(efforts, name))
    adaptive = efforts.supported and types.adaptive.supported
    return Quirks(
        always=always,
        lacks=_read_lacks(told),
        effort=Quirks().effort if adaptive else "",
        efforts=levels if adaptive else (),
    )


def _read_lacks(told: _Capabilities) -> Mapping[str, str]:
    types, lacks = told.thinking.types, dict[str, str]()
    if not told.structured_outputs.supported:
        lacks |= dict.fromkeys(("schema", "strict_tools"), "the model keeps to no schema")
    if not told.pdf_input.supported:
        lacks["file"] = "the model takes no documents"
    if told.thinking.supported and not types.enabled.supported:
        lacks["budget"] = "the model decides itself how many tokens it thinks"
    if told.thinking.supported and not types.disabled.supported:
        lacks["no_effort"] = "the model always thinks"
    return lacks


def _has(efforts: _Efforts, name: str) -> bool:
    level: _Support | None = getattr(efforts, name)
    return level is not None and level.supported


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _lines(headers: Mapping[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
