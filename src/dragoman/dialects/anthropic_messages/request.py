"""The body of a request, and its meaning in the hub's words. Source: Claude platform documentation, 2026."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_messages.schema import (
    Body,
    Metadata,
    OutputConfig,
    ThinkingConfig,
    ToolChoice,
    ToolSpec,
)
from dragoman.dialects.anthropic_messages.turns import read_turns, unknown
from dragoman.dialects.openai_body import DESTINATION, missing
from dragoman.wire.json import Fields, read_json

LOW, MEDIUM = 2_000, 8_000
"""Tokens up to which a budget for thinking means low and medium effort."""
_KNOWN = frozenset(Body.__struct_fields__) | DESTINATION
_TOOL = frozenset(ToolSpec.__struct_fields__)
_WITHIN: Mapping[str, frozenset[str]] = {
    "metadata": frozenset(Metadata.__struct_fields__),
    "output_config": frozenset(OutputConfig.__struct_fields__),
    "thinking": frozenset(ThinkingConfig.__struct_fields__),
    "tool_choice": frozenset(ToolChoice.__struct_fields__),
}
"""Objects of the body → the members of them that the hub has a word for."""
_YES = Raw(b"true")
_body = msgspec.json.Decoder(Body)
_items = msgspec.json.Decoder(list[Fields] | None).decode
_object = msgspec.json.Decoder(Fields | None).decode


def read_request(data: bytes, fields: Fields) -> msg.Request:
    """Return what a body, whose members are `fields`, asks for; raises `BadRequest` naming the first wrong field."""
    body = read_json(_body, data)
    messages, extra = read_turns(body.system, body.messages, fields)
    tools, vendors = _tools(body.tools or [], fields)
    choice = body.tool_choice
    return msg.Request(
        model=body.model,
        messages=messages,
        tools=tools,
        tool_choice=_tool_choice(choice, vendors),
        parallel_tools=False if choice and choice.disable_parallel_tool_use else None,
        sampling=msg.Sampling(
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            max_tokens=body.max_tokens,
            stop=body.stop_sequences or [],
        ),
        reasoning=_reasoning(body),
        format=_format(body),
        stream=bool(body.stream),
        user=(body.metadata.user_id or "") if body.metadata else "",
        extra=extra | vendors | _unsaid(body) | _unknown(fields),
    )


def _tools(tools: list[ToolSpec], fields: Fields) -> tuple[list[msg.Tool], msg.Extra]:
    """Return the client's own tools, and under their names those that only Anthropic could run."""
    own: list[msg.Tool] = []
    vendors: msg.Extra = {}
    for number, (tool, members) in enumerate(zip(tools, _items(fields.get("tools", Raw(b"[]"))) or (), strict=True)):
        schema, path = tool.input_schema, f"tools[{number}]"
        if schema is UNSET and tool.type not in (None, "custom"):
            vendors[f"tools.{tool.name or tool.type}"] = _YES
            continue
        if not tool.name:
            raise missing(f"{path}.name")
        if schema is UNSET:
            raise missing(f"{path}.input_schema")
        own.append(
            msg.Tool(
                tool.name,
                tool.description or "",
                _need_object(schema, f"{path}.input_schema"),
                tool.strict,
                unknown(members, _TOOL),
            )
        )
    return own, vendors


def _tool_choice(choice: ToolChoice | None, vendors: Collection[str]) -> msg.ToolChoice | None:
    match choice:
        case None:
            return None
        case ToolChoice(type="any"):
            return msg.ToolChoice("required")
        case ToolChoice(type="auto" | "none" as mode):
            return msg.ToolChoice(mode)
        case _ if not choice.name:
            raise missing("tool_choice.name")
        case _:
            return None if f"tools.{choice.name}" in vendors else msg.ToolChoice("named", choice.name)


def _reasoning(body: Body) -> msg.Reasoning:
    """Adaptive thinking leaves it to the upstream how much to think, unless the client says how much effort."""
    effort = body.output_config.effort if body.output_config else None
    match body.thinking:
        case ThinkingConfig(type="disabled"):
            return msg.Reasoning("none")
        case ThinkingConfig(type="enabled", budget_tokens=int(budget)):
            return msg.Reasoning(effort or _effort(budget), budget)
        case ThinkingConfig(type="enabled"):
            raise missing("thinking.budget_tokens")
        case _:
            return msg.Reasoning(effort)


def _effort(budget: int) -> str:
    if budget <= LOW:
        return "low"
    return "medium" if budget <= MEDIUM else "high"


def _format(body: Body) -> msg.Format:
    config = body.output_config
    if config is not None and config.format is not None:
        schema = _need_object(config.format.schema, "output_config.format.schema")
    elif body.output_format is not None:
        schema = _need_object(body.output_format.schema, "output_format.schema")
    else:
        return msg.Format()
    return msg.Format("schema", "response", schema=schema, strict=True)


def _unsaid(body: Body) -> msg.Extra:
    """What is asked in known words but has no counterpart."""
    asked: msg.Extra = {}
    thinking, config = body.thinking, body.output_config
    if thinking is not None and thinking.type == "between_tools":
        asked["thinking.between_tools"] = _YES
    if thinking is not None and thinking.type == "disabled" and config is not None and config.effort:
        asked["output_config.effort"] = _YES
    return asked


def _unknown(fields: Fields) -> msg.Extra:
    """The members of the body, and of the objects in it, that the hub has no word for."""
    rest = unknown(fields, _KNOWN)
    for name, known in _WITHIN.items():
        rest |= unknown(_object(fields.get(name, Raw(b"null"))) or {}, known, f"{name}.")
    return rest


def _need_object(raw: Raw, path: str) -> Raw:
    if bytes(raw)[:1] != b"{":
        raise BadRequest(f"invalid type for '{path}': expected object", param=path, code="invalid_type")
    return raw
