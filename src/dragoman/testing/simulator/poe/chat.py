"""Chat completions as Poe tells them: what it changes in the events of an answer, and in the bytes that tell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw, structs

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.dialects.openai_chat.schema import Chunk
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.poe.catalogue import Bot
from dragoman.testing.simulator.poe.gallery import SIDE, Gallery
from dragoman.testing.simulator.prose import last_words
from dragoman.testing.simulator.script import Piece
from dragoman.testing.simulator.tokens import count, cut
from dragoman.wire.json import encode

_TITLE = "**Considering the Request**\n\n"
_REASONING = re.compile(rb'"reasoning_content":("(?:[^"\\]|\\.)*")')
_DETAILS = re.compile(rb',"(?:prompt|completion)_tokens_details":\{[^{}]*\}')
_ABSENT = (b',"refusal":null', b',"annotations":[]', b'"logprobs":null,')
"""What OpenAI says and Poe does not; no string can hold these bytes, for a quote in it has a backslash before it."""
_DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"
_chunk = msgspec.json.Decoder(Chunk)


def change_events(bot: Bot, request: msg.Request, events: list[ev.Event]) -> list[ev.Event]:
    """Return an answer as the bot gives it: reasoning in the text, signed calls, usage that is made up."""
    if bot.leaks:
        events = _leak(events)
    if bot.signs:
        events = [_sign(event) for event in events]
    if bot.exact:
        return events
    prompt = sum(count(part.text) for turn in request.messages for part in turn.parts if isinstance(part, msg.Text))
    said = sum(count(event.text) for event in events if isinstance(event, ev.Text))
    return [ev.Usage(prompt, said) if isinstance(event, ev.Usage) else event for event in events]


def show_media(bot: Bot, request: msg.Request, gallery: Gallery, host: str) -> list[ev.Event]:
    """Return the answer of a bot that makes media: the link is the text.

    One that can also talk (it leaks its thoughts) answers a question in words.
    """
    words = last_words(request)
    url = gallery.keep(gallery.make(bot.gives, words), {"host": host})
    text = url
    if bot.leaks and words.rstrip().endswith("?"):
        text = "I make pictures. Tell me what to show."
    elif bot.gives == "image":
        url = f"{url}?w={SIDE}&h={SIDE}"
        name = re.sub(r"[\[\]()\s]+", " ", words)[:60].strip()
        text = f"![{name}.png]({url})\n\n{url}"
    thoughts: list[ev.Event] = [ev.Thinking("I look at what the picture is to show.")] if bot.leaks else []
    told: list[ev.Event] = [ev.Text(piece) for piece in cut(text)]
    return [ev.Start("", request.model), *thoughts, *told, ev.Finish("stop"), ev.Usage(count(words), count(text))]


def change_bytes(bot: Bot, data: bytes) -> bytes:
    """Return the frames of a stream, or a whole body, in Poe's words."""
    for absent in _ABSENT:
        data = data.replace(absent, b"")
    data = _REASONING.sub(rb'"reasoning_content":\1,"reasoning":\1', data)
    data = data.replace(b'"content":null', b'"content":""')
    return data if bot.exact else _DETAILS.sub(b"", data)


def join_usage(pieces: list[Piece]) -> list[Piece]:
    """Return a stream whose usage stands in the chunk of its finish."""
    chunks = [at for at, (_, data) in enumerate(pieces) if data != _DONE]
    if len(chunks) < 2 or b'"choices":[]' not in pieces[chunks[-1]][1]:
        return pieces
    last, usage = chunks[-2], chunks[-1]
    delay, data = pieces[last]
    whole = structs.replace(_read(data), usage=_read(pieces[usage][1]).usage)
    return [*pieces[:last], (delay, b"data: %b\n\n" % encode(whole)), *pieces[usage + 1 :]]


def cut_characters(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces, each cut in the middle of its first character of several bytes."""
    for delay, data in pieces:
        at = next((at for at, byte in enumerate(data) if byte > 127), -1) if not data.isascii() else -1
        yield delay, data[: at + 1] or data
        if 0 <= at < len(data) - 1:
            yield 0.0, data[at + 1 :]


def add_pings(pieces: list[Piece]) -> list[Piece]:
    """Return a stream with the comments and empty lines that a proxy adds to it."""
    return [(0.0, PING), *((delay, data + PING + b"data:\n\n") for delay, data in pieces[:-1]), *pieces[-1:]]


def add_pause(pieces: list[Piece], seconds: int) -> list[Piece]:
    """Return a stream that says nothing for so long in its middle."""
    half = len(pieces) // 2
    return [(delay + seconds * (at == half), data) for at, (delay, data) in enumerate(pieces)]


def _leak(events: list[ev.Event]) -> list[ev.Event]:
    thoughts = "".join(event.text for event in events if isinstance(event, ev.Thinking))
    rest = [event for event in events if not isinstance(event, ev.Thinking)]
    return [rest[0], ev.Text(f"{_TITLE}{thoughts}\n\n"), *rest[1:]]


def _sign(event: ev.Event) -> ev.Event:
    """The first call of a turn is signed, not those beside it."""
    if not isinstance(event, ev.ToolDelta) or event.id is None or event.index:
        return event
    signature = digest(0, "signature", event.id).hex()
    return structs.replace(event, extra=Raw(b'{"google":{"thought_signature":"%b"}}' % signature.encode()))


def _read(frame: bytes) -> Chunk:
    return _chunk.decode(frame.removeprefix(b"data: "))
