"""Upstreams that need no more than their name: where they are, and which environment variables belong to them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["openai", "sim"]


class Known(Struct, frozen=True):
    """What a known upstream name stands for."""

    kind: Kind
    base_url: str = ""
    """Where its OpenAI-compatible API begins."""
    variable: str = ""
    """How its environment variables begin: `POE` for `POE_API_KEY` and `POE_BASE_URL`; empty: it has none."""

    @property
    def key_variable(self) -> str:
        """The environment variable that holds its key."""
        return f"{self.variable}_API_KEY"

    @property
    def url_variable(self) -> str:
        """The environment variable that moves its API elsewhere."""
        return f"{self.variable}_BASE_URL"


KNOWN: dict[str, Known] = {
    "poe": Known("openai", "https://api.poe.com/v1", "POE"),
    "qwen": Known("openai", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE"),
    "openai": Known("openai", "https://api.openai.com/v1", "OPENAI"),
    "openrouter": Known("openai", "https://openrouter.ai/api/v1", "OPENROUTER"),
    "deepseek": Known("openai", "https://api.deepseek.com/v1", "DEEPSEEK"),
    "groq": Known("openai", "https://api.groq.com/openai/v1", "GROQ"),
    "mistral": Known("openai", "https://api.mistral.ai/v1", "MISTRAL"),
    "xai": Known("openai", "https://api.x.ai/v1", "XAI"),
    "gemini": Known("openai", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI"),
    "sim": Known("sim"),
}
"""By name, in the order in which a bare model name is looked for."""
