"""Four official SDKs that ask in the same words: what they are asked, and what they make of the answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec
from anthropic import Anthropic
from anthropic import APIError as AnthropicError
from anthropic import DefaultHttpxClient as AnthropicHttp
from anthropic.types import Message, TextBlock, ThinkingBlock, ToolUseBlock
from msgspec import Struct, field
from ollama import ChatResponse, ResponseError
from ollama import Client as OllamaClient
from openai import APIError, DefaultHttpxClient, LengthFinishReasonError, OpenAI
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFailedEvent,
    ResponseFunctionToolCall,
    ResponseIncompleteEvent,
    ResponseReasoningItem,
)

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

TOOL = "get_weather"
TOOL_FORM: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
ANSWER_FORM: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}
Turn = dict[str, object]
"""One message in the words of a dialect."""


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked for besides words."""

    stream: bool = False
    tools: bool = False
    form: bool = False
    think: bool = False
    stop: str = ""
    limit: int = 0
    """Most tokens of the answer; 0 = no matter."""


class Use(Struct, frozen=True):
    """One call of a tool."""

    id: str
    name: str
    arguments: Mapping[str, object]


class Said(Struct):
    """What an SDK made of an answer."""

    text: str = ""
    thoughts: str = ""
    uses: list[Use] = field(default_factory=list[Use])
    finish: str = ""
    """`stop`, `length` or `tools`."""
    tokens: tuple[int, int] = (0, 0)
    """Read and written."""
    turns: list[Turn] = field(default_factory=list[Turn])
    """The answer as it is sent back in the next request."""


class FailedError(Exception):
    """An error that the gateway told."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is 0 for what was told within a stream."""
        super().__init__(message)
        self.status = status


class Client(Protocol):
    """An SDK."""

    heads: Heads

    def ask(self, model: str, turns: list[Turn], wish: Wish) -> Said:
        """Return the answer; raises `FailedError`."""
        ...

    def says(self, text: str, image: str = "") -> list[Turn]:
        """Return what a user says, who may show a picture: a URL, or base64 of a PNG."""
        ...

    def results(self, said: Said, outputs: Sequence[str]) -> list[Turn]:
        """Return what tools answer."""
        ...

    def models(self) -> list[str]:
        """Return the names of all models."""
        ...


class _Headed(Protocol):
    @property
    def headers(self) -> Mapping[str, str]: ...


class Heads:
    """The headers of the last response."""

    def __init__(self) -> None:
        self.last: dict[str, str] = {}
        self.hooks = {"response": [self._keep]}

    def _keep(self, response: _Headed) -> None:
        self.last = dict(response.headers)

    @property
    def losses(self) -> list[str]:
        """What was lost of the request."""
        return [name for name in self.last.get("x-dragoman-loss", "").split(", ") if name]


@contextmanager
def telling() -> Generator[None]:
    """Say in one way what every SDK raises."""
    try:
        yield
    except (APIError, AnthropicError) as error:
        status = getattr(error, "status_code", 0)  # Anthropic's SDK gives the stream's own, 200
        raise FailedError(status if status >= 400 else 0, error.message) from None
    except ResponseError as error:
        raise FailedError(max(0, error.status_code), error.error) from None


def is_link(image: str) -> bool:
    return image.startswith(("http", "data:"))


def as_url(image: str) -> str:
    return image if is_link(image) else f"data:image/png;base64,{image}"


class Chat:
    """Chat completions by `openai`."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.heads = Heads()
        http = stack.enter_context(DefaultHttpxClient(event_hooks=self.heads.hooks))
        url = f"{address}/v1"
        self.client = OpenAI(base_url=url, api_key="any", max_retries=0, timeout=30, http_client=http)

    def ask(self, model: str, turns: list[Turn], wish: Wish) -> Said:
        form = {"name": "answer", "strict": True, "schema": ANSWER_FORM}
        body: Turn = {"messages": turns}
        if wish.tools:
            body["tools"] = [{"type": "function", "function": {"name": TOOL, "parameters": TOOL_FORM}}]
        if wish.form:
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        if wish.think:
            body["reasoning_effort"] = "low"
        if wish.stop:
            body["stop"] = [wish.stop]
        if wish.limit:
            body["max_tokens"] = wish.limit
        with telling():
            if wish.stream:
                return self._follow(model, body | {"stream_options": {"include_usage": True}})
            return _read_chat(self.client.chat.completions.create(model=model, messages=[], extra_body=body))

    def _follow(self, model: str, body: Turn) -> Said:
        with self.client.chat.completions.stream(model=model, messages=[], extra_body=body) as stream:
            try:
                return _read_chat(stream.until_done().get_final_completion())
            except LengthFinishReasonError as error:  # what the SDK says of an answer that was cut
                return _read_chat(error.completion)

    def says(self, text: str, image: str = "") -> list[Turn]:
        shown = [{"type": "image_url", "image_url": {"url": as_url(image)}}] if image else []
        return [{"role": "user", "content": [{"type": "text", "text": text}, *shown]}]

    def results(self, said: Said, outputs: Sequence[str]) -> list[Turn]:
        pairs = zip(said.uses, outputs, strict=True)
        return [{"role": "tool", "tool_call_id": use.id, "content": output} for use, output in pairs]

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]


class Responses(Chat):
    """Responses by `openai`."""

    def ask(self, model: str, turns: list[Turn], wish: Wish) -> Said:
        body: Turn = {"input": turns}
        if wish.tools:
            body["tools"] = [{"type": "function", "name": TOOL, "parameters": TOOL_FORM}]
        if wish.form:
            body["text"] = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": ANSWER_FORM}}
        if wish.think:
            body["reasoning"] = {"effort": "low", "summary": "auto"}
        if wish.limit:
            body["max_output_tokens"] = wish.limit
        with telling():
            if wish.stream:
                return self._follow(model, body)
            return _read_response(self.client.responses.create(model=model, extra_body=body))

    def _follow(self, model: str, body: Turn) -> Said:
        with self.client.responses.stream(model=model, input=[], extra_body=body) as stream:
            for event in stream:
                if isinstance(event, ResponseCompletedEvent | ResponseIncompleteEvent | ResponseFailedEvent):
                    return _read_response(event.response)
        raise AssertionError("the stream ends without an end")

    def says(self, text: str, image: str = "") -> list[Turn]:
        shown = [{"type": "input_image", "image_url": as_url(image), "detail": "auto"}] if image else []
        return [{"role": "user", "content": [{"type": "input_text", "text": text}, *shown]}]

    def results(self, said: Said, outputs: Sequence[str]) -> list[Turn]:
        pairs = zip(said.uses, outputs, strict=True)
        return [{"type": "function_call_output", "call_id": use.id, "output": output} for use, output in pairs]


class Messages:
    """Messages by `anthropic`."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.heads = Heads()
        http = stack.enter_context(AnthropicHttp(event_hooks=self.heads.hooks))
        self.client = Anthropic(base_url=address, api_key="any", max_retries=0, timeout=30, http_client=http)

    def ask(self, model: str, turns: list[Turn], wish: Wish) -> Said:
        body: Turn = {"messages": turns}
        if wish.tools:
            body["tools"] = [{"name": TOOL, "input_schema": TOOL_FORM}]
        if wish.form:
            body["output_config"] = {"format": {"type": "json_schema", "schema": ANSWER_FORM}}
        if wish.think:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if wish.stop:
            body["stop_sequences"] = [wish.stop]
        most, messages = wish.limit or 4096, self.client.messages
        with telling():
            if not wish.stream:
                return _read_message(messages.create(model=model, max_tokens=most, messages=[], extra_body=body))
            with messages.stream(model=model, max_tokens=most, messages=[], extra_body=body) as stream:
                return _read_message(stream.get_final_message())

    def says(self, text: str, image: str = "") -> list[Turn]:
        source = {"type": "base64", "media_type": "image/png", "data": image}
        source = {"type": "url", "url": image} if is_link(image) else source
        shown = [{"type": "image", "source": source}] if image else []
        return [{"role": "user", "content": [{"type": "text", "text": text}, *shown]}]

    def results(self, said: Said, outputs: Sequence[str]) -> list[Turn]:
        pairs = zip(said.uses, outputs, strict=True)
        told = [{"type": "tool_result", "tool_use_id": use.id, "content": output} for use, output in pairs]
        return [{"role": "user", "content": told}]

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list(limit=1000)]


class Ollama:
    """Chat by `ollama`, whose SDK takes no pictures but their bytes."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.heads = Heads()
        self.client = stack.enter_context(OllamaClient(address, timeout=30, event_hooks=self.heads.hooks))

    def ask(self, model: str, turns: list[Turn], wish: Wish) -> Said:
        tools = [{"type": "function", "function": {"name": TOOL, "parameters": TOOL_FORM}}] if wish.tools else None
        options = ({"stop": [wish.stop]} if wish.stop else {}) | ({"num_predict": wish.limit} if wish.limit else {})
        form, think = ANSWER_FORM if wish.form else None, wish.think or None
        chat = self.client.chat  # pyright: ignore[reportUnknownVariableType]
        with telling():
            if not wish.stream:
                return _read_lines([chat(model, turns, tools=tools, options=options, format=form, think=think)])
            return _read_lines(
                [*chat(model, turns, stream=True, tools=tools, options=options, format=form, think=think)]
            )

    def says(self, text: str, image: str = "") -> list[Turn]:
        return [{"role": "user", "content": text, **({"images": [image]} if image else {})}]

    def results(self, said: Said, outputs: Sequence[str]) -> list[Turn]:
        pairs = zip(said.uses, outputs, strict=True)
        return [{"role": "tool", "tool_name": use.name, "content": output} for use, output in pairs]

    def models(self) -> list[str]:
        return [model.model or "" for model in self.client.list().models]  # pyright: ignore[reportUnknownVariableType]


CLIENTS: Mapping[str, Callable[[str, ExitStack], Client]] = {
    "chat": Chat,
    "responses": Responses,
    "messages": Messages,
    "ollama": Ollama,
}


@contextmanager
def open_client(name: str, address: str) -> Generator[Client]:
    """Open an SDK."""
    with ExitStack() as stack:
        yield CLIENTS[name](address, stack)


_FINISHES = {
    "tool_calls": "tools",
    "tool_use": "tools",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
}
"""Why an answer ended, where a dialect says it in another way."""


def _read_arguments(text: str) -> Mapping[str, object]:
    return msgspec.json.decode(text, type=dict[str, object])


def _read_chat(answer: ChatCompletion) -> Said:
    choice = answer.choices[0]
    message, usage = choice.message, answer.usage
    assert usage is not None
    calls = [call for call in message.tool_calls or [] if call.type == "function"]
    uses = [Use(call.id, call.function.name, _read_arguments(call.function.arguments)) for call in calls]
    thoughts = str((message.model_extra or {}).get("reasoning_content") or "")
    finish = _FINISHES.get(choice.finish_reason, choice.finish_reason)
    tokens = usage.prompt_tokens, usage.completion_tokens
    turn = message.model_dump(mode="json", exclude_unset=True, exclude={"parsed"}, warnings=False)
    return Said(message.content or "", thoughts, uses, finish, tokens, [turn])


def _read_response(answer: Response) -> Said:
    if answer.error is not None:
        raise FailedError(0, answer.error.message)
    items, usage = answer.output, answer.usage
    assert usage is not None
    calls = [item for item in items if isinstance(item, ResponseFunctionToolCall)]
    uses = [Use(call.call_id, call.name, _read_arguments(call.arguments)) for call in calls]
    thinking = [item for item in items if isinstance(item, ResponseReasoningItem)]
    told = [part.text for item in thinking for part in item.summary]
    told += [part.text for item in thinking for part in item.content or []]
    reason = answer.incomplete_details.reason if answer.incomplete_details else None
    finish = _FINISHES.get(reason or "", "tools" if uses else "stop")
    tokens = usage.input_tokens, usage.output_tokens
    turns = [item.model_dump(mode="json", exclude_unset=True, warnings=False) for item in items]
    return Said(answer.output_text, "".join(told), uses, finish, tokens, turns)


def _read_message(answer: Message) -> Said:
    blocks = answer.content
    text = "".join(block.text for block in blocks if isinstance(block, TextBlock))
    thoughts = "".join(block.thinking for block in blocks if isinstance(block, ThinkingBlock))
    calls = [block for block in blocks if isinstance(block, ToolUseBlock)]
    uses = [Use(call.id, call.name, call.input) for call in calls]
    tokens = answer.usage.input_tokens, answer.usage.output_tokens
    content = [block.model_dump(mode="json", exclude_unset=True, warnings=False) for block in blocks]
    finish = _FINISHES[answer.stop_reason or ""]
    return Said(text, thoughts, uses, finish, tokens, [{"role": "assistant", "content": content}])


def _read_lines(parts: list[ChatResponse]) -> Said:
    messages, last = [part.message for part in parts], parts[-1]
    text, thoughts = ("".join(getattr(message, name) or "" for message in messages) for name in ("content", "thinking"))
    calls = [call for message in messages for call in message.tool_calls or []]
    uses = [Use("", call.function.name, call.function.arguments) for call in calls]
    finish = "tools" if uses else last.done_reason or ""
    tokens = last.prompt_eval_count or 0, last.eval_count or 0
    turn: Turn = {"role": "assistant", "content": text, "thinking": thoughts or None}
    turn["tool_calls"] = [call.model_dump(mode="json") for call in calls] or None
    return Said(text, thoughts, uses, finish, tokens, [turn])
