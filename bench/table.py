"""The table: figures beside their budgets, and the mark they earn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

_HEADINGS = ("", "must", "goal", "nginx", "dragoman", "ratio", "")


class Budget(Struct, frozen=True):
    """What a figure must keep and what it should reach; `at_least` for those that are better when larger."""

    must: float
    goal: float
    unit: str = "x"
    at_least: bool = False


class Figure(Struct, frozen=True):
    """One measured value beside its budget; NaN where it could not be measured."""

    value: float
    budget: Budget


class Line(Struct, frozen=True):
    """One row of the table."""

    title: str
    nginx: str = ""
    dragoman: str = ""
    ratio: str = ""
    figures: tuple[Figure, ...] = ()
    """The worst of them gives the mark."""
    remark: str = ""
    """Instead of a mark."""

    @property
    def must(self) -> str:
        """The first budget, as text."""
        return _limits([(figure.budget, figure.budget.must) for figure in self.figures])

    @property
    def goal(self) -> str:
        """The second budget, as text."""
        return _limits([(figure.budget, figure.budget.goal) for figure in self.figures])

    @property
    def mark(self) -> str:
        """Return `goal`, `must` or `MISSES`; nothing where there is no budget or no figure."""
        if self.remark or not self.figures or any(math.isnan(figure.value) for figure in self.figures):
            return self.remark
        if all(_keeps(figure, figure.budget.goal) for figure in self.figures):
            return "goal"
        return "must" if all(_keeps(figure, figure.budget.must) for figure in self.figures) else "MISSES"


class Record(Struct, frozen=True):
    """One row as `--json` prints it."""

    title: str
    must: str
    goal: str
    nginx: str
    dragoman: str
    ratio: str
    mark: str
    values: list[float | None]


def record(line: Line) -> Record:
    """Return the row with its bare values."""
    values = [None if math.isnan(figure.value) else figure.value for figure in line.figures]
    return Record(line.title, line.must, line.goal, line.nginx, line.dragoman, line.ratio, line.mark, values)


def write_table(lines: Sequence[Line]) -> str:
    """Return the rows as a Markdown table whose columns stand below each other in a terminal, too."""
    rows = [
        _HEADINGS,
        *((one.title, one.must, one.goal, one.nginx, one.dragoman, one.ratio, one.mark) for one in lines),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def ratio_text(value: float) -> str:
    """Return a ratio for people, nothing when it is unknown."""
    return "" if math.isnan(value) else f"{value:.2f} x"


def _limits(limits: Sequence[tuple[Budget, float]]) -> str:
    if not limits:
        return ""
    budget = limits[0][0]
    return f"{'≥' if budget.at_least else '≤'} {' / '.join(f'{limit:g}' for _, limit in limits)} {budget.unit}"


def _keeps(figure: Figure, limit: float) -> bool:
    return figure.value >= limit if figure.budget.at_least else figure.value <= limit
