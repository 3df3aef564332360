"""Anthropic's Messages for the bench. Source: Anthropic API reference, ``POST /v1/messages``."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bench.dialect import MODEL, PROMPT_TOKENS, Asked, Dialect, Mocked, Said, Script, piece_of


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


class _RequestHead(Struct):
    """What the mock looks at; it skips the messages."""

    model: str
    max_tokens: int
    stream: bool = False
    metadata: _Metadata = msgspec.field(default_factory=lambda: _Metadata("0"))


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


_head = msgspec.json.Decoder(_RequestHead)
_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)
_encode = msgspec.json.Encoder().encode
_FINISH = {"end_turn": "stop", "max_tokens": "length"}


def _write_request(asked: Asked, prompt: str) -> bytes:
    metadata = _Metadata(str(asked.variant))
    return _encode(_Request(asked.model, [_Turn("user", prompt)], asked.pieces, asked.stream, metadata))


def _read_request(body: bytes) -> Asked:
    head = _head.decode(body)
    return Asked(head.model, head.max_tokens, head.stream, int(head.metadata.user_id))


def _write_script(asked: Asked) -> Script:
    texts = [piece_of(asked.variant, index) for index in range(asked.pieces)]
    opening = _write_event("message_start", f'"message":{_write_message("", 1, "null")}')
    opening += _write_event("content_block_start", '"index":0,"content_block":{"type":"text","text":""}')
    closing = _write_event("content_block_stop", '"index":0')
    delta = '"delta":{"stop_reason":"end_turn","stop_sequence":null}'
    closing += _write_event("message_delta", f'{delta},"usage":{{"output_tokens":{asked.pieces}}}')
    text = "".join(texts)
    block = f'{{"type":"text","text":"{text}"}}'
    return Script(
        reply=_write_message(block, asked.pieces, '"end_turn"').encode(),
        opening=opening,
        pieces=[
            _write_event("content_block_delta", f'"index":0,"delta":{{"type":"text_delta","text":"{piece}"}}')
            for piece in texts
        ],
        closing=closing + _write_event("message_stop"),
    )


def _write_message(content: str, tokens: int, stop: str) -> str:
    return (
        f'{{"id":"msg_bench","type":"message","role":"assistant","model":"{MODEL}","content":[{content}],'
        f'"stop_reason":{stop},"stop_sequence":null,'
        f'"usage":{{"input_tokens":{PROMPT_TOKENS},"output_tokens":{tokens}}}}}'
    )


def _write_event(kind: str, members: str = "") -> bytes:
    more = f",{members}" if members else ""
    return f'event: {kind}\ndata: {{"type":"{kind}"{more}}}\n\n'.encode()


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
        if event.usage is not None:
            usage = _Usage(event.usage.input_tokens or usage.input_tokens, event.usage.output_tokens)
        elif event.message is not None:
            usage = event.message.usage
        done = event.type == "message_stop"
    count = sum(1 for text in texts if text)
    return Said(model, "".join(texts), _FINISH[finish], _pair(usage), count, done)


def _pair(usage: _Usage) -> tuple[int, int]:
    return usage.input_tokens, usage.output_tokens


ANTHROPIC = Dialect(
    "anthropic_messages",
    "/v1/messages",
    _write_request,
    _read_reply,
    _read_stream,
    upstream=Mocked("anthropic", "/v1", _read_request, _write_script),
)
