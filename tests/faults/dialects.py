"""How each chat dialect asks, tells an error, and says that all is well: written from its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from tests.faults.gateway import ErrorBody


class Told(NamedTuple):
    """An error as a client reads it."""

    message: str
    kind: str = ""
    """Its type; Ollama has none."""
    param: str | None = None
    code: str | None = None


class Dialect(NamedTuple):
    """How a client of one dialect speaks and listens."""

    path: str
    turn: str
    """The members that ask something."""
    lost: str
    """A member that chat completions have no place for; nothing where all of it can be passed on."""
    loss: str
    """What the client is told was lost."""
    required: str
    """A member that must be there beside the model."""
    stream_type: str
    end: bytes
    """What ends a frame."""
    success: bytes
    """What says that an answer is whole, and is in no broken one."""
    read_error: Callable[[bytes], Told]
    """Reads the body of an error; raises for any other shape."""
    read_broken: Callable[[bytes], Told]
    """Reads the frame that ends a broken stream."""
    statuses: Mapping[int, int] = {}
    """HTTP's number for a failure → the dialect's."""
    tools: str = "none"
    """What becomes of arguments that are no object: ``none`` has no tools, ``text`` passes it on, ``object`` cannot."""


class _Anthropic(msgspec.Struct, forbid_unknown_fields=True):
    class Error(msgspec.Struct, forbid_unknown_fields=True):
        type: str
        message: str

    type: str
    error: Error
    request_id: str


class _Ollama(msgspec.Struct, forbid_unknown_fields=True):
    error: str


class _Failed(msgspec.Struct):
    class Response(msgspec.Struct):
        class Error(msgspec.Struct, forbid_unknown_fields=True):
            code: str
            message: str

        status: str
        error: Error

    type: str
    sequence_number: int
    response: Response


def _read_openai(body: bytes) -> Told:
    error = msgspec.json.decode(body, type=ErrorBody).error
    return Told(error.message, error.type, error.param, error.code)


def _read_anthropic(body: bytes) -> Told:
    told = msgspec.json.decode(body, type=_Anthropic)
    assert told.type == "error"
    assert told.request_id
    return Told(told.error.message, told.error.type)


def _read_ollama(body: bytes) -> Told:
    return Told(msgspec.json.decode(body, type=_Ollama).error)


def _read_openai_broken(frame: bytes) -> Told:
    return _read_openai(_after(frame, b"data: "))


def _read_anthropic_broken(frame: bytes) -> Told:
    return _read_anthropic(_after(frame, b"event: error\ndata: "))


def _read_responses_broken(frame: bytes) -> Told:
    failed = msgspec.json.decode(_after(frame, b"event: response.failed\ndata: "), type=_Failed)
    assert (failed.type, failed.response.status) == ("response.failed", "failed")
    return Told(failed.response.error.message, failed.response.error.code)


def _after(frame: bytes, prefix: bytes) -> bytes:
    assert frame.startswith(prefix), frame
    return frame[len(prefix) :]


_SSE, _BLANK, _DONE = "text/event-stream; charset=utf-8", b"\n\n", b"data: [DONE]\n\n"
_MESSAGES = '"messages":[{"role":"user","content":"Hi"}]'
_PROMPT = '"prompt":"Hi"'
_OPTION, _OPTION_LOST = '"options":{"top_k":4}', "options.top_k"
_OLLAMA = ("application/x-ndjson", b"\n", b'"done":true', _read_ollama, _read_ollama)
_OPENAI = (_SSE, _BLANK, _DONE, _read_openai, _read_openai_broken)
DIALECTS: Mapping[str, Dialect] = {
    "openai_chat": Dialect("/v1/chat/completions", _MESSAGES, "", "", "messages", *_OPENAI, tools="text"),
    "openai_completions": Dialect("/v1/completions", _PROMPT, '"top_k":4', "top_k", "", *_OPENAI),
    "openai_responses": Dialect(
        "/v1/responses",
        '"input":"Hi","store":false',
        '"truncation":"auto"',
        "truncation",
        "input",
        _SSE,
        _BLANK,
        b"event: response.completed\n",
        _read_openai,
        _read_responses_broken,
        tools="text",
    ),
    "anthropic_messages": Dialect(
        "/v1/messages",
        _MESSAGES + ',"max_tokens":9',
        '"top_k":4',
        "top_k",
        "messages",
        _SSE,
        _BLANK,
        b"event: message_stop\n",
        _read_anthropic,
        _read_anthropic_broken,
        {503: 529},
        tools="object",
    ),
    "ollama_chat": Dialect("/api/chat", _MESSAGES, _OPTION, _OPTION_LOST, "", *_OLLAMA, tools="object"),
    "ollama_generate": Dialect("/api/generate", _PROMPT, _OPTION, _OPTION_LOST, "", *_OLLAMA, tools="object"),
}
