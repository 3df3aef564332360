"""How much to reason, in the words of a server: a field of its own, a budget of tokens, or a switch."""

from __future__ import annotations

from dragoman.core.message import Reasoning
from dragoman.core.quirks import Quirks

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""All efforts, the least first."""
_BUDGETS = {"none": 0, "minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 24_576, "xhigh": 32_768, "max": 65_536}
"""Tokens of reasoning that an effort is worth, where a server counts tokens."""


def tell_reasoning(reasoning: Reasoning, quirks: Quirks) -> dict[str, object]:
    """Return the members of a body that say how much to reason; none when nobody said anything."""
    effort, budget = reasoning.effort, reasoning.budget
    told: dict[str, object] = {}
    if effort is None and budget is None:
        return told
    if quirks.switch:
        on = told[quirks.switch] = effort != "none" and budget != 0
        if not on:
            return told  # a budget of nothing is refused where there is a switch
    if quirks.budget and (tokens := _BUDGETS.get(effort or "") if budget is None else budget) is not None:
        told[quirks.budget] = tokens
    elif quirks.effort and effort is not None:
        told[quirks.effort] = nearest_effort(effort, quirks.efforts)
    return told


def nearest_effort(effort: str, known: tuple[str, ...]) -> str:
    """Return the effort among those `known` that is nearest to `effort`; of two the smaller.

    One that nobody knows goes on as it is, for the server to judge.
    """
    if not known or effort in known or effort not in EFFORTS:
        return effort
    wanted = EFFORTS.index(effort)
    ranked = [each for each in known if each in EFFORTS]
    return min(ranked, key=lambda each: (abs(EFFORTS.index(each) - wanted), EFFORTS.index(each)), default=effort)
