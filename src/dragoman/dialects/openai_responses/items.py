"""The items of a conversation as messages: neighbours that one turn of the model made become one message again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.read import read_at
from dragoman.dialects.openai_responses.schema import REDACTED, drop
from dragoman.dialects.openai_responses.tools import flat_name
from dragoman.wire.json import Fields, encode


class Kind(Struct):
    """What tells the kind of an item."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class Message(Struct):
    """What somebody said."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Raw]


class Part(Struct):
    """One part of a message's content, or of a tool's answer."""

    type: str
    text: str | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None


class Reasoning(Struct):
    """What the model thought."""

    summary: list[Thought] = []
    content: list[Thought] | None = None
    encrypted_content: str | None = None


class Thought(Struct):
    """A part of it."""

    text: str = ""


class FunctionCall(Struct):
    """A function that was called."""

    call_id: str
    name: str
    arguments: str
    namespace: str | None = None


class CustomCall(Struct):
    """A tool that was called with free text."""

    call_id: str
    name: str
    input: str
    namespace: str | None = None


class CallOutput(Struct):
    """What a tool answered."""

    call_id: str
    output: str | list[Raw]


_kind = msgspec.json.Decoder(Kind)
_message = msgspec.json.Decoder(Message)
_part = msgspec.json.Decoder(Part)
_reasoning = msgspec.json.Decoder(Reasoning)
_function = msgspec.json.Decoder(FunctionCall)
_custom = msgspec.json.Decoder(CustomCall)
_output = msgspec.json.Decoder(CallOutput)
_fields = msgspec.json.Decoder(Fields)
_OWN = frozenset({"id", "type", "status", "phase", "caller", "created_by", "agent"})
"""Members of items that say nothing to a model."""
_ITEM = _OWN.union(
    *(kind.__struct_fields__ for kind in (Message, Reasoning, FunctionCall, CustomCall, CallOutput)),
)
_PART = frozenset({*Part.__struct_fields__, "annotations", "logprobs"})
_PARTS = frozenset({"input_text", "output_text", "text", "refusal", "input_image", "input_file"})


def read_items(items: Iterable[Raw], path: str, known: Mapping[str, Raw], lost: Fields) -> list[msg.Message]:
    """Return what `items` say; `path` is where they stand, `known` are those that may be referred to.

    Items of other kinds are noted in `lost` by their path. Raises `BadRequest`.
    """
    reader = _Reader(known, lost)
    for number, item in enumerate(items):
        reader.read(item, f"{path}[{number}]")
    return reader.messages


def find_references(items: Iterable[Raw]) -> list[str]:
    """Return the ids of the items that `items` refer to instead of repeating them; raises `BadRequest`."""
    kinds = [read_at(_kind, item, f"input[{number}]") for number, item in enumerate(items)]
    return [kind.id or "" for kind in kinds if _name_kind(kind) == "item_reference"]


def kind_of(item: Raw) -> str:
    """Return the type of an item, also of one that leaves it out."""
    return _name_kind(_kind.decode(item))


def not_found(name: str, path: str) -> BadRequest:
    """Return the error for an item that is referred to, and that nobody keeps."""
    reason = f"the item '{name}' was not found; items of a response with 'store' false are not kept"
    return BadRequest(reason, param=f"{path}.id", code="item_not_found")


def _name_kind(kind: Kind) -> str:
    if kind.type:
        return kind.type
    return "message" if kind.role else "item_reference" if kind.id else ""


def _check_id(call_id: str, path: str) -> None:
    if not call_id:
        param = f"{path}.call_id"
        raise BadRequest(f"missing required parameter: '{param}'", param=param, code="missing_required_parameter")


class _Reader:
    """Collects messages; the last one grows as long as the same turn goes on."""

    def __init__(self, known: Mapping[str, Raw], lost: Fields) -> None:
        self.messages: list[msg.Message] = []
        self._known = known
        self._lost = lost

    def read(self, item: Raw, path: str) -> None:
        kind = read_at(_kind, item, path)
        match _name_kind(kind):
            case "message":
                self._message(item, path)
            case "reasoning":
                self._thinking(item, path)
            case "function_call":
                call = read_at(_function, item, path)
                self._called(call, call.arguments or "{}", self._extra(item), path)
            case "custom_tool_call":
                freely = read_at(_custom, item, path)
                self._called(freely, encode({"input": freely.input}).decode(), self._extra(item), path)
            case "function_call_output" | "custom_tool_call_output":
                self._answered(item, path)
            case "additional_tools":
                pass  # no turn: they are read together with the other tools
            case "item_reference":
                self._refer(kind.id or "", path)
            case "":
                raise BadRequest(f"invalid '{path}': neither type nor role", param=path, code="invalid_value")
            case other:
                self._lost[f"{path}.{other}"] = item

    def _message(self, item: Raw, path: str) -> None:
        message = read_at(_message, item, path)
        parts = self._content(message.content, f"{path}.content")
        if message.role == "assistant":
            self._spoke(parts, self._extra(item), anew=self._has_spoken())
        else:
            self.messages.append(msg.Message(message.role, parts, extra=self._extra(item)))

    def _thinking(self, item: Raw, path: str) -> None:
        reasoning = read_at(_reasoning, item, path)
        text = "\n\n".join(thought.text for thought in reasoning.content or reasoning.summary)
        proof = reasoning.encrypted_content
        if not text and not proof:
            return  # nothing was kept of it
        signature = UNSET if proof is None else proof.removeprefix(REDACTED)
        thinking = msg.Thinking(text, signature, redacted=(proof or "").startswith(REDACTED))
        self._spoke([thinking], self._extra(item), anew=self._has_spoken())

    def _called(self, call: FunctionCall | CustomCall, arguments: str, extra: msg.Extra, path: str) -> None:
        _check_id(call.call_id, path)
        name = flat_name(call.name, call.namespace or "")
        self._spoke([msg.ToolCall(call.call_id, name, arguments, extra)], {})

    def _answered(self, item: Raw, path: str) -> None:
        output = read_at(_output, item, path)
        _check_id(output.call_id, path)
        result = msg.ToolResult(output.call_id, self._content(output.output, f"{path}.output"), extra=self._extra(item))
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == "tool":
            last.parts.append(result)
        else:
            self.messages.append(msg.Message("tool", [result]))

    def _refer(self, name: str, path: str) -> None:
        found = self._known.get(name)
        if found is None:
            raise not_found(name, path)
        self.read(found, path)

    def _spoke(self, parts: list[msg.Part], extra: msg.Extra, *, anew: bool = False) -> None:
        """Add to the turn of the model that is under way, or begin one."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "assistant" or anew:
            self.messages.append(msg.Message("assistant", parts, extra=extra))
        else:
            last.parts.extend(parts)
            last.extra.update(extra)

    def _has_spoken(self) -> bool:
        """Tell whether the last turn is over: it ended in words, and called no tool that waits for its answer."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "assistant" or not last.parts:
            return False
        called = any(isinstance(part, msg.ToolCall) for part in last.parts)
        return isinstance(last.parts[-1], msg.Text | msg.Refusal) and not called

    def _content(self, content: str | list[Raw], path: str) -> list[msg.Part]:
        if isinstance(content, str):
            return [msg.Text(content)] if content else []
        parts = [self._part(raw, f"{path}[{number}]") for number, raw in enumerate(content)]
        return [part for part in parts if part is not None]

    def _part(self, raw: Raw, path: str) -> msg.Part | None:
        part = read_at(_part, raw, path)
        extra = drop(_fields.decode(raw), _PART)
        match part:
            case Part(type="input_text" | "output_text" | "text", text=str(text)):
                return msg.Text(text, extra)
            case Part(type="output_text"):
                return None  # as some upstreams say that nothing was said beside their calls (Gemini at Poe)
            case Part(type="refusal", refusal=str(text)):
                return msg.Refusal(text, extra)
            case Part(type="input_image", image_url=str(url)):
                return msg.Image(url, part.detail or "", extra)
            case Part(type="input_image", file_id=str()):
                self._lost[f"{path}.file_id"] = raw
                return None
            case Part(type="input_file"):
                return self._file(part, raw, extra, path)
            case _:
                known = part.type in _PARTS
                reason = f"its {part.type} is missing" if known else f"unknown part type '{part.type[:40]}'"
                raise BadRequest(f"invalid '{path}': {reason}", param=path, code="invalid_value")

    def _file(self, part: Part, raw: Raw, extra: msg.Extra, path: str) -> msg.File | None:
        if part.file_data or part.file_id:
            return msg.File(part.file_data or "", part.file_id or "", part.filename or "", extra)
        if not part.file_url:
            reason = "expected file_data, file_id or file_url"
            raise BadRequest(f"invalid '{path}': {reason}", param=path, code="invalid_value")
        self._lost[f"{path}.file_url"] = raw
        return None

    def _extra(self, item: Raw) -> msg.Extra:
        return drop(_fields.decode(item), _ITEM)
