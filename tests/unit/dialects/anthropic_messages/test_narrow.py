"""What Messages cannot say with every value."""

from __future__ import annotations

import pytest
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core import message as msg
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.anthropic_messages.narrow import REASONS, max_tokens, narrow, thinks

HI = msg.Message("user", [msg.Text("Hi")])
ASKED = msg.Request("m", [HI])
TOOL = msg.Tool("f")
FORCED = replace(ASKED, tools=[TOOL], tool_choice=msg.ToolChoice("named", "f"))
BUDGETS = Quirks(effort="")
LIMITED = Quirks(effort="", always={"max_tokens": Raw(b"8000")})


def see(request: msg.Request, quirks: Quirks = NO_QUIRKS) -> tuple[msg.Request, list[str]]:
    """Return what is left of a request, and the words for what is lost."""
    left, lost = narrow(request, quirks)
    assert set(lost.values()) <= set(REASONS.values())
    return left, list(lost)


def sampled(**sampling: object) -> msg.Request:
    return replace(ASKED, sampling=replace(msg.Sampling(), **sampling))


def test_what_can_be_said_stays_as_it_is() -> None:
    request = sampled(temperature=0.5, top_p=0.1, top_k=4, stop=["END", " x"], max_tokens=5)
    assert see(request) == (request, [])


def test_it_is_never_hotter_than_one() -> None:
    assert see(sampled(temperature=1.5)) == (sampled(temperature=1.0), ["temperature"])
    assert see(sampled(temperature=1.0)) == (sampled(temperature=1.0), [])


def test_a_stop_sequence_has_to_say_something() -> None:
    assert see(sampled(stop=["END", "\n\n", ""])) == (sampled(stop=["END"]), ["stop"])


@pytest.mark.parametrize("reasoning", [msg.Reasoning("low"), msg.Reasoning(None, 2_000)])
def test_thinking_fixes_the_sampling(reasoning: msg.Reasoning) -> None:
    hot = replace(sampled(temperature=1.5, top_p=0.5, top_k=4), reasoning=reasoning)
    assert see(hot) == (replace(ASKED, reasoning=reasoning), ["temperature", "top_p", "top_k"])
    fitting = replace(sampled(temperature=1.0, top_p=0.95), reasoning=reasoning)
    assert see(fitting) == (fitting, [])


@pytest.mark.parametrize("reasoning", [msg.Reasoning("none"), msg.Reasoning()])
def test_without_thinking_the_sampling_is_free(reasoning: msg.Reasoning) -> None:
    request = replace(sampled(temperature=0.5, top_k=4), reasoning=reasoning)
    assert see(request) == (request, [])


def test_who_has_to_call_a_tool_does_not_think_first() -> None:
    low = replace(FORCED, reasoning=msg.Reasoning("low"), sampling=msg.Sampling(temperature=0.5))
    assert not thinks(low)
    assert see(low) == (low, [])
    counted = replace(FORCED, reasoning=msg.Reasoning("low", 2_000))
    assert see(counted) == (replace(FORCED, reasoning=msg.Reasoning("low")), ["budget"])
    assert thinks(replace(low, tools=[]))
    assert thinks(replace(low, tool_choice=msg.ToolChoice("auto")))


@pytest.mark.parametrize(
    ("budget", "most", "left", "lost"),
    [
        (1_024, None, 1_024, []),
        (1_024, 1_025, 1_024, []),
        (1_023, None, None, ["budget"]),
        (2_000, 2_000, None, ["budget"]),
    ],
)
def test_a_budget_needs_room(budget: int, most: int | None, left: int | None, lost: list[str]) -> None:
    told, losses = see(replace(sampled(max_tokens=most), reasoning=msg.Reasoning(None, budget)))
    assert (told.reasoning, losses) == (msg.Reasoning(None, left), lost)


def test_a_budget_of_nothing_is_not_to_think() -> None:
    assert see(replace(ASKED, reasoning=msg.Reasoning(None, 0))) == (
        replace(ASKED, reasoning=msg.Reasoning("none")),
        [],
    )


@pytest.mark.parametrize(
    ("effort", "most", "quirks", "budget", "lost"),
    [
        ("minimal", None, BUDGETS, 1_024, []),
        ("low", None, BUDGETS, 2_048, []),
        ("high", None, BUDGETS, 16_384, []),
        ("new", None, BUDGETS, 16_384, []),
        ("high", 5_000, BUDGETS, 4_999, []),
        ("high", None, LIMITED, 4_000, []),
        ("low", 1_024, BUDGETS, None, ["effort"]),
    ],
)
def test_a_model_without_efforts_is_told_budgets(
    effort: str, most: int | None, quirks: Quirks, budget: int | None, lost: list[str]
) -> None:
    told, losses = see(replace(sampled(max_tokens=most), reasoning=msg.Reasoning(effort)), quirks)
    assert (told.reasoning, losses) == (msg.Reasoning(None, budget), lost)


@pytest.mark.parametrize(
    ("reasoning", "left"),
    [
        (msg.Reasoning("none"), msg.Reasoning("none")),
        (msg.Reasoning(), msg.Reasoning()),
        (msg.Reasoning("low", 5_000), msg.Reasoning(None, 5_000)),
    ],
)
def test_what_is_no_effort_stays_what_it_is(reasoning: msg.Reasoning, left: msg.Reasoning) -> None:
    assert see(replace(ASKED, reasoning=reasoning), BUDGETS)[0].reasoning == left


def test_earlier_thinking_has_to_be_signed() -> None:
    signed = [msg.Thinking("so", "U0lH"), msg.Thinking("", "X", redacted=True)]
    turn: list[msg.Part] = [msg.Thinking("hm"), *signed, msg.Text("a")]
    told, lost = see(replace(ASKED, messages=[HI, msg.Message("assistant", turn)]))
    assert (told.messages[1].parts, lost) == (turn[1:], ["thinking"])


@pytest.mark.parametrize(
    ("file", "taken"),
    [
        (msg.File("data:application/pdf;base64,AA"), True),
        (msg.File("data:text/csv;base64,AA"), True),
        (msg.File("https://a.test/b.pdf"), True),
        (msg.File("data:application/msword;base64,AA"), False),
        (msg.File("AA"), False),
        (msg.File(id="file-1"), False),
    ],
)
def test_documents_are_pdf_or_text(file: msg.File, taken: bool) -> None:
    result = msg.Message("tool", [msg.ToolResult("a", [file])])
    told, lost = see(replace(ASKED, messages=[msg.Message("user", [file]), result]))
    kept: list[msg.Part] = [file] if taken else []
    assert told.messages == [msg.Message("user", kept), msg.Message("tool", [msg.ToolResult("a", kept)])]
    assert lost == ([] if taken else ["file"])


def test_a_limit_is_the_models_own_or_the_usual_one() -> None:
    assert (max_tokens(BUDGETS), max_tokens(LIMITED)) == (4_096, 8_000)
