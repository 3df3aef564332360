"""Messages as items."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_responses.conversation import fit_role, write_conversation
from tests.schema import mismatches

PIXEL = "data:image/png;base64,AAAA"


def write(*messages: msg.Message, quirks: Quirks = NO_QUIRKS) -> list[dict[str, object]]:
    """Return the items, each of which OpenAI's schema allows."""
    written = msgspec.json.encode(write_conversation(messages, quirks))
    items = msgspec.json.decode(written, type=list[dict[str, object]])
    for item in items:
        assert mismatches("InputItem", msgspec.json.encode(item)) == []
    return items


def user(*parts: msg.Part) -> msg.Message:
    return msg.Message("user", [*parts])


def test_a_text_alone_is_a_string() -> None:
    items = write(msg.Message("system", [msg.Text("Be kind.")]), user(msg.Text("Hi")), user())
    assert [(item["role"], item["content"]) for item in items] == [("system", "Be kind."), ("user", "Hi"), ("user", "")]


def test_the_user_shows_pictures_and_documents() -> None:
    (item,) = write(
        user(
            msg.Text("Look"),
            msg.Image(PIXEL, "low"),
            msg.Image("https://a.test/i.png"),
            msg.File("data:application/pdf;base64,AA"),
            msg.File("data:text/plain;base64,AA", name="a.txt"),
            msg.File("data:text/plain;base64,AA"),
            msg.File("https://a.test/a.pdf"),
            msg.File(id="file-1"),
        )
    )
    assert item["content"] == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": PIXEL, "detail": "low"},
        {"type": "input_image", "image_url": "https://a.test/i.png", "detail": "auto"},
        {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,AA"},
        {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,AA"},
        {"type": "input_file", "filename": "file", "file_data": "data:text/plain;base64,AA"},
        {"type": "input_file", "file_url": "https://a.test/a.pdf"},
        {"type": "input_file", "file_id": "file-1"},
    ]


def test_a_turn_of_the_model_is_told_in_its_order() -> None:
    items = write(
        msg.Message(
            "assistant",
            [
                msg.Thinking("Hm", "SEAL"),
                msg.Thinking("", "SEAL2"),
                msg.Text("I look"),
                msg.Image("https://a.test/i.png"),
                msg.ToolCall("call_a", "f", ""),
                msg.Text("So"),
                msg.Text(""),
                msg.Refusal("No"),
            ],
        )
    )
    output: dict[str, object] = {"type": "output_text", "annotations": []}
    assert items == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "encrypted_content": "SEAL",
        },
        {"type": "reasoning", "summary": [], "encrypted_content": "SEAL2"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{**output, "text": "I look"}, {**output, "text": "![image](https://a.test/i.png)"}],
        },
        {"type": "function_call", "call_id": "call_a", "name": "f", "arguments": "{}"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{**output, "text": "So"}, {"type": "refusal", "refusal": "No"}],
        },
    ]


def test_results_of_tools_are_items_and_say_when_a_tool_failed() -> None:
    results = [
        msg.ToolResult("a", [msg.Text("rain")]),
        msg.ToolResult("b", [msg.Text("no city")], failed=True),
        msg.ToolResult("c", [msg.Text("ERROR: 7")], failed=True),
        msg.ToolResult("d", [], failed=True),
        msg.ToolResult("e", [msg.Text("Look"), msg.Image(PIXEL)]),
    ]
    items = write(msg.Message("tool", [*results, msg.Text("no result")]))
    assert [item["output"] for item in items[:4]] == ["rain", "Error: no city", "ERROR: 7", "Error:"]
    assert items[4]["output"] == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
    ]


@pytest.mark.parametrize("call_id", ["", "x" * 65])
def test_a_call_whose_id_is_not_allowed_has_another_one_the_same_every_time(call_id: str) -> None:
    called, answered = write(
        msg.Message("assistant", [msg.ToolCall(call_id, "f", "{}")]),
        msg.Message("tool", [msg.ToolResult(call_id, [msg.Text("r")])]),
    )
    assert called["call_id"] == answered["call_id"]
    assert str(called["call_id"]).startswith("call_")


def test_roles_are_those_that_the_server_knows() -> None:
    assert fit_role("developer", Quirks()) == "developer"
    assert fit_role("developer", Quirks(developer_role=False)) == "system"
    assert fit_role("developer", Quirks(developer_role=False, system_role=False)) == "user"
    assert fit_role("assistant", Quirks(system_role=False)) == "assistant"
    (item,) = write(msg.Message("developer", [msg.Text("d")]), quirks=Quirks(developer_role=False))
    assert item["role"] == "system"


def test_what_the_hub_has_no_word_for_goes_along_but_its_own() -> None:
    extra = {"prompt_cache_key": Raw(b"1"), "extra": Raw(b"2")}
    (item,) = write(msg.Message("user", [msg.Text("a", extra)], extra=extra))
    assert item == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "a", "prompt_cache_key": 1}],
        "prompt_cache_key": 1,
    }
