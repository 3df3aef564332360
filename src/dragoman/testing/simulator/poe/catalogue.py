"""The bots of the pretended Poe, and the list of them. Source: Poe's catalogue of March 2026."""

from __future__ import annotations

from msgspec import Struct, field

from dragoman.core.capabilities import Capabilities
from dragoman.testing.simulator.models import BORN, Model
from dragoman.testing.simulator.schema import Json
from dragoman.wire.json import encode

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
IMAGES, VIDEOS, AUDIO = "/v1/images", "/v1/videos", "/v1/audio"


class Parameter(Struct, frozen=True, omit_defaults=True):
    """A parameter that a bot takes beside OpenAI's."""

    name: str
    schema: dict[str, Json]
    default_value: str | int | bool | None = None
    description: str = ""


class Budget(Struct, frozen=True):
    """How many tokens a bot may think."""

    min_tokens: int
    max_tokens: int


class Reasoning(Struct, frozen=True):
    """How a bot's thinking is controlled."""

    budget: Budget | None = None
    required: bool = False
    supports_reasoning_effort: bool = False


class Bot(Struct, frozen=True):
    """How one bot behaves."""

    name: str
    owner: str = "Simulator"
    takes: tuple[str, ...] = ("text",)
    gives: str = "text"
    tools: bool = False
    endpoints: tuple[str, ...] = ()
    dated: str = ""
    """What its maker calls it; told on Responses and Messages."""
    parameters: tuple[Parameter, ...] = ()
    reasoning: Reasoning | None = None
    context: int | None = None
    output: int | None = None
    thinks: bool = False
    """Whether it tells its reasoning."""
    leaks: bool = False
    """Whether it tells its reasoning in the text."""
    signs: bool = False
    """Whether its tool calls bear thought signatures, and must bear them when they come back (Gemini 3)."""
    exact: bool = False
    """Whether its usage is its maker's, details and all."""
    efforts: tuple[str, ...] = ()
    """The only values of `reasoning_effort` it takes; empty: any."""

    @property
    def id(self) -> str:
        """Its name in the catalogue."""
        return self.name.lower()


def _one_of(name: str, default: str, *values: str) -> Parameter:
    return Parameter(name, {"enum": list(values)}, default, f"One of {', '.join(values)}")


def _budget(most: int) -> Parameter:
    return Parameter("thinking_budget", {"type": "number", "minimum": 0, "maximum": most}, 0, "Tokens to think")


_SEARCH = Parameter("web_search", {"type": "boolean"}, False, "Search the web first")
_SEE, _ALL = ("text", "image"), ("text", "image", "video", "audio")
_BOTS = (
    Bot("Claude-Sonnet-4.6", "Anthropic", _SEE, tools=True, endpoints=(MESSAGES, RESPONSES, CHAT),
        dated="claude-sonnet-4-6", context=983_040, output=128_000, reasoning=Reasoning(),
        parameters=(_SEARCH, _one_of("output_effort", "medium", "max", "high", "medium", "low", "none"))),
    Bot("Claude-Haiku-4.5", "Anthropic", _SEE, tools=True, endpoints=(MESSAGES, RESPONSES, CHAT),
        dated="claude-haiku-4-5-20251001", context=192_000, output=64_000, parameters=(_budget(63_999),),
        reasoning=Reasoning(Budget(0, 63_999))),
    Bot("GPT-5.4-Mini", "OpenAI", _SEE, tools=True, endpoints=(RESPONSES, CHAT), dated="gpt-5.4-mini-2026-03-17",
        context=400_000, output=128_000, thinks=True, reasoning=Reasoning(supports_reasoning_effort=True),
        parameters=(_one_of("reasoning_effort", "medium", "none", "low", "medium", "high", "xhigh"), _SEARCH)),
    Bot("GPT-5.3-Instant", "OpenAI", _SEE, tools=True, endpoints=(RESPONSES, CHAT), dated="gpt-5.3-chat-2026-02-11",
        context=128_000, output=16_384, efforts=("medium",), reasoning=Reasoning(supports_reasoning_effort=True),
        parameters=(_one_of("reasoning_effort", "medium", "medium"),)),
    Bot("GPT-5.3-Codex-Spark", "OpenAI", tools=True, endpoints=(RESPONSES,), dated="gpt-5.3-codex-spark-2026-02-12",
        context=128_000, output=16_384),
    Bot("GPT-4o-Mini", "OpenAI", _SEE, tools=True, endpoints=(RESPONSES, CHAT), dated="gpt-4o-mini-2024-07-18",
        context=128_000, output=8_192, exact=True),
    Bot("Gemini-3.1-Pro", "Google", _ALL, tools=True, endpoints=(RESPONSES, CHAT), dated="gemini-3.1-pro-preview",
        context=1_048_576, output=65_536, thinks=True, signs=True, reasoning=Reasoning(required=True),
        parameters=(_one_of("thinking_level", "high", "minimal", "low", "high"),)),
    Bot("Gemini-2.5-Flash", "Google", _ALL, tools=True, endpoints=(RESPONSES, CHAT), dated="gemini-2.5-flash",
        context=1_065_535, output=65_535, thinks=True, reasoning=Reasoning(Budget(0, 24_576)),
        parameters=(_budget(24_576), _SEARCH)),
    Bot("Grok-4", "XAI", _SEE, tools=True, endpoints=(CHAT,), context=256_000),
    Bot("Kimi-K2.5-FW", "Fireworks AI"),
    Bot("Qwen3-Max", "Alibaba", parameters=(Parameter("enable_web_search", {"type": "boolean"}, False),)),
    Bot("Nano-Banana-Pro", "Google", _SEE, "image", endpoints=(RESPONSES, CHAT), leaks=True,
        parameters=(_one_of("aspect_ratio", "1:1", "1:1", "3:2", "2:3"),)),
    Bot("GPT-Image-1", "OpenAI", _SEE, "image", endpoints=(IMAGES,),
        parameters=(_one_of("aspect", "1:1", "1:1", "3:2", "2:3"), _one_of("quality", "high", "low", "high"))),
    Bot("Veo-3.1", "Google", _SEE, "video", endpoints=(VIDEOS,), parameters=(_one_of("duration", "8", "4", "6", "8"),)),
    Bot("Sora-2", "OpenAI", _SEE, "video", endpoints=(VIDEOS,)),
    Bot("ElevenLabs-v3", "ElevenLabs", ("text",), "audio", endpoints=(AUDIO,),
        parameters=(Parameter("voice", {"type": "string"}, "Sarah"),)),
    Bot("Assistant", "Poe", tools=True, endpoints=(RESPONSES, CHAT), dated="gpt-5.4-mini-2026-03-17"),
)  # fmt: skip
BOTS = {bot.id: bot for bot in _BOTS}
"""By lower-case id."""


class _Architecture(Struct):
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    modality: str


class _Pricing(Struct):
    prompt: str = "0.0000026"
    completion: str = "0.000013"
    image: None = None
    request: None = None
    input_cache_read: str = "0.00000026"
    input_cache_write: str = "0.0000032"


class _Window(Struct):
    context_length: int
    max_output_tokens: int | None


class _Picture(Struct):
    url: str
    alt: str
    width: int = 200
    height: int = 200


class _Metadata(Struct):
    display_name: str
    image: _Picture
    url: str


class _Item(Struct):
    id: str
    created: int
    description: str
    owned_by: str
    root: str
    architecture: _Architecture
    supported_features: list[str]
    supported_endpoints: tuple[str, ...]
    pricing: _Pricing | None
    context_window: _Window | None
    context_length: int | None
    metadata: _Metadata
    reasoning: Reasoning | None
    parameters: tuple[Parameter, ...]
    object: str = "model"


class _Catalogue(Struct):
    data: list[_Item] = field(default_factory=list[_Item])
    object: str = "list"


def write_catalogue() -> bytes:
    """Return the body of ``GET /v1/models``; `created` is in milliseconds."""
    return encode(_Catalogue([_item(number, bot) for number, bot in enumerate(BOTS.values())]))


def as_model(bot: Bot) -> Model:
    """Return the simulated model that speaks for a bot."""
    return Model(bot.id, bot.name, thinks=bot.thinks, can=Capabilities(tools=bot.tools))


def _item(number: int, bot: Bot) -> _Item:
    url = f"https://poe.com/{bot.id}"
    features = ["web_search"] * (_SEARCH in bot.parameters) + ["tools"] * bot.tools
    return _Item(
        id=bot.id,
        created=(BORN + number) * 1000,
        description=f"The simulated {bot.name}.",
        owned_by=bot.owner,
        root=bot.id,
        architecture=_Architecture(bot.takes, (bot.gives,), f"{','.join(bot.takes)}->{bot.gives}"),
        supported_features=features,
        supported_endpoints=bot.endpoints,
        pricing=_Pricing() if bot.context else None,
        context_window=_Window(bot.context, bot.output) if bot.context else None,
        context_length=bot.context,
        metadata=_Metadata(bot.name, _Picture(f"{url}.png", bot.name), url),
        reasoning=bot.reasoning,
        parameters=bot.parameters,
    )
