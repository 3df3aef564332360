"""Write a hub request as a body of Responses, for an upstream whose dialect is not the client's.

The upstream keeps nothing (`store` is false): reasoning comes back sealed, and goes there again with the next request.
Source: OpenAI OpenAPI 2.3.0, 2026.
"""

from __future__ import annotations

from msgspec import Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.effort import nearest_effort
from dragoman.core.errors import BadRequest
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_responses.conversation import write_conversation
from dragoman.dialects.openai_responses.request import ENCRYPTED, LOGPROBS
from dragoman.wire.json import encode

SUMMARY = "summary"
"""A word for `Quirks.lacks`: the model tells no summaries of what it thinks."""
_ANY = Raw(b"{}")
_TEXT = "verbosity"
"""The field of chat completions that is a member of `text` here."""


def compose(request: msg.Request, model: str, quirks: Quirks = NO_QUIRKS) -> bytes:
    """Return the body; fields the hub has no word for go along unless the hub has set their name.

    Raises `BadRequest` for a conversation in which nothing is said that can be told.
    """
    items = write_conversation(request.messages, quirks)
    if not items:
        raise BadRequest("nothing is said that the upstream can be told")
    body: dict[str, object] = {"model": model, "input": items, "store": False}
    include: list[str] = []
    _add_sampling(body, include, request.sampling)
    _add_tools(body, request)
    _add_text(body, request)
    _add_reasoning(body, include, request.reasoning, quirks)
    if include:
        body["include"] = include
    if request.user:
        body["user"] = request.user
    if request.metadata:
        body["metadata"] = request.metadata
    if request.stream:
        body["stream"] = True
    extra = {name: raw for name, raw in request.extra.items() if name != _TEXT and name.isidentifier()}
    return encode({**quirks.always, **extra, **body})


def _add_sampling(body: dict[str, object], include: list[str], sampling: msg.Sampling) -> None:
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.max_tokens is not None:
        body["max_output_tokens"] = sampling.max_tokens
    if sampling.logprobs is not None:
        include.append(LOGPROBS)
        if sampling.logprobs:
            body["top_logprobs"] = sampling.logprobs


def _add_reasoning(body: dict[str, object], include: list[str], reasoning: msg.Reasoning, quirks: Quirks) -> None:
    """Whoever asks a model to reason is told what it thinks, as far as OpenAI tells it, and can bring it back."""
    effort = reasoning.effort
    if effort is None:
        return
    told: dict[str, object] = {"effort": nearest_effort(effort, quirks.efforts)}
    if effort != "none":
        if SUMMARY not in quirks.lacks:
            told["summary"] = "auto"
        if "signature" not in quirks.lacks:
            include.append(ENCRYPTED)
    body["reasoning"] = told


def _add_tools(body: dict[str, object], request: msg.Request) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools


def _tool(tool: msg.Tool) -> dict[str, object]:
    """A tool is strict here unless it says that it is not; elsewhere it is the other way round."""
    body: dict[str, object] = {"type": "function", "name": tool.name}
    if tool.description:
        body["description"] = tool.description
    body["parameters"] = None if isinstance(tool.parameters, UnsetType) else tool.parameters
    body["strict"] = bool(tool.strict)
    return {**tool.extra, **body}


def _tool_choice(choice: msg.ToolChoice) -> object:
    if choice.allowed is not None:
        mode = "required" if choice.mode == "required" else "auto"
        return {"type": "allowed_tools", "mode": mode, "tools": [_named(name) for name in choice.allowed]}
    return _named(choice.name) if choice.mode == "named" else choice.mode


def _named(name: str) -> dict[str, object]:
    return {"type": "function", "name": name}


def _add_text(body: dict[str, object], request: msg.Request) -> None:
    text: dict[str, object] = {}
    if request.format.kind != "text":
        text["format"] = _format(request.format)
    if _TEXT in request.extra:
        text[_TEXT] = request.extra[_TEXT]
    if text:
        body["text"] = text


def _format(form: msg.Format) -> dict[str, object]:
    if form.kind == "json":
        return {"type": "json_object"}
    schema = _ANY if isinstance(form.schema, UnsetType) else form.schema
    told: dict[str, object] = {"type": "json_schema", "name": form.name or "response", "schema": schema}
    if form.description:
        told["description"] = form.description
    if form.strict is not None:
        told["strict"] = form.strict
    return told
