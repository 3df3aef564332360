"""Write a hub request as a query of the bot protocol.

Source: the Poe protocol specification, 1.2, and what fastapi_poe 0.0.83 sends, 2026.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from dragoman.core import message as msg
from dragoman.core.effort import tell_reasoning
from dragoman.core.errors import LossRefused
from dragoman.core.quirks import Quirks
from dragoman.dialects.poe_bot import schema as wire
from dragoman.dialects.poe_bot.attach import find_attachments
from dragoman.dialects.poe_bot.inline import inline_schema
from dragoman.dialects.poe_bot.rounds import last_round, tell_rounds
from dragoman.wire.json import encode


def compose(request: msg.Request, quirks: Quirks) -> bytes:
    """Return the body; raises `LossRefused` for a conversation that does not end with the user or a tool."""
    turns, calls, results = last_round(request.messages)
    query = _merge([_message(turn, quirks) for turn in tell_rounds(turns)])
    if results and query[-1:] and query[-1].role == "bot":
        query.append(wire.Message("tool", content="\n\n".join(result.content for result in results)))
    if not query or query[-1].role == "bot":
        raise LossRefused("the bot protocol needs the last message to be the user's", param="messages")
    _give_parameters(query, request, quirks)
    return encode(_query(request, query, calls, results))


def _query(
    request: msg.Request, query: list[wire.Message], calls: list[wire.ToolCall], results: list[wire.ToolResult]
) -> wire.Query:
    sampling = request.sampling
    return wire.Query(
        query,
        temperature=sampling.temperature,
        logit_bias=sampling.logit_bias or {},
        stop_sequences=sampling.stop,
        tools=[_tool(tool) for tool in _allowed(request)] or None,
        tool_calls=calls or None,
        tool_results=results or None,
    )


def _message(turn: msg.Message, quirks: Quirks) -> wire.Message:
    """Texts stand on lines of their own; what a tool said has been told before."""
    texts = [part.text for part in turn.parts if isinstance(part, msg.Text | msg.Refusal)]
    return wire.Message(_role(turn.role, quirks), content="\n".join(texts), attachments=find_attachments(turn.parts))


def _role(role: msg.Role, quirks: Quirks) -> wire.Role:
    match role:
        case "assistant":
            return "bot"
        case "system" | "developer":
            return "system" if quirks.system_role else "user"
        case _:
            return "user"


def _merge(messages: Sequence[wire.Message]) -> list[wire.Message]:
    """Join neighbours of one role with a blank line between them, and their files; a lone system message asks."""
    merged: list[wire.Message] = []
    for message in messages:
        if not merged or merged[-1].role != message.role:
            merged.append(message)
            continue
        last = merged[-1]
        last.content = "\n\n".join(filter(None, (last.content, message.content)))
        known = {file.url for file in last.attachments}
        last.attachments += [file for file in message.attachments if file.url not in known]
    if merged and merged[-1].role == "system":
        merged[-1].role = "user"
    return merged


def _give_parameters(query: Sequence[wire.Message], request: msg.Request, quirks: Quirks) -> None:
    """Put the parameters of the bot where it looks for them: on the last message of the user."""
    sampling = structs.asdict(request.sampling)
    named = {field: sampling[word] for word, field in quirks.sampling.items() if sampling.get(word) is not None}
    parameters = {**quirks.always, **request.extra, **named, **tell_reasoning(request.reasoning, quirks)}
    for message in reversed(query):
        if message.role == "user":
            message.parameters = parameters
            return
    query[-1].parameters = parameters


def _allowed(request: msg.Request) -> list[msg.Tool]:
    """Return the tools that may be called: to forbid one is not to tell of it."""
    choice = request.tool_choice
    if choice is None:
        return request.tools
    if choice.mode == "none":
        return []
    return [tool for tool in request.tools if choice.allowed is None or tool.name in choice.allowed]


def _tool(tool: msg.Tool) -> wire.Tool:
    return wire.Tool(wire.FunctionSpec(tool.name, tool.description, inline_schema(tool.parameters)))
