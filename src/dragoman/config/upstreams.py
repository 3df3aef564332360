"""The tables of upstreams: what all kinds have in common, and what each has of its own."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from dragoman.config.known import REGIONS
from dragoman.config.values import (
    CaFile,
    Count,
    Delay,
    Endpoint,
    HeaderName,
    HeaderValue,
    MicroUsd,
    Pattern,
    Proxy,
    Rate,
    Seconds,
    Secret,
    Served,
    Size,
    Url,
)

Sampling = Literal["top_k", "min_p", "repetition_penalty", "repeat_penalty"]


class UpstreamTimeout(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an upstream may take."""

    connect: Seconds = 5.0
    """To connect, TLS included."""
    first: Seconds | None = None
    """To begin its answer; when absent, 60 for a stream, and only `total` for a plain answer."""
    idle: Seconds = 60.0
    """Between two pieces of a stream."""
    total: Seconds = 600.0
    """For the whole answer, every attempt included."""


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """How failures that may pass are met."""

    attempts: Count = 3
    """How often one call is tried at most; 1 means never again."""


class Breaker(Struct, frozen=True, forbid_unknown_fields=True):
    """When a model that fails is left alone for a while."""

    failures: Count = 5
    """After how many failures in a row; one in two of the last twenty has the same effect."""
    seconds: Seconds = 30.0
    """For how long the first time; longer each time it fails again, ten times as long at most."""


class QuirkTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server differs from its dialect, as far as it is not found out by itself."""

    max_tokens: Literal["max_tokens", "max_completion_tokens"] | UnsetType = UNSET
    """The field that bounds the answer."""
    developer_role: bool | UnsetType = UNSET
    """Whether there is a role `developer`; if not it is told as `system`."""
    system_role: bool | UnsetType = UNSET
    """Whether there is a role `system`; if not the user says what it says."""
    stream_usage: bool | UnsetType = UNSET
    """Whether a stream may be asked to tell its usage."""
    thoughts: Literal["reasoning_content", "reasoning"] | UnsetType = UNSET
    """The field of a message in which the model gets back what it reasoned in earlier turns."""
    plain: bool | UnsetType = UNSET
    """Whether it is never asked for a stream; a client that wants one gets the whole answer in one."""
    streams_only: bool | UnsetType = UNSET
    """Whether it is always asked for a stream; a client that wants a plain answer gets one made of it."""
    sampling: tuple[Sampling, ...] | UnsetType = UNSET
    """The fields for choosing words that it takes beside OpenAI's own; vLLM takes all but `repeat_penalty`."""
    replaces: bool | UnsetType = UNSET
    """Whether it takes back what it said, so that nothing may be told before it is done."""


class About(QuirkTable, frozen=True, forbid_unknown_fields=True):
    """What is known of some models, over all that their upstream tells."""

    tools: bool | UnsetType = UNSET
    """Whether they call tools."""
    vision: bool | UnsetType = UNSET
    """Whether they see pictures."""
    audio: bool | UnsetType = UNSET
    """Whether they hear sounds."""
    thinking: bool | UnsetType = UNSET
    """Whether they can reason before they answer."""
    json_schema: bool | UnsetType = UNSET
    """Whether they can be held to a JSON schema."""
    context: Count | UnsetType = UNSET
    """Tokens that prompt and answer may have together."""
    output: Count | UnsetType = UNSET
    """Tokens that an answer may have."""
    input_price: MicroUsd | UnsetType = UNSET
    """Micro-USD for a million tokens of the prompt; 1 USD is 1,000,000."""
    output_price: MicroUsd | UnsetType = UNSET
    """Micro-USD for a million tokens of the answer."""


class Remote(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all upstreams have in common that are reached over a network."""

    base_url: Url
    """Where its API begins; a known name has its own default."""
    key: Secret | UnsetType = UNSET
    """Its API key; a known name takes it from its environment variable. Absent: none is sent."""
    keys: tuple[Secret, ...] = ()
    """Several keys instead of `key`, used in turn; one that is limited or spent rests."""
    models: tuple[Served, ...] = ()
    """The models it serves; `["*"]` passes any name on, empty means those that its catalogue lists."""
    allow: tuple[Pattern, ...] = ("*",)
    """Which of them may be asked for; `gpt-*` means all that begin with `gpt-`, whatever their case."""
    deny: tuple[Pattern, ...] = ()
    """Which of those may not."""
    about: dict[Pattern, About] = {}
    """What is known of models, by name or by how their names begin; the most exact counts."""
    quirks: QuirkTable = QuirkTable()
    timeout: UpstreamTimeout = UpstreamTimeout()
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    rpm: Count | None = None
    """Requests a minute that it allows; absent: what it tells itself."""
    proxy: Proxy | UnsetType = UNSET
    """A proxy on the way: `http://`, `socks5://` (the name is looked up here) or `socks5h://` (there)."""
    ca: CaFile | None = None
    """A file of certificate authorities that are trusted beside the system's."""
    headers: dict[HeaderName, HeaderValue] = {}
    """Headers that every request has."""
    refresh: Seconds = 300.0
    """How long its catalogue is believed before it is read again."""


class OpenAiUpstream(Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="openai", kw_only=True):
    """A server that speaks OpenAI's dialect."""

    endpoints: tuple[Endpoint, ...] = ("chat", "embeddings", "images", "videos", "audio", "moderations")
    """Which of OpenAI's endpoints it has; OpenAI itself has `responses` too."""


class QwenUpstream(Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="qwen", kw_only=True):
    """Qwen on DashScope: OpenAI's dialect with switches of its own."""

    base_url: Url = REGIONS["intl"]
    """Where its API begins, when `region` is not to say it."""
    region: Literal["intl", "cn", "us"] = "intl"
    """Where it is asked, unless `base_url` says so: Singapore, Beijing or Virginia; a key is good for one of them."""


class PoeUpstream(Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="poe", kw_only=True):
    """Poe: each model by the endpoint that its catalogue names; bots that it does not list by the bot protocol."""

    bot_url: Url = "https://api.poe.com/bot"
    """Where its bot protocol begins."""
    upload_url: Url = "https://www.quora.com/poe_api"
    """Where attachments of the bot protocol are uploaded."""
    upload_limit: Size = 50 * 1024 * 1024
    """An attachment."""
    strict: bool = True
    """Whether Poe is asked to refuse what it does not know, so that nothing is ignored in silence."""


class PoeBotUpstream(Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="poe_bot", kw_only=True):
    """Poe's bot protocol, for bots and parameters that its other API does not reach."""

    upload_url: Url = "https://www.quora.com/poe_api"
    """Where attachments are uploaded."""
    upload_limit: Size = 50 * 1024 * 1024
    """An attachment."""


class AnthropicUpstream(
    Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="anthropic", kw_only=True
):
    """A server that speaks Anthropic's Messages."""


class OllamaUpstream(Remote, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ollama", kw_only=True):
    """A server that speaks Ollama's dialect."""


class Speed(Struct, frozen=True, forbid_unknown_fields=True):
    """How fast the simulator answers."""

    first: Delay = 0.2
    """To its first token; 0 answers at once."""
    rate: Rate = 50.0
    """Tokens a second after the first."""


class SimUpstream(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sim"):
    """The simulator: models that cost nothing and need no network."""

    speed: Speed = Speed()
    seed: int = 0
    """The same seed gives the same answers."""


Upstream = (
    OpenAiUpstream | PoeUpstream | PoeBotUpstream | QwenUpstream | AnthropicUpstream | OllamaUpstream | SimUpstream
)
KINDS: dict[str, type[Struct]] = {
    "openai": OpenAiUpstream,
    "poe": PoeUpstream,
    "poe_bot": PoeBotUpstream,
    "qwen": QwenUpstream,
    "anthropic": AnthropicUpstream,
    "ollama": OllamaUpstream,
    "sim": SimUpstream,
}
"""By the name that `kind` gives."""
