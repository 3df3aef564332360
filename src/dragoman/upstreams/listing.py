"""The list of models as OpenAI-compatible servers write it, and what the more talkative of them tell of each.

OpenAI itself tells a name and a date. Where others tell the same thing in different words, the first word that is there
counts; what is told in no word is not known. Nothing in an entry but a wrong `id` makes a model go missing.
Sources: OpenRouter and Poe `GET /v1/models`, vLLM, Groq and Mistral API references, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import msgspec
from msgspec import Raw, Struct

from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import UpstreamInvalid
from dragoman.wire.json import repair_text

Said = Mapping[str, object]
"""What a server says of one model."""

_LAST_DAY = 253_402_300_799
"""The end of the year 9999, after which no date can be written."""
_MILLISECONDS = 100_000_000_000
"""Above it, a time is in milliseconds: in seconds it would be the year 5138."""
_CONTEXT = ("context_length", "context_window", "max_model_len", "max_context_length")
_OUTPUT = ("max_completion_tokens", "max_output_tokens")
_EMBEDDINGS = frozenset({"embedding", "embeddings"})


class Model(Struct, frozen=True):
    """One model of a catalogue."""

    id: str
    created: int = 0
    """Seconds since the Unix epoch; 0 when unknown."""
    can: Capabilities = Capabilities()
    name: str = ""
    """What people call it, empty when that is the id."""


class _List(Struct):
    data: list[Raw]


class _Named(Struct):
    id: str


_list = msgspec.json.Decoder(_List)
_named = msgspec.json.Decoder(_Named)
_entry = msgspec.json.Decoder(dict[str, object])


def parse_models(body: bytes) -> list[Model]:
    """Read the list; entries that are no models are left out, a body that is no list raises `UpstreamInvalid`."""
    try:
        entries = _list.decode(repair_text(body)).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamInvalid(detail="the catalogue is not a list of models") from None
    models = [_read_entry(entry) for entry in entries]
    return [model for model in models if model is not None]


def _read_entry(raw: Raw) -> Model | None:
    try:
        model = _named.decode(raw).id
    except (msgspec.DecodeError, RecursionError):
        return None
    try:
        said = _entry.decode(raw)
    except (msgspec.DecodeError, RecursionError):  # a number too large for a float, say
        said = {}
    name = _text(said, "name") or _text(_inner(said, "metadata"), "display_name")
    return Model(model, _read_time(said.get("created")), _read_capabilities(said), name) if model else None


def _read_capabilities(said: Said) -> Capabilities:
    takes = _words(_inner(said, "architecture"), "input_modalities")
    gives = _words(_inner(said, "architecture"), "output_modalities")
    features = _words(said, "supported_parameters") or _words(said, "supported_features")
    reasoning = _inner(said, "reasoning")
    own = _inner(said, "capabilities")
    window, provider = _inner(said, "context_window"), _inner(said, "top_provider")
    return Capabilities(
        tools=_flag(own, "function_calling", otherwise="tools" in features if features else None),
        vision=_flag(own, "vision", otherwise="image" in takes if takes else None),
        audio="audio" in takes if takes else None,
        thinking=True if reasoning or "reasoning" in features else None,
        embedding=_gives_vectors(said, gives),
        context=_count(said, *_CONTEXT) or _count(window, *_CONTEXT),
        output=_count(provider, *_OUTPUT) or _count(window, *_OUTPUT) or _count(said, *_OUTPUT),
    )


def _gives_vectors(said: Said, gives: frozenset[str]) -> bool | None:
    """Tell whether a model is for embeddings; a server that lists none of them says nothing."""
    return True if (gives and gives <= _EMBEDDINGS) or _text(said, "type") in _EMBEDDINGS else None


def _read_time(value: object) -> int:
    """Return a time in seconds; 0 for what is none (some servers write a date, the model is there all the same)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    seconds = value / 1000 if value > _MILLISECONDS else value
    return int(seconds) if 0 < seconds <= _LAST_DAY else 0


def _text(said: Said, name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _inner(said: Said, name: str) -> Said:
    value = said.get(name)
    return value if _is_object(value) else {}


def _flag(said: Said, name: str, *, otherwise: bool | None) -> bool | None:
    value = said.get(name)
    return value if isinstance(value, bool) else otherwise


def _words(said: Said, name: str) -> frozenset[str]:
    value = said.get(name)
    return frozenset(word for word in value if isinstance(word, str)) if _is_list(value) else frozenset()


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
