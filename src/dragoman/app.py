"""The composition root: from a configuration to everything that answers. The only place that knows all the others."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from dragoman.config.schema import Config, Server
from dragoman.config.upstreams import Remote, SimUpstream, Upstream
from dragoman.config.values import Secret
from dragoman.connect import Connected, allow_links, connect, read_keys
from dragoman.core.ask import Ask, Stage, chain
from dragoman.core.call import Caller, Clock
from dragoman.core.count import Counter, estimate
from dragoman.core.ports import Limits, Store
from dragoman.dialects import INBOUND, inbound
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.observe.log import Log, write_fault
from dragoman.observe.tokens import find_counter
from dragoman.server import ollama
from dragoman.server.auth import Keys, take_key_from_path
from dragoman.server.directory import Directory, Names, Source, Target
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from dragoman.server.guard import OriginGuard, guard_local
from dragoman.server.http1 import Handler, Settings
from dragoman.server.ops import MODELS, HealthEndpoint, ModelsEndpoint
from dragoman.server.outlet import Pulse
from dragoman.server.presets import join_presets
from dragoman.server.recent import PATH as RECENT
from dragoman.server.recent import Recent, RecentEndpoint
from dragoman.server.responses import CUSTOM, RESPONSES, ResponsesEndpoint, write_unkept
from dragoman.server.routes import Routes, refuse_in
from dragoman.server.videos import VIDEOS, VideosEndpoint, keep_videos
from dragoman.stages.breaker import BreakerSettings
from dragoman.stages.care import Care, CareSettings
from dragoman.stages.count import count_usage, tell_prompt
from dragoman.stages.pace import PaceSettings
from dragoman.stages.retry import Note
from dragoman.stages.route import Candidate, fallback
from dragoman.stages.session import session
from dragoman.stages.strict import strict
from dragoman.stages.suit import suit
from dragoman.stores.sqlite import SqliteStore, read_path
from dragoman.upstreams.catalogue import Catalogue, keep_fresh
from dragoman.upstreams.connector import Connector
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
    """What the asks of every upstream are built with."""

    clock: Clock
    note: Note
    counter: Counter


class _Upstream(Struct, frozen=True):
    """One upstream with all that belongs to it."""

    name: str
    connector: Connector
    catalogue: Catalogue
    attempts: int = ATTEMPTS
    refresh: Callable[[], Awaitable[None]] | None = None
    care: Care | None = None
    """None: nothing harms the simulator."""
    credentials: bool | None = None

    def ask_model(self, model: str, attempts: int, shared: _Shared) -> Ask:
        """Return the ask for `model` with its stages: it is asked again until the call has had `attempts`."""
        stages: list[Stage] = [count_usage(shared.counter), suit(lambda: self.catalogue.tell(model))]
        if self.care is not None:
            stages += self.care.stages(model, attempts)
        return chain(self.connector.ask_model(model), *stages)

    def candidate(self, model: str, attempts: int, shared: _Shared) -> Candidate:
        """Return `model` as one target among several."""
        ask = self.ask_model(model, attempts, shared)
        return Candidate(ask) if self.care is None else self.care.candidate(model, ask)


def build_app(config: Config, deadlines: Deadlines, make_log: Callable[[Sequence[str]], Log] = Log) -> App:
    """Return the gateway that `config` describes; opens no connection and starts nothing.

    `make_log` is given the secrets that must not be seen in it.
    """
    log = make_log(_secrets(config))
    shared = _Shared(Clock(time.monotonic, time.time), partial(write_fault, log), _find_counter(config.server))
    cares = {name: _take_care(name, each, shared, log) for name, each in config.upstreams.items()}
    links = allow_links(config.attachments, deadlines)
    connected = {
        name: connect(name, each, deadlines, shared.clock, care.saw if (care := cares[name]) else None, links)
        for name, each in config.upstreams.items()
    }
    upstreams = {
        name: _add_upstream(name, config.upstreams[name], each, cares[name]) for name, each in connected.items()
    }
    sources = [_source(upstream, shared) for upstream in upstreams.values()]
    targets = {name: [_split(target) for target in alias.targets] for name, alias in config.models.items()}
    aliases = _build_aliases(targets, upstreams, shared)
    aliases |= {name: strict(aliases[name]) for name, alias in config.models.items() if alias.strict}
    names = Names(join_presets(config.names.presets), config.names.default or "")
    directory = Directory(aliases, sources, targets, shared.clock.epoch, names)
    gate = Gate(config.limits.in_flight, config.limits.per_key)
    limits = msgspec.convert(config.limits, Limits, from_attributes=True)
    pulse = Pulse(config.server.timeout.ping)
    desk = Desk(_build_keys(config), gate, directory, log, shared.clock, pulse, Recent(), limits, shared.counter)
    health = HealthEndpoint(desk, sources, deadlines.now)
    store = SqliteStore(read_path(config.store.url), config.store.keep, shared.clock.epoch)
    videos = VideosEndpoint(desk, store, {name: each.connector.http for name, each in connected.items()})

    def close() -> None:
        store.close()
        for transport in [transport for each in connected.values() for transport in each.transports]:
            transport.close()

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
        PATHS["anthropic_tokens"]: [tell_prompt(desk.counter)],
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


def _take_care(name: str, config: Upstream, shared: _Shared, log: Log) -> Care | None:
    if isinstance(config, SimUpstream):
        return None

    def tell(model: str, seconds: float) -> None:
        log.write("WARN", "upstream_ejected", upstream=name, model=model, seconds=round(seconds, 1))

    pause = config.breaker.seconds
    settings = CareSettings(
        attempts=config.retry.attempts,
        breaker=BreakerSettings(failures=config.breaker.failures, pause=pause, longest=10 * pause),
        pace=PaceSettings(rpm=config.rpm),
    )
    return Care(settings, shared.clock, shared.note, tell)


def _add_upstream(name: str, config: Upstream, connected: Connected, care: Care | None) -> _Upstream:
    """Return an upstream, and what keeps its catalogue fresh where it has one of its own."""
    connector, catalogue = connected.connector, connected.catalogue
    if isinstance(config, SimUpstream):
        return _Upstream(name, connector, catalogue)
    refresh = None
    if connector.read_models is not None and not config.models:
        refresh = partial(keep_fresh, catalogue, connector.read_models, config.refresh)
    return _Upstream(name, connector, catalogue, config.retry.attempts, refresh, care, connected.credentials)


def _source(upstream: _Upstream, shared: _Shared) -> Source:
    attempts = upstream.attempts
    ask_model = partial(upstream.ask_model, attempts=attempts, shared=shared)
    return Source(upstream.name, upstream.catalogue, ask_model, upstream.credentials)


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
        candidates = [upstream.candidate(model, first + turn, shared) for turn, (upstream, model) in enumerate(targets)]
        asked[name] = fallback(candidates, attempts, shared.clock.now, shared.note)
    return asked


def _find_counter(server: Server) -> Counter:
    """Return what counts tokens that nobody has told."""
    return (find_counter() if server.tokens == "auto" else None) or estimate


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


def _secrets(config: Config) -> list[str]:
    """Everything that must never be seen in a log."""
    remote = [upstream for upstream in config.upstreams.values() if isinstance(upstream, Remote)]
    hidden = [value.reveal() for upstream in remote for value in upstream.headers.values()]
    proxies = [upstream.proxy.reveal() for upstream in remote if isinstance(upstream.proxy, Secret)]
    return [key for upstream in remote for key in read_keys(upstream)] + hidden + proxies
