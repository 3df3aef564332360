"""Items while they are said: what is told of each, and what is in it in the end."""

from __future__ import annotations

import pytest
from msgspec import UNSET, Raw, UnsetType

from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.speech import (
    Custom,
    Delta,
    Function,
    Message,
    Reasoning,
    read_logprobs,
)
from dragoman.dialects.openai_responses.tools import Name


class Told:
    """Collects what a stream is told, each by a short name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def say(self, event: wire.Event) -> None:
        self.names.append(str(event.__struct_config__.tag).removeprefix("response."))

    def grow(self, delta: Delta, text: str) -> None:
        kind = delta.head.split(b"\n")[0].removeprefix(b"event: response.").decode()
        self.names.append(f"{kind} {text}")


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_message_holds_its_parts_in_order(told: Told) -> None:
    message = Message(told, 0, "msg_1")
    message.say("a", [])
    assert message.has_said() == "a"
    message.say("b", [Raw(b"1")])
    message.refuse("n")
    message.refuse("o")
    assert message.has_said() is None
    message.end("completed")
    assert message.item == wire.MessageItem(
        "msg_1", "completed", [wire.OutputText("ab", logprobs=[Raw(b"1")]), wire.RefusalPart("no")]
    )
    assert told.names == [
        "output_item.added", "content_part.added", "output_text.delta a", "output_text.delta b", "output_text.done",
        "content_part.done", "content_part.added", "refusal.delta n", "refusal.delta o", "refusal.done",
        "content_part.done", "output_item.done",
    ]  # fmt: skip
    message.void()
    assert message.item.content == [wire.RefusalPart("no")]


@pytest.mark.parametrize("summary", [True, False])
def test_a_reasoning_is_a_summary_or_itself(told: Told, summary: bool) -> None:
    reasoning = Reasoning(told, 0, "rs_1", summary=summary, encrypted=False)
    reasoning.say("")
    reasoning.say("a")
    reasoning.say("b")
    reasoning.sign("S", redacted=False)
    reasoning.end("completed")
    if summary:
        assert reasoning.item == wire.ReasoningItem("rs_1", [wire.SummaryText("ab")])
        assert told.names[1:4:2] == ["reasoning_summary_part.added", "reasoning_summary_text.delta b"]
    else:
        assert reasoning.item == wire.ReasoningItem("rs_1", [], [wire.ReasoningText("ab")])
        assert told.names[1:4:2] == ["content_part.added", "reasoning_text.delta b"]


@pytest.mark.parametrize(("redacted", "proof"), [(False, "S"), (True, "redacted:S")])
def test_a_proof_says_whether_it_is_the_thought_itself(told: Told, redacted: bool, proof: str) -> None:
    reasoning = Reasoning(told, 0, "rs_1", summary=True, encrypted=True)
    assert reasoning.item.encrypted_content is None
    reasoning.sign("S", redacted=redacted)
    reasoning.end("completed")
    assert reasoning.item == wire.ReasoningItem("rs_1", [], encrypted_content=proof)
    assert told.names == ["output_item.added", "output_item.done"]


@pytest.mark.parametrize(
    ("pieces", "status", "arguments"),
    [
        (["", '{"a"', ":1}"], "completed", '{"a":1}'),
        ([""], "completed", "{}"),
        (["{"], "incomplete", "{"),
        ([], "incomplete", ""),
    ],
)
def test_arguments_grow(told: Told, pieces: list[str], status: wire.Status, arguments: str) -> None:
    function = Function(told, 0, "fc_1", "c", Name("f"))
    for piece in pieces:
        function.say(piece)
    function.end(status)
    assert (function.item.arguments, function.item.status) == (arguments, status)
    deltas = [name for name in told.names if name.startswith("function_call_arguments.delta ")]
    assert "".join(name.partition(" ")[2] for name in deltas) == arguments
    assert told.names[-2:] == ["function_call_arguments.done", "output_item.done"]


def test_a_free_text_grows_out_of_arguments(told: Told) -> None:
    custom = Custom(told, 0, "ctc_1", "c", Name("apply", "files", custom=True))
    for piece in ('{"input"', ':"a', 'b"}'):
        custom.say(piece)
    custom.end("completed")
    assert custom.item == wire.CustomItem("ctc_1", "c", "apply", "ab", "completed", "files")
    assert told.names == [
        "output_item.added", "custom_tool_call_input.delta a", "custom_tool_call_input.delta b",
        "custom_tool_call_input.done", "output_item.done",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("logprobs", "tokens"),
    [
        (UNSET, []),
        (Raw(b"7"), []),
        (Raw(b'{"content":null}'), []),
        (
            Raw(
                b'{"content":[{"token":"a","logprob":-1,"bytes":null,'
                b'"top_logprobs":[{"token":"b","logprob":-2},{"token":"c","logprob":-3,"bytes":[99]}]}]}'
            ),
            [
                b'{"token":"a","logprob":-1.0,"bytes":[],"top_logprobs":[{"token":"b","logprob":-2.0,"bytes":[]},'
                b'{"token":"c","logprob":-3.0,"bytes":[99]}]}'
            ],
        ),
    ],
)
def test_tokens_have_no_nulls(logprobs: Raw | UnsetType, tokens: list[bytes]) -> None:
    assert [bytes(token) for token in read_logprobs(logprobs)] == tokens
