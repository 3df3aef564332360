"""Run the bench: start mock, nginx and gateway, measure the chosen rows, print the table.

No figure makes it fail; a wrong answer does, loudly.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from bench.client import Target
from bench.gateways import Start, has_litellm, running_dragoman, running_litellm
from bench.measure import rss_bytes
from bench.nginx import HOW_TO_INSTALL, running_nginx
from bench.process import StartError, running_mock
from bench.rows import FULL, QUICK, SAME_DIALECT, TRANSLATED, Bench, Effort, start_lines
from bench.table import Line, Record, record, write_table

ROWS = ("request", "large", "stream", "translated", "latency", "start", "litellm")
_SETTLED = 0.3
"""Seconds after the first answer at which idle memory is read."""
_SHOWN = 10


class Options(Struct, frozen=True):
    """What the command line says."""

    effort: Effort
    rows: tuple[str, ...]
    python: str
    litellm: str | None


class Report(Struct):
    """All that a run brought to light; `--json` prints it as it is."""

    rows: list[Record]
    notes: list[str]
    faults: list[str]


@click.command()
@click.option("--quick", is_flag=True, help="Shorter runs: half a minute, rougher figures.")
@click.option("--rows", default=",".join(ROWS), help=f"Which rows, separated by commas: {', '.join(ROWS)}.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.option("--python", default=sys.executable, help="The interpreter that runs Dragoman.")
@click.option("--litellm", metavar="PYTHON", help="An interpreter that has LiteLLM, for the rows against it.")
def main(*, quick: bool, rows: str, as_json: bool, python: str, litellm: str | None) -> None:
    """Measure Dragoman beside nginx and print the table of budgets."""
    chosen = tuple(name.strip() for name in rows.split(","))
    if unknown := set(chosen) - set(ROWS):
        raise click.BadParameter(f"unknown row {', '.join(sorted(unknown))}", param_hint="--rows")
    options = Options(QUICK if quick else FULL, chosen, python, litellm)
    _allow_many_sockets()
    before = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="dragoman-bench-") as folder:
            lines, bench = _measure(Path(folder), options)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    notes = [*bench.remarks, _about(time.perf_counter() - before)]
    if as_json:
        report = Report([record(line) for line in lines], notes, bench.faults)
        click.echo(msgspec.json.format(msgspec.json.encode(report)))
    else:
        click.echo("\n".join([write_table(lines), "", *notes]))
    if bench.faults:
        _cry(bench.faults)
        sys.exit(1)


def _measure(folder: Path, options: Options) -> tuple[list[Line], Bench]:
    """Start what is needed, measure the rows one after the other, and end it all."""
    with ExitStack() as stack:
        mock = stack.enter_context(running_mock(_folder(folder, "mock")))
        nginx = stack.enter_context(running_nginx(_folder(folder, "nginx"), mock.port))
        bench = Bench(options.effort, mock, nginx)
        if nginx is None:
            bench.remarks.append(HOW_TO_INSTALL)
        ours = _folder(folder, "dragoman")
        starts = _starts(ours, options, mock)
        dragoman = stack.enter_context(running_dragoman(ours, options.python, mock.port)).target
        lines = list(_lines(bench, dragoman, options))
        lines += starts
        if "litellm" in options.rows:
            lines += _litellm(bench, dragoman, options, _folder(folder, "litellm"), mock)
        return lines, bench


def _lines(bench: Bench, dragoman: Target, options: Options) -> Iterable[Line]:
    rows, effort = options.rows, options.effort
    if "request" in rows:
        yield from bench.requests(dragoman, "1.2 kB, same dialect", 1_200, effort.requests)
    if "large" in rows:
        yield from bench.requests(dragoman, "100 kB, same dialect", 100_000, effort.large_requests)
    if "stream" in rows:
        yield from bench.streams(dragoman, SAME_DIALECT)
    if "translated" in rows:
        for pair in TRANSLATED:
            yield from bench.streams(dragoman, pair)
    if "latency" in rows:
        yield from bench.latency(dragoman)


def _starts(folder: Path, options: Options, mock: Target) -> list[Line]:
    """Start Dragoman several times; the first time compiles the byte code and is not measured.

    It is needed for every row: the heap of a process that has compiled is another, and large bodies show it.
    """
    starts: list[Start] = []
    idle: list[int] = []
    count = options.effort.starts if "start" in options.rows else 0
    for _ in range(1 + count):
        with running_dragoman(folder, options.python, mock.port) as start:
            time.sleep(_SETTLED)
            starts.append(start)
            idle.append(rss_bytes(start.target.pid))
    return start_lines(starts[1:], idle[1:])


def _litellm(bench: Bench, dragoman: Target, options: Options, folder: Path, mock: Target) -> list[Line]:
    if options.litellm is None or not has_litellm(options.litellm):
        return [Line("LiteLLM", remark="not installed")]
    with running_litellm(folder, options.litellm, mock.port) as start:
        return bench.rival(dragoman, start.target)


def _folder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _allow_many_sockets() -> None:
    """Raise the limit of open files as far as it goes; a thousand streams need two sockets each in the gateway."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _about(seconds: float) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} on {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {seconds:.0f} s"


def _cry(faults: list[str]) -> None:
    click.secho(f"\nWRONG: {len(faults):,} faults; no figure above counts.", fg="red", bold=True, err=True)
    kinds = Counter(faults)
    for fault, count in kinds.most_common(_SHOWN):
        click.echo(f"  {fault} ({count:,})", err=True)
    if len(kinds) > _SHOWN:
        click.echo(f"  and {len(kinds) - _SHOWN} other kinds", err=True)


if __name__ == "__main__":
    main()
