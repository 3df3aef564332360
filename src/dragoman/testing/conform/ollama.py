"""The rules of Ollama's chat. Source: Ollama API documentation, 2026; lines that its clients drop or fail on."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import msgspec

from dragoman.testing.conform.field import Field, Json, choose, show
from dragoman.testing.conform.frames import read_lines
from dragoman.testing.conform.question import ANSWER_FORM, IMAGE, TOOL, TOOL_ABOUT, TOOL_FORM, Question, Said, Use
from dragoman.testing.conform.raw import Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Broken, Mismatch

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
"""In whole nanoseconds; zero may be left out, null may not be told."""


def write(question: Question) -> dict[str, Json]:
    """Return the body of a request; whether to stream is always said, for it is the default."""
    function: Json = {"name": TOOL, "description": TOOL_ABOUT, "parameters": TOOL_FORM}
    return choose(
        model=question.model,
        messages=[choose(role="user", content=question.prompt, images=question.image and [IMAGE])],
        tools=question.tools and [{"type": "function", "function": function}],
        format=question.form and ANSWER_FORM,
        think=question.think,
        options=choose(stop=question.stop and [question.stop], num_predict=question.limit),
    ) | {"stream": question.stream}


def _read(body: Field, question: Question) -> Said:
    said = Said()
    _add(said, body, question)
    return _end(said, body)


def _read_stream(reply: Reply, question: Question) -> Said:
    lines = read_lines(reply)
    said = Said()
    for line in lines[:-1]:
        _expect_good(line)
        line["done"].equals(False)
        line["done_reason"].absent()
        _add(said, line, question)
        _expect_apart(said, line["message"])
    last = lines[-1]
    if "error" in last:
        raise Broken(_read_error(last, 200))
    _expect_silent(last["message"])
    _add(said, last, question)
    return _end(said, last)


def _add(said: Said, line: Field, question: Question) -> None:
    """Put one line to what was said before it."""
    _expect_good(line)
    line["model"].equals(question.model)
    if not _TIME.fullmatch(line["created_at"].text()):
        raise Mismatch(f"{line.path}.created_at".lstrip("."), "a time as in RFC 3339", show(line["created_at"].value))
    message = line["message"]
    message["role"].equals("assistant")
    text = message["content"].text()
    thinking = message["thinking"].text() if "thinking" in message else ""
    if said.text and thinking:
        raise Mismatch(message.path, "thoughts before the text", show(thinking))
    said.text += text
    said.pieces += bool(text)
    said.thinking += thinking
    if "tool_calls" in message:
        said.uses += [_use(call) for call in message["tool_calls"].items()]


def _expect_good(line: Field) -> None:
    """On a good line there is no error, not even null: JavaScript's client throws."""
    line["error"].absent()


def _expect_apart(said: Said, message: Field) -> None:
    """A line has thoughts or text, and all calls of a turn are on one: some clients keep those of one line only."""
    if message["thinking"].maybe() and message["content"].text():
        raise Mismatch(message.path, "thoughts or text, not both", "both")
    if "tool_calls" in message and len(message["tool_calls"].items()) != len(said.uses):
        raise Mismatch(f"{message.path}.tool_calls", "all calls on one line", "calls on several lines")


def _expect_silent(message: Field) -> None:
    """The last line says nothing: some clients do not look at its message."""
    message["content"].equals("")
    message["thinking"].blank()
    message["tool_calls"].absent()


def _use(call: Field) -> Use:
    function = call["function"]
    arguments = msgspec.json.encode(function["arguments"].members()).decode()
    return Use(call["id"].words(), function["name"].words(), arguments)


def _end(said: Said, line: Field) -> Said:
    line["done"].equals(True)
    line["done_reason"].equals("stop", "length")
    for name in _DURATIONS:
        if name in line:
            line[name].count()
    said.tokens = line["prompt_eval_count"].count(1), line["eval_count"].count()
    if line["done_reason"].value == "length":
        said.finish = "length"
    else:
        said.finish = "tools" if said.uses else "stop"
    return said


def _read_error(body: Field, status: int) -> str:
    """Return the message of an error, which is a string and nothing else."""
    return body["error"].words()


def _read_vectors(body: Field) -> list[list[float]]:
    """Return embeddings, each of length 1."""
    body["model"].words()
    vectors = [[number.number() for number in vector.items()] for vector in body["embeddings"].items()]
    for index, vector in enumerate(vectors):
        _expect_normal(index, vector)
    return vectors


def _expect_normal(index: int, vector: Sequence[float]) -> None:
    length = math.hypot(*vector)
    if not math.isclose(length, 1, abs_tol=1e-3):
        raise Mismatch(f"embeddings[{index}]", "a vector of length 1", f"{length:.4g}")


WIRE = Wire(
    "/api/chat", "model", write, _read, _read_stream, _read_error, embed_path="/api/embed", read_vectors=_read_vectors
)
