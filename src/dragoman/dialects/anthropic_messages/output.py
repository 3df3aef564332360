"""What an answer is made of: its content, why it ended, what it took. The same for a stream and for a plain answer."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec
from msgspec import UNSET, Raw, UnsetType

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.count import count_request, count_text
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.say import say_part
from dragoman.dialects.anthropic_messages.schema import (
    UNSIGNED,
    Content,
    OutputDetails,
    Redacted,
    Stop,
    Text,
    Thinking,
    ToolUse,
    Usage,
)
from dragoman.wire.json import Fields

_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_REASONS: dict[ev.FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_object = msgspec.json.Decoder(Fields).decode


def write_content(choice: msg.Choice, call: Call) -> list[Content]:
    """Return the blocks of a whole answer; raises `UpstreamInvalid` for a call whose arguments are no object.

    Only in an answer that was cut for its length is such a call left out, for its end says that there was more to come.
    """
    content: list[Content] = []
    calls = 0
    for part in choice.parts:
        text = say_part(part)
        match part:
            case msg.ToolCall():
                if choice.finish != "length" or is_object(part.arguments):
                    content.append(_tool_use(part, calls, call))
                calls += 1
            case msg.Thinking(redacted=True):
                content.append(Redacted(part.signature or ""))
            case msg.Thinking():
                content.append(Thinking(part.text, part.signature or UNSIGNED))
            case _ if text and content and isinstance(content[-1], Text):
                content[-1].text += text
            case _ if text:
                content.append(Text(text))
            case _:
                pass
    return content


def check_arguments(arguments: str) -> Raw:
    """Return the arguments of a call; raises `UpstreamInvalid` when they are no object.

    An invented argument would run a tool with the wrong input.
    """
    if not is_object(arguments):
        raise UpstreamInvalid("the arguments of a tool call are not a JSON object")
    return Raw(arguments.encode())


def is_object(text: str) -> bool:
    """Tell whether `text` is a JSON object, all of it."""
    try:
        _object(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def make_id(tool_id: str, index: int, call: Call) -> str:
    """Return the id of the answer's tool call number `index`: the upstream's own where this API allows it.

    Any other is made of the upstream's, the same every time; where there is none, of the gateway's call.
    """
    if _ID.fullmatch(tool_id):
        return tool_id
    return f"toolu_{sha256((tool_id or f'{call.serial} {index}').encode()).hexdigest()[:24]}"


def write_stop(finish: ev.Finish | msg.Choice, *, refused: bool) -> Stop:
    """Return why an answer ended; one that holds a refusal ended with it."""
    reason = finish.reason if isinstance(finish, ev.Finish) else finish.finish
    if refused and reason == "stop":
        return Stop("refusal")
    if finish.stop and reason == "stop":
        return Stop("stop_sequence", finish.stop)
    return Stop(_REASONS[reason])


def write_usage(call: Call, usage: ev.Usage | None, said: str) -> Usage:
    """Return what an answer took, estimated (and marked) when the upstream told nothing; `said` is all it said."""
    if usage is None:
        usage = ev.Usage(count_request(call.request), count_text(said), estimated=True)
    return Usage(
        max(0, usage.prompt - usage.cached - usage.cache_write),
        usage.cache_write,
        usage.cached,
        usage.completion,
        OutputDetails(usage.reasoning) if usage.reasoning else UNSET,
        True if usage.estimated else UNSET,
    )


def _tool_use(part: msg.ToolCall, index: int, call: Call) -> ToolUse:
    arguments = check_arguments(part.arguments)
    extra: Raw | UnsetType = part.extra.get("extra", UNSET)
    return ToolUse(make_id(part.id, index, call), part.name, arguments, extra)
