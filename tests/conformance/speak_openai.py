"""Clients of chat completions and of text completions. Source: OpenAI API reference, 2026."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dragoman.core import message as msg
from tests.conformance.speaker import Heard, Json, Said, Speaker, decode, sampling_of, text_of


class _Function(Struct):
    name: str = ""
    arguments: str = ""


class _ToolCall(Struct):
    function: _Function
    index: int = 0
    id: str = ""


class _Message(Struct):
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Struct):
    index: int
    finish_reason: str | None = None
    message: _Message | None = None
    delta: _Message | None = None
    text: str | None = None


class _Details(Struct, frozen=True):
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Details = _Details()
    completion_tokens_details: _Details = _Details()


class _Answer(Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[_Choice]
    usage: _Usage | None = None


class _Error(Struct):
    message: str
    type: str
    param: str | None
    code: str | None


class _Broken(Struct):
    error: _Error


def _ask_chat(request: msg.Request, stream: bool) -> Json:
    body: Json = {
        "model": request.model,
        "messages": [turn for message in request.messages for turn in _turns(message)],
    }
    body |= sampling_of(request, {"repeat_penalty": "repetition_penalty"})
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in request.tools
        ]
    if request.tool_choice is not None:
        body["tool_choice"] = {"type": "function", "function": {"name": request.tool_choice.name}}
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    if request.format.kind == "json":
        body["response_format"] = {"type": "json_object"}
    if request.format.kind == "schema":
        form = {"name": request.format.name, "schema": request.format.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    if request.reasoning.effort is not None:
        body["reasoning_effort"] = request.reasoning.effort
    if request.n > 1:
        body["n"] = request.n
    return body | _streaming(stream)


def _streaming(stream: bool) -> Json:
    return {"stream": True, "stream_options": {"include_usage": True}} if stream else {}


def _turns(message: msg.Message) -> list[Json]:
    if message.role == "tool":
        return [
            {"role": "tool", "tool_call_id": part.id, "content": text_of(part.content)}
            for part in message.parts
            if isinstance(part, msg.ToolResult)
        ]
    turn: Json = {"role": message.role, "content": text_of(message.parts)}
    images = [part for part in message.parts if isinstance(part, msg.Image)]
    if images:
        shown: list[Json] = [{"type": "image_url", "image_url": {"url": image.url}} for image in images]
        turn["content"] = [{"type": "text", "text": text_of(message.parts)}, *shown]
    calls = [part for part in message.parts if isinstance(part, msg.ToolCall)]
    if calls:
        turn["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return [turn]


def _hear(body: bytes) -> Heard:
    answer = msgspec.json.decode(body, type=_Answer)
    assert answer.id
    assert answer.created
    assert answer.model
    assert [choice.index for choice in answer.choices] == list(range(len(answer.choices)))
    said: list[Said] = []
    for choice in answer.choices:
        message = choice.message or _Message(choice.text)
        one = Said(message.content or "", message.reasoning_content or "", message.refusal or "")
        one.calls = [(call.function.name, decode(call.function.arguments)) for call in message.tool_calls or ()]
        one.finish = choice.finish_reason or ""
        said.append(one)
    return _count(Heard(said), answer.usage)


def _hear_stream(body: bytes) -> Heard:
    frames = [frame.removeprefix(b"data: ") for frame in body.split(b"\n\n")]
    assert frames.pop() == b""
    if b'"error":' in frames[-1]:
        msgspec.json.decode(frames.pop(), type=_Broken)
        return Heard([], broken=True)
    assert frames.pop() == b"[DONE]"
    heard, choices, tools = Heard([]), dict[int, Said](), dict[tuple[int, int], tuple[str, list[str]]]()
    for number, frame in enumerate(frames):
        chunk = msgspec.json.decode(frame, type=_Answer)
        assert chunk.usage is None or (not chunk.choices and number == len(frames) - 1)
        heard = _count(heard, chunk.usage)
        for choice in chunk.choices:
            _add(choices.setdefault(choice.index, Said()), choice, tools)
    for (index, _), (name, arguments) in sorted(tools.items()):
        choices[index].calls.append((name, decode("".join(arguments))))
    heard.choices = [choices[index] for index in sorted(choices)]
    return heard


def _add(said: Said, choice: _Choice, tools: dict[tuple[int, int], tuple[str, list[str]]]) -> None:
    assert not said.finish, "nothing follows the finish"
    delta = choice.delta or _Message(choice.text)
    said.text += delta.content or ""
    said.thinking += delta.reasoning_content or ""
    said.refusal += delta.refusal or ""
    said.finish = choice.finish_reason or ""
    for call in delta.tool_calls or ():
        name, arguments = tools.setdefault((choice.index, call.index), (call.function.name, []))
        assert bool(call.id) == (not arguments)
        assert name
        arguments.append(call.function.arguments)


def _count(heard: Heard, usage: _Usage | None) -> Heard:
    if usage is not None:
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        heard.usage = (usage.prompt_tokens, usage.completion_tokens)
        heard.cached = usage.prompt_tokens_details.cached_tokens
        heard.reasoning = usage.completion_tokens_details.reasoning_tokens
    return heard


def _hear_error(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Broken).error.message


def _ask_text(request: msg.Request, stream: bool) -> Json:
    body: Json = {"model": request.model, "prompt": text_of(request.messages[0].parts)}
    body |= sampling_of(request, {"repeat_penalty": "repetition_penalty"})
    return body | ({"n": request.n} if request.n > 1 else {}) | _streaming(stream)


_NO_TOOLS = "there are no tools"
CHAT = Speaker(_ask_chat, _hear, _hear_stream, _hear_error, unasked={"failed_tool": "a result is a result"})
COMPLETIONS = Speaker(
    _ask_text,
    _hear,
    _hear_stream,
    _hear_error,
    unasked={
        "system": "there is only one prompt",
        "turns": "there is only one prompt",
        "thinking": "nothing asks for it",
        "image": "a prompt is text",
        "structured_output": "no form can be asked for",
        "json": "no form can be asked for",
        "tool_call": _NO_TOOLS,
        "text_and_tool_call": _NO_TOOLS,
        "parallel_tool_calls": _NO_TOOLS,
        "tool_without_arguments": _NO_TOOLS,
        "tool_results": _NO_TOOLS,
        "failed_tool": _NO_TOOLS,
        "tool_choice": _NO_TOOLS,
    },
    lacks={"refusal": "it is the text", "cached": "only totals are told", "reasoning": "only totals are told"},
)
