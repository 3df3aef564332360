"""Chat completions towards an upstream: write the request, read the plain answer and the errors."""

from __future__ import annotations

from functools import partial

import msgspec
from msgspec import UNSET, structs

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.loss import Terms
from dragoman.core.ports import Outbound
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_body import patch_body
from dragoman.dialects.openai_chat.compose import compose
from dragoman.dialects.openai_chat.fit import fit_terms, patch_fitted
from dragoman.dialects.openai_chat.mend import FINISH, mend_top, mend_whole, read_object
from dragoman.dialects.openai_chat.once import say_once
from dragoman.dialects.openai_chat.reader import REASONS, Reader
from dragoman.dialects.openai_chat.schema import (
    NAME,
    NULL,
    WHOLE,
    Delta,
    Function,
    ToolCall,
    Usage,
    Whole,
    WholeChoice,
    custom_arguments,
    read_extra,
    read_usage,
)
from dragoman.dialects.openai_errors import find_error, read_error, read_stream_error
from dragoman.wire.json import is_utf8

_NO_FIELD = "chat completions have no field for it"
TERMS = Terms(
    cannot={
        "top_k": _NO_FIELD,
        "min_p": _NO_FIELD,
        "repeat_penalty": _NO_FIELD,
        "budget": "told as an effort, for chat completions count no tokens of reasoning",
        "signature": "chat completions have no place for the proof of earlier reasoning",
    },
    kin={
        "openai_completions": None,
        "openai_responses": frozenset(
            {
                "logit_bias", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
                "safety_identifier", "seed", "service_tier", "stop", "stream_options", "verbosity",
            }
        ),
    },
)  # fmt: skip
"""What every server of this dialect can be told."""
_whole = msgspec.json.Decoder(Whole)


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole plain answer, mended where the official SDK could not read it; raises `UpstreamError`."""
    try:
        whole = _whole.decode(body)
        normal = _is_normal(whole) and is_utf8(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        whole, normal = Whole(), False
    if not normal:
        body = _mend(body, fallback)
        whole = _decode(body)
    events: list[ev.Event] = [ev.Start(whole.id, whole.model, whole.created)]
    for choice in whole.choices:
        _say_choice(choice, events)
    if (usage := read_usage(whole.usage)) is not None:
        events.append(usage)
    return Burst(events, body, NAME)


def _is_normal(whole: Whole) -> bool:
    if not (whole.id and whole.created and whole.model and whole.choices) or whole.object != WHOLE:
        return False
    if whole.error is not UNSET or (whole.usage and read_usage(whole.usage) is None):
        return False
    indexes = {choice.index for choice in whole.choices}
    return len(indexes) == len(whole.choices) and min(indexes) >= 0 and all(map(_is_normal_choice, whole.choices))


def _is_normal_choice(choice: WholeChoice) -> bool:
    message, reason = choice.message, choice.finish_reason
    if message is None or message.role != "assistant" or reason not in FINISH:
        return False
    tools = message.tool_calls or ()
    if not tools and not message.function_call:
        return True
    return reason != "stop" and not (tools and message.function_call) and all(map(_is_normal_tool, tools))


def _is_normal_tool(tool: ToolCall) -> bool:
    if tool.type == "custom" and tool.custom:
        return bool(tool.id and tool.custom.name)
    return bool(
        tool.id and tool.type == "function" and tool.function and tool.function.name and tool.function.arguments
    )


def _mend(body: bytes, fallback: ev.Start) -> bytes:
    fields = read_object(body)
    if (error := find_error(fields)) is not None:
        raise read_stream_error(error)
    mend_top(fields, fallback, WHOLE)
    try:
        usage = msgspec.json.decode(fields.get("usage", NULL), type=Usage | None)
    except msgspec.DecodeError:
        usage = None
    if read_usage(usage) is None:
        fields.pop("usage", None)
    return mend_whole(fields)


def _decode(body: bytes) -> Whole:
    try:
        return _whole.decode(body)
    except msgspec.DecodeError:
        raise UpstreamInvalid(detail="the answer has fields of the wrong type") from None


def _say_choice(choice: WholeChoice, events: list[ev.Event]) -> None:
    index, message = choice.index, choice.message or Delta()
    if thought := message.reasoning_content or message.reasoning:
        events.append(ev.Thinking(thought, index))
    if choice.logprobs is not NULL and bytes(choice.logprobs)[:1] == b"{":
        events.append(ev.Text(message.content or "", index, choice.logprobs))
    elif message.content:
        events.append(ev.Text(message.content, index))
    if message.refusal:
        events.append(ev.Refusal(message.refusal, index))
    tools = message.tool_calls or ()
    events += [_say_tool(tool, number, index) for number, tool in enumerate(tools)]
    if called := message.function_call:
        events.append(ev.ToolDelta(len(tools), called.arguments or "{}", f"call_{index}", called.name or "", index))
    if message.audio is not UNSET and bytes(message.audio) != b"null":
        events.append(ev.Media("audio/*", choice=index, extra=message.audio))
    events.append(ev.Finish(REASONS[choice.finish_reason or "stop"], index))


def _say_tool(tool: ToolCall, number: int, choice: int) -> ev.ToolDelta:
    if tool.custom:
        arguments = custom_arguments(tool.custom.input or "", first=True) + '"}'
        return ev.ToolDelta(number, arguments, tool.id or "", tool.custom.name or "", choice)
    function = tool.function or Function()
    return ev.ToolDelta(
        number, function.arguments or "{}", tool.id or "", function.name or "", choice, read_extra(tool.extra_content)
    )


def _read_repeated(body: bytes, fallback: ev.Start) -> Burst:
    return read_reply(say_once(body), fallback)


def fitted(quirks: Quirks) -> Outbound:
    """Return this side for a server with `quirks`."""
    twice = quirks.repeats_reasoning
    return structs.replace(
        OUTBOUND,
        reader=partial(Reader, change=say_once) if twice else Reader,
        read_reply=_read_repeated if twice else read_reply,
        patch_request=partial(patch_fitted, quirks=quirks),
        write_request=partial(compose, quirks=quirks),
        terms=fit_terms(TERMS, quirks),
        always_streams=quirks.streams_only,
    )


OUTBOUND = Outbound(
    name=NAME,
    path=b"/chat/completions",
    id_prefix="chatcmpl-",
    patch_request=patch_body,
    write_request=compose,
    reader=Reader,
    read_reply=read_reply,
    read_error=read_error,
    terms=TERMS,
    fitted=fitted,
)
