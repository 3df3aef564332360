"""Asks through the official Python SDKs, so that what they make of an answer is tested too.

The bodies are those of the raw wire, handed to the SDK as they are; and what the SDK made of the answer, or put
together of a stream, must again be a good plain answer of the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from dragoman.testing.conform.anthropic import WIRE as MESSAGES
from dragoman.testing.conform.field import Field, read_json
from dragoman.testing.conform.ollama import WIRE as OLLAMA
from dragoman.testing.conform.openai_chat import WIRE as CHAT
from dragoman.testing.conform.openai_responses import WIRE as RESPONSES
from dragoman.testing.conform.question import Question, Said, Speaker, Use
from dragoman.testing.conform.server import Server
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable, Refused

if TYPE_CHECKING:
    from ollama import ChatResponse
    from openai import OpenAI
    from openai.types.responses import Response

_ANY_KEY = "none"
"""The SDKs insist on a key, a server need not."""
_CHOKES = (ValueError, TypeError, LookupError, AttributeError, RuntimeError, AssertionError, OSError)
"""What an SDK raises on an answer that it does not expect."""


class _Sdk:
    """What all SDKs have in common: what they raise, and what they cannot be asked."""

    told: tuple[type[Exception], ...]
    """What it raises for an error that the server told."""
    lost: tuple[type[Exception], ...]
    """What it raises for a connection that failed."""

    def send(self, question: Question, *, broken: bool) -> None:
        """Refuse: an SDK writes its own JSON."""
        raise NotApplicable("an SDK cannot send that")

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Refuse, unless the dialect has embeddings."""
        raise NotApplicable("the dialect has no embeddings")

    @contextmanager
    def telling(self) -> Generator[None]:
        """Say in our words what an SDK raises."""
        try:
            yield
        except self.lost as error:
            raise Mismatch("connection", "a whole answer", f"{type(error).__name__}: {error}") from None
        except self.told as error:
            status: object = getattr(error, "status_code", None)
            if isinstance(status, int) and status >= 400:
                raise Refused(status, str(error)) from None
            raise Broken(str(error)) from None
        except _CHOKES as error:
            raise Mismatch("sdk", "an answer that it can read", f"{type(error).__name__}: {error}") from None


class _OpenAiSdk(_Sdk):
    """`openai`, with its client."""

    def __init__(self, server: Server) -> None:
        from httpx2 import HTTPError
        from openai import APIConnectionError, OpenAI, OpenAIError

        self.told, self.lost = (OpenAIError,), (APIConnectionError, HTTPError)
        self.client: OpenAI = OpenAI(
            base_url=f"{server.url}/v1", api_key=server.key or _ANY_KEY, timeout=server.timeout, max_retries=0
        )


class OpenAiChatSdk(_OpenAiSdk):
    """Chat completions and embeddings by `openai`."""

    def ask(self, question: Question) -> Said:
        """Ask; a stream is put together by the SDK's own helper."""
        completions, body, pieces = self.client.chat.completions, CHAT.write(question), 0
        with self.telling():
            if question.stream:
                with completions.stream(model=question.model, messages=[], extra_body=body) as stream:
                    pieces = sum(event.type == "content.delta" for event in stream)
                    answer = stream.get_final_completion().to_json(exclude_none=True, warnings=False)
            else:
                answer = completions.create(model=question.model, messages=[], extra_body=body).to_json(warnings=False)
        return _read(answer, question, CHAT.read, pieces)

    def leave(self, question: Question) -> None:
        """Close a stream after its first chunk."""
        with self.telling():
            completions, body = self.client.chat.completions, CHAT.write(question)
            stream = completions.create(model=question.model, messages=[], stream=True, extra_body=body)
            next(stream)
            stream.close()

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return embeddings, for which the SDK asks in base64."""
        with self.telling():
            return [item.embedding for item in self.client.embeddings.create(model=model, input=list(texts)).data]


class OpenAiResponsesSdk(_OpenAiSdk):
    """Responses by `openai`."""

    def ask(self, question: Question) -> Said:
        """Ask; the SDK's own helper checks the order of a stream's events."""
        pieces = 0
        with self.telling():
            if question.stream:
                answer, pieces = self._follow(question)
            else:
                answer = self.client.responses.create(model=question.model, extra_body=RESPONSES.write(question))
        if answer.error is not None:
            raise Broken(answer.error.message)
        return _read(answer.to_json(warnings=False), question, RESPONSES.read, pieces)

    def _follow(self, question: Question) -> tuple[Response, int]:
        """Return the response that a stream ends with, and in how many pieces its text came."""
        from openai.types.responses import ResponseCompletedEvent, ResponseFailedEvent, ResponseIncompleteEvent

        body, pieces = RESPONSES.write(question), 0
        with self.client.responses.stream(model=question.model, input=[], extra_body=body) as stream:
            for event in stream:
                pieces += event.type == "response.output_text.delta"
                if isinstance(event, ResponseCompletedEvent | ResponseIncompleteEvent | ResponseFailedEvent):
                    return event.response, pieces
        raise Mismatch("stream", "a terminal event", "none")

    def leave(self, question: Question) -> None:
        """Close a stream after its first event."""
        with self.telling():
            body = RESPONSES.write(question)
            stream = self.client.responses.create(model=question.model, stream=True, extra_body=body)
            next(stream)
            stream.close()


class AnthropicSdk(_Sdk):
    """Messages by `anthropic`."""

    def __init__(self, server: Server) -> None:
        from anthropic import Anthropic, AnthropicError, APIConnectionError
        from httpx2 import HTTPError

        self.told, self.lost = (AnthropicError,), (APIConnectionError, HTTPError)
        self.client = Anthropic(
            base_url=server.url, api_key=server.key or _ANY_KEY, timeout=server.timeout, max_retries=0
        )

    def ask(self, question: Question) -> Said:
        """Ask; a stream is put together by the SDK's own helper."""
        messages, model, body, pieces = self.client.messages, question.model, MESSAGES.write(question), 0
        with self.telling():
            if question.stream:
                with messages.stream(model=model, max_tokens=1, messages=[], extra_body=body) as stream:
                    pieces = sum(event.type == "text" for event in stream)
                    answer = stream.get_final_message().to_json(warnings=False)
            else:
                answer = messages.create(model=model, max_tokens=1, messages=[], extra_body=body).to_json(
                    warnings=False
                )
        return _read(answer, question, MESSAGES.read, pieces)

    def leave(self, question: Question) -> None:
        """Close a stream after its first event."""
        with self.telling():
            messages, body = self.client.messages, MESSAGES.write(question)
            stream = messages.create(model=question.model, max_tokens=1, messages=[], stream=True, extra_body=body)
            next(stream)
            stream.close()


class OllamaSdk(_Sdk):
    """Chat and embeddings by `ollama`, which puts no stream together and drops the ids of calls."""

    def __init__(self, server: Server) -> None:
        from httpx import HTTPError
        from ollama import Client, ResponseError

        self.told, self.lost = (ResponseError,), (HTTPError,)
        headers = {"authorization": f"Bearer {server.key}"} if server.key else {}
        self.client = Client(server.url, timeout=server.timeout, headers=headers)

    def ask(self, question: Question) -> Said:
        """Ask, and put the pieces of a stream together."""
        said = Said()
        with self.telling():
            for part in self._parts(question):
                _add(said, part)
        return said

    def leave(self, question: Question) -> None:
        """Drop a stream after its first line."""
        with self.telling():
            parts = self._parts(question)
            next(parts)
            parts.close()

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return embeddings."""
        with self.telling():
            return [list(vector) for vector in self.client.embed(model, list(texts)).embeddings]

    def _parts(self, question: Question) -> Generator[ChatResponse]:
        body = Field("", OLLAMA.write(question))
        options = body["options"].members() if "options" in body else None
        turns = [turn.members() for turn in body["messages"].items()]
        tools = [tool.members() for tool in body["tools"].items()] if question.tools else None
        form = body["format"].members() if question.form else None
        think = question.think or None
        ask = self.client.chat  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if question.stream:
            yield from ask(question.model, turns, tools=tools, stream=True, think=think, format=form, options=options)
        else:
            yield ask(question.model, turns, tools=tools, think=think, format=form, options=options)


SDKS: dict[str, tuple[str, Callable[[Server], Speaker]]] = {
    "openai_chat": ("openai", OpenAiChatSdk),
    "openai_responses": ("openai", OpenAiResponsesSdk),
    "anthropic": ("anthropic", AnthropicSdk),
    "ollama": ("ollama", OllamaSdk),
}
"""Dialect → the package of its SDK, and who asks through it."""


def open_sdk(dialect: str, server: Server) -> Speaker | None:
    """Return who asks through the SDK of a dialect; None when it is not installed."""
    package, make = SDKS[dialect]
    return make(server) if find_spec(package) else None


def _read(answer: str, question: Question, read: Callable[[Field, Question], Said], pieces: int) -> Said:
    said = read(read_json(answer.encode(), "sdk"), question)
    said.pieces = pieces
    return said


def _add(said: Said, part: ChatResponse) -> None:
    message = part.message
    said.text += message.content or ""
    said.pieces += bool(message.content)
    said.thinking += message.thinking or ""
    for call in message.tool_calls or []:
        arguments = msgspec.json.encode(dict(call.function.arguments)).decode()
        said.uses.append(Use("", call.function.name, arguments))
    if part.done:
        said.finish = "length" if part.done_reason == "length" else "tools" if said.uses else "stop"
        said.tokens = part.prompt_eval_count or 0, part.eval_count or 0
