"""The list of models as OpenAI-compatible servers write it, and what the more talkative of them tell of each.

OpenAI itself tells a name and a date. Where others tell the same thing in different words, the first word that is there
counts; what is told in no word is not known. Nothing in an entry but a wrong `id` makes a model go missing.
Sources: OpenRouter and Poe `GET /v1/models`, vLLM, Groq and Mistral API references, 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TypeGuard

import msgspec
from msgspec import Raw, Struct

from dragoman.core.capabilities import Capabilities, Prices
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.wire.json import repair_text

Said = Mapping[str, object]
"""What a server says of one model."""

_LAST_DAY = 253_402_300_799
"""The end of the year 9999, after which no date can be written."""
_MILLISECONDS = 100_000_000_000
"""Above it, a time is in milliseconds: in seconds it would be the year 5138."""
_CONTEXT = ("context_length", "context_window", "max_model_len", "max_context_length")
_OUTPUT = ("max_completion_tokens", "max_output_tokens")
_MILLION = 1_000_000
_MOST = 10**15
"""Micro-USD for a million tokens; more is a mistake."""
_EMBEDDINGS = frozenset({"embedding", "embeddings"})


class Model(Struct, frozen=True, gc=False):
    """One model of a catalogue."""

    id: str
    created: int = 0
    """Seconds since the Unix epoch; 0 when unknown."""
    can: Capabilities = Capabilities()
    name: str = ""
    """What people call it, empty when that is the id."""
    quirks: Quirks = NO_QUIRKS
    """How it has to be spoken to."""


Tell = Callable[[Model, Said], Model]
"""Adds to a model what only servers of one kind say of it."""


class _List(Struct):
    data: list[Raw]


class _Named(Struct):
    id: str


_list = msgspec.json.Decoder(_List)
_named = msgspec.json.Decoder(_Named)
_entry = msgspec.json.Decoder(dict[str, object])


def as_read(model: Model, said: Said) -> Model:
    """Return a model as every server tells of it."""
    return model


def parse_models(body: bytes, tell: Tell = as_read) -> list[Model]:
    """Read the list; entries that are no models are left out, a body that is no list raises `UpstreamInvalid`."""
    return list(read_each(body, tell))


def read_each(body: bytes, tell: Tell = as_read) -> Iterator[Model]:
    """Do the same model by model, so that whoever reads a long list can do something else in between."""
    for entry in _cut(body):
        model = _read_entry(repair_text(bytes(entry)), tell)
        if model is not None:
            yield model


def _cut(body: bytes) -> list[Raw]:
    """Return the entries, each as it was sent: a list of ten thousand is not looked at as a whole."""
    try:
        return _list.decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # what is wrong may be text that can be repaired
    try:
        return _list.decode(repair_text(body)).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamInvalid(detail="the catalogue is not a list of models") from None


def list_words(said: Said, name: str) -> list[str]:
    """Return the texts in the list `name`, in its order; none where it is no list."""
    value = said.get(name)
    return [word for word in value if isinstance(word, str)] if _is_list(value) else []


def list_objects(said: Said, name: str) -> list[Said]:
    """Return the objects in the list `name`, in its order; none where it is no list."""
    value = said.get(name)
    return [item for item in value if _is_object(item)] if _is_list(value) else []


def find_object(said: Said, name: str) -> Said:
    """Return the object `name`, an empty one where there is none."""
    value = said.get(name)
    return value if _is_object(value) else {}


def find_text(said: Said, name: str) -> str:
    """Return the text `name`, an empty one where there is none."""
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _read_entry(raw: bytes, tell: Tell) -> Model | None:
    try:
        model = _named.decode(raw).id
    except (msgspec.DecodeError, RecursionError):
        return None
    try:
        said = _entry.decode(raw)
    except (msgspec.DecodeError, RecursionError):  # a number too large for a float, say
        said = {}
    name = find_text(said, "name") or find_text(find_object(said, "metadata"), "display_name")
    created, can = _read_time(said.get("created")), _read_capabilities(said)
    return tell(Model(model, created, can, name), said) if model else None


def _read_capabilities(said: Said) -> Capabilities:
    takes = _words(find_object(said, "architecture"), "input_modalities")
    gives = _words(find_object(said, "architecture"), "output_modalities")
    features = _words(said, "supported_parameters") or _words(said, "supported_features")
    reasoning = find_object(said, "reasoning")
    own = find_object(said, "capabilities")
    window, provider = find_object(said, "context_window"), find_object(said, "top_provider")
    return Capabilities(
        tools=_flag(own, "function_calling", otherwise="tools" in features if features else None),
        vision=_flag(own, "vision", otherwise="image" in takes if takes else None),
        audio="audio" in takes if takes else None,
        thinking=True if reasoning or "reasoning" in features else None,
        json_schema=True if "structured_outputs" in features else None,
        gives=gives or None,
        embedding=_gives_vectors(said, gives),
        context=_count(said, *_CONTEXT) or _count(window, *_CONTEXT) or _count(find_object(said, "meta"), "n_ctx"),
        output=_count(provider, *_OUTPUT) or _count(window, *_OUTPUT) or _count(said, *_OUTPUT),
        prices=_read_prices(find_object(said, "pricing")),
    )


def _read_prices(said: Said) -> Prices | None:
    """Read prices in USD for a single token, decimal strings, as OpenRouter and Poe tell them."""
    prices = Prices(
        input=_price(said, "prompt", _MILLION),
        output=_price(said, "completion", _MILLION),
        cached=_price(said, "input_cache_read", _MILLION),
        cache_write=_price(said, "input_cache_write", _MILLION),
        request=_price(said, "request", 1),
    )
    return None if prices == Prices() else prices


def _price(said: Said, name: str, many: int) -> int | None:
    """Return micro-USD for so `many`; None for what is no price, a negative one (it depends) included."""
    value = said.get(name)
    try:
        price = Decimal(value if isinstance(value, str) else str(value)) * many * _MILLION
    except ArithmeticError:
        return None
    return round(price) if price.is_finite() and 0 <= price < _MOST else None


def _gives_vectors(said: Said, gives: frozenset[str]) -> bool | None:
    """Tell whether a model is for embeddings; a server that lists none of them says nothing."""
    return True if (gives and gives <= _EMBEDDINGS) or find_text(said, "type") in _EMBEDDINGS else None


def _read_time(value: object) -> int:
    """Return a time in seconds; 0 for what is none (some servers write a date, the model is there all the same)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    seconds = value / 1000 if value > _MILLISECONDS else value
    return int(seconds) if 0 < seconds <= _LAST_DAY else 0


def _flag(said: Said, name: str, *, otherwise: bool | None) -> bool | None:
    value = said.get(name)
    return value if isinstance(value, bool) else otherwise


def _words(said: Said, name: str) -> frozenset[str]:
    return frozenset(list_words(said, name))


def _count(said: Said, *names: str) -> int | None:
    """Return the first of several numbers that says something."""
    for name in names:
        value = said.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _is_object(value: object) -> TypeGuard[Said]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
