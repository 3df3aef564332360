"""What a configuration means, for people: the commands `check` and `models`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dragoman.config.schema import Config, dump_config
from dragoman.connect import Connected, connect
from dragoman.core.call import Clock
from dragoman.core.capabilities import Entry, Prices
from dragoman.core.errors import DragomanError
from dragoman.net.deadlines import Deadlines
from dragoman.server.auth import ANYBODY
from dragoman.server.directory import Directory, Names, Source
from dragoman.server.presets import join_presets

if TYPE_CHECKING:
    from rich.console import Console

_UNBROKEN = 10_000
"""Columns; wider than any line."""
_WORDS = {True: "yes", False: "no", None: ""}


class Shown(Struct, frozen=True):
    """One model as `models --json` shows it; None: nobody has told."""

    id: str
    asks: list[str]
    """What it stands for, in the order in which it is asked; empty for what is a model itself."""
    context: int | None
    output: int | None
    tools: bool | None
    vision: bool | None
    audio: bool | None
    thinking: bool | None
    json_schema: bool | None
    input_usd: float | None
    """USD for a million tokens of the prompt."""
    output_usd: float | None
    """USD for a million tokens of the answer."""


class _List(Struct, frozen=True):
    models: list[Shown]
    errors: dict[str, str]
    """By upstream: why its catalogue could not be read."""


def show_config(config: Config) -> None:
    """Print what was read, secrets hidden, what other programs' variables became, and what every name stands for."""
    console = make_console()
    console.print_json(dump_config(config).decode())
    for warning in config.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)
    _show_recognised(console, config)
    if config.models:
        rows = [(name, alias.targets[0], ", ".join(alias.targets[1:])) for name, alias in config.models.items()]
        print_table(console, ("name", "asks", "then"), rows)
    short = {name: models for name, models in join_presets(config.names.presets).items() if name not in config.models}
    if short:
        print_table(
            console, ("name", "the first of these that is listed"), [(n, ", ".join(m)) for n, m in short.items()]
        )
    where = config.file or "no file: the environment alone"
    console.print(f"The configuration is good ({where}).", markup=False, highlight=False)


def _show_recognised(console: Console, config: Config) -> None:
    for line in config.recognised:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if config.toml:
        console.print(f"\nThe same in dragoman.toml:\n\n{config.toml}", markup=False, highlight=False, soft_wrap=True)


def show_models(config: Config, *, as_json: bool = False) -> int:
    """Print every model that can be asked for; returns the exit status, 1 when a catalogue could not be read."""
    shown = asyncio.run(_read_all(config))
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown)).decode() + "\n")
    else:
        titles = ("model", "asks", "context", "output", "tools", "vision", "thinking", "USD in", "USD out")
        print_table(make_console(), titles, [_write_row(model) for model in shown.models])
    for name, error in shown.errors.items():
        sys.stderr.write(f"error: {name}: {error}\n")
    return 1 if shown.errors else 0


async def _read_all(config: Config) -> _List:
    """Return the models of every upstream, all asked at once, and why some could not be read."""
    loop = asyncio.get_running_loop()
    deadlines, clock = Deadlines(loop), Clock(loop.time, time.time)
    connected = {name: connect(name, upstream, deadlines, clock) for name, upstream in config.upstreams.items()}
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(_read(each)) for name, each in connected.items()}
    finally:
        for transport in [transport for each in connected.values() for transport in each.transports]:
            transport.close()
    directory = _list_in(config, connected)
    asks = directory.targets()
    models = [_show(entry, asks.get(entry.id, [])) for entry in directory.entries(ANYBODY)]
    models += [_show(Entry(f"{name}/*", name), []) for name, each in connected.items() if each.catalogue.any_name]
    return _List(models, {name: error for name, task in tasks.items() if (error := task.result())})


async def _read(connected: Connected) -> str:
    """Read a catalogue that is not known yet; returns why that failed."""
    catalogue, read = connected.catalogue, connected.connector.read_models
    if catalogue.known or read is None:
        return ""
    try:
        catalogue.replace(await read())
    except DragomanError as error:
        return f"{error.message} ({error.detail or error.fault})"
    return ""


def _list_in(config: Config, connected: Mapping[str, Connected]) -> Directory:
    """Return the directory that the gateway would have, whose asks are of no use."""
    targets = {
        name: [(upstream, model) for upstream, _, model in (target.partition("/") for target in alias.targets)]
        for name, alias in config.models.items()
    }
    sources = [Source(name, each.catalogue, each.connector.ask_model) for name, each in connected.items()]
    asks = {name: connected[first].connector.ask_model(model) for name, ((first, model), *_) in targets.items()}
    return Directory(asks, sources, targets, names=Names(join_presets(config.names.presets)))


def _show(entry: Entry, asks: list[str]) -> Shown:
    can, prices = entry.can, entry.can.prices or Prices()
    return Shown(
        id=entry.id,
        asks=asks,
        context=can.context,
        output=can.output,
        tools=can.tools,
        vision=can.vision,
        audio=can.audio,
        thinking=can.thinking,
        json_schema=can.json_schema,
        input_usd=_usd(prices.input),
        output_usd=_usd(prices.output),
    )


def _usd(price: int | None) -> float | None:
    return None if price is None else price / 1_000_000


def _write_row(model: Shown) -> list[str]:
    """Return the cells of a model; what nobody has told is left empty."""
    sizes = ["" if size is None else f"{size:,}" for size in (model.context, model.output)]
    can = [_WORDS[flag] for flag in (model.tools, model.vision, model.thinking)]
    prices = ["" if price is None else f"{price:g}" for price in (model.input_usd, model.output_usd)]
    return [model.id, ", ".join(model.asks), *sizes, *can, *prices]


def make_console() -> Console:
    """Return a console; what goes into a file or a pipe keeps its lines whole, for those who search them."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _UNBROKEN
    return console


def print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of plain text."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
