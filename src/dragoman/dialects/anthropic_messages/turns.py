"""A conversation as clients of Messages tell it, in the hub's words: one turn a role, results right behind their calls.

The text of a block is never touched: some clients speak XML with their model, and that is none of our business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import UNSET, Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_messages.schema import UNSIGNED, Block, Source, Turn
from dragoman.dialects.openai_body import missing
from dragoman.wire.json import Fields

_KNOWN = frozenset(Block.__struct_fields__)
_TURN = frozenset(Turn.__struct_fields__)
_NOTHING = frozenset({b"null", b"[]"})
_BLANK_LINE = "\n\n"
_EMPTY = Raw(b'""')
_YES = Raw(b"true")
_items = msgspec.json.Decoder(list[Fields]).decode
_object = msgspec.json.Decoder(Fields).decode


def read_turns(system: str | list[Block] | None, turns: list[Turn], fields: Fields) -> tuple[list[msg.Message], Fields]:
    """Return the conversation, `system` first, and what of it the hub has no word for; raises `BadRequest`."""
    conversation = _Conversation()
    if system is not None:
        conversation.add("system", system, fields["system"], "system")
    for number, (turn, members) in enumerate(zip(turns, _items(fields["messages"]), strict=True)):
        conversation.lost |= unknown(members, _TURN, "messages.")
        conversation.add(turn.role, turn.content, members["content"], f"messages[{number}].content")
    if all(message.role == "system" for message in conversation.messages):
        raise BadRequest("messages: at least one must have content", param="messages", code="invalid_value")
    return conversation.messages, conversation.lost


def unknown(fields: Fields, known: frozenset[str], prefix: str = "") -> msg.Extra:
    """Return the members of an object that the hub has no word for, those that say nothing left out."""
    return {prefix + name: raw for name, raw in fields.items() if name not in known and bytes(raw) not in _NOTHING}


class _Conversation:
    """Puts neighbours of one role together, and the results of tools right behind the turn that called them."""

    def __init__(self) -> None:
        self.messages: list[msg.Message] = []
        self.lost: Fields = {}
        self._content = _Content(self.lost)
        self._behind = 0
        """Where the results go that answer the last turn of the model; 0 = it said nothing yet."""

    def add(self, role: msg.Role, content: str | list[Block], raw: Raw, path: str) -> None:
        parts = self._content.read(content, raw, path)
        results: list[msg.Part] = [part for part in parts if isinstance(part, msg.ToolResult)]
        others: list[msg.Part] = [part for part in parts if not isinstance(part, msg.ToolResult)]
        if results and role != "user":
            raise BadRequest(f"invalid '{path}': results of tools belong in a turn of the user", param=path)
        if results:
            self._answer(results)
        if others:
            self._say(role, others)

    def _answer(self, results: list[msg.Part]) -> None:
        at = self._behind or len(self.messages)
        if at < len(self.messages) and self.messages[at].role == "tool":
            self.messages[at].parts.extend(results)
        else:
            self.messages.insert(at, msg.Message("tool", results))

    def _say(self, role: msg.Role, parts: list[msg.Part]) -> None:
        if self.messages and self.messages[-1].role == role:
            parts = self.messages.pop().parts + parts
        self.messages.append(msg.Message(role, _join(parts) if role == "system" else parts))
        if role == "assistant":
            self._behind = len(self.messages)


class _Content:
    """Reads the blocks of turns, and those within them."""

    def __init__(self, lost: Fields) -> None:
        self._lost = lost
        """Takes up the blocks that only Anthropic knows."""

    def read(self, content: str | list[Block], raw: Raw, path: str) -> list[msg.Part]:
        if isinstance(content, str):
            return [msg.Text(content)] if content else []
        parts: list[msg.Part] = []
        for number, (block, fields) in enumerate(zip(content, _items(raw), strict=True)):
            parts += self._read_block(block, fields, f"{path}[{number}]")
        return parts

    def _read_block(self, block: Block, fields: Fields, path: str) -> list[msg.Part]:
        extra = unknown(fields, _KNOWN)
        match block.type:
            case "document":
                return self._read_document(block, fields, extra, path)
            case "tool_result":
                return [self._read_result(block, fields, extra, path)]
            case known if known in _READERS:
                part = _READERS[known](block, extra, path)
                return [] if isinstance(part, msg.Text) and not part.text else [part]
            case other:
                self._lost[f"messages.{other}"] = _YES
                return []

    def _read_document(self, block: Block, fields: Fields, extra: msg.Extra, path: str) -> list[msg.Part]:
        source, name = block.source, block.title or ""
        match source:
            case Source(type="base64"):
                media_type = source.media_type or "application/pdf"
                return [msg.File(f"data:{media_type};base64,{source.data}", name=name or "document.pdf", extra=extra)]
            case Source(type="url"):
                return [msg.File(source.url, name=name, extra=extra)]
            case Source(type="file"):
                return [msg.File(id=source.file_id, name=name, extra=extra)]
            case Source(type="text"):
                parts: list[msg.Part] = [msg.Text(source.data)]
            case Source(type="content"):
                raw = _object(fields["source"]).get("content", _EMPTY)
                parts = self.read(source.content, raw, f"{path}.source.content")
            case _:
                raise _wrong(f"{path}.source")
        if name:
            extra["title"] = fields["title"]
        return [msg.Text(part.text, extra) if isinstance(part, msg.Text) else part for part in parts]

    def _read_result(self, block: Block, fields: Fields, extra: msg.Extra, path: str) -> msg.ToolResult:
        if isinstance(block.content, dict):
            raise _wrong(f"{path}.content")
        content = self.read(block.content or "", fields.get("content", _EMPTY), f"{path}.content")
        call_id = _need_name(block.tool_use_id, f"{path}.tool_use_id")
        return msg.ToolResult(call_id, content, failed=bool(block.is_error), extra=extra)


def _text(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    return msg.Text(_need(block.text, f"{path}.text"), extra)


def _image(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    source = block.source
    match source:
        case Source(type="base64"):
            return msg.Image(f"data:{source.media_type};base64,{source.data}", extra=extra)
        case Source(type="url"):
            return msg.Image(source.url, extra=extra)
        case Source(type="file"):
            return msg.File(id=source.file_id, extra=extra)
        case _:
            raise _wrong(f"{path}.source")


def _search_result(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    texts = [part.text or "" for part in block.content] if isinstance(block.content, list) else []
    source = block.source if isinstance(block.source, str) else ""
    return msg.Text("\n".join(filter(None, [block.title, source, *texts])), extra)


def _thinking(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    signature = block.signature or UNSET
    text = _need(block.thinking, f"{path}.thinking")
    return msg.Thinking(text, UNSET if signature == UNSIGNED else signature, extra)


def _redacted(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    return msg.Thinking("", _need(block.data, f"{path}.data"), extra, redacted=True)


def _tool_use(block: Block, extra: msg.Extra, path: str) -> msg.Part:
    arguments = b"{}" if isinstance(block.input, UnsetType) else bytes(block.input)
    if arguments[:1] != b"{":
        raise _wrong(f"{path}.input")
    if isinstance(block.extra_content, Raw):
        extra["extra"] = block.extra_content
    call_id, name = _need_name(block.id, f"{path}.id"), _need_name(block.name, f"{path}.name")
    return msg.ToolCall(call_id, name, arguments.decode(), extra)


_READERS: Mapping[str, Callable[[Block, msg.Extra, str], msg.Part]] = {
    "text": _text,
    "image": _image,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
}


def _join(parts: list[msg.Part]) -> list[msg.Part]:
    """Return texts as one, for upstreams that take nothing else from the system."""
    texts = [part for part in parts if isinstance(part, msg.Text)]
    extra = {name: raw for part in texts for name, raw in part.extra.items()}
    joined = msg.Text(_BLANK_LINE.join(part.text for part in texts), extra)
    return [joined, *(part for part in parts if not isinstance(part, msg.Text))]


def _need_name(value: str | UnsetType, path: str) -> str:
    if not value:
        raise missing(path)
    return _need(value, path)


def _need(value: str | UnsetType, path: str) -> str:
    if isinstance(value, UnsetType):
        raise missing(path)
    return value


def _wrong(path: str) -> BadRequest:
    return BadRequest(f"invalid '{path}'", param=path, code="invalid_value")
