"""Every parameter that OpenAI publishes goes through the hub and comes out with the same meaning."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.core.ports import Limits
from dragoman.dialects.openai_chat.compose import compose
from dragoman.dialects.openai_chat.inbound import read_call
from tests.schema import mismatches, properties

WEATHER = {"name": "weather", "description": "Tells the sky", "parameters": {"type": "object"}, "strict": True}
SAMPLES: dict[str, object] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_tokens": 20,
    "metadata": {"team": "a"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "omni-moderation-latest"},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": -0.5,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "explicit"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "sky", "description": "d", "strict": True, "schema": {"type": "object"}},
    },
    "safety_identifier": "s",
    "seed": 9_223_372_036_854_775_807,
    "service_tier": "flex",
    "stop": ["a", "b"],
    "store": False,
    "stream": True,
    "stream_options": {"include_obfuscation": False, "include_usage": True},
    "temperature": 0.25,
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [
                {"type": "function", "function": {"name": "weather"}},
                {"type": "custom", "custom": {"name": "sh"}},
            ],
        },
    },
    "tools": [
        {"type": "function", "function": WEATHER, "cache_control": {"type": "ephemeral"}},
        {"type": "custom", "custom": {"name": "sh", "description": "Runs", "format": {"type": "text"}}},
    ],
    "top_logprobs": 3,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}
RENAMED = {"max_completion_tokens": "max_tokens", "functions": "tools", "function_call": "tool_choice"}
"""Parameters that have come to be called otherwise: older or newer name → the one we write."""
MESSAGES: list[object] = [
    {"role": "developer", "content": "Be brief.", "name": "boss"},
    {"role": "system", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
    {
        "role": "user",
        "name": "ann",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:,a", "filename": "a.txt"}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ],
    },
    {"role": "assistant", "content": None, "audio": {"id": "audio_1"}},
    {"role": "assistant", "content": None, "refusal": "No."},
    {
        "role": "assistant",
        "content": "Look:",
        "reasoning_content": "hm",
        "reasoning_details": [{"type": "reasoning.text"}],
        "prefix": True,
        "tool_calls": [
            {
                "id": "call_a",
                "type": "function",
                "function": {"name": "weather", "arguments": "{}"},
                "extra_content": {"s": 1},
            },
            {"id": "call_b", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
        ],
    },
    {
        "role": "tool",
        "tool_call_id": "call_a",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    },
    {"role": "tool", "tool_call_id": "call_b", "content": "ok"},
]


def there_and_back(body: dict[str, object]) -> dict[str, object]:
    request = read_call(msgspec.json.encode(body), Limits()).request
    written = compose(request, "other")
    assert mismatches("CreateChatCompletionRequest", written) == []
    return msgspec.json.decode(written, type=dict[str, object])


def test_no_published_parameter_is_forgotten() -> None:
    published = properties("CreateChatCompletionRequest")
    assert published == SAMPLES.keys() | RENAMED.keys() | {"model", "messages"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_parameter_survives_on_its_own(name: str) -> None:
    needed = {"tool_choice": ["tools"], "top_logprobs": ["logprobs"], "stream_options": ["stream"]}
    needed |= {"parallel_tool_calls": ["tools"]}
    sent = {other: SAMPLES[other] for other in [name, *needed.get(name, [])]}
    back = there_and_back({"model": "m", "messages": MESSAGES, **sent})
    assert back[name] == sent[name]


def test_all_parameters_survive_together() -> None:
    sent = {"model": "m", "messages": MESSAGES, **SAMPLES}
    assert there_and_back(sent) == {**sent, "model": "other"}


def test_a_parameter_with_another_name_means_the_same() -> None:
    sent = {"max_completion_tokens": 5, "functions": [WEATHER], "function_call": {"name": "weather"}}
    back = there_and_back({"model": "m", "messages": MESSAGES, **sent})
    function = {"type": "function", "function": {"name": "weather"}}
    assert (back["max_tokens"], back["tool_choice"]) == (5, function)
    assert back["tools"] == [{"type": "function", "function": WEATHER}]
