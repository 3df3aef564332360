"""The parts of an answer that are no plain text, as this dialect has them: calls, media, likelihoods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec
from msgspec import Raw, Struct

from dragoman.core import message as msg
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.ollama.schema import Logprob
from dragoman.wire.json import Fields

_object = msgspec.json.Decoder(Fields).decode


class _Called(Struct, frozen=True):
    index: int
    name: str
    arguments: Raw


class _ToolCall(Struct, frozen=True):
    id: str
    function: _Called


class _Logprobs(Struct):
    """Likelihoods as OpenAI's chat tells them."""

    content: list[Logprob] | None = None


_logprobs = msgspec.json.Decoder(_Logprobs).decode


def write_calls(parts: Sequence[msg.Part], *, cut: bool) -> list[_ToolCall]:
    """Return the tool calls, their arguments as objects.

    An invented argument would run a tool with the wrong input: what cannot be read raises `UpstreamInvalid`. Only in an
    answer that was `cut` for its length is a broken call left out, for its end says that there was more to come.
    """
    calls: list[_ToolCall] = []
    for part in parts:
        if not isinstance(part, msg.ToolCall):
            continue
        try:
            _object(part.arguments)
        except msgspec.DecodeError:
            if cut:
                continue
            raise UpstreamInvalid("the arguments of a tool call are not a JSON object") from None
        arguments = Raw(msgspec.json.format(part.arguments.encode(), indent=-1))  # a line end would cut the line
        calls.append(_ToolCall(part.id or f"call_{len(calls):08}", _Called(len(calls), part.name, arguments)))
    return calls


def read_logprobs(pieces: Iterable[Raw]) -> list[Logprob]:
    """Return the likelihoods of all tokens in the pieces that came with the text; what is no such thing is left out."""
    told: list[Logprob] = []
    for piece in pieces:
        with suppress(msgspec.DecodeError):
            told += _logprobs(piece).content or ()
    return told
