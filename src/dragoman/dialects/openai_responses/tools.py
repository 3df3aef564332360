"""Tools of a Responses request as functions, and the names by which their calls return to the client.

Clients have tools of many types; those that only OpenAI could run are dropped, which is told and never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.read import read_at
from dragoman.dialects.openai_responses.schema import NULL, drop
from dragoman.wire.json import Fields, encode

FREE_TEXT = Raw(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'
)
"""What a custom tool takes, for those who know functions only."""
_MORE = "additional_tools"
"""The type of an item that holds tools."""
_JOINT = "__"


class Spec(Struct):
    """A function, a custom tool or a namespace of them."""

    type: str
    name: str
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None
    format: Raw | UnsetType = UNSET
    tools: list[Raw] = []


class Grammar(Struct):
    """How the free text for a custom tool must look."""

    type: str = "text"
    syntax: str = ""
    definition: str = ""


class Chosen(Struct):
    """A tool choice that is an object."""

    type: str
    name: str = ""
    namespace: str = ""
    mode: Literal["auto", "required"] = "auto"
    tools: list[Chosen] = []


class Name(Struct, frozen=True):
    """What a client calls one of its tools."""

    name: str
    namespace: str | UnsetType = UNSET
    custom: bool = False


class _Type(Struct):
    type: str


class _More(Struct):
    """An item that holds tools."""

    type: str = ""
    tools: Raw = NULL


_type = msgspec.json.Decoder(_Type)
_more = msgspec.json.Decoder(_More)
_items = msgspec.json.Decoder(list[Raw])
_spec = msgspec.json.Decoder(Spec)
_grammar = msgspec.json.Decoder(Grammar)
_choice = msgspec.json.Decoder(Literal["none", "auto", "required"] | Chosen | None)
_list = msgspec.json.Decoder(list[Raw] | None)
_fields = msgspec.json.Decoder(Fields)
_OURS = frozenset({"function", "custom"})
_KNOWN = frozenset(Spec.__struct_fields__)


def flat_name(name: str, namespace: str) -> str:
    """Return what a tool is called towards upstreams, which know no namespaces."""
    return f"{namespace}{_JOINT}{name}" if namespace else name


def find_tools(tools: Raw, said: Raw) -> dict[str, Raw]:
    """Return every list of tools by its path: that of the request, and those among its items (as Codex has them)."""
    found = {"tools": tools}
    items = _items.decode(said) if bytes(said)[:1] == b"[" else []
    for number, item in enumerate(items):
        path = f"input[{number}]"
        if (more := read_at(_more, item, path)).type == _MORE:
            found[f"{path}.tools"] = more.tools
    return found


def read_tools(lists: Mapping[str, Raw], lost: Fields) -> list[msg.Tool]:
    """Return the tools that are functions or can be said as such; the others are noted in `lost` by their path."""
    found = [one for path, raw in lists.items() for one in _specs(raw, path, "", lost)]
    return [_tool(spec, namespace, fields, lost, path) for spec, namespace, fields, path in found]


def read_names(lists: Mapping[str, Raw]) -> dict[str, Name]:
    """Return the client's own name for each of its tools, by the one that upstreams know."""
    return {
        flat_name(spec.name, namespace): Name(spec.name, namespace or UNSET, spec.type == "custom")
        for path, raw in lists.items()
        for spec, namespace, _, _ in _specs(raw, path, "", {})
    }


def read_tool_choice(raw: Raw, lost: Fields) -> msg.ToolChoice | None:
    """Return the choice; one among tools that only OpenAI could run is noted in `lost`."""
    choice = read_at(_choice, raw, "tool_choice")
    match choice:
        case None:
            return None
        case "none" | "auto" | "required":
            return msg.ToolChoice(choice)
        case Chosen(type="allowed_tools"):
            allowed = [flat_name(tool.name, tool.namespace) for tool in choice.tools if tool.type in _OURS]
            return msg.ToolChoice(choice.mode, allowed=allowed)
        case Chosen(name=str(name)) if choice.type in _OURS:
            if not name:
                raise BadRequest("invalid 'tool_choice': no tool named", param="tool_choice.name", code="invalid_value")
            return msg.ToolChoice("named", flat_name(name, choice.namespace))
        case _:
            lost[f"tool_choice.{choice.type}"] = raw
            return None


_Found = tuple[Spec, str, Fields, str]
"""A tool with its namespace, its members and its path."""


def _specs(raw: Raw, path: str, namespace: str, lost: Fields) -> list[_Found]:
    """All functions and custom tools, those in namespaces included."""
    found: list[_Found] = []
    for number, item in enumerate(read_at(_list, raw, path) or ()):
        at = f"{path}[{number}]"
        kind = read_at(_type, item, at).type
        if kind == "namespace" and not namespace:
            space = read_at(_spec, item, at)
            found += _specs(Raw(encode(space.tools)), f"{at}.tools", space.name, lost)
        elif kind in _OURS:
            found.append((read_at(_spec, item, at), namespace, _fields.decode(item), at))
        else:
            lost[f"{at}.{kind}"] = item
    return found


def _tool(spec: Spec, namespace: str, fields: Fields, lost: Fields, path: str) -> msg.Tool:
    name = flat_name(spec.name, namespace)
    extra = drop(fields, _KNOWN)
    if spec.type == "function":
        parameters = (
            UNSET if isinstance(spec.parameters, Raw) and bytes(spec.parameters) == b"null" else spec.parameters
        )
        return msg.Tool(name, spec.description or "", parameters, spec.strict, extra)
    description = spec.description or ""
    if isinstance(spec.format, Raw):
        grammar = read_at(_grammar, spec.format, f"{path}.format")
        if grammar.definition:  # nobody enforces it any more, but the model can still keep to it
            lost[f"{path}.format"] = spec.format
            description += f"\n\nThe input follows this {grammar.syntax} grammar:\n{grammar.definition}"
    return msg.Tool(name, description.strip(), FREE_TEXT, extra=extra)
