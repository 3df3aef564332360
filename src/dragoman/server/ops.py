"""Everything that is not a model call: the list of models, and the health of the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from dragoman import __version__
from dragoman.core.call import Caller
from dragoman.core.errors import DragomanError
from dragoman.dialects.openai_models import Model, write_model, write_models
from dragoman.server.directory import Entry, Source
from dragoman.server.endpoint import JSON, Desk
from dragoman.server.exchange import Exchange
from dragoman.server.routes import name_below, refuse
from dragoman.wire.json import encode

MODELS = "/v1/models"


class UpstreamHealth(Struct):
    """One upstream as `/health` shows it."""

    models: int | None
    """How many its catalogue lists; null while it has not been read."""
    catalogue: str
    """``ok``, ``unknown`` (never read), or the class of the last failure."""


class Health(Struct):
    """What `/health` answers."""

    status: str
    version: str
    uptime_seconds: float
    in_flight: int
    upstreams: dict[str, UpstreamHealth]


class ModelsEndpoint:
    """``GET /v1/models`` and ``GET /v1/models/{id}``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def list(self, exchange: Exchange) -> None:
        """Answer with every model the caller may use."""
        self._answer(exchange, self._write_list)

    async def one(self, exchange: Exchange) -> None:
        """Answer with one model; its name may hold slashes, percent-encoded or not."""
        name = name_below(exchange, f"{MODELS}/")
        self._answer(exchange, lambda caller: write_model(_model(self._desk.directory.entry(name, caller))))

    def _write_list(self, caller: Caller) -> bytes:
        return write_models([_model(entry) for entry in self._desk.directory.entries(caller)])

    def _answer(self, exchange: Exchange, write: Callable[[Caller], bytes]) -> None:
        try:
            body = write(self._desk.keys.identify(exchange.head.headers))
        except DragomanError as error:
            refuse(exchange, error)
            return
        exchange.respond(200, JSON + b"x-request-id: %b\r\n" % exchange.id.encode(), body)


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


def _model(entry: Entry) -> Model:
    return Model(entry.id, created=entry.created, owned_by=entry.owned_by, root=entry.id)


def _upstream_health(source: Source) -> UpstreamHealth:
    catalogue = source.catalogue
    state = catalogue.failure or ("ok" if catalogue.known else "unknown")
    return UpstreamHealth(len(catalogue.models()) if catalogue.known else None, state)
