"""A server of Ollama's, or whoever speaks as it does, with or without a key: chat, generate, and both kinds of vectors.

Its list of models tells little of older servers' models, so each is looked at once for every new digest.
Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from msgspec import Raw, Struct

from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError, UpstreamInvalid
from dragoman.dialects import outbound
from dragoman.dialects.ollama.reader import read_seconds
from dragoman.upstreams.connector import CATALOGUE_PATIENCE, Connector, Wiring
from dragoman.upstreams.http import Transport
from dragoman.upstreams.listing import Model
from dragoman.upstreams.openai_compatible import write_bearer
from dragoman.upstreams.reading import MAX_BODY
from dragoman.wire.json import encode, repair_text

DIALECTS = ("ollama_chat", "ollama_generate", "ollama_embed", "ollama_embeddings")
ACCEPT = b"accept: application/json, application/x-ndjson\r\n"
MAX_LOOKS = 200
"""Models that are looked at in one refresh; the next one looks at the others."""
AT_ONCE = 4
"""Models that are looked at together."""
LOOKING = 60.0
"""Seconds for all looks of one refresh."""
_JSON = b"content-type: application/json\r\n"
_LATEST = ":latest"


class _Details(Struct, frozen=True):
    context_length: int | None = None
    embedding_length: int | None = None


class _Listed(Struct, frozen=True):
    """One model of the list; newer servers tell there what it can."""

    name: str = ""
    model: str = ""
    digest: str = ""
    modified_at: str = ""
    capabilities: list[str] | None = None
    details: _Details | None = None

    @property
    def called(self) -> str:
        """What it is asked by: a tag that says nothing is left out."""
        return (self.model or self.name).removesuffix(_LATEST)

    @property
    def key(self) -> str:
        """What changes with the model."""
        return self.digest or self.called


class _List(Struct):
    models: list[Raw]


class _Shown(Struct):
    """What a look at a model tells."""

    capabilities: list[str] | None = None
    model_info: dict[str, Raw] | None = None


_list = msgspec.json.Decoder(_List)
_listed = msgspec.json.Decoder(_Listed)
_shown = msgspec.json.Decoder(_Shown)
_count = msgspec.json.Decoder(int)


def build(wiring: Wiring) -> Connector:
    """Return an upstream that speaks Ollama's dialect; its base URL is the server's root."""
    keys = write_bearer(wiring.keys)
    http = wiring.speak([outbound(name) for name in DIALECTS], headers=ACCEPT, keys=keys)
    shelf = Shelf(wiring.transport, ACCEPT + wiring.headers + b"".join(keys[:1]))
    return Connector(http, http.ask_model, shelf.read_models)


class Shelf:
    """The models of a server; what a look at one told is kept as long as its digest is listed."""

    def __init__(self, transport: Transport, headers: bytes) -> None:
        """`headers` are written lines, a credential among them where there is one."""
        self._transport = transport
        self._headers = headers
        self._known: Mapping[str, Capabilities] = {}

    async def read_models(self) -> list[Model]:
        """Return all models; raises `UpstreamError`, but not for one that could not be looked at."""
        listed = _read_list(await self._ask(b"GET", b"/api/tags"))
        known = {each.key: self._known[each.key] for each in listed if each.key in self._known}
        known |= {each.key: _tell(each) for each in listed if each.capabilities is not None}
        unknown = {each.key: each for each in listed if each.key not in known}
        known |= await self._look_at(list(unknown.values())[:MAX_LOOKS])
        self._known = known
        return [
            Model(each.called, read_seconds(each.modified_at), known.get(each.key, Capabilities())) for each in listed
        ]

    async def _look_at(self, unknown: list[_Listed]) -> dict[str, Capabilities]:
        """Return what is told of each; those that were not to be seen are missing."""
        gate, told = asyncio.Semaphore(AT_ONCE), dict[str, Capabilities]()

        async def look(each: _Listed) -> None:
            async with gate:
                with suppress(DragomanError):  # the model is there all the same, and the next refresh looks again
                    told[each.key] = _read_shown(await self._ask(b"POST", b"/api/show", encode({"model": each.called})))

        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKING), asyncio.TaskGroup() as group:
                for each in unknown:
                    group.create_task(look(each))
        return told

    async def _ask(self, method: bytes, path: bytes, body: bytes = b"") -> bytes:
        headers = _JSON + self._headers if body else self._headers
        reply = await self._transport.request(method, path, headers, body, CATALOGUE_PATIENCE)
        try:
            told = await reply.read_all(MAX_BODY)
            if reply.status != 200:
                raise UpstreamInvalid(detail=f"the catalogue answered {reply.status}")
        finally:
            reply.close()
        return told


def _read_list(body: bytes) -> list[_Listed]:
    """Read the list; entries that are no models are left out, a body that is no list raises `UpstreamInvalid`."""
    try:
        entries = _list.decode(repair_text(body)).models
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the catalogue is not a list of models") from None
    listed: list[_Listed] = []
    for entry in entries:
        with suppress(msgspec.DecodeError, RecursionError):
            listed.append(_listed.decode(entry))
    return [each for each in listed if each.called]


def _tell(listed: _Listed) -> Capabilities:
    details = listed.details or _Details()
    return _capabilities(listed.capabilities, details.context_length, details.embedding_length)


def _read_shown(body: bytes) -> Capabilities:
    """Read what a look tells; sizes are named after the model's architecture. Raises `UpstreamInvalid`."""
    try:
        shown = _shown.decode(repair_text(body))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="a look at a model shows nothing") from None
    info = shown.model_info or {}
    return _capabilities(shown.capabilities, _find_size(info, ".context_length"), _find_size(info, ".embedding_length"))


def _find_size(info: Mapping[str, Raw], end: str) -> int | None:
    for name, raw in info.items():
        if name.endswith(end):
            with suppress(msgspec.DecodeError):
                return _count.decode(raw)
    return None


def _capabilities(words: list[str] | None, context: int | None, length: int | None) -> Capabilities:
    """Say what a server's words mean; one that has none of them (before 0.6.4) tells of sizes alone."""
    sizes = Capabilities(context=_positive(context), embedding_length=_positive(length))
    if not words:
        return sizes
    return msgspec.structs.replace(
        sizes,
        tools="tools" in words,
        vision="vision" in words,
        audio="audio" in words,
        thinking="thinking" in words,
        embedding=True if "embedding" in words and "completion" not in words else None,
        insert="insert" in words,
    )


def _positive(size: int | None) -> int | None:
    return size if size is not None and size > 0 else None
