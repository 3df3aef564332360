"""How much to reason, in a server's own words."""

import pytest

from dragoman.core.effort import nearest_effort, tell_reasoning
from dragoman.core.message import Reasoning
from dragoman.core.quirks import Quirks

BUDGET = Quirks(effort="", budget="thinking_budget")
SWITCH = Quirks(effort="", switch="enable_thinking")
BOTH = Quirks(effort="", budget="thinking_budget", switch="enable_thinking")


@pytest.mark.parametrize(
    ("reasoning", "quirks", "told"),
    [
        (Reasoning(), Quirks(), {}),
        (Reasoning("high"), Quirks(), {"reasoning_effort": "high"}),
        (Reasoning("xhigh"), Quirks(effort="output_effort", efforts=("low", "high")), {"output_effort": "high"}),
        (Reasoning("medium"), BUDGET, {"thinking_budget": 8_192}),
        (Reasoning(budget=77), BUDGET, {"thinking_budget": 77}),
        (Reasoning("low", 77), BUDGET, {"thinking_budget": 77}),
        (Reasoning("odd"), BUDGET, {}),
        (Reasoning("none"), SWITCH, {"enable_thinking": False}),
        (Reasoning("low"), SWITCH, {"enable_thinking": True}),
        (Reasoning(budget=0), SWITCH, {"enable_thinking": False}),
        (Reasoning("none"), BOTH, {"enable_thinking": False}),
        (Reasoning(budget=0), BOTH, {"enable_thinking": False}),
        (Reasoning("low"), BOTH, {"enable_thinking": True, "thinking_budget": 2_048}),
        (Reasoning(budget=9), Quirks(), {}),
    ],
)
def test_a_server_is_told_in_its_own_field(reasoning: Reasoning, quirks: Quirks, told: dict[str, object]) -> None:
    assert tell_reasoning(reasoning, quirks) == told


@pytest.mark.parametrize(
    ("effort", "known", "nearest"),
    [
        ("high", (), "high"),
        ("high", ("low", "high"), "high"),
        ("medium", ("low", "high"), "low"),
        ("max", ("none", "minimal"), "minimal"),
        ("none", ("low", "medium"), "low"),
        ("odd", ("low",), "odd"),
        ("low", ("strange",), "low"),
    ],
)
def test_the_nearest_effort_is_told_and_of_two_the_smaller(effort: str, known: tuple[str, ...], nearest: str) -> None:
    assert nearest_effort(effort, known) == nearest
