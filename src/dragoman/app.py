"""The composition root: from a configuration to everything that answers. The only place that knows all the others."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from dragoman.config.schema import Config, OpenAiUpstream, Secret, Server, SimUpstream, UpstreamTimeout
from dragoman.core.ask import Ask, Stage, chain
from dragoman.core.call import Caller, Clock
from dragoman.core.ports import Limits, Store
from dragoman.dialects import INBOUND, inbound
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool
from dragoman.net.reply import Patience
from dragoman.observe.log import Log, write_fault
from dragoman.server import ollama
from dragoman.server.auth import Keys, take_key_from_path
from dragoman.server.directory import Directory, Source, Target
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from dragoman.server.guard import OriginGuard, guard_local
from dragoman.server.http1 import Handler, Settings
from dragoman.server.ops import MODELS, HealthEndpoint, ModelsEndpoint
from dragoman.server.outlet import Pulse
from dragoman.server.recent import PATH as RECENT
from dragoman.server.recent import Recent, RecentEndpoint
from dragoman.server.responses import CUSTOM, RESPONSES, ResponsesEndpoint, write_unkept
from dragoman.server.routes import Routes, refuse_in
from dragoman.server.videos import VIDEOS, VideosEndpoint, keep_videos
from dragoman.stages.retry import Note, retry
from dragoman.stages.route import fallback
from dragoman.stages.session import session
from dragoman.stages.strict import strict
from dragoman.stages.suit import is_choosy, suit
from dragoman.stores.sqlite import SqliteStore, read_path
from dragoman.upstreams.catalogue import Catalogue, keep_fresh, read_models
from dragoman.upstreams.http import HttpUpstream
from dragoman.upstreams.listing import Model
from dragoman.upstreams.openai_compatible import Options, write_headers
from dragoman.upstreams.openai_compatible import build as build_openai
from dragoman.wire.http1 import HeadLimits

PATHS = {
    "anthropic_messages": "/v1/messages",
    "anthropic_tokens": "/v1/messages/count_tokens",
    "ollama_chat": "/api/chat",
    "ollama_embed": "/api/embed",
    "ollama_embeddings": "/api/embeddings",
    "ollama_generate": "/api/generate",
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_embeddings": "/v1/embeddings",
    "openai_image_edits": "/v1/images/edits",
    "openai_image_variations": "/v1/images/variations",
    "openai_images": "/v1/images/generations",
    "openai_moderations": "/v1/moderations",
    "openai_responses": RESPONSES,
    "openai_speech": "/v1/audio/speech",
    "openai_transcriptions": "/v1/audio/transcriptions",
    "openai_translations": "/v1/audio/translations",
    "openai_videos": VIDEOS,
}
"""Where each client dialect is served."""
ANTHROPIC = "anthropic_messages"
"""The dialect in which these paths, and all below them, are refused."""
ANTHROPIC_PATHS = ("/v1/messages", "/v1/files")
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
    """Close every upstream connection, and the store."""


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
        stages: list[Stage] = []
        if self.refresh is not None or is_choosy(self.catalogue.tell(model)):
            stages.append(suit(lambda: self.catalogue.tell(model)))
        if attempts > 1:
            stages.append(retry(attempts, shared.clock.now, shared.note))
        return chain(self.http.ask_model(model), *stages)


def build_app(config: Config, deadlines: Deadlines, make_log: Callable[[Sequence[str]], Log] = Log) -> App:
    """Return the gateway that `config` describes; opens no connection and starts nothing.

    `make_log` is given the secrets that must not be seen in it.
    """
    log = make_log(_secrets(config))
    shared = _Shared(deadlines, Clock(time.monotonic, time.time), partial(write_fault, log))
    upstreams = {name: _build_upstream(name, upstream, shared) for name, upstream in config.upstreams.items()}
    sources = [_source(upstream, shared) for upstream in upstreams.values()]
    targets = {name: [_split(target) for target in alias.targets] for name, alias in config.models.items()}
    aliases = _build_aliases(targets, upstreams, shared)
    aliases |= {name: strict(aliases[name]) for name, alias in config.models.items() if alias.strict}
    directory = Directory(aliases, sources, targets, shared.clock.epoch)
    gate = Gate(config.limits.in_flight, config.limits.per_key)
    limits = msgspec.convert(config.limits, Limits, from_attributes=True)
    pulse = Pulse(config.server.timeout.ping)
    desk = Desk(_build_keys(config), gate, directory, log, shared.clock, pulse, Recent(), limits)
    health = HealthEndpoint(desk, sources, deadlines.now)
    store = SqliteStore(read_path(config.store.url), config.store.keep, shared.clock.epoch)
    videos = VideosEndpoint(desk, store, {name: upstream.http for name, upstream in upstreams.items()})

    def close() -> None:
        store.close()
        for upstream in upstreams.values():
            upstream.http.transport.close()

    return App(
        handler=_build_handler(config, desk, health, store, videos),
        settings=_build_settings(config),
        health=health,
        directory=directory,
        log=log,
        background=[pulse.run, *(upstream.refresh for upstream in upstreams.values() if upstream.refresh is not None)],
        close=close,
    )


def _build_handler(config: Config, desk: Desk, health: HealthEndpoint, store: Store, videos: VideosEndpoint) -> Handler:
    """Return what answers everything, behind the guards that this configuration needs."""
    public = parse_origin(config.server.public_url).host if config.server.public_url else ""
    pages = OriginGuard(_origins(config.server), ollama.refuse)
    routes = _build_routes(config.server, pages, desk, health, store, videos)
    handler: Handler = routes if config.keys else guard_local(routes, public, pages.allows, routes.refuse)
    return take_key_from_path(handler) if config.server.key_in_path else handler


def _build_routes(
    server: Server, pages: OriginGuard, desk: Desk, health: HealthEndpoint, store: Store, videos: VideosEndpoint
) -> Routes:
    anthropic = inbound(ANTHROPIC)
    refuse_anthropic = refuse_in(anthropic.write_error, anthropic.id_header)
    models = ModelsEndpoint(desk, refuse_anthropic, anthropic.id_header)
    responses = ResponsesEndpoint(desk, store)
    catalogue = ollama.OllamaEndpoints(desk.directory, desk.keys, server.ollama_version)
    exact: dict[tuple[str, str], Handler] = {
        ("GET", MODELS): models.list,
        ("GET", "/health"): health.health,
        ("GET", "/health/live"): health.live,
        ("GET", "/health/ready"): health.ready,
        **responses.exact(),
        **videos.exact(),
        **catalogue.exact(),
    }
    stages = {
        RESPONSES: [session(store, CUSTOM, partial(write_unkept, desk.log))],
        VIDEOS: [keep_videos(store)],
    }
    for name in INBOUND:
        exact["POST", PATHS[name]] = Endpoint(inbound(name), desk, *stages.get(PATHS[name], ()))
    recent = RecentEndpoint(desk.recent, desk.keys)
    below = {
        ("GET", f"{MODELS}/"): models.one,
        ("GET", RECENT): recent.one,
        **responses.below(),
        **videos.below(),
        **catalogue.below(),
    }
    refusals = [(ollama.START, ollama.refuse), *((path, refuse_anthropic) for path in ANTHROPIC_PATHS)]
    return Routes(pages.guard(exact, ollama.START), pages.guard(below, ollama.START), refusals)


def _build_upstream(name: str, config: OpenAiUpstream | SimUpstream, shared: _Shared) -> _Upstream:
    if isinstance(config, SimUpstream):
        # Imported only when it is used: a gateway with real upstreams carries no simulator.
        from dragoman.upstreams import simulator

        simulated = simulator.make_simulator(config.seed, config.speed.first, config.speed.rate)
        upstream = simulator.build(name, simulated, shared.clock)
        return _Upstream(upstream, simulator.list_models())
    pool = HttpPool(parse_origin(config.base_url), shared.deadlines)
    key = config.key.reveal() if isinstance(config.key, Secret) else ""
    catalogue = _catalogue(config.models)
    options = Options(key, config.endpoints, _patience(config.timeout), config.timeout.first, catalogue.tell)
    upstream = build_openai(name, pool, shared.clock, options)
    refresh = None
    if not config.models:
        read = partial(read_models, pool, write_headers(key), Patience(config.timeout.connect, first=10, total=30))
        refresh = partial(keep_fresh, catalogue, read, config.refresh)
    return _Upstream(upstream, catalogue, config.retry.attempts, refresh)


def _source(upstream: _Upstream, shared: _Shared) -> Source:
    name, attempts = upstream.http.name, upstream.attempts
    return Source(name, upstream.catalogue, lambda model: upstream.ask_model(model, attempts, shared))


def _build_aliases(
    aliases: Mapping[str, Sequence[Target]], upstreams: Mapping[str, _Upstream], shared: _Shared
) -> dict[str, Ask]:
    """Every target leaves one attempt for each that comes after it: to ask elsewhere helps more than to ask again.

    An upstream that is not to be asked again (one attempt) is no reason not to ask another.
    """
    asked: dict[str, Ask] = {}
    for name, named in aliases.items():
        targets = [(upstreams[upstream], model) for upstream, model in named]
        attempts = max(min(len(targets), ATTEMPTS), *(upstream.attempts for upstream, _ in targets))
        first = attempts - len(targets) + 1
        asks = [upstream.ask_model(model, first + turn, shared) for turn, (upstream, model) in enumerate(targets)]
        asked[name] = fallback(asks, attempts, shared.clock.now, shared.note)
    return asked


def _split(target: str) -> Target:
    """Return the upstream of a target, and what it calls the model."""
    upstream, _, model = target.partition("/")
    return upstream, model


def _build_keys(config: Config) -> Keys:
    callers: dict[bytes, Caller] = {}
    for name, key in config.keys.items():
        models = None if "*" in key.models else key.models
        callers[bytes.fromhex(key.hash.removeprefix("sha256:"))] = Caller(name, models)
    return Keys(callers)


def _origins(server: Server) -> list[str]:
    """Return the origins whose pages may ask."""
    if server.public_url is None:
        return list(server.ollama_origins)
    public = parse_origin(server.public_url)
    return [*server.ollama_origins, f"{public.scheme}://{public.authority}"]


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
