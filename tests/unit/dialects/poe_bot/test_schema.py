"""The Structs of the bot protocol, held against the ones that Poe publishes."""

import msgspec
import pytest

from dragoman.dialects.poe_bot.schema import (
    Attachment,
    FunctionCall,
    FunctionSpec,
    Message,
    Query,
    Tool,
    ToolCall,
    ToolResult,
    is_first,
)
from tests.poe_library import types


def test_a_query_is_what_poes_own_library_sends() -> None:
    ours = msgspec.json.decode(msgspec.json.encode(Query([Message("user", content="hi")])))
    theirs = types.QueryRequest(
        version="1.2",
        type="query",
        query=[types.ProtocolMessage(role="user", content="hi")],
        user_id="",
        conversation_id="",
        message_id="",
    )
    assert ours == theirs.model_dump()


def test_everything_in_a_query_is_read_by_poes_own_library() -> None:
    query = Query(
        [
            Message(
                "user", content="hi", parameters={"a": 1}, attachments=[Attachment("https://x", "image/png", "a.png")]
            )
        ],
        temperature=0.5,
        logit_bias={"1": 2.0},
        stop_sequences=["a"],
        tools=[Tool(FunctionSpec("f", "d", {"type": "object", "properties": {}}))],
        tool_calls=[ToolCall("c", FunctionCall("f", "{}"))],
        tool_results=[ToolResult("f", "c", "r")],
    )
    read = types.QueryRequest.model_validate_json(msgspec.json.encode(query))
    assert read.query[0].attachments[0].name == "a.png"
    assert read.query[0].parameters == {"a": 1}
    assert read.tools is not None
    assert read.tool_calls is not None
    assert read.tool_results is not None


@pytest.mark.parametrize(("index", "first"), [(None, True), (0, True), (-1, True), ("1", True), (1, False)])
def test_only_the_first_answer_counts(index: int | str | None, first: bool) -> None:
    assert is_first(index) is first
