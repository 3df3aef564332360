"""The wire form of Messages: what is written is complete, and what is read is lenient."""

from __future__ import annotations

from base64 import b64decode

import msgspec
from anthropic.types import Message as OfficialMessage

from dragoman.dialects.anthropic_messages.schema import (
    UNSIGNED,
    Block,
    BlockStart,
    Content,
    Error,
    ErrorBody,
    Message,
    MessageDelta,
    Redacted,
    Stop,
    Text,
    Thinking,
    ToolUse,
    Usage,
)


def test_a_message_is_what_the_official_sdk_takes_and_reads_back_as_it_was() -> None:
    content: list[Content] = [Text("a"), Thinking("b", "s"), Redacted("x"), ToolUse("c1", "f", msgspec.Raw(b'{"a":1}'))]
    message = Message(id="msg_1", model="m", content=content, stop_reason="end_turn", usage=Usage(1, 2, 3, 4))
    written = msgspec.json.encode(message)
    official = OfficialMessage.model_validate_json(written, strict=True)
    assert [block.type for block in official.content] == ["text", "thinking", "redacted_thinking", "tool_use"]
    assert msgspec.json.encode(msgspec.json.decode(written, type=Message)) == written


def test_events_carry_their_type_first() -> None:
    assert msgspec.json.encode(BlockStart(2, ToolUse("c1", "f"))) == (
        b'{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c1","name":"f","input":{}}}'
    )
    assert msgspec.json.encode(MessageDelta(Stop("stop_sequence", "END"), Usage(estimated=True))) == (
        b'{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{'
        b'"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,'
        b'"estimated":true}}'
    )
    assert msgspec.json.encode(ErrorBody(Error("api_error", "no"))).startswith(b'{"type":"error"')


def test_a_block_nobody_knows_can_be_read() -> None:
    block = msgspec.json.decode(b'{"type":"new","content":{"a":1},"source":"s","more":[]}', type=Block)
    assert (block.type, block.source) == ("new", "s")


def test_our_signature_says_what_it_is_to_whoever_looks() -> None:
    assert b64decode(UNSIGNED, validate=True) == b"dragoman:unsigned"
