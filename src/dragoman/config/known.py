"""Upstreams that need no more than their name: where they are, and which environment variables belong to them."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

Kind = Literal["openai", "poe", "poe_bot", "qwen", "anthropic", "ollama", "sim"]


class Known(Struct, frozen=True):
    """What a known upstream name stands for."""

    kind: Kind
    base_url: str = ""
    """Where its API begins, unless something else says so."""
    variable: str = ""
    """How its environment variables begin: `POE` for `POE_API_KEY` and `POE_BASE_URL`; empty: it has none."""
    key_of: str = ""
    """The upstream whose key is its own too, where that is another one."""
    host: bool = False
    """Whether one variable, `…_HOST`, says where it is and that it is there; it needs no key."""
    path: str = ""
    """What everybody else who reads its variable adds to the address."""
    endpoints: tuple[str, ...] = ()
    """What it has, where that is more than others of its kind."""
    others: dict[str, str] = {}
    """Other keys of its table, and the variables that set them."""

    @property
    def key_variable(self) -> str:
        """The environment variable that holds its key."""
        return f"{self.key_of or self.variable}_API_KEY"

    @property
    def url_variable(self) -> str:
        """The environment variable that moves its API elsewhere."""
        return f"{self.variable}_HOST" if self.host else f"{self.variable}_BASE_URL"

    @property
    def homes(self) -> list[str]:
        """Every address of its operator's; empty when anybody may run one."""
        return [] if self.host or not self.base_url else [self.base_url, *REGIONAL.get(self.kind, {}).values()]

    @property
    def sign(self) -> str:
        """The environment variable that says that it is there."""
        return self.url_variable if self.host else self.key_variable

    def read_url(self, text: str) -> str:
        """Return the base URL that its variable means."""
        if self.host:
            return read_host(text)
        url = text.rstrip("/")
        return url if url.endswith(self.path) else url + self.path


REGIONS = {
    "intl": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "cn": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "us": "https://dashscope-us.aliyuncs.com/compatible-mode/v1",
}
"""Where DashScope is asked, by its region: Singapore, Beijing, Virginia. Source: DashScope compatible mode, 2026."""
REGIONAL: dict[str, dict[str, str]] = {"qwen": REGIONS}
"""Kinds that are asked at another address in each region, the usual one first."""
OPENAI = ("chat", "responses", "embeddings", "images", "videos", "audio", "moderations")
"""What OpenAI itself has; text completions are answered by chat, for most of its models know no others."""
KNOWN: dict[str, Known] = {
    "poe": Known("poe", "https://api.poe.com/v1", "POE", others={"bot_url": "POE_BOT_BASE_URL"}),
    "poe_bot": Known("poe_bot", "https://api.poe.com/bot", "POE_BOT", key_of="POE"),
    "qwen": Known("qwen", REGIONS["intl"], "DASHSCOPE"),
    "openai": Known("openai", "https://api.openai.com/v1", "OPENAI", endpoints=OPENAI),
    "anthropic": Known("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC", path="/v1"),
    "ollama": Known("ollama", "http://127.0.0.1:11434", "OLLAMA", host=True),
    "openrouter": Known("openai", "https://openrouter.ai/api/v1", "OPENROUTER"),
    "deepseek": Known("openai", "https://api.deepseek.com/v1", "DEEPSEEK"),
    "groq": Known("openai", "https://api.groq.com/openai/v1", "GROQ"),
    "mistral": Known("openai", "https://api.mistral.ai/v1", "MISTRAL"),
    "xai": Known("openai", "https://api.x.ai/v1", "XAI"),
    "gemini": Known("openai", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI"),
    "sim": Known("sim"),
}
"""By name, in the order in which a bare model name is looked for."""
_HOST = re.compile(r"(?:(https?)://)?([^/:\s]+|\[[0-9A-Fa-f:.]+\])?(?::([0-9]{1,5}))?(/[^\s?#]*)?")
_PORT = "11434"
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def read_host(text: str) -> str:
    """Return the base URL that `OLLAMA_HOST` means: `host`, `host:port`, `:port` or a URL; what is none, as it is.

    An address to listen on, `0.0.0.0`, is asked on loopback. Source: Ollama's envconfig, 2026.
    """
    found = _HOST.fullmatch(text.strip().strip("\"'"))
    if found is None:
        return text
    scheme, host, port, path = found.groups()
    host = "127.0.0.1" if host in (None, "0.0.0.0", "[::]") else host  # noqa: S104 — nothing listens there
    port = port or (_DEFAULT_PORTS[scheme] if scheme else _PORT)
    return f"{scheme or 'http'}://{host}:{port}{(path or '').rstrip('/')}"
