"""A client of Ollama's chat for the bench. Source: Ollama API documentation, ``POST /api/chat``."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bench.dialect import Asked, Dialect, Said


class _Message(Struct):
    role: str
    content: str


class _Options(Struct):
    num_predict: int
    seed: int
    temperature: float = 0.7


class _Request(Struct):
    model: str
    messages: list[_Message]
    stream: bool
    options: _Options


class _Line(Struct):
    model: str
    message: _Message
    done: bool
    done_reason: str = ""
    prompt_eval_count: int = 0
    eval_count: int = 0


_line = msgspec.json.Decoder(_Line)
_encode = msgspec.json.Encoder().encode


def _write_request(asked: Asked, prompt: str) -> bytes:
    options = _Options(asked.pieces, asked.variant)
    return _encode(_Request(asked.model, [_Message("user", prompt)], asked.stream, options))


def _read_reply(body: bytes) -> Said:
    return _said([_line.decode(body)], 1)


def _read_stream(body: bytes) -> Said:
    lines = [_line.decode(line) for line in body.splitlines()]
    return _said(lines, sum(1 for line in lines if line.message.content))


def _said(lines: list[_Line], events: int) -> Said:
    last, models = lines[-1], {line.model for line in lines}
    text = "".join(line.message.content for line in lines)
    usage = last.prompt_eval_count, last.eval_count
    return Said(" ".join(sorted(models)), text, last.done_reason, usage, events, last.done)


OLLAMA = Dialect("ollama_chat", "/api/chat", _write_request, _read_reply, _read_stream)
