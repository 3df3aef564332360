"""A client of Anthropic's Messages for the bench. Source: Anthropic API reference, ``POST /v1/messages``."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bench.dialect import Asked, Dialect, Said


class _Turn(Struct):
    role: str
    content: str


class _Metadata(Struct):
    user_id: str


class _Request(Struct):
    model: str
    messages: list[_Turn]
    max_tokens: int
    stream: bool
    metadata: _Metadata
    temperature: float = 0.7


class _Usage(Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class _Block(Struct):
    """A block of a whole message, or what one event adds to it."""

    text: str = ""
    stop_reason: str | None = None


class _Message(Struct):
    model: str
    content: list[_Block]
    usage: _Usage
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    message: _Message | None = None
    delta: _Block = msgspec.field(default_factory=_Block)
    usage: _Usage | None = None


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)
_encode = msgspec.json.Encoder().encode
_FINISH = {"end_turn": "stop", "max_tokens": "length"}


def _write_request(asked: Asked, prompt: str) -> bytes:
    metadata = _Metadata(str(asked.variant))
    return _encode(_Request(asked.model, [_Turn("user", prompt)], asked.pieces, asked.stream, metadata))


def _read_reply(body: bytes) -> Said:
    message = _message.decode(body)
    text = "".join(block.text for block in message.content)
    return Said(message.model, text, _FINISH[message.stop_reason or ""], _pair(message.usage), 1, True)


def _read_stream(body: bytes) -> Said:
    texts: list[str] = []
    model, finish, usage, done = "", "", _Usage(), False
    for block in body.split(b"\n\n"):
        if not block or block.startswith(b":"):  # a comment keeps a connection alive and says nothing
            continue
        name, data = block.split(b"\n", 1)
        event = _event.decode(data.removeprefix(b"data: "))
        if done or name != b"event: " + event.type.encode():
            raise ValueError(f"unexpected block {block[:80]!r}")
        model = event.message.model if event.message else model
        texts.append(event.delta.text)
        finish = event.delta.stop_reason or finish
        usage = event.usage or usage
        done = event.type == "message_stop"
    count = sum(1 for text in texts if text)
    return Said(model, "".join(texts), _FINISH[finish], _pair(usage), count, done)


def _pair(usage: _Usage) -> tuple[int, int]:
    return usage.input_tokens, usage.output_tokens


ANTHROPIC = Dialect("anthropic_messages", "/v1/messages", _write_request, _read_reply, _read_stream)
