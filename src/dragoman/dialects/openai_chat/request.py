"""The body of a chat completions request, and its meaning in the hub's words. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.wire.json import Fields, encode, read_json


class ImageUrl(Struct):
    """Where a picture is, or its bytes in a ``data:`` URL."""

    url: str
    detail: str | None = None


class InputAudio(Struct):
    """A sound in base64."""

    data: str
    format: str


class FileData(Struct):
    """A document: uploaded before, or its bytes in a ``data:`` URL."""

    file_id: str = ""
    file_data: str = ""
    filename: str = ""


class Part(Struct):
    """One part of a message's content."""

    type: str
    text: str | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    image_url: ImageUrl | UnsetType = UNSET
    input_audio: InputAudio | UnsetType = UNSET
    file: FileData | UnsetType = UNSET
    video_url: ImageUrl | UnsetType = UNSET


class FunctionCall(Struct):
    """The function an earlier turn called."""

    name: str
    arguments: str = ""


class CustomCall(Struct):
    """The tool that takes free text an earlier turn called."""

    name: str
    input: str = ""


class Called(Struct):
    """A tool call of an earlier turn."""

    id: str
    function: FunctionCall | UnsetType = UNSET
    custom: CustomCall | UnsetType = UNSET
    type: str = "function"
    extra_content: Raw | UnsetType = UNSET


class Turn(Struct):
    """One message."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[Called] | None = None
    function_call: FunctionCall | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    """Another name for it, which some servers use and so some clients hand back."""


class Function(Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None


class Custom(Struct):
    """A tool that takes free text."""

    name: str
    description: str | None = None


class ToolSpec(Struct):
    """One entry of `tools`."""

    type: str = "function"
    function: Function | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET


class Named(Struct):
    """The name of a tool."""

    name: str


class Allowed(Struct):
    """The tools of an `allowed_tools` choice."""

    mode: Literal["auto", "required"] = "auto"
    tools: list[ToolSpec] = field(default_factory=list[ToolSpec])


class Choice(Struct):
    """A tool choice that is an object."""

    type: str = "function"
    function: Named | UnsetType = UNSET
    custom: Named | UnsetType = UNSET
    allowed_tools: Allowed | UnsetType = UNSET


class Schema(Struct):
    """The schema of a structured answer."""

    name: str = ""
    description: str | None = None
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class ResponseFormat(Struct):
    """The form the answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | UnsetType = UNSET


class Body(Struct):
    """All parameters the hub has a word for; the others ride along."""

    model: str
    messages: list[Turn]
    stream: bool | None = None
    stream_options: Raw | UnsetType = UNSET
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    """This and the next two are not OpenAI's, but many servers have them, by these names."""
    min_p: float | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, int | float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    functions: list[Function] | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None


class Members(Struct):
    """The same body with its objects by name, where the members are that the hub has no word for."""

    messages: list[Fields]
    tools: list[Fields] | None = None


_body = msgspec.json.Decoder(Body)
_members = msgspec.json.Decoder(Members)
_items = msgspec.json.Decoder(list[Fields])
_FREE_TEXT = Raw(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'
)
"""What a custom tool takes, for those who know functions only."""


def read_meaning(data: bytes, extra: msg.Extra) -> msg.Request:
    """Return what a body asks for; raises `BadRequest` with the path of the first wrong field."""
    body = read_json(_body, data)
    members = read_json(_members, data)
    if body.stream and isinstance(body.stream_options, Raw):
        extra = extra | {"stream_options": body.stream_options}
    return msg.Request(
        model=body.model,
        messages=[
            _message(turn, fields, number)
            for number, (turn, fields) in enumerate(zip(body.messages, members.messages, strict=True))
        ],
        tools=_tools(body, members),
        tool_choice=_tool_choice(body),
        parallel_tools=body.parallel_tool_calls,
        sampling=_sampling(body),
        reasoning=msg.Reasoning(effort=body.reasoning_effort),
        format=_format(body.response_format),
        n=body.n or 1,
        stream=bool(body.stream),
        user=body.user or "",
        metadata=body.metadata or {},
        extra=extra,
    )


def _sampling(body: Body) -> msg.Sampling:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if body.top_logprobs and not body.logprobs:
        raise BadRequest("'top_logprobs' needs 'logprobs'", param="top_logprobs", code="invalid_value")
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    return msg.Sampling(
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        min_p=body.min_p,
        max_tokens=limit,
        stop=stop,
        seed=body.seed,
        presence_penalty=body.presence_penalty,
        frequency_penalty=body.frequency_penalty,
        repeat_penalty=body.repetition_penalty,
        logit_bias=body.logit_bias,
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )


def _format(form: ResponseFormat | None) -> msg.Format:
    if form is None or form.type == "text":
        return msg.Format()
    if form.type == "json_object" or isinstance(form.json_schema, UnsetType):
        return msg.Format("json")
    schema = form.json_schema
    return msg.Format("schema", schema.name, schema.description or "", schema.schema, schema.strict)


def _tools(body: Body, members: Members) -> list[msg.Tool]:
    tools = zip(body.tools or (), members.tools or (), strict=True)
    said = [_tool(tool, fields, f"tools[{number}]") for number, (tool, fields) in enumerate(tools)]
    return said or [_function(function, {}) for function in body.functions or ()]


def _tool(tool: ToolSpec, fields: Fields, path: str) -> msg.Tool:
    extra = _unknown(fields, ToolSpec)
    if isinstance(tool.custom, Custom):
        return msg.Tool(
            tool.custom.name, tool.custom.description or "", _FREE_TEXT, extra=extra | {"custom": fields["custom"]}
        )
    if isinstance(tool.function, UnsetType):
        raise BadRequest(f"invalid '{path}': expected a function or a custom tool", param=path, code="invalid_value")
    return _function(tool.function, extra if tool.type == "function" else extra | {"type": fields["type"]})


def _function(function: Function, extra: msg.Extra) -> msg.Tool:
    return msg.Tool(function.name, function.description or "", function.parameters, function.strict, extra)


def _tool_choice(body: Body) -> msg.ToolChoice | None:
    choice = body.tool_choice if body.tool_choice is not None else body.function_call
    match choice:
        case None:
            return None
        case "none" | "auto" | "required":
            return msg.ToolChoice(choice)
        case Named():
            return msg.ToolChoice("named", choice.name)
        case Choice() if isinstance(choice.allowed_tools, Allowed):
            named = [tool.function or tool.custom for tool in choice.allowed_tools.tools]
            return msg.ToolChoice(choice.allowed_tools.mode, allowed=[tool.name for tool in named if tool])
        case Choice() if chosen := choice.function or choice.custom:
            return msg.ToolChoice("named", chosen.name)
        case _:
            raise BadRequest("invalid 'tool_choice': no tool named", param="tool_choice", code="invalid_value")


def _message(turn: Turn, fields: Fields, number: int) -> msg.Message:
    extra = _unknown(fields, Turn)
    content = _content(turn, fields, number)
    if turn.role == "tool" or turn.role == "function":
        # The deprecated form has no ids: a function's result follows its call.
        call_id = turn.tool_call_id or (f"call_{number - 1}" if turn.role == "function" else "")
        if not call_id:
            path = f"messages[{number}].tool_call_id"
            raise BadRequest(f"missing required parameter: '{path}'", param=path, code="missing_required_parameter")
        return msg.Message("tool", [msg.ToolResult(call_id, content, turn.name or "")], extra=extra)
    if turn.role == "user" and turn.content is None:
        path = f"messages[{number}].content"
        raise BadRequest(f"invalid '{path}': expected string or array, got null", param=path, code="invalid_type")
    thought = turn.reasoning_content or turn.reasoning
    parts: list[msg.Part] = [msg.Thinking(thought)] if thought else []
    parts += content
    if turn.refusal:
        parts.append(msg.Refusal(turn.refusal))
    if turn.tool_calls:
        calls = zip(turn.tool_calls, _items.decode(fields["tool_calls"]), strict=True)
        path = f"messages[{number}].tool_calls"
        parts += [_called(called, members, f"{path}[{index}]") for index, (called, members) in enumerate(calls)]
    if turn.function_call is not None:
        parts.append(msg.ToolCall(f"call_{number}", turn.function_call.name, turn.function_call.arguments or "{}"))
    return msg.Message(turn.role, parts, turn.name or "", extra)


def _called(called: Called, fields: Fields, path: str) -> msg.ToolCall:
    extra = _unknown(fields, Called)
    if isinstance(called.extra_content, Raw):
        extra["extra"] = called.extra_content
    if isinstance(called.custom, CustomCall):
        arguments = encode({"input": called.custom.input}).decode()
        return msg.ToolCall(called.id, called.custom.name, arguments, extra | {"custom": fields["custom"]})
    if isinstance(called.function, UnsetType):
        raise BadRequest(f"invalid '{path}': a call without function", param=path, code="invalid_value")
    return msg.ToolCall(called.id, called.function.name, called.function.arguments or "{}", extra)


def _content(turn: Turn, fields: Fields, number: int) -> list[msg.Part]:
    if isinstance(turn.content, str):
        return [msg.Text(turn.content)] if turn.content else []
    if not turn.content:
        return []
    parts = zip(turn.content, _items.decode(fields["content"]), strict=True)
    return [
        _part(part, _unknown(members, Part), f"messages[{number}].content[{index}]")
        for index, (part, members) in enumerate(parts)
    ]


def _unknown(fields: Fields, kind: type[Struct]) -> msg.Extra:
    """The members of an object that its Struct has no field for."""
    return {name: raw for name, raw in fields.items() if name not in kind.__struct_fields__}


def _part(part: Part, extra: msg.Extra, path: str) -> msg.Part:
    match part:
        case Part(type="text", text=str(text)):
            return msg.Text(text, extra)
        case Part(type="refusal", refusal=str(text)):
            return msg.Refusal(text, extra)
        case Part(type="image_url", image_url=ImageUrl() as image):
            return msg.Image(image.url, image.detail or "", extra)
        case Part(type="input_audio", input_audio=InputAudio() as audio):
            return msg.Audio(audio.data, audio.format, extra)
        case Part(type="file", file=FileData() as file):
            return msg.File(file.file_data, file.file_id, file.filename, extra)
        case Part(type="video_url", video_url=ImageUrl() as video):
            return msg.Video(video.url, extra)
        case _:
            known = part.type in ("text", "refusal", "image_url", "input_audio", "file", "video_url")
            reason = f"missing '{part.type}'" if known else f"unknown part type {encode(part.type).decode()[:40]}"
            raise BadRequest(f"invalid '{path}': {reason}", param=path, code="invalid_value")
