"""The rules of Anthropic's Messages. Source: Claude API reference, 2026; events that its SDK drops or fails on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from dragoman.testing.conform.field import Field, Json, choose, read_json
from dragoman.testing.conform.frames import read_sse
from dragoman.testing.conform.question import ANSWER_FORM, IMAGE, TOOL, TOOL_ABOUT, TOOL_FORM, Question, Said, Use
from dragoman.testing.conform.raw import Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Broken, Mismatch

VERSION = "2026-10-21"
"""The version of the API that is asked for."""
FINISHES: dict[str, Literal["stop", "length", "tools"]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tools",
}
"""Why an answer ended, as the dialect says it and as we do."""
_ERRORS = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error", 500: "api_error"}
_DELTAS = {
    "text": {"text_delta": "text"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
}
"""What continues a block, and where its text is."""


def write(question: Question) -> dict[str, Json]:
    """Return the body of a request."""
    content: list[Json] = [{"type": "text", "text": question.prompt}]
    if question.image:
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}})
    form: Json = {"type": "json_schema", "schema": ANSWER_FORM}
    return choose(
        model=question.model,
        max_tokens=question.limit or 4096,
        messages=[{"role": "user", "content": content}],
        stream=question.stream,
        tools=question.tools and [{"name": TOOL, "description": TOOL_ABOUT, "input_schema": TOOL_FORM}],
        tool_choice=question.tools and {"type": "any"},
        output_config=question.form and {"format": form},
        thinking=question.think and {"type": "enabled", "budget_tokens": 1024},
        stop_sequences=question.stop and [question.stop],
    )


def _read(body: Field, question: Question) -> Said:
    _read_head(body)
    said = Said(tokens=_tokens(body["usage"]))
    for block in body["content"].items():
        _add_block(said, block)
    said.finish = _finish(body, question)
    return said


def _read_head(message: Field) -> None:
    message["type"].equals("message")
    message["role"].equals("assistant")
    message["id"].words()
    message["model"].words()


def _add_block(said: Said, block: Field) -> None:
    block["type"].equals("text", "thinking", "tool_use")
    match block["type"].text():
        case "text":
            said.text += block["text"].text()
        case "thinking":
            said.thinking += block["thinking"].text()
            block["signature"].text()
        case _:
            arguments = msgspec.json.encode(block["input"].members()).decode()
            said.uses.append(Use(block["id"].words(), block["name"].words(), arguments))


def _finish(message: Field, question: Question) -> Literal["stop", "length", "tools"]:
    """Return why it ended; a stop sequence is told when, and only when, it was the reason."""
    message["stop_reason"].equals(*FINISHES)
    reason = message["stop_reason"].text()
    message["stop_sequence"].equals(question.stop if reason == "stop_sequence" else None)
    return FINISHES[reason]


def _tokens(usage: Field) -> tuple[int, int]:
    cached = sum(
        usage[name].count()
        for name in ("cache_creation_input_tokens", "cache_read_input_tokens")
        if usage[name].value is not None and name in usage
    )
    return usage["input_tokens"].count() + cached, usage["output_tokens"].count()


def _read_stream(reply: Reply, question: Question) -> Said:
    first, *blocks, end, last = _events(reply)
    last["type"].equals("message_stop")
    end["type"].equals("message_delta")
    first["type"].equals("message_start")
    message = first["message"]
    _read_head(message)
    message["content"].equals([])
    message["stop_reason"].equals(None)
    whole, pieces = _blocks(blocks)
    said = Said(pieces=pieces)
    for block in whole:
        _add_block(said, block)
    said.finish = _finish(end["delta"], question)
    # What the end tells overwrites what the beginning told.
    usage = {**message["usage"].members(), **end["usage"].members()}
    said.tokens = _tokens(Field(f"{end.path}.usage", usage))
    return said


def _events(reply: Reply) -> Sequence[Field]:
    """Return the events, each named after its type, pings left out; raises `Broken` for an error."""
    events: list[Field] = []
    frames = read_sse(reply)
    for frame in frames:
        event = frame.typed()
        if frame.event == "error":
            message = _read_error(event, 200)
            if frame is not frames[-1]:
                raise Mismatch(frame.path, "nothing after an error", frames[-1].data[:40])
            raise Broken(message)
        if frame.event != "ping" or not events:  # the first must be message_start
            events.append(event)
    if len(events) < 3:
        raise Mismatch("stream", "message_start, message_delta, message_stop", f"{len(events)} events")
    return events


def _blocks(events: Sequence[Field]) -> tuple[list[Field], int]:
    """Return the blocks, put together, and the number of pieces of text: one is open at a time, none is left out."""
    blocks: list[Field] = []
    said: str | None = None
    pieces = 0
    for event in events:
        if said is None:
            event["type"].equals("content_block_start")
            event["index"].equals(len(blocks))
            said = ""
            blocks.append(event["content_block"])
            continue
        event["type"].equals("content_block_delta", "content_block_stop")
        event["index"].equals(len(blocks) - 1)
        if event["type"].value == "content_block_stop":
            blocks[-1] = _whole(blocks[-1], said)
            said = None
        else:
            piece = _piece(blocks[-1]["type"].text(), event["delta"])
            said += piece
            pieces += bool(piece) and blocks[-1]["type"].value == "text"
    if said is not None:
        raise Mismatch("stream", "content_block_stop", "message_delta")
    return blocks, pieces


def _piece(kind: str, delta: Field) -> str:
    """Return what a delta adds to a block of its kind; a signature adds nothing."""
    delta["type"].equals(*_DELTAS.get(kind, {}))
    return delta[_DELTAS[kind][delta["type"].text()]].text() if delta["type"].value != "signature_delta" else ""


def _whole(block: Field, said: str) -> Field:
    """Return a block with all that was said after it was opened, which it was without saying anything."""
    members = dict(block.members())
    if block["type"].value == "tool_use":
        block["input"].equals({})
        members["input"] = read_json(said.encode(), f"{block.path}.input").members() if said else {}
    else:
        name = block["type"].text()
        block[name].equals("")
        members[name] = said
    return Field(block.path, members)


def _read_error(body: Field, status: int) -> str:
    """Return the message of an error, whose type fits its status."""
    body["type"].equals("error")
    body["request_id"].words()
    error = body["error"]
    error["type"].words()
    if status in _ERRORS:
        error["type"].equals(_ERRORS[status])
    return error["message"].words()


WIRE = Wire(
    "/v1/messages", "max_tokens", write, _read, _read_stream, _read_error, headers={"anthropic-version": VERSION}
)
