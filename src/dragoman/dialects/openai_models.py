"""The list of models as OpenAI writes it, with the older fields that some clients still read.

What is known of a model besides is told in the members that OpenRouter has for it, for OpenAI has none; what nobody
knows is left out. Source: OpenAI and OpenRouter API references, models, 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from msgspec import UNSET, Struct, UnsetType, field

from dragoman.core.capabilities import Capabilities, Entry, Prices
from dragoman.wire.json import encode

_MILLION = 1_000_000
_UNKNOWN = Capabilities()
_TOOLS = ("tools", "tool_choice")
_SCHEMA = ("response_format", "structured_outputs")
_THINKING = ("reasoning", "reasoning_effort")
"""The parameters that only such models take."""


class Architecture(Struct, frozen=True, gc=False):
    """What goes in and what comes out, as far as it is known."""

    input_modalities: tuple[str, ...] | UnsetType = UNSET
    output_modalities: tuple[str, ...] | UnsetType = UNSET


class Pricing(Struct, frozen=True, gc=False):
    """USD for a token, or for a request, as decimal texts."""

    prompt: str | UnsetType = UNSET
    completion: str | UnsetType = UNSET
    input_cache_read: str | UnsetType = UNSET
    input_cache_write: str | UnsetType = UNSET
    request: str | UnsetType = UNSET


class Model(Struct, gc=False):
    """One model. `permission`, `root` and `parent` are of an older API and are kept for clients that expect them."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = ""
    permission: list[str] = field(default_factory=list[str])
    root: str = ""
    parent: str | None = None
    name: str | UnsetType = UNSET
    """What people call it."""
    context_length: int | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    architecture: Architecture | UnsetType = UNSET
    pricing: Pricing | UnsetType = UNSET
    supported_parameters: tuple[str, ...] | UnsetType = UNSET
    """Of those that not every model takes."""


class ModelList(Struct):
    """All models; there is no paging."""

    data: list[Model]
    object: str = "list"


def write_models(models: Sequence[Model]) -> bytes:
    """Return the body of ``GET /v1/models``."""
    return encode(ModelList(list(models)))


def write_model(model: Model) -> bytes:
    """Return the body of ``GET /v1/models/{id}``."""
    return encode(model)


def show_model(entry: Entry) -> Model:
    """Return a model with all that is known of it."""
    model = Model(entry.id, created=entry.created, owned_by=entry.owned_by, root=entry.id, name=entry.name or UNSET)
    can = entry.can
    if can != _UNKNOWN:
        model.context_length = can.context or UNSET
        model.max_output_tokens = can.output or UNSET
        model.architecture = _architecture(vision=can.vision, audio=can.audio, gives=can.gives)
        model.pricing = UNSET if can.prices is None else _pricing(can.prices)
        model.supported_parameters = _parameters(tools=can.tools, json_schema=can.json_schema, thinking=can.thinking)
    return model


@lru_cache(maxsize=64)
def _architecture(*, vision: bool | None, audio: bool | None, gives: frozenset[str] | None) -> Architecture | UnsetType:
    takes: tuple[str, ...] | UnsetType = UNSET
    if vision is not None or audio:
        takes = ("text", *(["image"] if vision else []), *(["audio"] if audio else []))
    out = UNSET if gives is None else tuple(sorted(gives))
    return UNSET if takes is UNSET and out is UNSET else Architecture(takes, out)


@lru_cache(maxsize=1_024)
def _pricing(prices: Prices) -> Pricing:
    token = _MILLION * _MILLION
    return Pricing(
        prompt=_usd(prices.input, token),
        completion=_usd(prices.output, token),
        input_cache_read=_usd(prices.cached, token),
        input_cache_write=_usd(prices.cache_write, token),
        request=_usd(prices.request, _MILLION),
    )


def _usd(price: int | None, parts: int) -> str | UnsetType:
    return UNSET if price is None else format((Decimal(price) / parts).normalize(), "f")


@lru_cache(maxsize=64)
def _parameters(*, tools: bool | None, json_schema: bool | None, thinking: bool | None) -> tuple[str, ...] | UnsetType:
    if tools is None:
        return UNSET  # a list without tools says that there are none
    told = ((tools, _TOOLS), (json_schema, _SCHEMA), (thinking, _THINKING))
    return tuple(name for able, names in told if able for name in names)
