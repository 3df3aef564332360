"""Write a hub request as a chat completions body, for an upstream whose dialect is not the client's."""

from __future__ import annotations

from collections.abc import Sequence, Set

from msgspec import Raw, UnsetType

from dragoman.core import message as msg
from dragoman.core.effort import tell_reasoning
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_chat.fit import fit_turns
from dragoman.wire.json import encode, read_fields

_SAMPLING = ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "logit_bias")
_APART = (msg.ToolCall, msg.Thinking, msg.Refusal)
"""Parts that have a place of their own beside the content."""
_MEDIA = (msg.Image, msg.Audio, msg.Video, msg.File)
_SHOWN = "The next message of the user shows it."
"""The result of a tool that says nothing, but shows something."""
_NULL = Raw(b"null")
_FAILED = "Error: "
"""What the result of a tool that failed begins with: the model has to know, and there is no other place for it."""


def compose(request: msg.Request, model: str, quirks: Quirks = NO_QUIRKS) -> bytes:
    """Return the body; fields the hub has no word for go along unless the hub has set their name."""
    body: dict[str, object] = {
        "model": model,
        "messages": _messages(fit_turns(request.messages, quirks), quirks.thoughts),
    }
    _add_sampling(body, request.sampling, quirks)
    _add_tools(body, request)
    if request.format.kind != "text":
        body["response_format"] = _format(request.format)
    body |= tell_reasoning(request.reasoning, quirks)
    if request.n != 1:
        body["n"] = request.n
    if request.user:
        body["user"] = request.user
    if request.metadata:
        body["metadata"] = request.metadata
    if request.stream or quirks.streams_only:
        _add_stream(body, request.extra, quirks)
    extra = request.extra if quirks.stream_usage else {**request.extra, "stream_options": _NULL}
    return encode({**quirks.always, **extra, **body})


def _add_stream(body: dict[str, object], extra: msg.Extra, quirks: Quirks) -> None:
    body["stream"] = True
    if quirks.stream_usage:
        options = extra.get("stream_options", _NULL)
        known = read_fields(options) if bytes(options) != b"null" else {}
        body["stream_options"] = {**known, "include_usage": True}


def _add_sampling(body: dict[str, object], sampling: msg.Sampling, quirks: Quirks) -> None:
    for name in (*_SAMPLING, *quirks.sampling):
        value: object = getattr(sampling, name)
        if value is not None:
            body[quirks.sampling.get(name, name)] = value
    if sampling.max_tokens is not None:
        body[quirks.max_tokens or "max_tokens"] = sampling.max_tokens
    if sampling.stop:
        body["stop"] = sampling.stop
    if sampling.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": sampling.logprobs}


def _add_tools(body: dict[str, object], request: msg.Request) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    choice = request.tool_choice
    if choice is not None:
        customs = {tool.name for tool in request.tools if "custom" in tool.extra}
        body["tool_choice"] = _tool_choice(choice, customs)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools


def _tool(tool: msg.Tool) -> dict[str, object]:
    if "custom" in tool.extra:
        return {"type": "custom", **tool.extra}
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if not isinstance(tool.parameters, UnsetType):
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function, **tool.extra}


def _tool_choice(choice: msg.ToolChoice, customs: Set[str]) -> object:
    if choice.allowed is not None:
        mode = "required" if choice.mode == "required" else "auto"
        tools = [_named(name, customs) for name in choice.allowed]
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
    return _named(choice.name, customs) if choice.mode == "named" else choice.mode


def _named(name: str, customs: Set[str]) -> dict[str, object]:
    kind = "custom" if name in customs else "function"
    return {"type": kind, kind: {"name": name}}


def _format(form: msg.Format) -> dict[str, object]:
    if form.kind == "json":
        return {"type": "json_object"}
    schema: dict[str, object] = {"name": form.name or "response"}
    if form.description:
        schema["description"] = form.description
    if not isinstance(form.schema, UnsetType):
        schema["schema"] = form.schema
    if form.strict is not None:
        schema["strict"] = form.strict
    return {"type": "json_schema", "json_schema": schema}


def _messages(turns: Sequence[msg.Message], thoughts: str) -> list[dict[str, object]]:
    """One message for a turn, but one for each result of a tool; `thoughts` is the field for earlier reasoning.

    A result is text: what else it shows, the user shows when all results of that turn are told.
    """
    messages: list[dict[str, object]] = []
    shown: list[msg.Part] = []
    for turn in turns:
        if turn.role == "tool":
            results = [part for part in turn.parts if isinstance(part, msg.ToolResult)]
            messages += [{**turn.extra, **_result(result)} for result in results]
            shown += [part for result in results for part in _shown(result)]
        else:
            messages += [*_show(shown), _message(turn, thoughts)]
            shown = []
    return messages + _show(shown)


def _show(parts: list[msg.Part]) -> list[dict[str, object]]:
    return [_message(msg.Message("user", parts))] if parts else []


def _shown(result: msg.ToolResult) -> list[msg.Part]:
    media = [part for part in result.content if isinstance(part, _MEDIA)]
    return [msg.Text(f"Shown by {result.name or result.id}:"), *media] if media else []


def _result(result: msg.ToolResult) -> dict[str, object]:
    content: list[msg.Part] = [part for part in result.content if not isinstance(part, _MEDIA)]
    if not content and result.content:
        content.append(msg.Text(_SHOWN))
    if result.failed:
        content = _failure(content)
    body: dict[str, object] = {"role": "tool", "tool_call_id": result.id, "content": _content(content)}
    if result.name:
        body["name"] = result.name
    return {**result.extra, **body}


def _failure(content: Sequence[msg.Part]) -> list[msg.Part]:
    match content:
        case [msg.Text(text), *_] if text[: len(_FAILED)].lower() == _FAILED.lower():
            return list(content)
        case [msg.Text(text, extra), *rest]:
            return [msg.Text(_FAILED + text, extra), *rest]
        case _:
            return [msg.Text(_FAILED.rstrip()), *content]


def _message(turn: msg.Message, thoughts: str = "reasoning_content") -> dict[str, object]:
    body: dict[str, object] = {"role": turn.role}
    if turn.name:
        body["name"] = turn.name
    calls = [_call(part) for part in turn.parts if isinstance(part, msg.ToolCall)]
    spoken = [part for part in turn.parts if not isinstance(part, _APART)]
    refusal = "".join(part.text for part in turn.parts if isinstance(part, msg.Refusal))
    thought = "".join(part.text for part in turn.parts if isinstance(part, msg.Thinking))
    body["content"] = _content(spoken) if spoken or not (calls or refusal or "audio" in turn.extra) else None
    if refusal:
        body["refusal"] = refusal
    if thought:
        body[thoughts] = thought
    if calls:
        body["tool_calls"] = calls
    return {**turn.extra, **body}


def _call(part: msg.ToolCall) -> dict[str, object]:
    extra = {name: raw for name, raw in part.extra.items() if name != "extra"}
    if "extra" in part.extra:
        extra["extra_content"] = part.extra["extra"]
    if "custom" in extra:
        return {"id": part.id, "type": "custom", **extra}
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}, **extra}


def _content(parts: Sequence[msg.Part]) -> object:
    """A single text is a string, everything else a list of parts."""
    match parts:
        case []:
            return ""
        case [msg.Text() as only] if not only.extra:
            return only.text
        case _:
            return [_part(part) for part in parts]


def _part(part: msg.Part) -> dict[str, object]:
    match part:
        case msg.Text():
            return {"type": "text", "text": part.text, **part.extra}
        case msg.Image():
            image = {"url": part.url} | ({"detail": part.detail} if part.detail else {})
            return {"type": "image_url", "image_url": image, **part.extra}
        case msg.Audio() if part.data:
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}, **part.extra}
        case msg.File():
            return {"type": "file", "file": _file(part), **part.extra}
        case msg.Video():
            return {"type": "video_url", "video_url": {"url": part.url}, **part.extra}
        case msg.Audio():
            return {"type": "text", "text": part.url}
        case msg.Refusal() | msg.Thinking():
            return {"type": "text", "text": part.text}
        case _:
            return {"type": "text", "text": ""}  # calls and results are never part of what is said


def _file(part: msg.File) -> dict[str, str]:
    named = {"file_id": part.id, "file_data": part.data, "filename": part.name}
    return {name: value for name, value in named.items() if value}
