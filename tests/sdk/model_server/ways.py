"""One question asked in every dialect, as its official SDK does, and what came back in the same words for all."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from anthropic import Anthropic
from anthropic import omit as left_out
from anthropic.types import Message, OutputConfigParam, ThinkingConfigParam
from msgspec import Struct, field
from ollama import ChatResponse, Client
from openai import OpenAI, omit
from openai.types.chat import ChatCompletion, ChatCompletionFunctionToolParam, ParsedChatCompletion
from openai.types.responses import (
    FunctionToolParam,
    Response,
    ResponseCompletedEvent,
    ResponseIncompleteEvent,
    ResponseTextConfigParam,
)
from openai.types.shared_params import ResponseFormatJSONSchema

Schema = Mapping[str, object]
Call = tuple[str, object]
"""The name of a function and the arguments it is called with."""

MODEL = "server/tiny"
CITY: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 8}},
    "required": ["city"],
    "additionalProperties": False,
}
CHOICE: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome", "Tromsø"]}},
    "required": ["city"],
}
"""What a function takes; Ollama's SDK drops most other words of a schema."""
_LAST = (ResponseCompletedEvent, ResponseIncompleteEvent)
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "incomplete": "length",
    "tool_calls": "tools",
    "tool_use": "tools",
}


class Question(Struct, frozen=True):
    """What is asked."""

    text: str = "Go"
    limit: int = 300
    """Tokens of the answer at most."""
    thinks: bool = False
    stop: str = ""
    form: Schema | None = None
    """The schema of the answer."""
    tool: str = ""
    """The name of a function that takes a `CHOICE`."""


class Said(Struct, frozen=True):
    """What was answered."""

    text: str
    finish: str
    """`stop`, `length` or `tools`."""
    read: int
    """Tokens of the question."""
    written: int
    """Tokens of the answer."""
    thoughts: str = ""
    calls: Sequence[Call] = field(default_factory=tuple[Call, ...])


class Clients(Struct, frozen=True):
    """The official SDKs, of one server."""

    openai: OpenAI
    anthropic: Anthropic
    ollama: Client
    model: str = MODEL
    """What the server calls the model."""


Way = Callable[[Clients, Question], Said]


def ask_chat(clients: Clients, question: Question) -> Said:
    """Ask in OpenAI's chat completions."""
    answer = clients.openai.chat.completions.create(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        max_tokens=question.limit,
        reasoning_effort="low" if question.thinks else omit,
        stop=question.stop or omit,
        response_format=_chat_format(question) or omit,
        tools=_chat_tools(question) or omit,
    )
    return _read_chat(answer)


def stream_chat(clients: Clients, question: Question) -> Said:
    """Ask for a stream of chat completions, and put it together as the SDK does."""
    thoughts: list[str] = []
    with clients.openai.chat.completions.stream(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        max_tokens=question.limit,
        reasoning_effort="low" if question.thinks else omit,
        stop=question.stop or omit,
        response_format=_chat_format(question) or omit,
        tools=_chat_tools(question) or omit,
        stream_options={"include_usage": True},
    ) as stream:
        for event in stream:
            if event.type == "chunk":
                thoughts += (_thoughts(choice.delta.model_extra) for choice in event.chunk.choices)
    return _read_chat(stream.current_completion_snapshot, "".join(thoughts))


def ask_responses(clients: Clients, question: Question) -> Said:
    """Ask in OpenAI's responses."""
    answer = clients.openai.responses.create(
        model=clients.model,
        input=question.text,
        max_output_tokens=question.limit,
        reasoning={"effort": "low"} if question.thinks else omit,
        text=_responses_text(question) or omit,
        tools=_responses_tools(question) or omit,
    )
    return _read_response(answer)


def stream_responses(clients: Clients, question: Question) -> Said:
    """Ask for a stream of response events, and take the SDK's last word on it."""
    with clients.openai.responses.stream(
        model=clients.model,
        input=question.text,
        max_output_tokens=question.limit,
        reasoning={"effort": "low"} if question.thinks else omit,
        text=_responses_text(question) or omit,
        tools=_responses_tools(question) or omit,
    ) as stream:
        last = [event.response for event in stream if isinstance(event, _LAST)]
    return _read_response(last[0])


def ask_anthropic(clients: Clients, question: Question) -> Said:
    """Ask in Anthropic's messages."""
    answer = clients.anthropic.messages.create(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        max_tokens=question.limit,
        thinking=_anthropic_thinking(question) or left_out,
        stop_sequences=[question.stop] if question.stop else left_out,
        output_config=_anthropic_config(question) or left_out,
        tools=[{"name": question.tool, "input_schema": CHOICE}] if question.tool else left_out,
    )
    return _read_message(answer)


def stream_anthropic(clients: Clients, question: Question) -> Said:
    """Ask for a stream of message events, and put it together as the SDK does."""
    with clients.anthropic.messages.stream(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        max_tokens=question.limit,
        thinking=_anthropic_thinking(question) or left_out,
        stop_sequences=[question.stop] if question.stop else left_out,
        output_config=_anthropic_config(question) or left_out,
        tools=[{"name": question.tool, "input_schema": CHOICE}] if question.tool else left_out,
    ) as stream:
        return _read_message(stream.get_final_message())


def ask_ollama(clients: Clients, question: Question) -> Said:
    """Ask in Ollama's chat."""
    answer = clients.ollama.chat(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        options=_ollama_options(question),
        think=question.thinks or None,
        format=_ollama_format(question),
        tools=_ollama_tools(question),
    )
    return _read_parts([answer])


def stream_ollama(clients: Clients, question: Question) -> Said:
    """Ask for Ollama's lines, and put them together."""
    lines = clients.ollama.chat(
        model=clients.model,
        messages=[{"role": "user", "content": question.text}],
        options=_ollama_options(question),
        think=question.thinks or None,
        format=_ollama_format(question),
        tools=_ollama_tools(question),
        stream=True,
    )
    return _read_parts(lines)


WAYS: Sequence[Way] = (
    *(ask_chat, stream_chat, ask_responses, stream_responses),
    *(ask_anthropic, stream_anthropic, ask_ollama, stream_ollama),
)


def _chat_format(question: Question) -> ResponseFormatJSONSchema | None:
    if question.form is None:
        return None
    form = dict(question.form)
    return {"type": "json_schema", "json_schema": {"name": "form", "strict": True, "schema": form}}


def _chat_tools(question: Question) -> list[ChatCompletionFunctionToolParam]:
    if not question.tool:
        return []
    return [{"type": "function", "function": {"name": question.tool, "parameters": CHOICE}}]


def _read_chat(answer: ChatCompletion | ParsedChatCompletion[object], thoughts: str = "") -> Said:
    choice, usage = answer.choices[0], answer.usage
    assert usage is not None
    return Said(
        choice.message.content or "",
        _finish(choice.finish_reason),
        usage.prompt_tokens,
        usage.completion_tokens,
        thoughts or _thoughts(choice.message.model_extra),
        tuple(
            (call.function.name, msgspec.json.decode(call.function.arguments))
            for call in choice.message.tool_calls or []
            if call.type == "function"
        ),
    )


def _thoughts(extra: Mapping[str, object] | None) -> str:
    return str((extra or {}).get("reasoning_content") or "")


def _responses_text(question: Question) -> ResponseTextConfigParam | None:
    if question.form is None:
        return None
    return {"format": {"type": "json_schema", "name": "form", "strict": True, "schema": dict(question.form)}}


def _responses_tools(question: Question) -> list[FunctionToolParam]:
    return [{"type": "function", "name": question.tool, "parameters": CHOICE, "strict": False}] if question.tool else []


def _read_response(answer: Response) -> Said:
    assert answer.usage is not None
    assert answer.status is not None
    thoughts = [item for item in answer.output if item.type == "reasoning"]
    calls = [item for item in answer.output if item.type == "function_call"]
    return Said(
        answer.output_text,
        "tools" if calls else _finish(answer.status),
        answer.usage.input_tokens,
        answer.usage.output_tokens,
        "".join(part.text for item in thoughts for part in item.content or item.summary),
        tuple((call.name, msgspec.json.decode(call.arguments)) for call in calls),
    )


def _anthropic_thinking(question: Question) -> ThinkingConfigParam | None:
    return {"type": "enabled", "budget_tokens": 1024} if question.thinks else None


def _anthropic_config(question: Question) -> OutputConfigParam | None:
    return {"format": {"type": "json_schema", "schema": dict(question.form)}} if question.form else None


def _read_message(answer: Message) -> Said:
    assert answer.stop_reason is not None
    return Said(
        "".join(block.text for block in answer.content if block.type == "text"),
        _finish(answer.stop_reason),
        answer.usage.input_tokens,
        answer.usage.output_tokens,
        "".join(block.thinking for block in answer.content if block.type == "thinking"),
        tuple((block.name, block.input) for block in answer.content if block.type == "tool_use"),
    )


def _ollama_options(question: Question) -> dict[str, object]:
    return {"num_predict": question.limit, **({"stop": [question.stop]} if question.stop else {})}


def _ollama_format(question: Question) -> dict[str, object] | None:
    return dict(question.form) if question.form else None


def _ollama_tools(question: Question) -> list[dict[str, object]] | None:
    if not question.tool:
        return None
    return [{"type": "function", "function": {"name": question.tool, "parameters": CHOICE}}]


def _read_parts(parts: Iterable[ChatResponse]) -> Said:
    parts = list(parts)
    last = parts[-1]
    calls = [call.function for part in parts for call in part.message.tool_calls or []]
    assert last.done_reason is not None
    return Said(
        "".join(part.message.content or "" for part in parts),
        "tools" if calls else _finish(last.done_reason),
        last.prompt_eval_count or 0,
        last.eval_count or 0,
        "".join(part.message.thinking or "" for part in parts),
        tuple((call.name, dict(call.arguments)) for call in calls),
    )


def _finish(word: str) -> str:
    return _FINISHES.get(word, word)
