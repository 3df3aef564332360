"""Conversations as Messages take them."""

from __future__ import annotations

from base64 import b64encode

import msgspec
import pytest
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_messages.conversation import write_conversation
from tests.unit.dialects.anthropic_messages.official_request import read_body

HI = msg.Message("user", [msg.Text("Hi")])
USER = {"role": "user", "content": "Hi"}
CACHE: msg.Extra = {"cache_control": Raw(b'{"type":"ephemeral"}')}
MARK = {"cache_control": {"type": "ephemeral"}}


def write(*messages: msg.Message) -> tuple[object, object]:
    """Return what the system says and the turns, which the official SDK's types allow."""
    system, turns = write_conversation(messages)
    body = {"model": "m", "max_tokens": 9, "messages": turns} | ({"system": system} if system else {})
    told = read_body(msgspec.json.encode(body))
    return told.get("system", ""), told["messages"]


def turn(*parts: msg.Part, role: msg.Role = "user") -> object:
    """Return the content of one turn of the user, or of the model's turn behind it."""
    told = write(msg.Message(role, list(parts))) if role == "user" else write(HI, msg.Message(role, list(parts)))
    turns = msgspec.convert(told[1], list[dict[str, object]])
    return turns[-1]["content"]


def test_the_system_speaks_first_wherever_it_speaks() -> None:
    system, turns = write(
        msg.Message("system", [msg.Text("One")]),
        HI,
        msg.Message("developer", [msg.Text("Two", CACHE), msg.Text(" ")]),
        HI,
    )
    assert system == [{"type": "text", "text": "One"}, {**MARK, "type": "text", "text": "Two"}]
    assert turns == [{"role": "user", "content": [{"type": "text", "text": "Hi"}] * 2}]
    assert write(msg.Message("system", [msg.Text("One")]), HI) == ("One", [USER])


def test_a_conversation_begins_with_the_user() -> None:
    said = msg.Message("assistant", [msg.Text("a")])
    dot = {"role": "user", "content": "."}
    assert write(said) == ("", [dot, {"role": "assistant", "content": "a"}])
    assert write(msg.Message("system", [msg.Text("a")])) == ("a", [dot])


def test_neighbours_of_one_role_are_one_turn_and_nothing_is_empty() -> None:
    empty = msg.Message("assistant", [msg.Text(" \n")])
    assert write(HI, empty, HI)[1] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}] * 2}]


CALLED = msg.Message("assistant", [msg.Text("a"), msg.ToolCall("x", "f", '{"a": 1}'), msg.ToolCall("y.0", "g", "")])


def result(call_id: str, *content: msg.Part, failed: bool = False) -> msg.Message:
    return msg.Message("tool", [msg.ToolResult(call_id, list(content), failed=failed)])


def test_all_results_stand_in_one_turn_before_what_the_user_says() -> None:
    _, turns = write(HI, CALLED, HI, result("x", msg.Text("r"), failed=True), result("y.0"), HI)
    (_, called, answered) = msgspec.convert(turns, list[dict[str, list[dict[str, object]] | str]])
    calls = [block for block in called["content"] if isinstance(block, dict) and block["type"] == "tool_use"]
    assert [call["input"] for call in calls] == [{"a": 1}, {}]
    assert [call["id"] for call in calls] == ["x", calls[1]["id"]]
    hi = {"type": "text", "text": "Hi"}
    assert answered["content"] == [
        {"type": "tool_result", "tool_use_id": "x", "content": "r", "is_error": True},
        {"type": "tool_result", "tool_use_id": calls[1]["id"]},
        hi,
        hi,
    ]


def ids(turns: object) -> list[str]:
    """Return the ids of calls and results, in their order."""
    told = msgspec.convert(turns, list[dict[str, object]])
    contents = [one["content"] for one in told if not isinstance(one["content"], str)]
    blocks = [block for content in contents for block in msgspec.convert(content, list[dict[str, object]])]
    found = [block.get("id") or block.get("tool_use_id") for block in blocks]
    return [str(name) for name in found if name]


def test_an_id_that_is_not_allowed_has_another_name_everywhere() -> None:
    call, again = ids(write(HI, msg.Message("assistant", [msg.ToolCall("f:0", "f", "{}")]), result("f:0"))[1])
    assert call == again
    assert call.startswith("toolu_")
    assert call.replace("_", "").isalnum()
    assert ids(write(HI, result("f:0"))[1]) == [call], "the same in every request"


def test_an_id_that_is_there_twice_belongs_to_two_calls() -> None:
    called = msg.Message("assistant", [msg.ToolCall("f", "f", "{}")])
    first, first_result, second, second_result, third = ids(
        write(HI, called, result("f"), called, result("f"), called)[1]
    )
    assert (first, first_result) == ("f", "f")
    assert second == second_result != "f"
    assert len({first, second, third}) == 3


def test_arguments_that_are_no_object_are_told_as_such() -> None:
    content = turn(msg.ToolCall("x", "f", '{"a":'), role="assistant")
    assert content == [{"type": "tool_use", "id": "x", "name": "f", "input": {"INVALID_JSON": '{"a":'}}]


def test_thinking_goes_back_with_its_proof_alone() -> None:
    thoughts = [msg.Thinking("hm", "U0lH"), msg.Thinking("", "X", redacted=True), msg.Thinking("no", UNSET)]
    assert turn(*thoughts, role="assistant") == [
        {"type": "thinking", "thinking": "hm", "signature": "U0lH"},
        {"type": "redacted_thinking", "data": "X"},
    ]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            msg.Image("data:image/png;charset=x;base64,AA==", extra=CACHE),
            {**MARK, "type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        ),
        (msg.Image("https://a.test"), {"type": "image", "source": {"type": "url", "url": "https://a.test"}}),
        (
            msg.File("data:application/pdf;base64,AA==", name="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
                "title": "a.pdf",
            },
        ),
        (
            msg.File("https://a.test/b.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://a.test/b.pdf"}},
        ),
        (
            msg.File(f"data:text/csv;base64,{b64encode('ä,b'.encode()).decode()}"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "ä,b"}},
        ),
        (msg.Refusal("no"), {"type": "text", "text": "no"}),
        (msg.Text("a", CACHE | {"extra": Raw(b"1")}), {**MARK, "type": "text", "text": "a"}),
    ],
)
def test_every_part_has_its_block(part: msg.Part, block: object) -> None:
    text = {"type": "text", "text": "a"}
    assert turn(part, msg.Text("a")) == [block, text]
    told = turn(msg.ToolResult("x", [part, msg.Text("a")]))
    assert told == [{"type": "tool_result", "tool_use_id": "x", "content": [block, text]}]


def test_a_document_that_is_no_base64_is_left_to_the_upstream() -> None:
    _, turns = write_conversation([msg.Message("user", [msg.File("data:text/plain;base64,A")])])
    source = {"type": "base64", "media_type": "text/plain", "data": "A"}
    assert turns == [{"role": "user", "content": [{"type": "document", "source": source}]}]


def test_what_the_model_shows_is_a_link() -> None:
    assert turn(msg.Image("https://a.test"), role="assistant") == "![image](https://a.test)"


def test_a_mark_on_a_message_stands_on_its_last_block() -> None:
    marked = msg.Message("user", [msg.Text("a"), msg.Text("b")], extra=CACHE)
    last = {**MARK, "type": "text", "text": "b"}
    assert write(marked)[1] == [{"role": "user", "content": [{"type": "text", "text": "a"}, last]}]
    assert write(HI, msg.Message("assistant", [], extra=CACHE))[1] == [USER]


def test_a_call_without_a_name_is_the_clients_mistake() -> None:
    with pytest.raises(BadRequest, match="has no name"):
        write_conversation([msg.Message("assistant", [msg.ToolCall("c", "", "{}")])])
