"""A conversation, and whose result is whose."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.errors import BadRequest
from dragoman.core.message import Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from dragoman.dialects.ollama.schema import Turn
from dragoman.dialects.ollama.turns import read_turns
from dragoman.wire.json import Fields

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def read(*turns: bytes) -> list[Message]:
    body = b"[%b]" % b",".join(turns)
    return read_turns(msgspec.json.decode(body, type=list[Turn]), msgspec.json.decode(body, type=list[Fields]))


def calls(*names: bytes) -> bytes:
    called = b",".join(b'{"function":{"name":"%b","arguments":{}}}' % name for name in names)
    return b'{"role":"assistant","tool_calls":[%b]}' % called


def result(content: str, members: str = "") -> bytes:
    return b'{"role":"tool","content":"%b"%b}' % (content.encode(), members.encode())


def answers(messages: list[Message]) -> list[tuple[str, str]]:
    """The results: id of the call → text."""
    return [(part.id, text(part.content)) for turn in messages for part in turn.parts if isinstance(part, ToolResult)]


def text(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def test_every_role_has_its_turn() -> None:
    assert read(
        b'{"role":"System","content":"a"}',
        b'{"role":"developer","content":"b"}',
        b'{"role":"USER","content":"c","mood":"good"}',
        b'{"role":"assistant","content":"d","thinking":"e"}',
    ) == [
        Message("system", [Text("a")]),
        Message("system", [Text("b")]),
        Message("user", [Text("c")], extra={"mood": Raw(b'"good"')}),
        Message("assistant", [Thinking("e"), Text("d")]),
    ]


def test_another_role_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        read(b'{"role":"user"}', b'{"role":"judge","content":"x"}')
    assert caught.value.param == "messages[1].role"


@pytest.mark.parametrize("content", [b"", b',"content":null', b',"content":""', b',"content":[]'])
def test_a_turn_may_say_nothing(content: bytes) -> None:
    assert read(b'{"role":"user"%b}' % content) == [Message("user", [])]


def test_pictures_follow_the_text() -> None:
    image = Image(f"data:image/png;base64,{PNG}")
    assert read(b'{"role":"user","content":"Look","images":["%b"]}' % PNG.encode()) == [
        Message("user", [Text("Look"), image])
    ]


def test_a_content_may_be_a_list_of_parts() -> None:
    assert read(
        b'{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/y"}},'
        b'{"type":"image_url","image_url":"https://x/z"}]}'
    ) == [Message("user", [Text("a"), Image("https://x/y"), Image("https://x/z")])]


@pytest.mark.parametrize("part", [b'{"type":"text"}', b'{"type":"input_audio"}', b'{"type":"image_url"}'])
def test_another_part_is_refused_by_its_place(part: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read(b'{"role":"user","content":[%b]}' % part)
    assert caught.value.param == "messages[0].content[0]"


@pytest.mark.parametrize(
    ("arguments", "read_as"),
    [
        (b'{ "b":1, "a":2.0 }', '{ "b":1, "a":2.0 }'),
        (b'"{\\"b\\":\\"\\u00fc\\"}"', '{"b":"ü"}'),
        (b'""', "{}"),
        (b"null", "{}"),
    ],
)
def test_arguments_are_an_object_or_the_text_of_one(arguments: bytes, read_as: str) -> None:
    turn = b'{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":%b}}]}' % arguments
    assert read(turn)[0].parts == [ToolCall("c", "f", read_as)]


@pytest.mark.parametrize("arguments", [b"[]", b"7", b'"x"', b'"[1]"'])
def test_arguments_that_are_no_object_are_refused_by_their_place(arguments: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read(b'{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":%b}}]}' % arguments)
    assert caught.value.param == "messages[0].tool_calls[0].function.arguments"


def test_a_call_without_an_id_gets_the_same_one_every_time() -> None:
    turns = [b'{"role":"user","content":"x"}', calls(b"f", b"g"), result("1"), result("2")]
    assert read(*turns) == read(*turns)
    assert read(*turns)[1].parts == [ToolCall("call_1_0", "f", "{}"), ToolCall("call_1_1", "g", "{}")]


def test_an_id_that_is_given_twice_names_one_call_only() -> None:
    called = b'{"id":"c","function":{"name":"f"}}'
    turns = read(b'{"role":"assistant","tool_calls":[%b,%b]}' % (called, called), result("1"), result("2"))
    assert answers(turns) == [("c", "1"), ("call_0_1", "2")]


def test_results_without_id_or_name_are_in_the_order_of_the_calls() -> None:
    assert answers(read(calls(b"f", b"g"), result("1"), result("2"))) == [("call_0_0", "1"), ("call_0_1", "2")]


def test_a_result_belongs_to_the_first_unanswered_call_of_its_tool() -> None:
    turns = read(
        calls(b"f", b"g", b"f"),
        result("1", ',"tool_name":"g"'),
        result("2", ',"name":"f"'),
        result("3", ',"tool_name":"f"'),
    )
    assert answers(turns) == [("call_0_1", "1"), ("call_0_0", "2"), ("call_0_2", "3")]
    assert turns[1].parts == [ToolResult("call_0_1", [Text("1")], "g")]


def test_a_tool_nobody_called_answers_the_first_unanswered_call() -> None:
    assert answers(read(calls(b"f"), result("1", ',"tool_name":"h"'))) == [("call_0_0", "1")]


def test_an_id_wins_over_name_and_order() -> None:
    turn = b'{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]}'
    turns = read(turn, result("1", ',"tool_call_id":"b","tool_name":"f"'), result("2", ',"tool_call_id":"unknown"'))
    assert answers(turns) == [("b", "1"), ("a", "2")]


def test_a_result_too_many_is_said_by_the_user() -> None:
    turns = read(calls(b"f"), result("1"), result("2"))
    assert answers(turns) == [("call_0_0", "1")]
    assert turns[-1] == Message("user", [Text("2")])


def test_a_call_without_a_result_gets_an_empty_one() -> None:
    turns = read(calls(b"f", b"g"), result("2", ',"tool_name":"g"'), b'{"role":"user","content":"Well?"}', calls(b"h"))
    assert answers(turns) == [("call_0_1", "2"), ("call_0_0", ""), ("call_3_0", "")]
    assert [turn.role for turn in turns] == ["assistant", "tool", "tool", "user", "assistant", "tool"]


def test_only_the_model_calls_tools() -> None:
    turn = b'{"role":"user","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}'
    assert read(turn) == [Message("user", [])]
