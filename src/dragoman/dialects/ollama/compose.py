"""Write a hub request as a body for ``/api/chat``, for an upstream whose dialect is not the client's.

Whether to stream is always said, for silence means a stream. Source: Ollama API 0.33, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.attached import find_attached
from dragoman.core.errors import BadRequest
from dragoman.dialects.ollama.images import read_image
from dragoman.dialects.ollama.options import MAX_INTEGER, MAX_TOP_LOGPROBS
from dragoman.wire.json import Fields, encode

Members = dict[str, object]
_OPTIONS: Mapping[str, str] = {
    name: {"max_tokens": "num_predict"}.get(name, name)
    for name in (
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "seed", "presence_penalty",
        "frequency_penalty", "repeat_penalty",
    )
}  # fmt: skip
_OPTION = "options."
"""How the name begins of an option that the hub has no word for."""
_THINK: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
"""How much to think; any other word just asks for thoughts."""
_BEGINNING = 1024
"""Characters of a ``data:`` URL that tell what it is."""
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')
_FAILED = "Error: "
"""What the result of a tool that failed begins with: the model has to know, and there is no other place for it."""
_object = msgspec.json.Decoder(Fields)


def compose(request: msg.Request, model: str) -> bytes:
    """Return the body; raises `BadRequest` for a picture that is none, or arguments or a schema that are no object."""
    _check_pictures(request)
    body: Members = {"model": model, "messages": _messages(request.messages), "stream": request.stream}
    if tools := _tools(request):
        body["tools"] = tools
    if request.format.kind != "text":
        body["format"] = _format(request.format)
    if (effort := request.reasoning.effort) is not None:
        body["think"] = _THINK.get(effort, True)
    if (logprobs := request.sampling.logprobs) is not None:
        body |= {"logprobs": True, "top_logprobs": max(0, min(logprobs, MAX_TOP_LOGPROBS))}
    return encode({**place_extra(request, _read_options(request.sampling)), **body})


def _check_pictures(request: msg.Request) -> None:
    """Refuse what is no picture by the place where the client has shown it."""
    for path, part in find_attached(request):
        if isinstance(part, msg.Image):
            read_image(part.url[:_BEGINNING], path)


def _format(form: msg.Format) -> str | Raw:
    if form.kind == "json" or isinstance(form.schema, UnsetType):
        return "json"
    if bytes(form.schema)[:1] != b"{":
        raise BadRequest("the schema of the answer is not a JSON object", code="invalid_value")
    return form.schema


def place_extra(request: msg.Request, options: Members) -> Members:
    """Return the members that the hub has no word for, and the options, those among the former included."""
    extra = request.extra.items()
    members: Members = {name: raw for name, raw in extra if not name.startswith(_OPTION)}
    options = {name.removeprefix(_OPTION): raw for name, raw in extra if name.startswith(_OPTION)} | options
    return members | {"options": options} if options else members


def _read_options(sampling: msg.Sampling) -> Members:
    given: Members = {option: getattr(sampling, name) for name, option in _OPTIONS.items()}
    return {name: _bound(value) for name, value in given.items() if value is not None and value != []}


def _bound(value: object) -> object:
    """An integer that Ollama can read: of a larger one it says that it is none."""
    return max(-MAX_INTEGER, min(value, MAX_INTEGER)) if isinstance(value, int) else value


def _tools(request: msg.Request) -> list[Members]:
    """The tools that may be called: there is no other way to say which, or that none may be."""
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        return []
    allowed = None if choice is None else choice.allowed
    return [_tool(tool) for tool in request.tools if allowed is None or tool.name in allowed]


def _tool(tool: msg.Tool) -> Members:
    function: Members = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = _NO_PARAMETERS if tool.parameters is UNSET else tool.parameters
    return {"type": "function", "function": function, **tool.extra}


def _messages(turns: Sequence[msg.Message]) -> list[Members]:
    """One message for a turn, but one for each result of a tool, which is told the name of its tool."""
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, msg.ToolCall)}
    messages: list[Members] = []
    for turn in turns:
        if turn.role == "tool":
            results = [part for part in turn.parts if isinstance(part, msg.ToolResult)]
            messages += [turn.extra | _result(result, names) for result in results]
        else:
            messages.append(turn.extra | _message(turn))
    return messages


def _message(turn: msg.Message) -> Members:
    body: Members = {"role": "system" if turn.role == "developer" else turn.role, **_content(turn.parts)}
    if thoughts := "".join(part.text for part in turn.parts if isinstance(part, msg.Thinking)):
        body["thinking"] = thoughts
    if calls := [part for part in turn.parts if isinstance(part, msg.ToolCall)]:
        body["tool_calls"] = [_call(call, index) for index, call in enumerate(calls)]
    return body


def _result(result: msg.ToolResult, names: Mapping[str, str]) -> Members:
    body = _content(result.content)
    said = str(body["content"])
    if result.failed and not said.lower().startswith(_FAILED.lower()):
        body["content"] = (_FAILED + said).rstrip()
    name = result.name or names.get(result.id, "")
    return {"role": "tool", **body, **({"tool_name": name} if name else {}), "tool_call_id": result.id}


def _call(call: msg.ToolCall, index: int) -> Members:
    arguments = call.arguments.strip() or "{}"
    try:
        _object.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        reason = f"the arguments of tool call '{call.id}' are not a JSON object, which this upstream insists on"
        raise BadRequest(reason, param="messages", code="invalid_value") from None
    return {"id": call.id, "function": {"index": index, "name": call.name, "arguments": Raw(arguments.encode())}}


def _content(parts: Sequence[msg.Part]) -> Members:
    """The text of a turn as one string, and its pictures beside it."""
    texts = [part.text for part in parts if isinstance(part, msg.Text | msg.Refusal)]
    images = [_image(part.url) for part in parts if isinstance(part, msg.Image)]
    content: Members = {"content": "\n".join(texts)}
    return content | {"images": images} if images else content


def _image(url: str) -> str:
    """Bare base64: that is all that is taken."""
    return read_image(url, "messages").partition(",")[2]
