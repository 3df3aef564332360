"""Items of a conversation as messages."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.items import find_references, kind_of, read_items
from dragoman.wire.json import Fields

USER = b'{"role":"user","content":"Hi"}'
SAID = b'{"type":"message","role":"assistant","id":"msg_1","status":"completed","content":[%b]}'
TEXT = SAID % b'{"type":"output_text","text":"Hello","annotations":[],"logprobs":[]}'
THOUGHT = b'{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]}'
CALL = b'{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\\"a\\":1}","status":"completed"}'
RESULT = b'{"type":"function_call_output","call_id":"c1","output":"17"}'


def read(*items: bytes, known: dict[str, Raw] | None = None) -> list[msg.Message]:
    lost: Fields = {}
    messages = read_items([Raw(item) for item in items], "input", known or {}, lost)
    assert lost == {}
    return messages


def lose(*items: bytes) -> list[str]:
    lost: Fields = {}
    read_items([Raw(item) for item in items], "input", {}, lost)
    return list(lost)


def turn(*parts: msg.Part) -> msg.Message:
    return msg.Message("assistant", list(parts))


F = msg.ToolCall("c1", "f", '{"a":1}')


def test_messages_may_leave_out_their_type_and_their_ids() -> None:
    assert read(USER, b'{"type":"message","role":"developer","content":"d"}', b'{"role":"system","content":""}') == [
        msg.Message("user", [msg.Text("Hi")]),
        msg.Message("developer", [msg.Text("d")]),
        msg.Message("system", []),
    ]


def test_what_one_turn_made_is_one_message_again() -> None:
    assert read(USER, THOUGHT, TEXT, CALL, RESULT, RESULT, TEXT, TEXT) == [
        msg.Message("user", [msg.Text("Hi")]),
        turn(msg.Thinking("hm"), msg.Text("Hello"), F),
        msg.Message("tool", [msg.ToolResult("c1", [msg.Text("17")])] * 2),
        turn(msg.Text("Hello")),
        turn(msg.Text("Hello")),
    ]


def test_words_after_a_call_belong_to_its_turn() -> None:
    assert read(CALL, TEXT, RESULT)[0] == turn(F, msg.Text("Hello"))


def test_a_thought_after_words_begins_a_turn() -> None:
    assert read(TEXT, THOUGHT, CALL) == [turn(msg.Text("Hello")), turn(msg.Thinking("hm"), F)]


@pytest.mark.parametrize(
    ("item", "part"),
    [
        (b'"summary":[{"text":"a"},{"text":"b"}]', msg.Thinking("a\n\nb")),
        (b'"summary":[{"text":"short"}],"content":[{"type":"reasoning_text","text":"long"}]', msg.Thinking("long")),
        (b'"summary":[],"encrypted_content":"sig"', msg.Thinking("", "sig")),
        (b'"summary":[{"text":"a"}],"encrypted_content":"sig"', msg.Thinking("a", "sig")),
        (b'"encrypted_content":"redacted:sig"', msg.Thinking("", "sig", redacted=True)),
    ],
)
def test_reasoning_comes_back_with_its_proof(item: bytes, part: msg.Thinking) -> None:
    assert read(b'{"type":"reasoning",%b}' % item) == [turn(part)]


def test_reasoning_of_which_nothing_was_kept_is_nothing() -> None:
    assert read(b'{"type":"reasoning","id":"rs_1","summary":[],"content":null,"encrypted_content":null}') == []


def test_calls_of_all_kinds_are_functions() -> None:
    custom = b'{"type":"custom_tool_call","call_id":"c2","name":"apply","input":"a\\nb"}'
    spaced = b'{"type":"function_call","call_id":"c3","namespace":"mcp","name":"f","arguments":""}'
    output = b'{"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"ok"}]}'
    assert read(custom, spaced, output) == [
        turn(msg.ToolCall("c2", "apply", '{"input":"a\\nb"}'), msg.ToolCall("c3", "mcp__f", "{}")),
        msg.Message("tool", [msg.ToolResult("c2", [msg.Text("ok")])]),
    ]


@pytest.mark.parametrize(
    ("part", "meaning"),
    [
        (b'{"type":"input_text","text":"a"}', msg.Text("a")),
        (b'{"type":"text","text":"a","odd":1}', msg.Text("a", {"odd": Raw(b"1")})),
        (b'{"type":"refusal","refusal":"no"}', msg.Refusal("no")),
        (b'{"type":"input_image","image_url":"https://x.test/a.png"}', msg.Image("https://x.test/a.png")),
        (b'{"type":"input_image","image_url":"data:,","detail":"low"}', msg.Image("data:,", "low")),
        (b'{"type":"input_file","file_data":"data:,","filename":"a.pdf"}', msg.File("data:,", name="a.pdf")),
        (b'{"type":"input_file","file_id":"file-1"}', msg.File(id="file-1")),
    ],
)
def test_parts_have_a_meaning(part: bytes, meaning: msg.Part) -> None:
    assert read(b'{"role":"user","content":[%b]}' % part) == [msg.Message("user", [meaning])]


def test_what_cannot_be_carried_is_named_by_its_path() -> None:
    image = b'{"type":"input_image","file_id":"file-1"}'
    file = b'{"type":"input_file","file_url":"https://x.test/a.pdf"}'
    assert lose(
        USER,
        b'{"type":"web_search_call","id":"ws_1"}',
        b'{"role":"user","content":[%b,%b]}' % (image, file),
        b'{"type":"compaction","encrypted_content":7}',
    ) == [
        "input[1].web_search_call",
        "input[2].content[0].file_id",
        "input[2].content[1].file_url",
        "input[3].compaction",
    ]


def test_unknown_members_of_items_ride_along() -> None:
    messages = read(b'{"role":"user","content":"a","odd":1}', b'{"role":"assistant","content":"b","phase":"x","odd":2}')
    assert [message.extra for message in messages] == [{"odd": Raw(b"1")}, {"odd": Raw(b"2")}]


def test_references_are_replaced_by_what_they_name() -> None:
    reference = b'{"type":"item_reference","id":"fc_1"}'
    assert read(reference, b'{"id":"fc_1"}', known={"fc_1": Raw(CALL)}) == [turn(F, F)]
    assert find_references([Raw(USER), Raw(reference), Raw(b'{"id":"fc_2","type":null}')]) == ["fc_1", "fc_2"]


@pytest.mark.parametrize(
    ("item", "param", "code"),
    [
        (b"7", "input[0]", "invalid_type"),
        (b"{}", "input[0]", "invalid_value"),
        (b'{"role":"tool","content":"x"}', "input[0].role", "invalid_value"),
        (b'{"role":"user"}', "input[0].content", "missing_required_parameter"),
        (b'{"role":"user","content":[{"type":"input_text"}]}', "input[0].content[0]", "invalid_value"),
        (b'{"role":"user","content":[{"type":"odd"}]}', "input[0].content[0]", "invalid_value"),
        (b'{"role":"user","content":[{"type":"input_file"}]}', "input[0].content[0]", "invalid_value"),
        (b'{"role":"user","content":[{"type":"input_text","text":1}]}', "input[0].content[0].text", "invalid_type"),
        (b'{"type":"function_call","name":"f","arguments":""}', "input[0].call_id", "missing_required_parameter"),
        (b'{"type":"function_call_output","call_id":"c","output":1}', "input[0].output", "invalid_type"),
        (b'{"type":"item_reference","id":"gone"}', "input[0].id", "item_not_found"),
    ],
)
def test_a_wrong_item_is_named_by_its_path(item: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(item)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_an_items_kind_is_known_also_when_it_is_not_said() -> None:
    items = (USER, CALL, b'{"id":"x"}', b"{}")
    assert [kind_of(Raw(item)) for item in items] == ["message", "function_call", "item_reference", ""]


def test_tools_among_the_items_are_no_turn_and_no_loss() -> None:
    assert read(USER, b'{"type":"additional_tools","role":"developer","tools":[]}') == read(USER)


@pytest.mark.parametrize(
    "item",
    [
        b'{"type":"function_call","call_id":"","name":"f","arguments":"{}"}',
        b'{"type":"custom_tool_call","call_id":"","name":"f","input":"x"}',
        b'{"type":"function_call_output","call_id":"","output":"17"}',
    ],
)
def test_a_call_without_an_id_is_named(item: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read(USER, item)
    assert caught.value.param == "input[1].call_id"
