"""A conversation as Ollama's clients keep it: tool calls lose their ids on the way, and get them back here.

What comes back from a client is `role` and `content` at least, and often no more: most of them drop the id of a call,
and many drop the tool's name from its result. Upstreams insist on one result for each call, by its id.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.ollama.request import read_images
from dragoman.dialects.ollama.schema import Called, Image, Part, Turn
from dragoman.wire.json import Fields

_KNOWN = frozenset(Turn.__struct_fields__)
_ROLES: dict[str, msg.Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(Fields).decode


def read_turns(turns: list[Turn], members: list[Fields]) -> list[msg.Message]:
    """Return the conversation, every tool call with an id and one result; raises `BadRequest` naming the field."""
    conversation = _Conversation()
    for number, (turn, fields) in enumerate(zip(turns, members, strict=True)):
        conversation.add(turn, fields, number)
    return conversation.end()


class _Conversation:
    """Gives each result to its call.

    To the one with its id; else to the first unanswered one of the tool's name; else to the first unanswered one. What
    is left over is said by the user; a call nobody answered gets an empty result.
    """

    def __init__(self) -> None:
        self._messages: list[msg.Message] = []
        self._open: dict[str, str] = {}
        """The calls of the last turn that have no result yet: id → name."""

    def add(self, turn: Turn, fields: Fields, number: int) -> None:
        path = f"messages[{number}]"
        role = _ROLES.get(turn.role.lower())
        if role is None:
            reason = f"invalid '{path}.role': expected system, user, assistant or tool"
            raise BadRequest(reason, param=f"{path}.role", code="invalid_value")
        extra = {name: raw for name, raw in fields.items() if name not in _KNOWN}
        content = _content(turn, path)
        if role == "tool":
            self._add_result(turn, content, extra)
            return
        self._close()
        parts: list[msg.Part] = [msg.Thinking(turn.thinking)] if turn.thinking else []
        parts += content
        for index, called in enumerate((turn.tool_calls or ()) if role == "assistant" else ()):
            made = not called.id or called.id in self._open
            call_id = f"call_{number}_{index}" if made else called.id or ""
            parts.append(_call(called, call_id, f"{path}.tool_calls[{index}]"))
            self._open[call_id] = called.function.name
        self._messages.append(msg.Message(role, parts, extra=extra))

    def end(self) -> list[msg.Message]:
        self._close()
        return self._messages

    def _add_result(self, turn: Turn, content: list[msg.Part], extra: msg.Extra) -> None:
        name = turn.tool_name or turn.name or ""
        call_id = turn.tool_call_id if turn.tool_call_id in self._open else None
        if call_id is None:
            named = [known for known, tool in self._open.items() if tool == name]
            call_id = next(iter([*named, *self._open]), None)
        if call_id is None:
            self._messages.append(msg.Message("user", content, extra=extra))
            return
        del self._open[call_id]
        self._messages.append(msg.Message("tool", [msg.ToolResult(call_id, content, name)], extra=extra))

    def _close(self) -> None:
        for call_id in self._open:
            self._messages.append(msg.Message("tool", [msg.ToolResult(call_id, [])]))
        self._open = {}


def _content(turn: Turn, path: str) -> list[msg.Part]:
    if isinstance(turn.content, list):
        parts = [_part(part, f"{path}.content[{index}]") for index, part in enumerate(turn.content)]
    else:
        parts = [msg.Text(turn.content)] if turn.content else []
    return [*parts, *read_images(turn.images, f"{path}.images")]


def _part(part: Part, path: str) -> msg.Part:
    match part:
        case Part(type="text", text=str(text)):
            return msg.Text(text)
        case Part(type="image_url", image_url=Image(url=url) | str(url)):
            return msg.Image(url)
        case _:
            raise BadRequest(f"invalid '{path}': expected a text or an image", param=path, code="invalid_value")


def _call(called: Called, call_id: str, path: str) -> msg.ToolCall:
    raw = called.function.arguments
    if bytes(raw)[:1] == b'"':
        raw = Raw(_text(raw).strip().encode() or b"{}")
    elif bytes(raw) == b"null":
        raw = Raw(b"{}")
    try:
        _object(raw)
    except msgspec.DecodeError:
        path = f"{path}.function.arguments"
        raise BadRequest(f"invalid '{path}': expected an object", param=path, code="invalid_type") from None
    return msg.ToolCall(call_id, called.function.name, bytes(raw).decode())
