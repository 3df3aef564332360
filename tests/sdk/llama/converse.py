"""What a program written with LlamaIndex does, run by the Python of its own environment: `converse.py KIND URL KEY`.

KIND is `openai` (any server that is like OpenAI's) or `ollama`. Every step asserts; the last line says what was done.
"""

import asyncio
import sys

from llama_index.core.llms import LLM, ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai_like import OpenAILike
from ollama import AsyncClient, Client
from pydantic import BaseModel

SAY = "The quick brown fox jumps over the lazy dog."


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def make(kind: str, url: str, key: str) -> LLM:
    """Return the client."""
    if kind == "openai":
        return OpenAILike(
            model="lab/instant",
            api_base=f"{url}/v1",
            api_key=key,
            is_chat_model=True,
            is_function_calling_model=True,
            should_use_structured_outputs=True,
            max_retries=0,
        )
    headers = {"Authorization": f"Bearer {key}"}
    client, later = Client(url, headers=headers), AsyncClient(url, headers=headers)
    return Ollama(model="lab/instant", base_url=url, client=client, async_client=later, request_timeout=20)


def answer(llm: LLM) -> None:
    """Ask, as a whole and as a stream."""
    said = llm.chat([ChatMessage(role="user", content=f"Say: {SAY}")])
    assert said.message.content == SAY, said
    pieces = [piece.delta or "" for piece in llm.stream_chat([ChatMessage(role="user", content=f"Say: {SAY}")])]
    assert "".join(pieces) == SAY, pieces
    assert len([piece for piece in pieces if piece]) > 1, pieces


async def answer_later(llm: LLM) -> None:
    """The same without blocking."""
    said = await llm.achat([ChatMessage(role="user", content=f"Say: {SAY}")])
    assert said.message.content == SAY, said


def call_tools(llm: LLM) -> None:
    """Let the model choose a tool, run it, and hand its result back."""

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"snow in {city}"

    tool = FunctionTool.from_defaults(get_weather)
    said = llm.predict_and_call([tool], "What is the weather in Oslo? Use get_weather.")
    assert [source.content for source in said.sources] == ["snow in Oslo"], said


def structure(llm: LLM) -> None:
    """Ask for an object."""
    said = llm.as_structured_llm(Weather).chat([ChatMessage(role="user", content="The weather in Oslo, please.")])
    assert said.raw.city == "Oslo", said


def main() -> None:
    """Do all of it."""
    kind, url, key = sys.argv[1:]
    llm = make(kind, url, key)
    answer(llm)
    asyncio.run(answer_later(llm))
    call_tools(llm)
    structure(llm)
    sys.stdout.write("answered, called, structured\n")


main()
