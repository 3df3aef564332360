"""Write a conversation as items, for an upstream that keeps nothing: whatever it is to know is told each time.

Sources: OpenAI OpenAPI 2.3.0, 2026 (a call's id has 1 to 64 characters; reasoning is taken back sealed alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from msgspec import UnsetType

from dragoman.core import message as msg
from dragoman.core.quirks import Quirks
from dragoman.core.say import say_part

Written = dict[str, object]
"""An item or a part of one."""
FAILED = "Error: "
"""What the result of a tool that failed begins with: the model has to know, and there is no other place for it."""
_OWN = "extra"
"""A member of a part's extra that is of the hub's alone."""
_MAX_ID = 64
_SYSTEM = frozenset({"system", "developer"})


def write_conversation(messages: Sequence[msg.Message], quirks: Quirks) -> list[Written]:
    """Return the items that say these messages."""
    return [item for message in messages for item in _items(message, quirks)]


def fit_role(role: str, quirks: Quirks) -> str:
    """Return a role in the words of the server."""
    if role == "developer" and not quirks.developer_role:
        role = "system"
    return "user" if role in _SYSTEM and not quirks.system_role else role


def _items(message: msg.Message, quirks: Quirks) -> list[Written]:
    match message.role:
        case "assistant":
            return _spoken(message)
        case "tool":
            return [_result(part) for part in message.parts if isinstance(part, msg.ToolResult)]
        case "user":
            return [_message(message, "user", _asked(message.parts))]
        case role:
            said = [msg.Text(text, part.extra) for part in message.parts if (text := say_part(part))]
            return [_message(message, fit_role(role, quirks), _asked(said))]


def _message(message: msg.Message, role: str, content: object) -> Written:
    return {**_extra(message.extra), "type": "message", "role": role, "content": content}


def _spoken(message: msg.Message) -> list[Written]:
    """A turn of the model as items in the order they were made; texts that follow each other are one message."""
    items: list[Written] = []
    said: list[Written] = []
    for part in message.parts:
        made = _made(part)
        if made is None:
            said += _said(part)
            continue
        items += _speech(message, said)
        said = []
        items.append(made)
    return items + _speech(message, said)


def _speech(message: msg.Message, said: list[Written]) -> list[Written]:
    return [_message(message, "assistant", said)] if said else []


def _made(part: msg.Part) -> Written | None:
    """Return what is an item of its own."""
    match part:
        case msg.ToolCall():
            call = {"call_id": _call_id(part.id), "name": part.name, "arguments": part.arguments or "{}"}
            return {**_extra(part.extra), "type": "function_call", **call}
        case msg.Thinking() if not isinstance(part.signature, UnsetType):
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            return {
                **_extra(part.extra), "type": "reasoning", "summary": summary, "encrypted_content": part.signature,
            }  # fmt: skip
        case _:
            return None


def _said(part: msg.Part) -> list[Written]:
    if isinstance(part, msg.Refusal):
        return [{"type": "refusal", "refusal": part.text}]
    text = say_part(part)
    return [{**_extra(part.extra), "type": "output_text", "text": text, "annotations": []}] if text else []


def _asked(parts: Sequence[msg.Part]) -> object:
    """A single text that is nothing but text needs no list."""
    match parts:
        case []:
            return ""
        case [msg.Text(text, extra)] if not extra:
            return text
        case _:
            return [_part(part) for part in parts]


def _part(part: msg.Part) -> Written:
    match part:
        case msg.Image():
            body: Written = {"type": "input_image", "image_url": part.url, "detail": part.detail or "auto"}
        case msg.File():
            body = {"type": "input_file", **_file(part)}
        case _:
            body = {"type": "input_text", "text": say_part(part)}
    return {**_extra(part.extra), **body}


def _file(part: msg.File) -> Written:
    if part.id:
        return {"file_id": part.id}
    if part.data.startswith(("https:", "http:")):
        return {"file_url": part.data}
    name = part.name or ("file.pdf" if part.data.startswith("data:application/pdf") else "file")
    return {"filename": name, "file_data": part.data}


def _result(result: msg.ToolResult) -> Written:
    content = _failure(result.content) if result.failed else result.content
    output = {"call_id": _call_id(result.id), "output": _asked(content)}
    return {**_extra(result.extra), "type": "function_call_output", **output}


def _failure(content: Sequence[msg.Part]) -> Sequence[msg.Part]:
    match content:
        case [msg.Text(text), *_] if text[: len(FAILED)].lower() == FAILED.lower():
            return content
        case [msg.Text(text, extra), *rest]:
            return [msg.Text(FAILED + text, extra), *rest]
        case _:
            return [msg.Text(FAILED.rstrip()), *content]


def _call_id(call_id: str) -> str:
    """Return how a call's id is told: as it is where that is allowed, the same every time."""
    return call_id if 0 < len(call_id) <= _MAX_ID else f"call_{sha256(call_id.encode()).hexdigest()[:24]}"


def _extra(extra: msg.Extra) -> Written:
    return {name: raw for name, raw in extra.items() if name != _OWN}
