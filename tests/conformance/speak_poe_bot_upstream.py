"""A bot's server, written from the Poe protocol's specification: what it is asked, and how it says what it is to say.

It has the form of a client's side of a dialect, so that the matrix can let it speak as it lets all others.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.ports import Inbound, Limits
from tests.conformance.scenarios import MODEL
from tests.conformance.speaker import Json

_ROLES: dict[str, msg.Role] = {"bot": "assistant", "user": "user", "system": "system"}


class _File(msgspec.Struct):
    url: str
    content_type: str
    name: str


class _Message(msgspec.Struct):
    role: str
    content: str
    content_type: str
    parameters: dict[str, Raw]
    attachments: list[_File]


class _Function(msgspec.Struct):
    name: str
    description: str = ""
    parameters: Raw = Raw(b"{}")
    arguments: str = ""


class _Tool(msgspec.Struct):
    type: str
    function: _Function
    id: str = ""


class _Result(msgspec.Struct):
    role: str
    name: str
    tool_call_id: str
    content: str


class _Query(msgspec.Struct):
    version: str
    type: str
    query: list[_Message]
    user_id: str
    conversation_id: str
    message_id: str
    temperature: float | None
    stop_sequences: list[str]
    tools: list[_Tool] | None
    tool_calls: list[_Tool] | None
    tool_results: list[_Result] | None


class Voice:
    """Says an answer: text as such, thoughts as a quotation, all else as chunks."""

    def __init__(self, call: Call) -> None:
        del call
        self._thinks = False

    def write(self, burst: Burst) -> bytes:
        return b"".join([self._say(event) for event in burst.events])

    def end(self) -> bytes:
        return _event("done", {})

    def fail(self, error: DragomanError) -> bytes:
        return _event("error", {"allow_retry": True, "text": error.message, "error_type": None}) + self.end()

    def ping(self) -> bytes:
        return _event("ping", {})

    def _say(self, event: ev.Event) -> bytes:
        match event:
            case ev.Start():
                return _event("meta", {"content_type": "text/markdown", "suggested_replies": False})
            case ev.Text():
                break_line = "\n\n" if self._thinks and event.choice == 0 else ""
                self._thinks = False
                return _event("text", {"text": break_line + event.text, "index": event.choice})
            case ev.Thinking():
                heading = "" if self._thinks else "*Thinking...*\n\n> "
                self._thinks = True
                return _event("text", {"text": heading + event.text.replace("\n", "\n> ")})
            case ev.Finish():
                return _chunk({}, event.choice, event.reason)
            case ev.Usage():
                return _event("json", {"choices": [], "usage": _usage(event)})
            case ev.Refusal():
                return _chunk({"refusal": event.text}, event.choice)
            case ev.ToolDelta():
                return _chunk({"tool_calls": [_call(event)]}, event.choice)
            case _:
                raise AssertionError(event)


def read_call(body: bytes, limits: Limits) -> Call:
    """Return what a bot is asked, as the hub says it."""
    del limits
    asked = msgspec.json.decode(body, type=_Query)
    assert (asked.version, asked.type) == ("1.2", "query")
    assert asked.query[-1].role in ("user", "tool")
    assert all(one.role != other.role for one, other in zip(asked.query, asked.query[1:], strict=False))
    messages = [_message(message) for message in asked.query if message.role != "tool"]
    if asked.tool_calls:
        calls = [msg.ToolCall(call.id, call.function.name, call.function.arguments) for call in asked.tool_calls]
        messages.append(msg.Message("assistant", [*calls]))
    messages += [
        msg.Message("tool", [msg.ToolResult(result.tool_call_id, [msg.Text(result.content)])])
        for result in asked.tool_results or []
    ]
    parameters = {name: raw for message in asked.query for name, raw in message.parameters.items()}
    effort = parameters.get("reasoning_effort")
    request = msg.Request(
        MODEL,
        messages,
        tools=[msg.Tool(t.function.name, t.function.description, t.function.parameters) for t in asked.tools or []],
        sampling=msg.Sampling(temperature=asked.temperature, stop=asked.stop_sequences),
        reasoning=msg.Reasoning(None if effort is None else msgspec.json.decode(effort, type=str)),
    )
    return Call(body, "poe_bot", MODEL, lambda: [request], stream=True)


def write_error(error: DragomanError, request_id: str) -> tuple[int, bytes]:
    """Return an error as FastAPI writes it."""
    del request_id
    return error.status, msgspec.json.encode({"detail": error.message})


def _no_reply(call: Call, burst: Burst) -> bytes:
    raise AssertionError("a bot gives no plain answers")


VOICE = Inbound("poe_bot", b"text/event-stream", read_call, Voice, _no_reply, write_error)


def _message(message: _Message) -> msg.Message:
    parts: list[msg.Part] = [msg.Text(message.content)] if message.content else []
    parts += [msg.Image(file.url) for file in message.attachments if file.content_type.startswith("image/")]
    return msg.Message(_ROLES[message.role], parts)


def _event(kind: str, data: Json) -> bytes:
    return b"event: %b\r\ndata: %b\r\n\r\n" % (kind.encode(), msgspec.json.encode(data))


def _chunk(delta: Json, choice: int, finish: str | None = None) -> bytes:
    return _event("json", {"choices": [{"index": choice, "delta": delta, "finish_reason": finish}]})


def _call(event: ev.ToolDelta) -> Json:
    first: Json = {} if event.id is None else {"id": event.id, "type": "function"}
    return {"index": event.index, **first, "function": {"name": event.name, "arguments": event.arguments}}


def _usage(usage: ev.Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
