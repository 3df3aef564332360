"""Poe's bot protocol for the bench, and an OpenAI client whose answers come from it.

Source: Poe server bot protocol 1.2.

The protocol has no limit of tokens, no seed and no usage: how much is to be said goes along as parameters of the
bot, which such a client sends as fields of its own, and nobody's count of tokens is compared.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bench.dialect import MODEL, PROMPT_TOKENS, Asked, Dialect, Mocked, Said, Script, piece_of
from bench.openai_chat import OPENAI_CHAT


class _Parameters(Struct):
    """What the bench says to its bot."""

    pieces: int
    variant: int


class _Turn(Struct):
    role: str
    content: str
    parameters: _Parameters


class _Query(Struct):
    query: list[_Turn]
    version: str = "1.2"
    type: str = "query"
    user_id: str = ""
    conversation_id: str = ""
    message_id: str = ""


class _Last(Struct):
    parameters: _Parameters = msgspec.field(default_factory=lambda: _Parameters(0, 0))


class _Head(Struct):
    """What the mock looks at; it skips what was said."""

    query: list[_Last]


class _Text(Struct):
    text: str = ""


_head = msgspec.json.Decoder(_Head)
_text = msgspec.json.Decoder(_Text)
_encode = msgspec.json.Encoder().encode


def _write_request(asked: Asked, prompt: str) -> bytes:
    return _encode(_Query([_Turn("user", prompt, _Parameters(asked.pieces, asked.variant))]))


def _read_request(body: bytes) -> Asked:
    told = _head.decode(body).query[-1].parameters
    return Asked(MODEL, told.pieces, True, told.variant)


def _write_script(asked: Asked) -> Script:
    return Script(
        reply=b"",  # a bot always streams
        opening=b'event: meta\ndata: {"content_type":"text/markdown","suggested_replies":false}\n\n',
        pieces=[
            b'event: text\ndata: {"text":"%b"}\n\n' % piece_of(asked.variant, index).encode()
            for index in range(asked.pieces)
        ],
        closing=b"event: done\ndata: {}\n\n",
    )


def _read_stream(body: bytes) -> Said:
    texts: list[str] = []
    done = False
    for block in body.split(b"\n\n"):
        kind, _, data = block.partition(b"\n")
        if kind == b"event: text":
            texts.append(_text.decode(data.removeprefix(b"data: ")).text)
        done = done or kind == b"event: done"
    return Said(MODEL, "".join(texts), "stop", (PROMPT_TOKENS, len(texts)), len(texts), done)


def _read_reply(body: bytes) -> Said:
    raise ValueError("a bot always streams")


def _write_chat_request(asked: Asked, prompt: str) -> bytes:
    """An OpenAI client that says to the bot what it is to say."""
    fields = msgspec.json.decode(OPENAI_CHAT.write_request(asked, prompt), type=dict[str, msgspec.Raw])
    return _encode({**fields, "pieces": asked.pieces, "variant": asked.variant})


def _read_chat_stream(body: bytes) -> Said:
    said = OPENAI_CHAT.read_stream(body)
    return replace(said, usage=(PROMPT_TOKENS, said.events))


POE_BOT = Dialect(
    "poe_bot",
    f"/bot/{MODEL}",
    _write_request,
    _read_reply,
    _read_stream,
    upstream=Mocked("poe_bot", "/bot", _read_request, _write_script),
)
CHAT_WITH_A_BOT = replace(OPENAI_CHAT, write_request=_write_chat_request, read_stream=_read_chat_stream)
