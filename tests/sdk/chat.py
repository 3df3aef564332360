"""What the clients ask, and how to read what they are told."""

from collections.abc import Iterable

import pytest
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)

BOTH = pytest.mark.parametrize("model", ["sim/instant", "lab/instant"])
"""The simulator inside the gateway's process, and the one that it reaches over a real connection."""
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
SAY = "The quick brown fox jumps over the lazy dog."
RIDDLE: list[ChatCompletionMessageParam] = [{"role": "user", "content": f"Say: {SAY}"}]
WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
TWO_CITIES: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the weather in Paris and in Rome? Use get_weather."}
]


def text(chunks: Iterable[ChatCompletionChunk], index: int = 0) -> str:
    """Return the text of one choice of a stream."""
    choices = (choice for chunk in chunks for choice in chunk.choices)
    return "".join(choice.delta.content or "" for choice in choices if choice.index == index)


def called(answer: ChatCompletion) -> list[ChatCompletionMessageFunctionToolCall]:
    """Return the functions that the first choice calls."""
    calls = answer.choices[0].message.tool_calls or []
    return [call for call in calls if call.type == "function"]
