"""The composition root: from a configuration to everything that answers. The only place that knows all the others."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from dragoman.config.schema import Config, OpenAiUpstream, Secret, SimUpstream, UpstreamTimeout
from dragoman.core.ask import Ask, chain
from dragoman.core.call import Caller
from dragoman.core.ports import Limits
from dragoman.dialects import INBOUND, inbound
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool
from dragoman.net.reply import Patience
from dragoman.observe.log import Log, write_fault
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory, Source
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.exchange import Exchange
from dragoman.server.gate import Gate
from dragoman.server.http1 import Handler, Settings
from dragoman.server.ops import MODELS, HealthEndpoint, ModelsEndpoint
from dragoman.server.routes import Routes
from dragoman.stages.retry import Note, retry
from dragoman.stages.route import fallback
from dragoman.upstreams.catalogue import Catalogue, Model, keep_fresh, read_models
from dragoman.upstreams.http import Clock, HttpUpstream
from dragoman.upstreams.openai_compatible import Options, write_headers
from dragoman.upstreams.openai_compatible import build as build_openai
from dragoman.wire.http1 import HeadLimits

PATHS = {"openai_chat": "/v1/chat/completions", "openai_completions": "/v1/completions"}
"""Where each client dialect is served."""
ATTEMPTS = 3
"""How often one call is tried at most, where the configuration does not say."""
STREAM_FIRST = 60.0
"""Seconds to the first event of a stream, unless the configuration says otherwise."""


class App(Struct, frozen=True):
    """A gateway that is ready to serve."""

    handler: Handler
    settings: Settings
    health: HealthEndpoint
    directory: Directory
    log: Log
    background: list[Callable[[], Awaitable[None]]]
    """What runs beside the calls for as long as the server does; each is cancelled to end it."""
    close: Callable[[], None]
    """Close every upstream connection."""


class _Shared(Struct, frozen=True):
    """What every upstream is built with."""

    deadlines: Deadlines
    clock: Clock
    note: Note


class _Upstream(Struct, frozen=True):
    """One upstream with all that belongs to it."""

    http: HttpUpstream
    catalogue: Catalogue
    attempts: int = ATTEMPTS
    refresh: Callable[[], Awaitable[None]] | None = None

    def ask_model(self, model: str, attempts: int, shared: _Shared) -> Ask:
        """Return the ask for `model` with its stages: it is asked again until the call has had `attempts`."""
        attempts = min(attempts, self.attempts)
        stages = [retry(attempts, shared.clock.now, shared.note)] if attempts > 1 else []
        return chain(self.http.ask_model(model), *stages)


def build_app(config: Config, deadlines: Deadlines, make_log: Callable[[Sequence[str]], Log] = Log) -> App:
    """Return the gateway that `config` describes; opens no connection and starts nothing.

    `make_log` is given the secrets that must not be seen in it.
    """
    log = make_log(_secrets(config))
    shared = _Shared(deadlines, Clock(deadlines.now, time.time), partial(write_fault, log))
    upstreams = {name: _build_upstream(name, upstream, shared) for name, upstream in config.upstreams.items()}
    sources = [_source(upstream, shared) for upstream in upstreams.values()]
    directory = Directory(_build_aliases(config, upstreams, shared), sources)
    gate = Gate(config.limits.in_flight, config.limits.per_key)
    limits = msgspec.convert(config.limits, Limits, from_attributes=True)
    desk = Desk(_build_keys(config), gate, directory, log, limits)
    health = HealthEndpoint(desk, sources, deadlines.now)

    def close() -> None:
        for upstream in upstreams.values():
            upstream.http.transport.close()

    return App(
        handler=_build_routes(desk, health),
        settings=_build_settings(config),
        health=health,
        directory=directory,
        log=log,
        background=[upstream.refresh for upstream in upstreams.values() if upstream.refresh is not None],
        close=close,
    )


def _build_routes(desk: Desk, health: HealthEndpoint) -> Handler:
    models = ModelsEndpoint(desk)
    exact: dict[tuple[str, str], Callable[[Exchange], Awaitable[None]]] = {
        ("GET", MODELS): models.list,
        ("GET", "/health"): health.health,
        ("GET", "/health/live"): health.live,
        ("GET", "/health/ready"): health.ready,
    }
    for name in INBOUND:
        exact["POST", PATHS[name]] = Endpoint(inbound(name), desk)
    return Routes(exact, {("GET", f"{MODELS}/"): models.one})


def _build_upstream(name: str, config: OpenAiUpstream | SimUpstream, shared: _Shared) -> _Upstream:
    if isinstance(config, SimUpstream):
        # Imported only when it is used: a gateway with real upstreams carries no simulator.
        from dragoman.upstreams import simulator

        simulated = simulator.make_simulator(config.seed, config.speed.first, config.speed.rate)
        upstream = simulator.build(name, simulated, shared.clock)
        return _Upstream(upstream, simulator.list_models())
    pool = HttpPool(parse_origin(config.base_url), shared.deadlines)
    key = config.key.reveal() if isinstance(config.key, Secret) else ""
    options = Options(key, config.endpoints, _patience(config.timeout), config.timeout.first)
    upstream = build_openai(name, pool, shared.clock, options)
    catalogue = _catalogue(config.models)
    refresh = None
    if not config.models:
        read = partial(read_models, pool, write_headers(key), Patience(config.timeout.connect, first=10, total=30))
        refresh = partial(keep_fresh, catalogue, read, config.refresh)
    return _Upstream(upstream, catalogue, config.retry.attempts, refresh)


def _source(upstream: _Upstream, shared: _Shared) -> Source:
    name, attempts = upstream.http.name, upstream.attempts
    return Source(name, upstream.catalogue, lambda model: upstream.ask_model(model, attempts, shared))


def _build_aliases(config: Config, upstreams: Mapping[str, _Upstream], shared: _Shared) -> dict[str, Ask]:
    """Every target leaves one attempt for each that comes after it: to ask elsewhere helps more than to ask again.

    An upstream that is not to be asked again (one attempt) is no reason not to ask another.
    """
    aliases: dict[str, Ask] = {}
    for name, alias in config.models.items():
        parts = [target.partition("/") for target in alias.targets]
        targets = [(upstreams[upstream], model) for upstream, _, model in parts]
        attempts = max(min(len(targets), ATTEMPTS), *(upstream.attempts for upstream, _ in targets))
        first = attempts - len(targets) + 1
        asks = [upstream.ask_model(model, first + turn, shared) for turn, (upstream, model) in enumerate(targets)]
        aliases[name] = fallback(asks, attempts, shared.clock.now, shared.note)
    return aliases


def _build_keys(config: Config) -> Keys:
    callers: dict[bytes, Caller] = {}
    for name, key in config.keys.items():
        models = None if "*" in key.models else key.models
        callers[bytes.fromhex(key.hash.removeprefix("sha256:"))] = Caller(name, models)
    return Keys(callers)


def _build_settings(config: Config) -> Settings:
    limits, timeout = config.limits, config.server.timeout
    return Settings(
        head=HeadLimits(total=limits.head, header=limits.header, count=limits.headers, target=limits.url),
        body=limits.body,
        head_timeout=timeout.head,
        body_timeout=timeout.body,
        write_timeout=timeout.write,
        keep_alive=timeout.keep_alive,
    )


def _catalogue(models: tuple[str, ...]) -> Catalogue:
    if not models:
        return Catalogue()
    return Catalogue([Model(model) for model in models if model != "*"], any_name="*" in models)


def _patience(timeout: UpstreamTimeout) -> Patience:
    first = STREAM_FIRST if timeout.first is None else timeout.first
    return Patience(timeout.connect, first, timeout.idle, timeout.total)


def _secrets(config: Config) -> list[str]:
    """Everything that must never be seen in a log."""
    keys = [upstream.key for upstream in config.upstreams.values() if isinstance(upstream, OpenAiUpstream)]
    return [key.reveal() for key in keys if isinstance(key, Secret)]
