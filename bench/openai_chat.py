"""OpenAI chat completions for the bench. Source: OpenAI API reference, `CreateChatCompletionStreamResponse`."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bench.dialect import MODEL, PROMPT_TOKENS, Asked, Dialect, Mocked, Said, Script, piece_of

_TURN = 2_000
"""A long prompt is a conversation of turns of this size."""


class _StreamOptions(Struct):
    include_usage: bool = False


class _Message(Struct):
    role: str
    content: str


class _Request(Struct):
    model: str
    messages: list[_Message]
    max_tokens: int
    seed: int
    stream: bool
    stream_options: _StreamOptions | None
    user: str
    """The variant again, for upstreams without a `seed`."""
    temperature: float = 0.7


class _RequestHead(Struct):
    """What the mock looks at; it skips the messages."""

    model: str
    max_tokens: int
    seed: int = 0
    stream: bool = False
    stream_options: _StreamOptions | None = None
    user: str = ""
    """Where a client without a `seed` puts the variant."""


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class _Said(Struct):
    """A whole message, or what one event adds to it."""

    content: str | None = None


class _Choice(Struct):
    message: _Said = msgspec.field(default_factory=_Said)
    delta: _Said = msgspec.field(default_factory=_Said)
    finish_reason: str | None = None


class _Reply(Struct):
    model: str
    choices: list[_Choice]
    usage: _Usage | None = None


_head = msgspec.json.Decoder(_RequestHead)
_reply = msgspec.json.Decoder(_Reply)
_encode = msgspec.json.Encoder().encode


def _write_request(asked: Asked, prompt: str) -> bytes:
    turns = [prompt[start : start + _TURN] for start in range(0, len(prompt), _TURN)]
    messages = [_Message("assistant" if index % 2 else "user", turn) for index, turn in enumerate(turns)]
    options = _StreamOptions(include_usage=True) if asked.stream else None
    variant = asked.variant
    request = _Request(asked.model, messages, asked.pieces, variant, asked.stream, options, str(variant))
    return _encode(request)


def _read_request(body: bytes) -> Asked:
    head = _head.decode(body)
    usage = head.stream_options is not None and head.stream_options.include_usage
    return Asked(head.model, head.max_tokens, head.stream, head.seed or int(head.user or 0), usage)


def _write_script(asked: Asked) -> Script:
    texts = [piece_of(asked.variant, index) for index in range(asked.pieces)]
    closing = _event('[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]')
    if asked.usage:
        closing += _event("[]", _usage(asked.pieces))
    return Script(
        reply=_write_reply("".join(texts), asked.pieces),
        opening=_event(_delta('{"role":"assistant","content":"","refusal":null}')),
        pieces=[_event(_delta(f'{{"content":"{text}"}}')) for text in texts],
        closing=closing + b"data: [DONE]\n\n",
    )


def _read_reply(body: bytes) -> Said:
    reply = _reply.decode(body)
    choice = reply.choices[0]
    return Said(reply.model, choice.message.content or "", choice.finish_reason or "", _pair(reply.usage), 1, True)


def _read_stream(body: bytes) -> Said:
    texts: list[str] = []
    models: set[str] = set()
    finish, usage, done = "", None, False
    for block in body.split(b"\n\n"):
        if not block or block.startswith(b":"):  # a comment keeps a connection alive and says nothing
            continue
        if done or not block.startswith(b"data: "):
            raise ValueError(f"unexpected block {block[:80]!r}")
        if block == b"data: [DONE]":
            done = True
            continue
        event = _reply.decode(block[6:])
        models.add(event.model)
        usage = event.usage or usage
        for choice in event.choices:
            texts.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    count = sum(1 for text in texts if text)
    return Said(" ".join(sorted(models)), "".join(texts), finish, _pair(usage), count, done)


def _write_reply(text: str, tokens: int) -> bytes:
    choice = f'{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}}'
    return (
        f'{{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"{MODEL}",'
        f'"choices":[{choice},"logprobs":null,"finish_reason":"stop"}}],"usage":{_usage(tokens)},'
        '"service_tier":"default","system_fingerprint":null}'
    ).encode()


def _event(choices: str, usage: str = "null") -> bytes:
    return (
        f'data: {{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"{MODEL}",'
        f'"service_tier":"default","system_fingerprint":null,"choices":{choices},"usage":{usage}}}\n\n'
    ).encode()


def _delta(delta: str) -> str:
    return f'[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]'


def _usage(tokens: int) -> str:
    total = PROMPT_TOKENS + tokens
    return f'{{"prompt_tokens":{PROMPT_TOKENS},"completion_tokens":{tokens},"total_tokens":{total}}}'


def _pair(usage: _Usage | None) -> tuple[int, int]:
    return (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)


OPENAI_CHAT = Dialect(
    name="openai_chat",
    path="/v1/chat/completions",
    write_request=_write_request,
    read_reply=_read_reply,
    read_stream=_read_stream,
    upstream=Mocked("openai", "/v1", _read_request, _write_script),
)
