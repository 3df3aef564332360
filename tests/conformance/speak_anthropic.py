"""A client of Anthropic's Messages. Source: Claude platform documentation, 2026, and the `anthropic` SDK."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dragoman.core import message as msg
from tests.conformance.speaker import Heard, Json, Said, Speaker, decode, sampling_of, text_of

_STOPS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Block(Struct):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, object] = {}


class _Details(Struct, frozen=True):
    thinking_tokens: int = 0


class _Usage(Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    output_tokens_details: _Details | None = None


class _Answer(Struct):
    id: str
    type: str
    role: str
    model: str
    content: list[_Block]
    stop_reason: str | None
    stop_sequence: str | None
    usage: _Usage


class _Delta(Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    index: int = -1
    message: _Answer | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


class _Error(Struct):
    type: str
    message: str


class _Broken(Struct):
    type: str
    error: _Error


def _ask(request: msg.Request, stream: bool) -> Json:
    names = {"stop": "stop_sequences"}
    body: Json = {"model": request.model, "stream": stream, **sampling_of(request, names)}
    system = [text_of(message.parts) for message in request.messages if message.role == "system"]
    if system:
        body["system"] = system[0]
    body["messages"] = _turns([message for message in request.messages if message.role != "system"])
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    if request.tool_choice is not None:
        parallel = {"disable_parallel_tool_use": not request.parallel_tools}
        body["tool_choice"] = {"type": "tool", "name": request.tool_choice.name, **parallel}
    if request.format.kind == "schema":
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.format.schema}}
    if request.reasoning.effort is not None:
        body |= {"thinking": {"type": "adaptive"}, "output_config": {"effort": request.reasoning.effort}}
    return body


def _turns(messages: list[msg.Message]) -> list[Json]:
    """All results of one turn's calls are one turn of the user."""
    turns: list[Json] = []
    results: list[Json] = []
    for message in messages:
        if message.role == "tool":
            if not results:
                turns.append({"role": "user", "content": results})
            results += [block for part in message.parts for block in _blocks(part)]
        else:
            results = []
            turns.append(
                {"role": message.role, "content": [block for part in message.parts for block in _blocks(part)]}
            )
    return turns


def _blocks(part: msg.Part) -> list[Json]:
    match part:
        case msg.Text():
            return [{"type": "text", "text": part.text}]
        case msg.Image():
            media_type, _, data = part.url.removeprefix("data:").partition(";base64,")
            return [{"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}]
        case msg.ToolCall():
            return [{"type": "tool_use", "id": part.id, "name": part.name, "input": decode(part.arguments)}]
        case msg.ToolResult():
            failed: Json = {"is_error": True} if part.failed else {}
            return [{"type": "tool_result", "tool_use_id": part.id, "content": text_of(part.content), **failed}]
        case _:
            raise AssertionError(part)


def _hear(body: bytes) -> Heard:
    answer = msgspec.json.decode(body, type=_Answer)
    assert (answer.type, answer.role) == ("message", "assistant")
    return _sum_up(answer, answer.content)


def _sum_up(answer: _Answer, blocks: list[_Block]) -> Heard:
    said = Said(finish=_STOPS[answer.stop_reason or ""])
    for block in blocks:
        said.text += block.text
        said.thinking += block.thinking
        assert (block.type == "thinking") == bool(block.signature)
        if block.type == "tool_use":
            assert block.id
            said.calls.append((block.name, block.input))
    usage = answer.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    told = usage.output_tokens_details or _Details()
    return Heard([said], (usage.input_tokens + cached + written, usage.output_tokens), cached, told.thinking_tokens)


def _hear_stream(body: bytes) -> Heard:
    frames = [frame.split(b"\n") for frame in body.split(b"\n\n")]
    assert frames.pop() == [b""]
    events: list[_Event] = []
    for name, data in frames:
        if name == b"event: error":
            msgspec.json.decode(data.removeprefix(b"data: "), type=_Broken)
            return Heard([], broken=True)
        event = msgspec.json.decode(data.removeprefix(b"data: "), type=_Event)
        assert name == b"event: " + event.type.encode()
        events.append(event)
    first, *middle, delta, last = [event for event in events if event.type != "ping"]
    assert (first.type, delta.type, last.type) == ("message_start", "message_delta", "message_stop")
    assert first.message
    assert delta.delta
    assert delta.usage
    first.message.stop_reason, first.message.usage = delta.delta.stop_reason, delta.usage
    return _sum_up(first.message, _read_blocks(middle))


def _read_blocks(events: list[_Event]) -> list[_Block]:
    blocks: list[_Block] = []
    is_open, arguments = False, ""
    for event in events:
        match event:
            case _Event(type="content_block_start", content_block=_Block() as block):
                assert (is_open, event.index) == (False, len(blocks))
                blocks.append(block)
                is_open, arguments = True, ""
            case _Event(type="content_block_delta", delta=_Delta() as delta):
                assert (is_open, event.index) == (True, len(blocks) - 1)
                block = blocks[-1]
                block.text += delta.text
                block.thinking += delta.thinking
                block.signature += delta.signature
                arguments += delta.partial_json
            case _Event(type="content_block_stop"):
                assert is_open
                is_open = False
                if arguments:
                    blocks[-1].input = msgspec.json.decode(arguments, type=dict[str, object])
            case _:
                raise AssertionError(event)
    assert not is_open
    return blocks


def _hear_error(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Broken).error.message


MESSAGES = Speaker(
    _ask,
    _hear,
    _hear_stream,
    _hear_error,
    unasked={
        "two_choices": "there is one answer",
        "json": "only a schema can be asked for",
        "rare_sampling": "only temperature, top_p and top_k are known",
    },
    lacks={"refusal": "it is the text", "refused": "and the reason why the answer ended"},
)
