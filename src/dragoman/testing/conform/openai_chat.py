"""The rules of OpenAI's chat completions. Source: OpenAI API reference, 2026; frames on which its SDK fails."""

from __future__ import annotations

from typing import Literal

from dragoman.testing.conform.field import Field, Json, choose, show
from dragoman.testing.conform.frames import DONE, read_sse
from dragoman.testing.conform.question import ANSWER_FORM, IMAGE, TOOL, TOOL_ABOUT, TOOL_FORM, Question, Said, Use
from dragoman.testing.conform.raw import Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Broken, Mismatch

FINISHES: dict[str, Literal["stop", "length", "tools"]] = {"stop": "stop", "length": "length", "tool_calls": "tools"}
"""Why an answer ended, as the dialect says it and as we do."""


def write(question: Question) -> dict[str, Json]:
    """Return the body of a request."""
    content: list[Json] = [{"type": "text", "text": question.prompt}]
    if question.image:
        content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}})
    function: Json = {"name": TOOL, "description": TOOL_ABOUT, "parameters": TOOL_FORM}
    form: Json = {"name": "answer", "strict": True, "schema": ANSWER_FORM}
    return choose(
        model=question.model,
        messages=[{"role": "user", "content": content if question.image else question.prompt}],
        stream=question.stream,
        stream_options=question.stream and question.usage and {"include_usage": True},
        tools=question.tools and [{"type": "function", "function": function}],
        tool_choice=question.tools and "required",
        response_format=question.form and {"type": "json_schema", "json_schema": form},
        reasoning_effort=question.think and "low",
        stop=question.stop and [question.stop],
        max_completion_tokens=question.limit,
    )


def read_tokens(usage: Field, read: str = "prompt_tokens", written: str = "completion_tokens") -> tuple[int, int]:
    """Return what was read and written, which add up to the total."""
    tokens = usage[read].count(1), usage[written].count(1)
    usage["total_tokens"].equals(sum(tokens))
    return tokens


def read_error(body: Field, status: int) -> str:
    """Return the message of an error, which has all four members."""
    error = body["error"]
    message = error["message"].words()
    error["type"].words()
    for name in ("param", "code"):
        error[name].present()
        error[name].maybe()
    return message


def read_vectors(body: Field) -> list[list[float]]:
    """Return embeddings, which stand in the order of their index."""
    body["object"].equals("list")
    body["usage"]["prompt_tokens"].count(1)
    vectors: list[list[float]] = []
    for index, item in enumerate(body["data"].items()):
        item["object"].equals("embedding")
        item["index"].equals(index)
        vectors.append([number.number() for number in item["embedding"].items()])
    return vectors


def _read(body: Field, question: Question) -> Said:
    body["object"].equals("chat.completion")
    _identity(body)
    choice = body["choices"].only()
    choice["index"].equals(0)
    message = choice["message"]
    message["role"].equals("assistant")
    said = Said(thinking=_thinking(message), finish=_finish(choice))
    if question.usage or not question.stream:
        said.tokens = read_tokens(body["usage"])
    if "tool_calls" in message:
        said.text = message["content"].maybe()
        said.uses = [_use(call) for call in message["tool_calls"].items()]
    else:
        said.text = message["content"].text()
    return said


def _read_stream(reply: Reply, question: Question) -> Said:
    chunks = _chunks(reply)
    said = Said()
    if question.usage:
        usage = chunks.pop() if chunks else Field("events", [])
        usage["choices"].equals([])
        said.tokens = read_tokens(usage["usage"])
    for index, chunk in enumerate(chunks):
        chunk["object"].equals("chat.completion.chunk")
        for name, value in zip(("id", "created", "model"), _identity(chunks[0]), strict=True):
            chunk[name].equals(value)
        chunk["usage"].blank()
        choice = chunk["choices"].only()
        choice["index"].equals(0)
        if said.finish:
            raise Mismatch(chunk.path, "nothing but usage after finish_reason", show(choice.value))
        role = choice["delta"]["role"]
        role.absent() if index else role.equals("assistant")
        _add(said, choice)
    if not said.finish:
        raise Mismatch("stream", "a finish_reason", "none")
    return said


def _chunks(reply: Reply) -> list[Field]:
    """Return the chunks before the end mark; raises `Broken` for an error, which is the last thing said."""
    frames = read_sse(reply)
    chunks: list[Field] = []
    for frame in frames:
        if frame.event:
            raise Mismatch(frame.path, "no event line", frame.event)
        if frame.data == DONE:
            break
        chunks.append(frame.json())
        if "error" in chunks[-1]:
            message = read_error(chunks[-1], 200)
            if frame is not frames[-1]:
                raise Mismatch(frame.path, "nothing after an error", frames[-1].data[:40])
            raise Broken(message)
    if len(frames) != len(chunks) + 1:
        raise Mismatch("stream", f"{DONE} once, at the end", frames[-1].data[:40] if frames else "no event")
    return chunks


def _add(said: Said, choice: Field) -> None:
    """Put one chunk to what was said before it."""
    delta = choice["delta"]
    thought, text = _thinking(delta), delta["content"].maybe()
    if thought and said.text:
        raise Mismatch(delta.path, "thoughts before the text", show(thought))
    said.thinking += thought
    said.text += text
    said.pieces += bool(text)
    if "tool_calls" in delta:
        for piece in delta["tool_calls"].items():
            _add_piece(said, piece)
    if choice["finish_reason"].maybe():
        said.finish = _finish(choice)


def _add_piece(said: Said, piece: Field) -> None:
    """A call tells who it is in its first piece, and never again; calls are numbered without a gap."""
    index = piece["index"].count()
    if index == len(said.uses):
        said.uses.append(_use(piece))
    elif index < len(said.uses):
        for field in (piece["id"], piece["type"], piece["function"]["name"]):
            field.blank()
        said.uses[index].arguments += piece["function"]["arguments"].text()
    else:
        raise Mismatch(f"{piece.path}.index", str(len(said.uses)), str(index))


def _use(call: Field) -> Use:
    call["type"].equals("function")
    function = call["function"]
    return Use(call["id"].words(), function["name"].words(), function["arguments"].text())


def _identity(body: Field) -> tuple[Json, ...]:
    return body["id"].words(), body["created"].count(1), body["model"].words()


def _thinking(message: Field) -> str:
    """Return thoughts, which the dialect has no name for, but its servers have two."""
    return message["reasoning_content"].maybe() or message["reasoning"].maybe()


def _finish(choice: Field) -> Literal["stop", "length", "tools"]:
    choice["finish_reason"].equals(*FINISHES)
    return FINISHES[choice["finish_reason"].text()]


WIRE = Wire(
    "/v1/chat/completions",
    "messages",
    write,
    _read,
    _read_stream,
    read_error,
    embed_path="/v1/embeddings",
    read_vectors=read_vectors,
)
