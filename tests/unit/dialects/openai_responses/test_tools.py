"""Tools of every type as functions, and their names on the way back."""

from __future__ import annotations

import pytest
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.tools import (
    FREE_TEXT,
    Name,
    find_tools,
    flat_name,
    read_names,
    read_tool_choice,
    read_tools,
)
from dragoman.wire.json import Fields

PLAIN = b'{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true}'
CUSTOM = b'{"type":"custom","name":"apply","description":"d","format":{"type":"text"}}'
SPACE = b'{"type":"namespace","name":"mcp","description":"d","tools":[%b,{"type":"custom","name":"c"}]}' % PLAIN


def tools(*raw: bytes) -> tuple[list[msg.Tool], Fields]:
    lost: Fields = {}
    return read_tools({"tools": Raw(b"[%b]" % b",".join(raw))}, lost), lost


def test_a_function_is_a_tool() -> None:
    assert tools(PLAIN) == ([msg.Tool("f", "d", Raw(b'{"type":"object"}'), strict=True)], {})
    assert tools(b'{"type":"function","name":"f","parameters":null}') == ([msg.Tool("f")], {})
    assert tools() == ([], {})
    assert read_tools({"tools": Raw(b"null")}, {}) == []


def test_members_that_the_hub_does_not_know_ride_along() -> None:
    (tool,), _ = tools(b'{"type":"function","name":"f","defer_loading":true}')
    assert tool.extra == {"defer_loading": Raw(b"true")}


def test_a_custom_tool_takes_one_text() -> None:
    assert tools(CUSTOM) == ([msg.Tool("apply", "d", FREE_TEXT)], {})


def test_a_grammar_is_told_to_the_model_and_told_as_lost() -> None:
    form = b'{"type":"grammar","syntax":"lark","definition":"start: X"}'
    (_, tool), lost = tools(PLAIN, b'{"type":"custom","name":"c","format":%b}' % form)
    assert tool == msg.Tool("c", "The input follows this lark grammar:\nstart: X", FREE_TEXT)
    assert lost == {"tools[1].format": Raw(form)}


def test_tools_in_a_namespace_have_its_name_before_theirs() -> None:
    found, lost = tools(SPACE)
    assert [tool.name for tool in found] == ["mcp__f", "mcp__c"]
    assert lost == {}
    assert flat_name("f", "") == "f"


def test_tools_that_only_openai_can_run_are_lost_by_their_path() -> None:
    inner = b'{"type":"namespace","name":"a","tools":[{"type":"namespace","name":"b"}]}'
    found, lost = tools(b'{"type":"web_search","filters":1}', PLAIN, b'{"type":"local_shell"}', inner)
    assert [tool.name for tool in found] == ["f"]
    assert list(lost) == ["tools[0].web_search", "tools[2].local_shell", "tools[3].tools[0].namespace"]


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"7", "tools[0]"),
        (b'{"name":"f"}', "tools[0].type"),
        (b'{"type":"function"}', "tools[0].name"),
        (b'{"type":"namespace","name":"n","tools":[{"type":"function","name":7}]}', "tools[0].tools[0].name"),
    ],
)
def test_a_wrong_tool_is_named_by_its_path(raw: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        tools(raw)
    assert caught.value.param == param


def test_every_tool_keeps_its_clients_name() -> None:
    names = read_names({"tools": Raw(b"[%b,%b,%b]" % (PLAIN, CUSTOM, SPACE))})
    assert names == {
        "f": Name("f"),
        "apply": Name("apply", custom=True),
        "mcp__f": Name("f", "mcp"),
        "mcp__c": Name("c", "mcp", custom=True),
    }
    assert read_names({}) == {}


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        (b"null", None),
        (b'"auto"', msg.ToolChoice("auto")),
        (b'"required"', msg.ToolChoice("required")),
        (b'{"type":"function","name":"f"}', msg.ToolChoice("named", "f")),
        (b'{"type":"function","name":"f","namespace":"mcp"}', msg.ToolChoice("named", "mcp__f")),
        (b'{"type":"custom","name":"c"}', msg.ToolChoice("named", "c")),
        (
            b'{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"mcp"}]}',
            msg.ToolChoice("required", allowed=["f"]),
        ),
    ],
)
def test_a_choice_is_flat(raw: bytes, choice: msg.ToolChoice | None) -> None:
    lost: Fields = {}
    assert read_tool_choice(Raw(raw), lost) == choice
    assert lost == {}


def test_the_choice_of_a_tool_that_is_dropped_is_lost_too() -> None:
    lost: Fields = {}
    raw = Raw(b'{"type":"web_search_preview"}')
    assert read_tool_choice(raw, lost) is None
    assert lost == {"tool_choice.web_search_preview": raw}


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b'"sometimes"', "tool_choice"),
        (b'{"type":"function"}', "tool_choice.name"),
        (b'{"type":"allowed_tools","mode":"any"}', "tool_choice.mode"),
    ],
)
def test_a_wrong_choice_is_refused(raw: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_tool_choice(Raw(raw), {})
    assert caught.value.param == param


def test_unset_is_not_null() -> None:
    assert tools(b'{"type":"function","name":"f"}')[0][0].parameters is UNSET


def test_tools_come_as_an_item_of_the_input_too() -> None:
    said = Raw(b'[{"role":"user","content":"Hi"},{"type":"additional_tools","role":"developer","tools":[%b]}]' % SPACE)
    lists = find_tools(Raw(b"[%b]" % PLAIN), said)
    assert list(lists) == ["tools", "input[1].tools"]
    assert len(read_tools(lists, {})) == len(read_names(lists)) > len(read_tools({"tools": lists["tools"]}, {}))
    assert find_tools(Raw(b"null"), Raw(b'"Hi"')) == {"tools": Raw(b"null")}
