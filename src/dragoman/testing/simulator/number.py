"""A number that a JSON Schema accepts: within its bounds, and a multiple of what it asks for."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from msgspec import Struct

from dragoman.testing.simulator.schema import Json, Node

_FAR = Decimal(10) ** 15
"""Numbers beyond it are nobody's wish, and a float cannot hold all of them."""


class _Range(Struct, frozen=True):
    low: Decimal
    high: Decimal
    step: Decimal | None

    def holds(self, value: Decimal) -> bool:
        return self.low <= value <= self.high and not (self.step and value % self.step)


def number_for(node: Node, told: float | None, *, whole: bool) -> float:
    """Return the number `told` when `node` allows it, else the allowed one nearest to 1; an `int` if it is whole."""
    allowed = _range(node, whole=whole)
    if told is not None and allowed.holds(Decimal(str(told))):
        return told
    value = min(max(Decimal(1), allowed.low), allowed.high)
    if step := allowed.step:
        up = (value / step).to_integral_value(ROUND_CEILING) * step
        value = up if up <= allowed.high else (allowed.high / step).to_integral_value(ROUND_FLOOR) * step
    return int(value) if whole or value == value.to_integral_value() else float(value)


def _range(node: Node, *, whole: bool) -> _Range:
    step = _decimal(node.get("multipleOf")) or None
    if whole:
        step = Decimal(step.as_integer_ratio()[0]) if step else Decimal(1)
    low, high = _decimal(node.get("minimum")), _decimal(node.get("maximum"))
    over, under = _decimal(node.get("exclusiveMinimum")), _decimal(node.get("exclusiveMaximum"))
    aside = (step or Decimal(1)) / 2
    if over is not None and under is not None:
        aside = min(aside, (under - over) / 4)
    if over is not None:
        over = over.to_integral_value(ROUND_FLOOR) + 1 if whole else over + aside
    if under is not None:
        under = under.to_integral_value(ROUND_CEILING) - 1 if whole else under - aside
    lows = [bound for bound in (low, over) if bound is not None]
    highs = [bound for bound in (high, under) if bound is not None]
    return _Range(max(lows, default=-_FAR), min(highs, default=_FAR), step)


def _decimal(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _FAR:
        return None
    return Decimal(str(value))
