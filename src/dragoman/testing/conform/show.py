"""Print a report: a matrix, and below it the first broken field of every failure."""

from __future__ import annotations

import sys

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.testing.conform.run import Report, Result

_MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "n/a": ("n/a", "dim"),
    "not installed": ("-", "yellow"),
}
"""How each outcome is shown."""
_WIDE = 200
"""Columns of what is no terminal."""


def print_report(report: Report, *, as_json: bool) -> None:
    """Print `report`, for people or for programs."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    console.print(_matrix(report))
    for line in _remarks(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _matrix(report: Report) -> Table:
    columns = dict.fromkeys((result.dialect, result.way) for result in report.results)
    table = Table("scenario", *(f"{dialect.replace('_', ' ')} {way}" for dialect, way in columns), box=SIMPLE)
    rows: dict[str, list[Result]] = {}
    for result in report.results:
        rows.setdefault(result.scenario, []).append(result)
    for scenario, results in rows.items():
        table.add_row(scenario, *(Text(*_MARKS[result.outcome]) for result in results))
    return table


def _remarks(report: Report) -> list[str]:
    """Say what a mark cannot."""
    lines = [
        f"✗ {result.dialect} {result.way}, {result.scenario}: {result.field}: "
        f"expected {result.expected}, got {result.got}"
        for result in report.failures
    ]
    reasons: dict[str, list[str]] = {}
    for result in report.results:
        if result.outcome == "n/a":
            cells = reasons.setdefault(result.reason, [])
            cells.append(result.scenario)
    lines += [f"n/a {', '.join(dict.fromkeys(cells))}: {reason}" for reason, cells in reasons.items()]
    missing = list(dict.fromkeys(result.dialect for result in report.results if result.outcome == "not installed"))
    if missing:
        lines.append(f"- not installed: the SDK of {', '.join(missing)}")
    counts = {mark: sum(result.outcome == mark for result in report.results) for mark in _MARKS}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return [*lines, f"{report.url}, {report.subject.model}: {told}"]
