"""Write a hub request as a body of Messages, for an upstream whose dialect is not the client's."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.effort import nearest_effort
from dragoman.core.errors import BadRequest
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.anthropic_messages.conversation import write_conversation
from dragoman.dialects.anthropic_messages.narrow import max_tokens, thinks
from dragoman.wire.json import Fields, encode

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""How much a model can be told to think, the least first."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_NO_SCHEMA = Raw(b'{"type":"object","properties":{}}')
_OBJECT = Raw(b'"object"')
_fields = msgspec.json.Decoder(Fields)


def compose(request: msg.Request, model: str, quirks: Quirks = NO_QUIRKS) -> bytes:
    """Return the body; fields the hub has no word for go along unless the hub has set their name.

    Raises `BadRequest` for the name of a tool, a limit or a schema that this API does not take.
    """
    system, turns = write_conversation(request.messages)
    body: dict[str, object] = {"model": model, "messages": turns}
    if system:
        body["system"] = system
    most = request.sampling.max_tokens
    if most is not None and most < 0:
        raise BadRequest("invalid 'max_tokens': must not be negative", param="max_tokens", code="invalid_value")
    body["max_tokens"] = max_tokens(quirks) if most is None else most
    _add_sampling(body, request.sampling)
    _add_tools(body, request)
    config: dict[str, object] = {}
    _add_reasoning(body, config, request, quirks)
    if request.format.kind == "schema" and not isinstance(request.format.schema, UnsetType):
        config["format"] = {"type": "json_schema", "schema": _need_object(request.format.schema)}
    if config:
        body["output_config"] = config
    if request.user:
        body["metadata"] = {"user_id": request.user}
    if request.stream:
        body["stream"] = True
    extra = {name: raw for name, raw in request.extra.items() if name.isidentifier()}
    return encode({**quirks.always, **extra, **body})


def _need_object(schema: Raw) -> Raw:
    if bytes(schema)[:1] != b"{":
        raise BadRequest("invalid type for the schema of the answer: expected object", code="invalid_type")
    return schema


def _add_sampling(body: dict[str, object], sampling: msg.Sampling) -> None:
    for name in ("temperature", "top_p", "top_k"):
        value: object = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop_sequences"] = sampling.stop


def _add_reasoning(body: dict[str, object], config: dict[str, object], request: msg.Request, quirks: Quirks) -> None:
    """Say how much to think: as a budget where there is one, else adaptively.

    Effort alone, without thinking, is what goes with a tool that has to be called.
    """
    effort, budget = request.reasoning.effort, request.reasoning.budget
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif budget is not None:
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
        if request.sampling.max_tokens is None and max_tokens(quirks) < 2 * budget:
            body["max_tokens"] = max_tokens(quirks) + budget  # thinking is part of the answer, which needs room too
    elif effort is not None:
        config["effort"] = nearest_effort(effort, quirks.efforts or EFFORTS)
        if thinks(request):
            body["thinking"] = {"type": "adaptive"}


def _add_tools(body: dict[str, object], request: msg.Request) -> None:
    choice = request.tool_choice
    allowed = choice.allowed if choice is not None else None
    tools = [tool for tool in request.tools if allowed is None or tool.name in allowed]
    if not tools:
        return
    body["tools"] = [_tool(tool, number) for number, tool in enumerate(tools)]
    alone = request.parallel_tools is False
    if choice is None and not alone:
        return
    told = _tool_choice(choice or msg.ToolChoice("auto"))
    if alone and told["type"] != "none":
        told["disable_parallel_tool_use"] = True
    body["tool_choice"] = told


def _tool_choice(choice: msg.ToolChoice) -> dict[str, object]:
    match choice.mode:
        case "named":
            return {"type": "tool", "name": choice.name}
        case "required":
            return {"type": "any"}
        case mode:
            return {"type": mode}


def _tool(tool: msg.Tool, number: int) -> dict[str, object]:
    if not _NAME.fullmatch(tool.name):
        name = f"tools[{number}].name"
        reason = "the upstream takes up to 128 letters, digits, underscores and hyphens"
        raise BadRequest(f"invalid '{name}': {reason}", param=name, code="invalid_value")
    body: dict[str, object] = {"name": tool.name}
    if tool.description:
        body["description"] = tool.description
    schema = _NO_SCHEMA if isinstance(tool.parameters, UnsetType) else tool.parameters
    body["input_schema"] = _schema(schema, number)
    if tool.strict is not None:
        body["strict"] = tool.strict
    return {**tool.extra, **body}


def _schema(schema: Raw, number: int) -> object:
    """A schema of arguments has to say that they are an object; the client's bytes stay if they do."""
    try:
        fields = _fields.decode(schema)
    except msgspec.DecodeError:
        name = f"tools[{number}].function.parameters"
        raise BadRequest(f"invalid type for '{name}': expected object", param=name, code="invalid_type") from None
    return schema if "type" in fields else {"type": _OBJECT, **fields}
