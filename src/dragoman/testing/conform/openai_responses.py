"""The rules of OpenAI's Responses. Source: OpenAI API reference, 2026; what its SDK's stream helper insists on."""

from __future__ import annotations

from collections.abc import Sequence

from dragoman.testing.conform.field import Field, Json, choose, show
from dragoman.testing.conform.frames import DONE, read_sse
from dragoman.testing.conform.openai_chat import read_error, read_tokens
from dragoman.testing.conform.question import ANSWER_FORM, IMAGE, TOOL, TOOL_ABOUT, TOOL_FORM, Question, Said, Use
from dragoman.testing.conform.raw import Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable

_ALWAYS = (
    *("error", "incomplete_details", "instructions", "metadata", "output", "parallel_tool_calls"),
    *("previous_response_id", "temperature", "tool_choice", "tools", "top_p", "usage"),
)
"""Members that are there even when they are null."""
_LAST = {"response.completed": "completed", "response.incomplete": "incomplete", "response.failed": "failed"}
"""Events that end a stream, and the status of their response."""
_DELTAS = {
    "response.output_text.delta": "message",
    "response.refusal.delta": "message",
    "response.function_call_arguments.delta": "function_call",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
}
"""Events that continue an item, and its type."""


def write(question: Question) -> dict[str, Json]:
    """Return the body of a request; raises `NotApplicable` for what the dialect cannot ask."""
    if question.stop:
        raise NotApplicable("the dialect has no stop sequences")
    content: list[Json] = [{"type": "input_text", "text": question.prompt}]
    if question.image:
        content.append({"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}", "detail": "auto"})
    tool: Json = {"type": "function", "name": TOOL, "description": TOOL_ABOUT, "parameters": TOOL_FORM}
    form: Json = {"type": "json_schema", "name": "answer", "strict": True, "schema": ANSWER_FORM}
    return choose(
        model=question.model,
        input=[{"type": "message", "role": "user", "content": content}],
        stream=question.stream,
        tools=question.tools and [tool],
        tool_choice=question.tools and "required",
        text=question.form and {"format": form},
        reasoning=question.think and {"effort": "low", "summary": "auto"},
        max_output_tokens=question.limit,
    )


def _read(body: Field, question: Question) -> Said:
    body["object"].equals("response")
    body["id"].words()
    body["created_at"].number()
    body["model"].words()
    body["status"].equals("completed", "incomplete")
    for name in _ALWAYS:
        body[name].present()
    said = Said(finish="stop", tokens=read_tokens(body["usage"], "input_tokens", "output_tokens"))
    for item in body["output"].items():
        _add_item(said, item)
    if body["status"].text() == "incomplete":
        body["incomplete_details"]["reason"].equals("max_output_tokens")
        said.finish = "length"
    elif said.uses:
        said.finish = "tools"
    return said


def _add_item(said: Said, item: Field) -> None:
    item["id"].words()
    item["type"].equals("message", "reasoning", "function_call")
    match item["type"].text():
        case "message":
            item["role"].equals("assistant")
            item["status"].equals("completed", "incomplete")
            for part in item["content"].items():
                part["type"].equals("output_text")
                part["annotations"].items()
                said.text += part["text"].text()
        case "reasoning":
            said.thinking += "".join(part["text"].text() for part in item["summary"].items())
            if "content" in item:
                said.thinking += "".join(part["text"].text() for part in item["content"].items())
        case _:
            said.uses.append(Use(item["call_id"].words(), item["name"].words(), item["arguments"].text()))


def _read_stream(reply: Reply, question: Question) -> Said:
    events = _events(reply)
    events[0]["type"].equals("response.created")
    last = events[-1]
    response = last["response"]
    events[0]["response"]["id"].equals(response["id"].value)
    response["status"].equals(_LAST[last["type"].text()])
    if response["status"].value == "failed":
        response["error"]["code"].words()
        raise Broken(response["error"]["message"].words())
    said = _read(response, question)
    said.pieces = _follow(events[:-1], response["output"].items())
    return said


def _events(reply: Reply) -> Sequence[Field]:
    """Return the events up to the one that ends the stream: numbered, and each named after its type."""
    frames = read_sse(reply)
    if frames and frames[-1].data == DONE:
        frames.pop()
    events = [frame.typed() for frame in frames]
    for index, (frame, event) in enumerate(zip(frames, events, strict=True)):
        event["sequence_number"].equals(index)
        if (event["type"].value in _LAST) != (event is events[-1]):
            raise Mismatch(frame.path, "a terminal event, at the end", show(event["type"].value))
    return events or [Field("stream", None)]


def _follow(events: Sequence[Field], output: Sequence[Field]) -> int:
    """Follow every item from its beginning to the final response; returns the number of pieces of text."""
    added: list[Field] = []
    parts: list[int] = []
    deltas: dict[int, str] = {}
    pieces = 0
    for event in events:
        kind = event["type"].text()
        if kind == "response.output_item.added":
            event["output_index"].equals(len(added))
            added.append(event["item"])
        elif kind == "response.output_item.done":
            _same(event["item"], _item(event, added))
        elif kind == "response.content_part.added":
            parts.append(event["output_index"].count())
            event["content_index"].equals(parts.count(parts[-1]) - 1)
        elif kind in _DELTAS:
            item = _item(event, added)
            item["type"].equals(_DELTAS[kind])
            event["item_id"].equals(item["id"].value)
            index = event["output_index"].count()
            deltas[index] = deltas.get(index, "") + event["delta"].text()
        if kind == "response.output_text.delta":
            pieces += 1
            _expect_part(event, parts.count(event["output_index"].count()))
    if len(added) != len(output):
        raise Mismatch("response.output", f"{len(added)} items, as announced", f"{len(output)} items")
    for index, item in enumerate(output):
        _same(item, added[index])
        whole = _whole(item)
        if deltas.get(index, "") != whole:
            raise Mismatch(item.path, f"what its deltas said: {show(deltas.get(index, ''))}", show(whole))
    return pieces


def _item(event: Field, added: Sequence[Field]) -> Field:
    index = event["output_index"].count()
    if index >= len(added):
        raise Mismatch(event.path, "response.output_item.added before it", show(event["type"].value))
    return added[index]


def _expect_part(event: Field, parts: int) -> None:
    if event["content_index"].count() != parts - 1:
        raise Mismatch(event.path, "response.content_part.added before it", show(event["type"].value))


def _same(item: Field, before: Field) -> None:
    """An item keeps its identity."""
    for name in ("id", "type", "call_id"):
        item[name].equals(before[name].value)


def _whole(item: Field) -> str:
    """Return all that an item says."""
    said = Said()
    _add_item(said, item)
    return said.text + said.thinking + "".join(use.arguments for use in said.uses)


WIRE = Wire("/v1/responses", "model", write, _read, _read_stream, read_error)
