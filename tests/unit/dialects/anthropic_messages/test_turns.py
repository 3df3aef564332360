"""Conversations: every block of this API in the hub's words, results right behind their calls, nothing lost untold."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_messages.schema import UNSIGNED, Block, Turn
from dragoman.dialects.anthropic_messages.turns import read_turns, unknown
from dragoman.wire.json import Fields, read_json


class Conversation(msgspec.Struct):
    """What of a body the turns are read from."""

    messages: list[Turn]
    system: str | list[Block] | None = None


def read(messages: object, system: object = None) -> tuple[list[msg.Message], Fields]:
    body = {"messages": messages} | ({} if system is None else {"system": system})
    data = msgspec.json.encode(body)
    conversation = read_json(msgspec.json.Decoder(Conversation), data)
    return read_turns(conversation.system, conversation.messages, msgspec.json.decode(data, type=Fields))


def part(block: object, role: str = "user") -> msg.Part:
    """Read a turn of a single block."""
    ((message,), lost) = read([{"role": role, "content": [block]}])
    assert not lost
    (only,) = message.parts
    return only


def shown(messages: list[msg.Message]) -> list[tuple[str, list[object]]]:
    """Tell in short: the role, and the text, the call or the result of each part."""
    return [(message.role, [show(said) for said in message.parts]) for message in messages]


def show(said: msg.Part) -> object:
    match said:
        case msg.Text():
            return said.text
        case msg.ToolCall():
            return f"call {said.id}"
        case msg.ToolResult():
            return {said.id: [show(inner) for inner in said.content]}
        case _:
            return type(said).__name__


def call(call_id: str) -> object:
    return {"type": "tool_use", "id": call_id, "name": "f", "input": {}}


def result(call_id: str, content: object = "ok") -> object:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def text(words: str) -> object:
    return {"type": "text", "text": words}


MARK = {"cache_control": {"type": "ephemeral"}}
SYSTEM = [text("one"), text(""), {"type": "text", "text": "two", **MARK}]


@pytest.mark.parametrize(("system", "told"), [("be kind", "be kind"), (SYSTEM, "one\n\ntwo")])
def test_the_system_prompt_comes_first_as_one_text(system: object, told: str) -> None:
    messages, _ = read([{"role": "user", "content": "a"}], system)
    assert shown(messages) == [("system", [told]), ("user", ["a"])]


def test_system_turns_may_stand_anywhere() -> None:
    turns = [
        {"role": "system", "content": "s2"},
        {"role": "user", "content": "a"},
        {"role": "system", "content": [text("s3"), {"type": "image", "source": {"type": "url", "url": "u"}}]},
    ]
    messages, _ = read(turns, "s1")
    assert shown(messages) == [("system", ["s1\n\ns2"]), ("user", ["a"]), ("system", ["s3", "Image"])]


def test_neighbours_of_one_role_are_one_turn() -> None:
    roles = ["user", "user", "assistant", "assistant", "user"]
    messages, _ = read([{"role": role, "content": str(number)} for number, role in enumerate(roles)])
    assert shown(messages) == [("user", ["0", "1"]), ("assistant", ["2", "3"]), ("user", ["4"])]


def test_turns_that_say_nothing_vanish_and_a_prefill_stays() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": [text("")]},
        {"role": "assistant", "content": "The answer is ("},
    ]
    assert shown(read(turns)[0]) == [("user", ["a"]), ("assistant", ["The answer is ("])]


def test_results_come_right_behind_the_turn_that_called() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [text("b"), call("c1"), call("c2")]},
        {"role": "system", "content": "s"},
        {"role": "user", "content": [text("before"), result("c1"), text("after")]},
        {"role": "user", "content": [result("c2", [text("x"), text("y")]), text("last")]},
    ]
    assert shown(read(turns)[0]) == [
        ("user", ["a"]),
        ("assistant", ["b", "call c1", "call c2"]),
        ("tool", [{"c1": ["ok"]}, {"c2": ["x", "y"]}]),
        ("system", ["s"]),
        ("user", ["before", "after", "last"]),
    ]


def test_a_result_without_a_call_stays_where_it_is() -> None:
    assert shown(read([{"role": "user", "content": [result("c1", None)]}], "s")[0]) == [
        ("system", ["s"]),
        ("tool", [{"c1": []}]),
    ]


def test_a_result_may_hold_pictures_and_say_that_it_failed() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    block = {"type": "tool_result", "tool_use_id": "c1", "is_error": True, "content": [text("no"), picture], **MARK}
    read_back = part(block)
    assert isinstance(read_back, msg.ToolResult)
    assert (read_back.failed, read_back.content) == (True, [msg.Text("no"), msg.Image("data:image/png;base64,AA")])
    assert list(read_back.extra) == ["cache_control"]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (text("<tool>\n&amp; <x/></tool>  "), msg.Text("<tool>\n&amp; <x/></tool>  ")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "AA"}},
            msg.Image("data:image/webp;base64,AA"),
        ),
        ({"type": "image", "source": {"type": "url", "url": "https://x.test/i"}}, msg.Image("https://x.test/i")),
        ({"type": "image", "source": {"type": "file", "file_id": "f1"}}, msg.File(id="f1")),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}},
            msg.File("data:application/pdf;base64,AA", name="document.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "base64", "data": "AA"}, "title": "t.pdf"},
            msg.File("data:application/pdf;base64,AA", name="t.pdf"),
        ),
        ({"type": "document", "source": {"type": "url", "url": "https://x.test/d"}}, msg.File("https://x.test/d")),
        ({"type": "document", "source": {"type": "file", "file_id": "f1"}, "title": "t"}, msg.File(id="f1", name="t")),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "title": None},
            msg.Text("d"),
        ),
        ({"type": "document", "source": {"type": "content", "content": "d"}}, msg.Text("d")),
        ({"type": "document", "source": {"type": "content", "content": [text("d")]}}, msg.Text("d")),
        (
            {"type": "search_result", "source": "https://x.test", "title": "T", "content": [text("c1"), text("c2")]},
            msg.Text("T\nhttps://x.test\nc1\nc2"),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": "S"}, msg.Thinking("hm", "S")),
        ({"type": "thinking", "thinking": "hm", "signature": UNSIGNED}, msg.Thinking("hm", UNSET)),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, msg.Thinking("hm", UNSET)),
        ({"type": "redacted_thinking", "data": "X"}, msg.Thinking("", "X", redacted=True)),
        (
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"ä": [1, 2]}},
            msg.ToolCall("c1", "f", '{"ä":[1,2]}'),
        ),
        ({"type": "tool_use", "id": "c1", "name": "f"}, msg.ToolCall("c1", "f", "{}")),
    ],
)
def test_every_block_has_its_part(block: object, told: msg.Part) -> None:
    assert part(block, "assistant") == told


def test_a_documents_title_is_kept_where_the_text_has_no_place_for_it() -> None:
    source = {"type": "content", "content": [text("d"), {"type": "image", "source": {"type": "url", "url": "u"}}]}
    block = {"type": "document", "source": source, "title": "t", "context": "c", "citations": None, **MARK}
    ((message,), _) = read([{"role": "user", "content": [block]}])
    document, picture = message.parts
    assert isinstance(document, msg.Text)
    assert {name: bytes(raw) for name, raw in document.extra.items()} == {
        "title": b'"t"',
        "context": b'"c"',
        "cache_control": b'{"type":"ephemeral"}',
    }
    assert picture == msg.Image("u")


def test_geminis_signature_comes_back_with_its_call() -> None:
    called = part({"type": "tool_use", "id": "c", "name": "f", "input": {}, "extra_content": {"google": 1}})
    assert isinstance(called, msg.ToolCall)
    assert {name: bytes(raw) for name, raw in called.extra.items()} == {"extra": b'{"google":1}'}


def test_what_only_anthropic_knows_is_left_out_and_told() -> None:
    turns = [
        {"role": "user", "content": [text("a"), result("c1", [{"type": "tool_reference", "tool_name": "f"}])]},
        {
            "role": "assistant",
            "name": "bob",
            "content": [
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": {"error_code": "unavailable"}},
            ],
        },
    ]
    messages, lost = read(turns)
    assert shown(messages) == [("tool", [{"c1": []}]), ("user", ["a"])]
    assert set(lost) == {
        "messages.tool_reference",
        "messages.server_tool_use",
        "messages.web_search_tool_result",
        "messages.name",
    }


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "text"}, "messages[0].content[0].text"),
        ({"type": "image"}, "messages[0].content[0].source"),
        ({"type": "image", "source": {"type": "odd"}}, "messages[0].content[0].source"),
        ({"type": "document", "source": "x"}, "messages[0].content[0].source"),
        ({"type": "thinking"}, "messages[0].content[0].thinking"),
        ({"type": "redacted_thinking"}, "messages[0].content[0].data"),
        ({"type": "tool_use", "name": "f", "input": {}}, "messages[0].content[0].id"),
        ({"type": "tool_use", "id": "c", "input": {}}, "messages[0].content[0].name"),
        ({"type": "tool_use", "id": "c", "name": "f", "input": "{}"}, "messages[0].content[0].input"),
        ({"type": "tool_result", "content": "x"}, "messages[0].content[0].tool_use_id"),
        (result(""), "messages[0].content[0].tool_use_id"),
        (result("c", {"a": 1}), "messages[0].content[0].content"),
        (result("c", [{"type": "text"}]), "messages[0].content[0].content[0].text"),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}},
         "messages[0].content[0].source.content[0].source"),
        ({"type": "text", "text": 7}, "messages[0].content[0].text"),
        ({"text": "a"}, "messages[0].content[0].type"),
    ],
)  # fmt: skip
def test_a_block_that_is_wrong_is_named(block: object, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read([{"role": "user", "content": [block]}])
    assert caught.value.param == param


def test_the_model_has_no_results() -> None:
    with pytest.raises(BadRequest) as caught:
        read([{"role": "user", "content": "a"}, {"role": "assistant", "content": [result("c")]}])
    assert caught.value.param == "messages[1].content"


def test_unknown_members_are_those_that_say_something() -> None:
    fields = {"a": Raw(b"1"), "b": Raw(b"null"), "c": Raw(b"[]"), "d": Raw(b"{}")}
    assert set(unknown(fields, frozenset("d"), "x.")) == {"x.a"}


@pytest.mark.parametrize("content", ["", [], [text("")]])
def test_a_conversation_in_which_nothing_is_said_is_refused(content: object) -> None:
    with pytest.raises(BadRequest) as caught:
        read([{"role": "user", "content": content}], "Be brief.")
    assert caught.value.param == "messages"
