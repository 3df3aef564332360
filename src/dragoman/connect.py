"""From the configuration of an upstream to the upstream: its way there, its catalogue, the kind that speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import assert_never

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from dragoman.config.known import KNOWN
from dragoman.config.schema import Attachments
from dragoman.config.upstreams import (
    About,
    AnthropicUpstream,
    OllamaUpstream,
    OpenAiUpstream,
    PoeBotUpstream,
    PoeUpstream,
    QuirkTable,
    QwenUpstream,
    Remote,
    SimUpstream,
    Upstream,
    UpstreamTimeout,
)
from dragoman.config.values import CaFile, Proxy, Secret
from dragoman.core.ask import Ask, chain
from dragoman.core.attached import Attached
from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.message import Audio, File, Image, Video
from dragoman.net.deadlines import Deadlines
from dragoman.net.fetch import Bounds, Fetcher
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool
from dragoman.net.proxy import parse_proxy
from dragoman.net.reply import Patience
from dragoman.net.sniff import AUDIO, DOCUMENTS, IMAGES, VIDEO
from dragoman.net.tls import make_context
from dragoman.upstreams import openai_compatible
from dragoman.upstreams.catalogue import Catalogue, allow_models
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.http import Transport
from dragoman.upstreams.links import FetchLinks, fetch_links
from dragoman.upstreams.listing import Model
from dragoman.upstreams.lore import Lore, Preset, Told, know, tell
from dragoman.upstreams.shipped import FAMILIES, PRESETS

STREAM_FIRST = 60.0
"""Seconds to the first event of a stream, unless the configuration says otherwise."""


Networked = OpenAiUpstream | PoeUpstream | PoeBotUpstream | QwenUpstream | AnthropicUpstream | OllamaUpstream
"""The configuration of any upstream but the simulator."""
Saw = Callable[[Mapping[str, str]], None]
_PRICES = {"input_price": "input", "output_price": "output"}
_WORDS = {"repetition_penalty": "repeat_penalty"}
"""A field for choosing words → the hub's word for it, where that is another one."""


class Connected(Struct, frozen=True):
    """One upstream with all that belongs to it."""

    connector: Connector
    catalogue: Catalogue
    transports: Sequence[Transport]
    """What has to be closed in the end."""
    credentials: bool | None = None
    """Whether it is asked with a key; None: it wants none."""


JUDGES: Mapping[object, Callable[[str], object]] = {
    Proxy: parse_proxy,
    CaFile: lambda path: make_context(Path(path)),
}
"""What raises `ValueError` for a value of the configuration that only the network layer can judge, by its type."""
FETCHED: Mapping[type[Attached], frozenset[str]] = {Image: IMAGES, Audio: AUDIO, Video: VIDEO, File: DOCUMENTS}
"""What a link may lead to, by the part in which it stands."""


def connect(
    name: str,
    config: Upstream,
    deadlines: Deadlines,
    clock: Clock,
    saw: Saw | None = None,
    links: FetchLinks | None = None,
) -> Connected:
    """Return the upstream that `config` describes; opens no connection.

    `saw` is shown the headers of every response; `links` fetches attachments that are only linked.
    Raises `ValueError` when its proxy or its authorities cannot be used.
    """
    if isinstance(config, SimUpstream):
        return _simulate(name, config, clock)
    pools: list[Transport] = []
    reach = partial(make_pool, pools, config, deadlines)
    wiring = Wiring(
        name,
        reach(config.base_url),
        clock,
        _catalogue(name, config),
        keys=read_keys(config),
        headers=_write_headers(config.headers),
        patience=_patience(config.timeout),
        plain_first=config.timeout.first,
        # The headers tell of the key that was used: with several of them they contradict each other.
        saw=saw if len(read_keys(config)) < 2 else None,
        reach=reach,
        links=links,
    )
    connector = _build(config, wiring)
    return Connected(connector, wiring.catalogue, pools, bool(wiring.keys))


def allow_links(config: Attachments, deadlines: Deadlines) -> FetchLinks | None:
    """Return what fetches the attachments that clients only link, where `config` allows it."""
    if not config.fetch:
        return None
    return fetch_links(Fetcher(deadlines, bounds=Bounds(size=config.size)), FETCHED)


def read_keys(config: Remote) -> list[str]:
    """Return the keys of an upstream."""
    keys = [config.key] if isinstance(config.key, Secret) else []
    return [key.reveal() for key in (*keys, *config.keys)]


def _build(config: Networked, wiring: Wiring) -> Connector:
    """Build the upstream by its kind; a kind is imported where it is used."""
    match config:
        case OpenAiUpstream():
            return openai_compatible.build(wiring, config.endpoints)
        case PoeBotUpstream():
            from dragoman.upstreams import poe_bot
            from dragoman.upstreams.attachments import Limits

            assert wiring.reach is not None
            return poe_bot.build(wiring, wiring.reach(config.upload_url), Limits(size=config.upload_limit))
        case PoeUpstream():
            return _build_poe(config, wiring)
        case AnthropicUpstream():
            from dragoman.upstreams import anthropic

            return anthropic.build(wiring)
        case OllamaUpstream():
            from dragoman.upstreams import ollama

            return ollama.build(wiring)
        case QwenUpstream():
            from dragoman.upstreams import qwen

            return qwen.build(wiring)
        case _:
            assert_never(config)


def _build_poe(config: PoeUpstream, wiring: Wiring) -> Connector:
    """Build Poe, whose answers name the files that its bots make; a client of its own dialect looks for them itself."""
    from dragoman.stages.lift import lift
    from dragoman.stages.signatures import Signatures, keep_signatures
    from dragoman.upstreams import poe_bot
    from dragoman.upstreams.attachments import Limits
    from dragoman.upstreams.poe import rest
    from dragoman.upstreams.poe.files import Files

    assert wiring.reach is not None
    bots = structs.replace(wiring, transport=wiring.reach(config.bot_url), catalogue=rest.know_bots(wiring.catalogue))
    limits = Limits(size=config.upload_limit)
    bot = poe_bot.build(bots, wiring.reach(config.upload_url), limits)
    connector = rest.build(wiring, strict=config.strict, bot=bot)
    files, tell = Files(wiring.reach, config.base_url), wiring.catalogue.tell

    signed = keep_signatures(Signatures())

    def ask_model(model: str) -> Ask:
        return chain(connector.ask_model(model), signed, lift(partial(tell, model), files, rest.AS_IS))

    return structs.replace(connector, ask_model=ask_model)


def _simulate(name: str, config: SimUpstream, clock: Clock) -> Connected:
    # Imported only when it is used: a gateway with real upstreams carries no simulator.
    from dragoman.upstreams import simulator

    simulated = simulator.make_simulator(config.seed, config.speed.first, config.speed.rate)
    http = simulator.build(name, simulated, clock)
    return Connected(Connector(http, http.ask_model), simulator.list_models(), [http.transport])


def make_pool(pools: list[Transport], config: Remote, deadlines: Deadlines, url: str) -> HttpPool:
    """Return a pool of connections to `url`, on the way that the upstream is reached, and add it to `pools`."""
    proxy = parse_proxy(config.proxy.reveal()) if isinstance(config.proxy, Secret) else None
    tls = None if config.ca is None else make_context(Path(config.ca))
    pool = HttpPool(parse_origin(url), deadlines, proxy=proxy, tls=tls)
    pools.append(pool)
    return pool


def _catalogue(name: str, config: Remote) -> Catalogue:
    lore = _find_lore(name, config)
    about = {pattern: Told(*_read_about(each)) for pattern, each in config.about.items()}
    return Catalogue(
        [Model(model) for model in config.models if model != "*"] if config.models else None,
        any_name="*" in config.models,
        named=isinstance(config, PoeUpstream),
        complete=tell(lore.complete, about, _read_quirks(config.quirks)),
        allows=allow_models(config.allow, config.deny),
        always=() if config.models else lore.always,
    )


def _find_lore(name: str, config: Remote) -> Lore:
    """Return what is known of the models of an upstream by its kind, and by who it is."""
    match config:
        case OpenAiUpstream():
            homes = (known for known, each in KNOWN.items() if config.base_url in each.homes)
            preset = next((PRESETS[known] for known in (name, *homes) if known in PRESETS), Preset())
            return Lore(know(preset, FAMILIES))
        case AnthropicUpstream():
            return Lore(know(Preset(), FAMILIES))
        case QwenUpstream():
            from dragoman.upstreams import qwen

            return qwen.LORE
        case PoeUpstream():
            from dragoman.upstreams.poe.catalogue import complete

            return Lore(complete)
        case _:
            return Lore()


def _read_about(about: About) -> tuple[Capabilities, Mapping[str, object]]:
    said = {name: value for name, value in structs.asdict(about).items() if value is not UNSET}
    prices = {field: said[name] for name, field in _PRICES.items() if name in said}
    can = {name: said[name] for name in Capabilities.__struct_fields__ if name in said}
    return msgspec.convert(can | ({"prices": prices} if prices else {}), Capabilities), _read_quirks(about)


def _read_quirks(table: QuirkTable) -> Mapping[str, object]:
    """Return what is written down, as fields of `Quirks`."""
    said = {name: getattr(table, name) for name in QuirkTable.__struct_fields__}
    said = {name: value for name, value in said.items() if value is not UNSET}
    if not isinstance(table.sampling, UnsetType):
        said["sampling"] = {_WORDS.get(field, field): field for field in table.sampling}
    return said


def _patience(timeout: UpstreamTimeout) -> Patience:
    first = STREAM_FIRST if timeout.first is None else timeout.first
    return Patience(timeout.connect, first, timeout.idle, timeout.total)


def _write_headers(headers: Mapping[str, Secret]) -> bytes:
    return "".join([f"{name.lower()}: {value.reveal()}\r\n" for name, value in headers.items()]).encode("ascii")
