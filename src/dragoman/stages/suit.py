"""Refuse what a model is known not to take, before it is asked; an alias goes on to the next of its targets.

What nobody has told of a model is no reason to refuse anything. The words are Ollama's, ``"<model>" does not support
tools``: its clients look for them, and all others can read them too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.call import Call
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import BadRequest
from dragoman.core.message import Audio, Image, Part, ToolResult

_TOOLS = (b'"tools"', b'"functions"')
_IMAGE = (b"image",)
_AUDIO = (b"audio",)
_SCHEMA = (b"schema", b'"format"')
"""What a body contains, in any dialect, that may hold such a thing."""


def suit(look_up: Callable[[], Capabilities]) -> Stage:
    """Refuse calls that do not suit the model of which `look_up` tells what is known now.

    Raises `BadRequest`; its `retry` says that another model may well take the call.
    """

    def stage(ask: Ask) -> Ask:
        def suited(call: Call) -> Awaitable[Answer]:
            can = look_up()
            if is_choosy(can):
                _check(call, can)
            return ask(call)

        return suited

    return stage


def is_choosy(can: Capabilities) -> bool:
    """Tell whether there is anything to refuse for a model."""
    return can.embedding is not None or False in (can.tools, can.vision, can.audio, can.json_schema)


def _check(call: Call, can: Capabilities) -> None:
    names = call.words.names
    if call.task == "embed" and can.embedding is False:
        raise _unsuited(call, "embeddings", "model")
    if call.task != "chat":
        return
    if can.embedding:
        raise _unsuited(call, names.get("chat", "chat"), "model")
    _check_wishes(call, can)


def _check_wishes(call: Call, can: Capabilities) -> None:
    names = call.words.names
    if can.tools is False and _may_hold(call, _TOOLS) and any(request.tools for request in call.requests):
        raise _unsuited(call, "tools", "tools")
    if can.vision is False and _may_hold(call, _IMAGE) and _holds(call, Image):
        raise _unsuited(call, "images", names.get("image", "messages"))
    if can.audio is False and _may_hold(call, _AUDIO) and _holds(call, Audio):
        raise _unsuited(call, "audio", names.get("audio", "messages"))
    if can.json_schema is False and _may_hold(call, _SCHEMA) and _wants_schema(call):
        raise _unsuited(call, "structured outputs", names.get("schema", "response_format"))


def _may_hold(call: Call, marks: Sequence[bytes]) -> bool:
    """Tell whether the body, or what was said before it, may hold such a thing: else it need not be decoded."""
    said = (call.body, *map(bytes, call.thread.history)) if call.thread is not None else (call.body,)
    return any(mark in body for mark in marks for body in said)


def _wants_schema(call: Call) -> bool:
    return any(request.format.kind == "schema" for request in call.requests)


def _holds(call: Call, kind: type[Part]) -> bool:
    return any(_find(message.parts, kind) for request in call.requests for message in request.messages)


def _find(parts: Sequence[Part], kind: type[Part]) -> bool:
    return any(isinstance(part, kind) or (isinstance(part, ToolResult) and _find(part.content, kind)) for part in parts)


def _unsuited(call: Call, what: str, param: str) -> BadRequest:
    error = BadRequest(f'"{call.model}" does not support {what}', param=param, code="unsupported_by_model")
    error.retry = "elsewhere"
    return error
