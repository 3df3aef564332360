"""A client of OpenAI's Responses. Source: OpenAI API reference, 2026, and what its SDK's stream helper insists on."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dragoman.core import message as msg
from tests.conformance.speaker import Heard, Json, Said, Speaker, decode, sampling_of, text_of


class _Piece(Struct):
    type: str
    text: str = ""
    refusal: str = ""


class _Item(Struct):
    type: str
    id: str = ""
    status: str | None = None
    content: list[_Piece] | None = None
    summary: list[_Piece] = []
    name: str = ""
    call_id: str = ""
    arguments: str = ""


class _InputDetails(Struct):
    cached_tokens: int


class _OutputDetails(Struct):
    reasoning_tokens: int


class _Usage(Struct):
    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: _InputDetails
    output_tokens_details: _OutputDetails


class _Incomplete(Struct):
    reason: str


class _Error(Struct):
    message: str
    code: str | None


class _Answer(Struct):
    id: str
    object: str
    status: str
    model: str
    output: list[_Item]
    usage: _Usage | None
    error: _Error | None
    incomplete_details: _Incomplete | None


class _Event(Struct):
    type: str
    sequence_number: int
    response: _Answer | None = None
    output_index: int = -1
    item: _Item | None = None
    delta: str = ""


class _Broken(Struct):
    error: _Error


def _ask(request: msg.Request, stream: bool) -> Json:
    body: Json = {"model": request.model, "stream": stream, "store": False}
    body |= sampling_of(request, {"max_tokens": "max_output_tokens"})
    system = [text_of(message.parts) for message in request.messages if message.role == "system"]
    if system:
        body["instructions"] = system[0]
    body["input"] = [item for message in request.messages if message.role != "system" for item in _items(message)]
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": None,
            }
            for tool in request.tools
        ]
    if request.tool_choice is not None:
        body["tool_choice"] = {"type": "function", "name": request.tool_choice.name}
        body["parallel_tool_calls"] = request.parallel_tools
    if request.format.kind == "json":
        body["text"] = {"format": {"type": "json_object"}}
    if request.format.kind == "schema":
        form = {"type": "json_schema", "name": request.format.name, "schema": request.format.schema}
        body["text"] = {"format": form}
    if request.reasoning.effort is not None:
        body["reasoning"] = {"effort": request.reasoning.effort}
    return body


def _items(message: msg.Message) -> list[Json]:
    items: list[Json] = []
    said: list[Json] = []
    kind = "output_text" if message.role == "assistant" else "input_text"
    for part in message.parts:
        match part:
            case msg.Text():
                said.append({"type": kind, "text": part.text})
            case msg.Image():
                said.append({"type": "input_image", "image_url": part.url, "detail": "auto"})
            case msg.ToolCall():
                called = {"call_id": part.id, "name": part.name, "arguments": part.arguments}
                items.append({"type": "function_call", **called})
            case msg.ToolResult():
                items.append({"type": "function_call_output", "call_id": part.id, "output": text_of(part.content)})
            case _:
                raise AssertionError(part)
    if said:
        items.insert(0, {"type": "message", "role": message.role, "content": said})
    return items


def _hear(body: bytes) -> Heard:
    return _sum_up(msgspec.json.decode(body, type=_Answer))


def _sum_up(answer: _Answer) -> Heard:
    assert (answer.object, answer.error) == ("response", None)
    said = Said()
    for item in answer.output:
        assert item.id
        pieces = item.content or []
        said.text += "".join(piece.text for piece in pieces if piece.type == "output_text")
        said.refusal += "".join(piece.refusal for piece in pieces)
        if item.type == "reasoning":
            told = item.summary or pieces
            said.thinking += "".join(piece.text for piece in told)
        if item.type == "function_call":
            said.calls.append((item.name, decode(item.arguments)))
    said.finish = "tool_calls" if said.calls else "stop"
    if answer.status == "incomplete":
        assert answer.incomplete_details
        said.finish = {"max_output_tokens": "length"}.get(
            answer.incomplete_details.reason, answer.incomplete_details.reason
        )
    else:
        assert answer.status == "completed"
    assert answer.usage
    usage = answer.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    totals = (usage.input_tokens, usage.output_tokens)
    return Heard([said], totals, usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens)


def _hear_stream(body: bytes) -> Heard:
    frames = [frame.split(b"\n") for frame in body.split(b"\n\n")]
    assert frames.pop() == [b""]
    if frames[-1] == [b"data: [DONE]"]:
        frames.pop()
    events = [msgspec.json.decode(data.removeprefix(b"data: "), type=_Event) for _, data in frames]
    assert [name.removeprefix(b"event: ").decode() for name, _ in frames] == [event.type for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    last = events[-1].response
    assert last
    assert all(event.response is None or event.response.id == last.id for event in events)
    if last.status == "failed":
        assert last.error
        return Heard([], broken=True)
    heard = _sum_up(last)
    _compare(events, heard.choices[0], last)
    return heard


def _compare(events: list[_Event], said: Said, last: _Answer) -> None:
    """See that the pieces on the way say what the whole at the end says."""
    pieces: dict[str, str] = {}
    for event in events:
        pieces[event.type] = pieces.get(event.type, "") + event.delta
    assert pieces.get("response.output_text.delta", "") == said.text
    assert pieces.get("response.refusal.delta", "") == said.refusal
    thoughts = [f"response.{name}.delta" for name in ("reasoning_summary_text", "reasoning_text")]
    assert "".join(pieces.get(name, "") for name in thoughts) == said.thinking
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done == last.output
    added = [event.output_index for event in events if event.type == "response.output_item.added"]
    assert added == list(range(len(done)))


def _hear_error(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Broken).error.message


RESPONSES = Speaker(
    _ask,
    _hear,
    _hear_stream,
    _hear_error,
    unasked={
        "two_choices": "there is one answer",
        "stop": "there are no stop sequences",
        "top_k": "there is none",
        "rare_sampling": "only temperature, top_p and two penalties are known",
        "failed_tool": "a result is a result",
    },
)
