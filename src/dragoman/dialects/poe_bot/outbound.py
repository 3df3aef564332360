"""Poe's bot protocol towards a bot: what can be asked of it, and how the answer is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

import msgspec
from msgspec import structs

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import ModelNotFound, TaskNotServed, UpstreamInvalid
from dragoman.core.loss import Terms
from dragoman.core.message import Request
from dragoman.core.ports import Outbound
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_errors import find_error, read_error, read_stream_error
from dragoman.dialects.poe_bot.compose import compose
from dragoman.dialects.poe_bot.reader import Reader, nobody
from dragoman.dialects.poe_bot.schema import NAME
from dragoman.wire.json import Fields, repair_text

_NO_FIELD = "the bot protocol has no field for it"
_NO_FORM = "the bot protocol knows no forms of answers"
_NOT_TAKEN = "this bot does not take it"
TERMS = Terms(
    cannot={
        **dict.fromkeys(
            (
                "top_p", "top_k", "min_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty",
                "repeat_penalty", "logprobs", "user", "metadata", "parallel_tools", "strict_tools",
            ),
            _NO_FIELD,
        ),
        "n": "a bot gives one answer",
        "json": _NO_FORM,
        "schema": _NO_FORM,
        "tool_choice": "a bot decides itself which of its tools it calls",
        "name": "the messages of the bot protocol have roles and no names",
        "budget": "told as an effort, for this bot counts no tokens of reasoning",
        "thinking": "the bot protocol has no place for earlier reasoning",
        "signature": "the bot protocol has no place for earlier reasoning",
    },
    kin={"openai_responses": frozenset({"verbosity"})},
    known=frozenset(
        {
            "audio", "background", "context_management", "conversation", "include", "max_tool_calls", "modalities",
            "moderation", "prediction", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
            "safety_identifier", "service_tier", "store", "stream_options", "suffix", "web_search_options",
        }
    ),
)  # fmt: skip
"""What every bot can be told; what nobody knows is a parameter of the bot."""
_fields = msgspec.json.Decoder(Fields)


def speak(quirks: Quirks = NO_QUIRKS, took_back: Callable[[str], None] = nobody) -> Outbound:
    """Return this side as one bot wants it; `took_back` is told the bots that take back what they said."""

    def write(request: Request, model: str) -> bytes:
        if not model.strip("."):  # a path that leads elsewhere
            raise ModelNotFound(param="model")
        return compose(request, quirks)

    def read(start: ev.Start, n: int) -> Reader:
        return Reader(start, n, replaces=quirks.replaces, took_back=took_back)

    return Outbound(
        name=NAME,
        path=b"/%b",
        id_prefix="poe-",
        patch_request=_refuse_patch,
        write_request=write,
        reader=read,
        read_reply=read_reply,
        read_error=read_error,
        terms=_fit_terms(quirks),
        always_streams=True,
        fitted=partial(speak, took_back=took_back),
    )


def read_reply(body: bytes, start: ev.Start) -> Burst:
    """Raise what a whole body says: a bot that answers at all answers with a stream."""
    try:
        error = find_error(_fields.decode(repair_text(body)))
    except (msgspec.DecodeError, RecursionError):
        error = None
    if error is not None:
        raise read_stream_error(error)
    raise UpstreamInvalid(detail="a bot answers with a stream")


def _fit_terms(quirks: Quirks) -> Terms:
    cannot = {word: why for word, why in TERMS.cannot.items() if word not in quirks.sampling}
    if quirks.budget:
        del cannot["budget"]
    if not (quirks.effort or quirks.budget or quirks.switch):
        cannot["effort"] = _NOT_TAKEN
    if quirks.fields is None:
        return structs.replace(TERMS, cannot={**cannot, **quirks.lacks})
    return Terms({**cannot, **quirks.lacks}, parameters=quirks.fields | quirks.parameters)


def _refuse_patch(call: Call, model: str) -> NoReturn:
    raise TaskNotServed(f"nobody asks for '{call.model}' in the words of a bot", param="model")


OUTBOUND = speak()
