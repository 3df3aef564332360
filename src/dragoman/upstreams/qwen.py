"""Qwen on DashScope: OpenAI's dialect with switches of its own.

Models that reason do so in a stream alone: asked for a plain answer most of them refuse ("parameter.enable_thinking
only support stream call"), and the open ones reason unless they are told not to. So all that may reason are asked for
streams, which are read to their end for who wants a plain answer. There are three sorts: hybrid models reason when
`enable_thinking` is true, thinkers always do and have no switch, the others never do.
Sources: Alibaba Model Studio, pages "Deep thinking", "OpenAI compatible - Chat", "Error codes", 2026.
"""

from __future__ import annotations

from msgspec import structs

from dragoman.core.capabilities import Capabilities
from dragoman.core.quirks import Quirks
from dragoman.upstreams import openai_compatible
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.lore import Lore, Preset, know, lay_capabilities, lay_quirks
from dragoman.upstreams.shipped import FAMILIES

ENDPOINTS = ("chat", "embeddings")
MODELS = ("qwen3-max", "qwen-max", "qwen-plus", "qwen-turbo")
"""What it serves whatever its list says: that it has one in every region is nowhere written."""
_PLAIN = Quirks(developer_role=False, effort="", sampling={"top_k": "top_k", "repeat_penalty": "repetition_penalty"})
_HYBRID = structs.replace(_PLAIN, switch="enable_thinking", budget="thinking_budget", streams_only=True)
_THINKER = structs.replace(_PLAIN, streams_only=True, lacks={"no_effort": "the model always reasons"})
_THINKERS = ("qwq", "qvq")
_THINKING = "-thinking"
"""What the name of a model contains that always reasons."""
_NO_THINKING = ("-instruct", "-coder")
"""What the names of models contain that never do."""
_HYBRIDS = ("qwen3", "qwen-plus", "qwen-flash", "qwen-turbo")
_NEVER = ("qwen-max",)
_know_family = know(Preset(), FAMILIES)


def build(wiring: Wiring) -> Connector:
    """Return an upstream that is DashScope's compatible mode."""
    return openai_compatible.build(wiring, ENDPOINTS)


def complete(model: Model) -> Model:
    """Return a model with what is known of its sort and its family."""
    quirks, thinking = _find_sort(model.id.lower())
    can = lay_capabilities(model.can, Capabilities(thinking=thinking))
    return _know_family(structs.replace(model, can=can, quirks=lay_quirks(model.quirks, quirks)))


def _find_sort(name: str) -> tuple[Quirks, bool | None]:
    """Return how a model has to be spoken to, and whether it reasons."""
    if name.startswith(_THINKERS) or _THINKING in name:
        return _THINKER, True
    if name.startswith(_NEVER) or any(mark in name for mark in _NO_THINKING):
        return _PLAIN, False
    return (_HYBRID, True) if name.startswith(_HYBRIDS) else (_PLAIN, None)


LORE = Lore(complete, [Model(name) for name in MODELS])
