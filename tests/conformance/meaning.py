"""What a request means, apart from what no dialect has to keep: two requests that mean the same are equal here."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from dragoman.core import message as msg
from tests.conformance.speaker import decode


class Meaning(Struct):
    """All that a model is asked."""

    turns: list[tuple[str, object]]
    tools: list[tuple[str, str, object]]
    choice: msg.ToolChoice | None
    parallel: bool | None
    sampling: msg.Sampling
    effort: str | None
    form: tuple[str, object]
    n: int


def meaning(request: msg.Request) -> Meaning:
    """Return what a request means: the ids of its calls are their numbers, a tool that failed says so in its result."""
    names: dict[str, int] = {}
    turns: list[tuple[str, object]] = [
        (message.role, _part(part, names)) for message in request.messages for part in message.parts
    ]
    tools = [(tool.name, tool.description, _schema(tool.parameters)) for tool in request.tools]
    form = (request.format.kind, _schema(request.format.schema))
    choice, effort = request.tool_choice, request.reasoning.effort
    return Meaning(turns, tools, choice, request.parallel_tools, request.sampling, effort, form, request.n)


def _schema(schema: object) -> object:
    return decode(bytes(schema)) if isinstance(schema, Raw) else None


def _part(part: msg.Part, names: dict[str, int]) -> object:
    match part:
        case msg.Text():
            return part.text
        case msg.Image():
            return {"image": part.url}
        case msg.ToolCall():
            return {"call": names.setdefault(part.id, len(names)), "name": part.name, "with": decode(part.arguments)}
        case msg.ToolResult():
            said = "".join(said.text for said in part.content if isinstance(said, msg.Text))
            return {"result": names.get(part.id), "says": f"Error: {said}" if part.failed else said}
        case _:
            return msgspec.to_builtins(part)
