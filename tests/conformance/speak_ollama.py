"""Clients of Ollama: chat and generate. Source: Ollama API 0.33, 2026, and its Python client."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType

from dragoman.core import message as msg
from tests.conformance.scenarios import MODEL, UPSTREAM
from tests.conformance.speaker import Heard, Json, Said, Speaker, decode, sampling_of, text_of


class _Function(Struct):
    name: str
    arguments: dict[str, object]


class _ToolCall(Struct):
    function: _Function
    id: str


class _Message(Struct):
    role: str
    content: str
    thinking: str = ""
    tool_calls: list[_ToolCall] = []


class _Line(Struct):
    model: str
    created_at: str
    done: bool
    message: _Message | UnsetType = UNSET
    response: str = ""
    thinking: str = ""
    done_reason: str = ""
    total_duration: int = 0
    prompt_eval_count: int = -1
    eval_count: int = -1


class _Broken(Struct):
    error: str


def _ask_chat(request: msg.Request, stream: bool) -> Json:
    body: Json = {"messages": [turn for message in request.messages for turn in _turns(message)]}
    body["tools"] = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in request.tools
    ]
    return _frame(request, stream) | body


def _ask_generate(request: msg.Request, stream: bool) -> Json:
    prompt = request.messages[-1]
    body: Json = {"prompt": text_of(prompt.parts), "images": _images(prompt)}
    if len(request.messages) > 1:
        body["system"] = text_of(request.messages[0].parts)
    return _frame(request, stream) | body


def _frame(request: msg.Request, stream: bool) -> Json:
    body: Json = {
        "model": request.model,
        "stream": stream,
        "options": sampling_of(request, {"max_tokens": "num_predict"}),
    }
    if request.format.kind != "text":
        body["format"] = "json" if request.format.kind == "json" else request.format.schema
    if request.reasoning.effort is not None:
        body["think"] = request.reasoning.effort
    return body


def _images(message: msg.Message) -> list[str]:
    return [part.url.partition(",")[2] for part in message.parts if isinstance(part, msg.Image)]


def _turns(message: msg.Message) -> list[Json]:
    if message.role == "tool":
        return [
            {"role": "tool", "content": text_of(part.content)}
            for part in message.parts
            if isinstance(part, msg.ToolResult)
        ]
    turn: Json = {"role": message.role, "content": text_of(message.parts)}
    calls = [part for part in message.parts if isinstance(part, msg.ToolCall)]
    if calls:
        turn["tool_calls"] = [{"function": {"name": call.name, "arguments": decode(call.arguments)}} for call in calls]
    return [turn | ({"images": _images(message)} if _images(message) else {})]


def _hear(body: bytes) -> Heard:
    return _join([body])


def _hear_stream(body: bytes) -> Heard:
    assert body.isascii(), "clients split lines where Unicode does"
    lines = body.decode().split("\n")
    assert lines.pop() == ""
    if lines[-1].startswith('{"error":'):
        assert msgspec.json.decode(lines[-1], type=_Broken).error
        return Heard([], broken=True)
    assert all("null" not in line for line in lines[:-1])
    return _join([line.encode() for line in lines], whole=len(lines) == 1)


def _join(lines: list[bytes], *, whole: bool = True) -> Heard:
    said, heard = Said(), Heard([])
    heard.choices.append(said)
    for number, data in enumerate(lines):
        line = msgspec.json.decode(data, type=_Line)
        assert line.done == (number == len(lines) - 1)
        assert line.model in (MODEL, UPSTREAM), "the name it was asked by, or what the upstream calls it"
        assert line.created_at.endswith("Z")
        message = _Message("assistant", line.response, line.thinking) if line.message is UNSET else line.message
        assert whole or not (line.done and (message.content or message.thinking or message.tool_calls))
        assert message.role == "assistant"
        said.text += message.content
        said.thinking += message.thinking
        said.calls += [(call.function.name, call.function.arguments) for call in message.tool_calls]
        if line.done:
            said.finish = line.done_reason
            heard.usage = (line.prompt_eval_count, line.eval_count)
    return heard


def _hear_error(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Broken).error


_ONE = "there is no way to ask for several answers"
_CHAT_LACKS = {
    "refusal": "it is the text",
    "tool_calls": "an answer that calls tools just stops",
    "content_filter": "only stop and length are known",
    "cached": "only totals are told",
    "reasoning": "only totals are told",
}
_NO_TOOLS = "there are no tools"
CHAT = Speaker(
    _ask_chat,
    _hear,
    _hear_stream,
    _hear_error,
    unasked={
        "two_choices": _ONE,
        "tool_choice": "there is none",
        "failed_tool": "a result is a result",
    },
    lacks=_CHAT_LACKS,
)
GENERATE = Speaker(
    _ask_generate,
    _hear,
    _hear_stream,
    _hear_error,
    unasked={
        "two_choices": _ONE,
        "turns": "there is only one prompt",
        "tool_call": _NO_TOOLS,
        "text_and_tool_call": _NO_TOOLS,
        "parallel_tool_calls": _NO_TOOLS,
        "tool_without_arguments": _NO_TOOLS,
        "tool_results": _NO_TOOLS,
        "failed_tool": _NO_TOOLS,
        "tool_choice": _NO_TOOLS,
    },
    lacks=_CHAT_LACKS,
)
