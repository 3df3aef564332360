"""Everything that is not a model call: the list of models, and the health of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

from msgspec import Struct

from dragoman import __version__
from dragoman.core.call import Caller
from dragoman.core.capabilities import Entry
from dragoman.core.errors import DragomanError
from dragoman.dialects import anthropic_models
from dragoman.dialects.openai_models import show_model, write_model, write_models
from dragoman.server.directory import Source
from dragoman.server.endpoint import Desk
from dragoman.server.exchange import Exchange
from dragoman.server.head import JSON, REQUEST_ID, write_id
from dragoman.server.routes import Refusal, name_below, refuse
from dragoman.upstreams.slices import in_slices
from dragoman.wire.json import encode

MODELS = "/v1/models"


class UpstreamHealth(Struct):
    """One upstream as `/health` shows it."""

    models: int | None
    """How many its catalogue lists; null while nothing is listed that was read or configured."""
    catalogue: str
    """``ok``, ``unknown`` (not read yet), or the class of the last failure: what was read before still counts."""
    reachable: bool | None
    """Whether it answered when it was last asked for its catalogue; null: it is not asked."""
    read_at: int | None
    """When its catalogue was last read, in seconds since 1970; null: never."""
    credentials: bool | None
    """Whether it is asked with a key."""


class Health(Struct):
    """What `/health` answers."""

    status: str
    version: str
    uptime_seconds: float
    in_flight: int
    upstreams: dict[str, UpstreamHealth]


class ModelsEndpoint:
    """``GET /v1/models`` and ``GET /v1/models/{id}``, in OpenAI's shape or, for who sends its headers, Anthropic's."""

    def __init__(self, desk: Desk, refuse_anthropic: Refusal, anthropic_id: bytes) -> None:
        """`refuse_anthropic` answers Anthropic's clients with an error, `anthropic_id` is their request id's header."""
        self._desk = desk
        self._refuse_anthropic = refuse_anthropic
        self._anthropic_id = anthropic_id

    async def list(self, exchange: Exchange) -> None:
        """Answer with every model the caller may use; Anthropic's clients get them a page at a time."""
        if not _is_anthropic(exchange):
            await self._answer(exchange, self._write_list)
            return
        query = dict(parse_qsl(exchange.head.query))
        await self._answer(exchange, _at_once(lambda caller: anthropic_models.write_page(self._entries(caller), query)))

    async def one(self, exchange: Exchange) -> None:
        """Answer with one model; its name may hold slashes, percent-encoded or not."""
        name = name_below(exchange, f"{MODELS}/")
        write = anthropic_models.write_model if _is_anthropic(exchange) else _write_model
        await self._answer(exchange, _at_once(lambda caller: write(self._desk.directory.entry(name, caller))))

    async def _write_list(self, caller: Caller) -> bytes:
        return write_models(await in_slices(map(show_model, self._entries(caller))))

    def _entries(self, caller: Caller) -> Sequence[Entry]:
        return self._desk.directory.entries(caller)

    async def _answer(self, exchange: Exchange, write: Callable[[Caller], Awaitable[bytes]]) -> None:
        anthropic = _is_anthropic(exchange)
        try:
            body = await write(self._desk.keys.identify(exchange.head.headers))
        except DragomanError as error:
            (self._refuse_anthropic if anthropic else refuse)(exchange, error, b"")
            return
        exchange.respond(200, JSON + write_id(exchange, self._anthropic_id if anthropic else REQUEST_ID), body)


class HealthEndpoint:
    """``/health`` for people, ``/health/live`` and ``/health/ready`` for machines; none of them needs a key."""

    def __init__(self, desk: Desk, sources: Sequence[Source], now: Callable[[], float]) -> None:
        self._desk = desk
        self._sources = sources
        self._now = now
        self._began = now()
        self.draining = False
        """Whether the server has been told to stop; it is not ready any more."""

    def drain(self) -> None:
        """The server has been told to stop: it is not ready any more."""
        self.draining = True

    async def health(self, exchange: Exchange) -> None:
        """Answer with the state of the server and a line for each upstream; never a secret, never an address."""
        status = "draining" if self.draining else "ok"
        upstreams = {source.name: _upstream_health(source) for source in self._sources}
        health = Health(status, __version__, round(self._now() - self._began, 3), self._desk.gate.count, upstreams)
        self._say(exchange, 200, encode(health))

    async def live(self, exchange: Exchange) -> None:
        """Answer that the process runs."""
        self._say(exchange, 200, b'{"status":"ok"}')

    async def ready(self, exchange: Exchange) -> None:
        """Answer whether new calls are welcome."""
        self._say(
            exchange, 503 if self.draining else 200, b'{"status":"draining"}' if self.draining else b'{"status":"ok"}'
        )

    def _say(self, exchange: Exchange, status: int, body: bytes) -> None:
        exchange.respond(status, JSON + b"x-request-id: %b\r\ncache-control: no-store\r\n" % exchange.id.encode(), body)


def _at_once(write: Callable[[Caller], bytes]) -> Callable[[Caller], Awaitable[bytes]]:
    """Return `write` for where it might as well have taken its time."""

    async def written(caller: Caller) -> bytes:
        return write(caller)

    return written


def _write_model(entry: Entry) -> bytes:
    return write_model(show_model(entry))


def _is_anthropic(exchange: Exchange) -> bool:
    headers = exchange.head.headers
    return "anthropic-version" in headers or "x-api-key" in headers


def _upstream_health(source: Source) -> UpstreamHealth:
    catalogue = source.catalogue
    state = catalogue.failure or ("ok" if catalogue.known else "unknown")
    listed = len(catalogue.models())
    return UpstreamHealth(
        models=listed if listed or catalogue.known else None,
        catalogue=state,
        reachable=catalogue.answered,
        read_at=None if catalogue.read_at is None else int(catalogue.read_at),
        credentials=source.credentials,
    )
