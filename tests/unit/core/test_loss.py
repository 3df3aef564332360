"""What of a request is carried into another dialect, and what its client is told of the rest."""

from typing import Literal

import pytest
from msgspec import UNSET, Raw
from msgspec.structs import replace

from dragoman.core import message as msg
from dragoman.core.call import Words
from dragoman.core.capabilities import Capabilities
from dragoman.core.loss import MAX_NAME, MAX_NOTED, NO_COUNTERPART, Terms, carry, fit

WORDS = Words(names={"seed": "options.seed", "effort": "think"}, reasons={"keep_alive": "", "raw": "always applied"})
USER = msg.Message("user", [msg.Text("Hi")])
ASKED = msg.Request("m", [USER])
EVERYTHING = frozenset(
    {
        *msg.Sampling.__struct_fields__, "effort", "budget", "n", "user", "metadata", "parallel_tools",
        "tool_choice", "allowed_tools", "strict_tools", "json", "schema", "dimensions", "name", "image", "audio",
        "video", "file", "thinking", "signature", "failed", "linked_image", "linked_audio", "linked_video",
        "linked_file",
    }
)  # fmt: skip


def carried(request: msg.Request, *cannot: str) -> tuple[msg.Request, list[str]]:
    """Return what is left of a request, and the names of what is lost, all for the same reason."""
    left, losses = carry(request, "mine", WORDS, Terms(dict.fromkeys(cannot, "no place")))
    assert set(losses.values()) <= {"no place"}
    return left, list(losses)


def said(*parts: msg.Part) -> msg.Request:
    return msg.Request("m", [msg.Message("user", list(parts))])


def test_what_can_be_said_is_carried_whole() -> None:
    request = msg.Request(
        "m",
        [msg.Message("assistant", [msg.Thinking("hm", "proof"), msg.Text("a")], "me")],
        tools=[msg.Tool("f", strict=True)],
        tool_choice=msg.ToolChoice("auto", allowed=["f"]),
        sampling=msg.Sampling(temperature=0, seed=0, top_k=3),
        reasoning=msg.Reasoning("low", 9),
        format=msg.Format("json"),
        n=2,
        user="u",
        metadata={"a": "b"},
    )
    assert carried(request) == (request, [])


@pytest.mark.parametrize(
    ("request_", "word", "left"),
    [
        (replace(ASKED, n=2), "n", ASKED),
        (replace(ASKED, user="u"), "user", ASKED),
        (replace(ASKED, metadata={"a": "b"}), "metadata", ASKED),
        (replace(ASKED, dimensions=3), "dimensions", ASKED),
        (replace(ASKED, parallel_tools=False), "parallel_tools", ASKED),
        (replace(ASKED, format=msg.Format("json")), "json", ASKED),
        (replace(ASKED, format=msg.Format("schema", "n", schema=Raw(b"{}"))), "schema", ASKED),
        (replace(ASKED, sampling=msg.Sampling(stop=["x"])), "stop", ASKED),
        (replace(ASKED, sampling=msg.Sampling(temperature=0)), "temperature", ASKED),
        (replace(ASKED, sampling=msg.Sampling(logprobs=0)), "logprobs", ASKED),
        (
            replace(ASKED, tool_choice=msg.ToolChoice("auto", allowed=[])),
            "allowed_tools",
            replace(ASKED, tool_choice=msg.ToolChoice("auto")),
        ),
        (replace(ASKED, tool_choice=msg.ToolChoice("required")), "tool_choice", ASKED),
        (replace(ASKED, tool_choice=msg.ToolChoice("named", "f")), "tool_choice", ASKED),
        (
            replace(ASKED, tools=[msg.Tool("f", strict=False)]),
            "strict_tools",
            replace(ASKED, tools=[msg.Tool("f")]),
        ),
        (msg.Request("m", [msg.Message("user", [msg.Text("Hi")], "me")]), "name", ASKED),
        (said(msg.Image("data:,"), msg.Text("Hi")), "image", ASKED),
        (said(msg.Audio("AA", "wav"), msg.Text("Hi")), "audio", ASKED),
        (said(msg.Video("data:,"), msg.Text("Hi")), "video", ASKED),
        (said(msg.File("data:,"), msg.Text("Hi")), "file", ASKED),
        (said(msg.Thinking("hm"), msg.Text("Hi")), "thinking", ASKED),
        (said(msg.Thinking("hm", "proof")), "signature", said(msg.Thinking("hm"))),
        (said(msg.Thinking("", "sealed", redacted=True), msg.Text("Hi")), "signature", ASKED),
        (
            said(msg.ToolResult("c", [msg.Text("no")], failed=True)),
            "failed",
            said(msg.ToolResult("c", [msg.Text("no")])),
        ),
        (said(msg.ToolResult("c", [msg.Image("data:,")])), "image", said(msg.ToolResult("c", []))),
    ],
)
def test_what_has_no_place_is_taken_away_and_told(request_: msg.Request, word: str, left: msg.Request) -> None:
    assert carried(request_, word) == (left, [word])
    assert carried(request_, *(EVERYTHING - {word, "thinking"})) == (request_, [])


LINKED = [
    (msg.Image("https://x.test/i"), "image"),
    (msg.Image("", extra={}), "image"),
    (msg.Audio("", "", url="https://x.test/a"), "audio"),
    (msg.Video("https://x.test/v"), "video"),
    (msg.File("https://x.test/f"), "file"),
    (msg.File(id="file-1"), "file"),
]


@pytest.mark.parametrize(("part", "kind"), LINKED)
def test_what_is_only_linked_may_have_no_place(part: msg.Part, kind: str) -> None:
    request = said(part, msg.Text("Hi"))
    assert carried(request, f"linked_{kind}") == (ASKED, [kind])
    assert carried(request, kind) == (ASKED, [kind])
    assert carried(request, *(EVERYTHING - {kind, f"linked_{kind}"})) == (request, [])
    result = said(msg.ToolResult("c", [part]))
    assert carried(result, f"linked_{kind}") == (said(msg.ToolResult("c", [])), [kind])


def test_a_linked_picture_is_told_in_the_clients_word_for_a_picture() -> None:
    words, terms = Words(names={"image": "image_url"}), Terms({"linked_image": "only bytes"})
    assert carry(said(msg.Image("https://x.test/i")), "mine", words, terms)[1] == {"image_url": "only bytes"}


def test_of_a_choice_that_cannot_be_forced_the_allowed_tools_are_left() -> None:
    request = replace(ASKED, tool_choice=msg.ToolChoice("required", allowed=["f"]))
    left = replace(ASKED, tool_choice=msg.ToolChoice("auto", allowed=["f"]))
    assert carried(request, "tool_choice") == (left, ["tool_choice"])
    forced = replace(ASKED, tool_choice=msg.ToolChoice("required"))
    assert carried(request, "allowed_tools") == (forced, ["allowed_tools"])
    nothing = replace(ASKED, tool_choice=msg.ToolChoice("auto"))
    assert carried(request, "tool_choice", "allowed_tools") == (nothing, ["tool_choice", "allowed_tools"])


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_a_choice_that_forces_nothing_is_carried(mode: Literal["auto", "none"]) -> None:
    request = replace(ASKED, tool_choice=msg.ToolChoice(mode))
    assert carried(request, "tool_choice") == (request, [])


def test_it_is_told_in_the_clients_words() -> None:
    request = replace(ASKED, sampling=msg.Sampling(seed=0), reasoning=msg.Reasoning("high"))
    assert carried(request, "seed", "effort") == (ASKED, ["options.seed", "think"])


@pytest.mark.parametrize(
    "sampling",
    [
        msg.Sampling(top_p=1),
        msg.Sampling(top_k=0, min_p=0.0),
        msg.Sampling(presence_penalty=0.0, frequency_penalty=0, repeat_penalty=1.0),
    ],
)
def test_what_changes_nothing_is_no_loss_but_is_not_carried_either(sampling: msg.Sampling) -> None:
    assert carried(replace(ASKED, sampling=sampling), *EVERYTHING) == (ASKED, [])


@pytest.mark.parametrize(
    ("budget", "effort"), [(0, "none"), (2_048, "low"), (2_049, "medium"), (8_192, "medium"), (8_193, "high")]
)
def test_a_budget_that_has_no_place_becomes_an_effort(budget: int, effort: str) -> None:
    request = replace(ASKED, reasoning=msg.Reasoning(budget=budget))
    assert carried(request, "budget") == (replace(ASKED, reasoning=msg.Reasoning(effort)), ["budget"])
    assert carried(request, "budget", "effort") == (ASKED, ["budget", "think"])


def test_an_effort_of_the_clients_own_counts_more_than_its_budget() -> None:
    request = replace(ASKED, reasoning=msg.Reasoning("low", 90_000))
    assert carried(request, "budget") == (replace(ASKED, reasoning=msg.Reasoning("low")), ["budget"])


def test_what_is_said_in_another_way_is_taken_away_without_a_word() -> None:
    left, losses = carry(replace(ASKED, user="u"), "mine", WORDS, Terms({"user": ""}))
    assert (left, losses) == (ASKED, {})


def test_fields_that_only_one_dialect_knows_are_told_with_its_reasons() -> None:
    extra = {"keep_alive": Raw(b"5"), "raw": Raw(b"true"), "odd": Raw(b"1"), "absent": Raw(b"null")}
    assert carry(replace(ASKED, extra=extra), "mine", WORDS, Terms()) == (
        ASKED,
        {"raw": "always applied", "odd": NO_COUNTERPART},
    )


def test_fields_of_a_kin_dialect_are_carried() -> None:
    extra = {"store": Raw(b"true"), "tier": Raw(b"1")}
    request = replace(ASKED, extra=extra)
    some, every = Terms(kin={"mine": frozenset({"store"})}), Terms(kin={"mine": None})
    assert carry(request, "mine", WORDS, some) == (
        replace(ASKED, extra={"store": extra["store"]}),
        {"tier": NO_COUNTERPART},
    )
    assert carry(request, "mine", WORDS, every) == (request, {})
    assert carry(request, "other", WORDS, every)[0] == ASKED


def test_what_no_dialect_knows_may_be_a_parameter_of_the_model() -> None:
    extra = {"aspect": Raw(b'"1:1"'), "store": Raw(b"true"), "raw": Raw(b"true")}
    message = msg.Message("user", [msg.Text("Hi", {"aspect": Raw(b"1")})])
    request = msg.Request("m", [message], extra=extra)
    left, losses = carry(request, "mine", WORDS, Terms(known=frozenset({"store"})))
    assert left == replace(ASKED, extra={"aspect": extra["aspect"]})
    assert losses == {"aspect": NO_COUNTERPART, "store": NO_COUNTERPART, "raw": "always applied"}


def test_members_of_messages_parts_and_tools_are_fields_too() -> None:
    odd, own = {"odd": Raw(b"1")}, {"extra": Raw(b'{"sig":1}')}
    parts: list[msg.Part] = [
        msg.Text("a", odd),
        msg.ToolCall("c", "f", "{}", odd | own),
        msg.ToolResult("c", [msg.Text("b", odd)], extra=odd),
    ]
    request = msg.Request("m", [msg.Message("user", parts, extra=odd)], tools=[msg.Tool("f", extra=odd)])
    left, losses = carry(request, "mine", Words(), Terms())
    assert losses == {"odd": NO_COUNTERPART}
    assert left.messages == [
        msg.Message("user", [msg.Text("a"), msg.ToolCall("c", "f", "{}", own), msg.ToolResult("c", [msg.Text("b")])])
    ]
    assert left.tools == [msg.Tool("f")]


def test_a_client_that_sends_any_number_of_fields_is_told_of_some() -> None:
    extra = {f"{number}{'x' * 1000}": Raw(b"1") for number in range(1000)}
    left, losses = carry(replace(ASKED, extra=extra), "mine", Words(), Terms())
    assert left == ASKED
    assert len(losses) == MAX_NOTED
    assert {len(name) for name in losses} == {MAX_NAME}


def test_every_word_of_the_hub_is_one_that_a_dialect_can_refuse() -> None:
    request = replace(
        said(msg.Thinking("hm", "proof")),
        sampling=msg.Sampling(0.1, 0.1, 1, 0.1, 1, ["x"], 1, 1, 1, 2, {"1": 1}, 1),
        reasoning=msg.Reasoning("low", 1),
        n=2,
    )
    left, losses = carry(request, "mine", Words(), Terms(dict.fromkeys(EVERYTHING - {"thinking"}, "no place")))
    assert left == said(msg.Thinking("hm", UNSET))
    assert set(losses) == {*msg.Sampling.__struct_fields__, "effort", "budget", "n", "signature"}


@pytest.mark.parametrize(
    ("effort", "thinking", "told", "lost"),
    [
        ("none", True, "none", []),
        ("none", False, None, []),
        ("none", None, None, ["think"]),
        ("high", True, "high", []),
        ("high", False, None, ["think"]),
        ("high", None, "high", []),
    ],
)
def test_a_model_is_told_how_much_to_reason_if_that_can_help(
    effort: str, thinking: bool | None, told: str | None, lost: list[str]
) -> None:
    request = msg.Request("m", [], reasoning=msg.Reasoning(effort))
    terms = fit(Terms({"seed": "no seeds"}), Capabilities(thinking=thinking))
    left, losses = carry(request, "ollama_chat", Words(names={"effort": "think"}), terms)
    assert (left.reasoning.effort, list(losses)) == (told, lost)
    assert terms.cannot["seed"] == "no seeds"


def test_what_can_be_said_but_not_with_every_value_is_narrowed_last() -> None:
    def narrow(request: msg.Request) -> tuple[msg.Request, dict[str, str]]:
        assert request.n == 1, "what has no place at all is gone by now"
        return replace(request, user="u"), {"user": "too long", "top_k": ""}

    terms = Terms({"n": "one answer"}, narrow=narrow)
    left, losses = carry(msg.Request("m", [], n=2, user="user"), "mine", Words({"user": "metadata.user_id"}), terms)
    assert left == msg.Request("m", [], user="u")
    assert losses == {"n": "one answer", "metadata.user_id": "too long"}
