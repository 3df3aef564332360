"""What is shipped of well-known families of models and of the servers that serve them, for what their lists leave out.

A family is known by how the names of its models begin. Only what was found in a source is here, and "no" only where the
source says so of exactly these models: a name that nobody knew when this was written may be anything.
Sources, all of 2026: models.dev (as published with langchain-openai 1.7 and langchain-anthropic 1.7) for OpenAI and
Anthropic, Poe's catalogue for Gemini, Grok and Llama, DeepSeek's pages "Models & Pricing" and "Thinking Mode", Model
Studio's page on Qwen-Turbo, Vercel's on Qwen3-Max, and the catalogues of routers for Qwen-Plus. Mistral's, Groq's and
OpenRouter's own lists tell what their models can.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from dragoman.core.capabilities import Capabilities
from dragoman.core.quirks import Quirks
from dragoman.upstreams.lore import Preset

_SEES = Capabilities(tools=True, vision=True)
_THINKS = Capabilities(tools=True, vision=True, thinking=True, json_schema=True)


def _sized(can: Capabilities, context: int, output: int | None = None) -> Capabilities:
    return structs.replace(can, context=context, output=output)


_GPT_4O = _sized(Capabilities(tools=True, vision=True, thinking=False, json_schema=True), 128_000, 16_384)
_GPT_4_1 = _sized(_GPT_4O, 1_047_576, 32_768)
_GPT_5 = _sized(_THINKS, 400_000, 128_000)
_GPT_5_4 = _sized(_THINKS, 1_050_000, 128_000)
_O = _sized(_THINKS, 200_000, 100_000)
_CLAUDE_4 = _sized(Capabilities(tools=True, vision=True, thinking=True), 200_000, 64_000)
_CLAUDE_4_6 = _sized(_CLAUDE_4, 1_000_000, 128_000)
_GEMINI = _sized(Capabilities(tools=True, vision=True, audio=True, thinking=True), 1_048_576, 65_536)
_DEEPSEEK = _sized(Capabilities(tools=True, thinking=True), 1_000_000, 384_000)
_LLAMA_3 = Capabilities(vision=False, context=131_072)

FAMILIES: Mapping[str, Capabilities] = {
    "gpt-3.5-turbo": Capabilities(vision=False, thinking=False, json_schema=False, context=16_385, output=4_096),
    "gpt-4": Capabilities(tools=True, thinking=False, json_schema=False, context=8_192, output=8_192),
    "gpt-4-turbo": _sized(Capabilities(tools=True, vision=True, thinking=False, json_schema=False), 128_000, 4_096),
    "gpt-4o": _GPT_4O,
    "gpt-4o-2024-05-13": _sized(structs.replace(_GPT_4O, json_schema=None), 128_000, 4_096),
    # What answers with sounds or searches is called as its family is, and is not like it.
    "gpt-4o-audio": Capabilities(audio=True),
    "gpt-4o-realtime": Capabilities(),
    "gpt-4o-search": Capabilities(),
    "gpt-4o-transcribe": Capabilities(),
    "gpt-4o-mini-audio": Capabilities(audio=True),
    "gpt-4o-mini-realtime": Capabilities(),
    "gpt-4o-mini-search": Capabilities(),
    "gpt-4o-mini-transcribe": Capabilities(),
    "gpt-4o-mini-tts": Capabilities(),
    "gpt-4.1": _GPT_4_1,
    "gpt-5": _GPT_5,
    "gpt-5-chat": Capabilities(),
    "gpt-5-search": Capabilities(),
    "gpt-5.1": _GPT_5,
    "gpt-5.1-chat": Capabilities(),
    "gpt-5.2": _GPT_5,
    "gpt-5.2-chat": Capabilities(),
    "gpt-5.3-codex": _GPT_5,
    "gpt-5.3-codex-spark": _sized(_THINKS, 128_000, 32_000),
    "gpt-5.4": _GPT_5_4,
    "gpt-5.4-mini": _GPT_5,
    "gpt-5.4-nano": _GPT_5,
    "gpt-5.5": _GPT_5_4,
    "gpt-5.6": _GPT_5_4,
    "o1": _O,
    "o1-mini": Capabilities(),
    "o1-preview": Capabilities(),
    "o3": _O,
    "o3-mini": structs.replace(_O, vision=False),
    "o4-mini": _O,
    "claude-opus-4-5": _CLAUDE_4,
    "claude-sonnet-4-5": _CLAUDE_4,
    "claude-haiku-4-5": _CLAUDE_4,
    "claude-opus-4-6": _CLAUDE_4_6,
    "claude-opus-4-7": _CLAUDE_4_6,
    "claude-opus-4-8": _CLAUDE_4_6,
    "claude-sonnet-4-6": _CLAUDE_4_6,
    "claude-opus-5": _CLAUDE_4_6,
    "claude-sonnet-5": _CLAUDE_4_6,
    "gemini-2.5-pro": _GEMINI,
    "gemini-2.5-pro-tts": Capabilities(),
    "gemini-2.5-pro-preview-tts": Capabilities(),
    "gemini-2.5-flash": _GEMINI,
    "gemini-2.5-flash-image": Capabilities(),
    "gemini-2.5-flash-preview-tts": Capabilities(),
    "gemini-2.5-flash-lite": _GEMINI,
    "gemini-3.1-pro": _GEMINI,
    "gemini-3-flash": _GEMINI,
    "gemini-3.1-flash-lite": _GEMINI,
    "deepseek-flash": structs.replace(_DEEPSEEK, vision=True),
    "deepseek-v4-flash": structs.replace(_DEEPSEEK, vision=True),
    "deepseek-v4-pro": structs.replace(_DEEPSEEK, vision=False),
    "deepseek-reasoner": Capabilities(thinking=True),
    "qwen3-max": _sized(Capabilities(tools=True), 262_144, 65_536),
    "qwen-plus": _sized(Capabilities(tools=True), 1_000_000, 32_768),
    "qwen-turbo": _sized(Capabilities(), 131_072, 16_384),
    "grok-4": _sized(Capabilities(tools=True, vision=True, thinking=True, json_schema=True), 256_000),
    "grok-4-fast": _sized(_SEES, 2_000_000),
    "grok-4-1-fast": _sized(_SEES, 2_000_000),
    "llama-3.1": _LLAMA_3,
    "llama-3.3": _LLAMA_3,
    "llama-4": Capabilities(vision=True),
}
"""How the names of a family's models begin, in lower case and without what stands before a slash → what they can."""

_REASONING = Quirks(max_tokens="max_completion_tokens")
PRESETS: Mapping[str, Preset] = {
    # Source: OpenAI API reference, 2026: reasoning models refuse `max_tokens`, and some are served by Responses alone.
    "openai": Preset(
        models={
            **dict.fromkeys(("o1", "o3", "o4", "gpt-5"), _REASONING),
            **dict.fromkeys(
                ("codex-mini", "gpt-5-codex", "gpt-5-pro", "gpt-5.1-codex", "gpt-5.2-codex", "gpt-5.3-codex", "o1-pro"),
                structs.replace(_REASONING, dialects=("openai_responses",)),
            ),
        }
    ),
    # Source: DeepSeek "Thinking Mode" and "Create chat completion", 2026: efforts low, high and max, all others mapped
    # to these by the server; thinking is turned off by a field of its own, which is no effort.
    "deepseek": Preset(
        Quirks(
            max_tokens="max_tokens",
            developer_role=False,
            lacks={"no_effort": "this server turns reasoning off in another way"},
        )
    ),
    # Source: Groq "OpenAI Compatibility", 2026: these fields are refused.
    "groq": Preset(
        Quirks(
            lacks={
                "logprobs": "this server tells no probabilities",
                "logit_bias": "this server takes none",
                "name": "this server takes no names of speakers",
            }
        )
    ),
    # Source: Mistral's OpenAPI specification, 2026; a stream tells its usage without being asked to.
    "mistral": Preset(
        Quirks(
            max_tokens="max_tokens",
            developer_role=False,
            stream_usage=False,
            sampling={"seed": "random_seed"},
        )
    ),
    # Source: models of xAI on OpenRouter and in the AI SDK, 2026: Grok 4 decides itself how much it reasons.
    "xai": Preset(
        models={
            "grok-3-mini": Quirks(efforts=("low", "high")),
            "grok-4": Quirks(effort=""),
            "grok-4.3": Quirks(efforts=("none", "low", "medium", "high")),
        }
    ),
}
"""The name of a known upstream → what is known of that server."""
