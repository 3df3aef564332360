"""A client of OpenAI's Responses for the bench. Source: OpenAI API reference, ``POST /v1/responses``."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bench.dialect import Asked, Dialect, Said


class _Request(Struct):
    model: str
    input: str
    max_output_tokens: int
    stream: bool
    user: str
    store: bool = False
    temperature: float = 0.7


class _Usage(Struct):
    input_tokens: int
    output_tokens: int


class _Part(Struct):
    text: str = ""


class _Item(Struct):
    type: str
    content: list[_Part] = []


class _Response(Struct):
    model: str
    status: str
    output: list[_Item]
    usage: _Usage | None = None


class _Event(Struct):
    type: str
    sequence_number: int
    delta: str = ""
    response: _Response | None = None


_response = msgspec.json.Decoder(_Response)
_event = msgspec.json.Decoder(_Event)
_encode = msgspec.json.Encoder().encode
_FINISH = {"completed": "stop", "incomplete": "length"}


def _write_request(asked: Asked, prompt: str) -> bytes:
    return _encode(_Request(asked.model, prompt, asked.pieces, asked.stream, str(asked.variant)))


def _read_reply(body: bytes) -> Said:
    return _said(_response.decode(body), 1, done=True)


def _read_stream(body: bytes) -> Said:
    texts: list[str] = []
    last: _Event | None = None
    done = False
    blocks = [block for block in body.split(b"\n\n") if block and not block.startswith(b":")]
    for number, block in enumerate(blocks):
        if block == b"data: [DONE]":
            done = number == len(blocks) - 1
            continue
        name, data = block.split(b"\n", 1)
        last = _event.decode(data.removeprefix(b"data: "))
        if last.sequence_number != number or name != b"event: " + last.type.encode():
            raise ValueError(f"unexpected block {block[:80]!r}")
        if last.type == "response.output_text.delta":
            texts.append(last.delta)
    if last is None or last.response is None:
        raise ValueError("the last event holds no response")
    said = _said(last.response, len(texts), done=done)
    if said.text != "".join(texts):
        raise ValueError("the pieces are not the whole")
    return said


def _said(response: _Response, events: int, *, done: bool) -> Said:
    text = "".join(part.text for item in response.output for part in item.content)
    usage = (response.usage.input_tokens, response.usage.output_tokens) if response.usage else (0, 0)
    return Said(response.model, text, _FINISH[response.status], usage, events, done)


OPENAI_RESPONSES = Dialect("openai_responses", "/v1/responses", _write_request, _read_reply, _read_stream)
