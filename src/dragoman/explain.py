"""What a configuration means, for people: the commands `check` and `models`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dragoman.config.schema import Config, OpenAiUpstream, Secret, Upstream, dump_config
from dragoman.core.errors import DragomanError
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import read_models
from dragoman.upstreams.openai_compatible import write_headers

if TYPE_CHECKING:
    from rich.console import Console

_UNBROKEN = 10_000
"""Columns; wider than any line."""


def show_config(config: Config) -> None:
    """Print what was read, secrets hidden, and what every alias stands for."""
    console = _console()
    console.print_json(dump_config(config).decode())
    for warning in config.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)
    if config.models:
        rows = [(name, alias.targets[0], ", ".join(alias.targets[1:])) for name, alias in config.models.items()]
        _print_table(console, ("name", "asks", "then"), rows)
    where = config.file or "no file: the environment alone"
    console.print(f"The configuration is good ({where}).", markup=False, highlight=False)


def show_models(config: Config) -> int:
    """Print every model that can be asked for; returns the exit status, 1 when a catalogue could not be read."""
    found = asyncio.run(_read_all(config))
    rows = [(name, ", ".join(alias.targets)) for name, alias in config.models.items()]
    for name, models in found.items():
        if not isinstance(models, DragomanError):
            rows += [(f"{name}/{model}", name) for model in models]
    _print_table(_console(), ("model", "from"), rows)
    failures = [(name, error) for name, error in found.items() if isinstance(error, DragomanError)]
    for name, error in failures:
        sys.stderr.write(f"error: {name}: {error.message} ({error.detail or error.fault})\n")
    return 1 if failures else 0


async def _read_all(config: Config) -> dict[str, Sequence[str] | DragomanError]:
    """Return the models of every upstream, all asked at once, or why they could not be read."""
    deadlines = Deadlines(asyncio.get_running_loop())
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(_read(upstream, deadlines)) for name, upstream in config.upstreams.items()}
    return {name: task.result() for name, task in tasks.items()}


async def _read(upstream: Upstream, deadlines: Deadlines) -> Sequence[str] | DragomanError:
    if not isinstance(upstream, OpenAiUpstream):
        from dragoman.testing.simulator.models import MODELS

        return list(MODELS)
    if upstream.models:
        return upstream.models
    pool = HttpPool(parse_origin(upstream.base_url), deadlines)
    key = upstream.key.reveal() if isinstance(upstream.key, Secret) else ""
    patience = Patience(upstream.timeout.connect, first=10, total=30)
    try:
        return [model.id for model in await read_models(pool, write_headers(key), patience)]
    except DragomanError as error:
        return error
    finally:
        pool.close()


def _console() -> Console:
    """Return a console; what goes into a file or a pipe keeps its lines whole, for those who search them."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _UNBROKEN
    return console


def _print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
