"""What an upstream of Ollama's cannot be told, and which fields of others it knows. Source: Ollama API 0.33, 2026."""

from __future__ import annotations

from dragoman.core.loss import Terms
from dragoman.core.message import Sampling
from dragoman.dialects.ollama.schema import EMBED, EMBEDDINGS, GENERATE
from dragoman.dialects.ollama.words import WORDS

_BYTES = "Ollama takes the bytes of a picture, not its address"
_NO_MEDIA = "Ollama takes pictures only"
_NO_FIELD = "Ollama has no field for it"
_NO_SAMPLING = "nothing is sampled when a vector is made"
_OWN = frozenset({"keep_alive", "truncate", "shift", *(name for name in WORDS.reasons if name.startswith("options."))})
"""Fields that mean the same at all of Ollama's endpoints."""

CHAT_TERMS = Terms(
    cannot={
        "logit_bias": _NO_FIELD,
        "n": "Ollama gives one answer",
        "user": _NO_FIELD,
        "metadata": _NO_FIELD,
        "name": _NO_FIELD,
        "budget": "told as an effort, for Ollama counts no tokens of reasoning",
        "parallel_tools": "Ollama's models decide how many tools they call",
        "tool_choice": "Ollama's models decide whether they call a tool",
        "strict_tools": "Ollama holds no tool to its schema",
        "linked_image": _BYTES,
        "audio": _NO_MEDIA,
        "video": _NO_MEDIA,
        "file": _NO_MEDIA,
        "signature": "Ollama has no place for the proof of earlier reasoning",
    },
    kin={GENERATE: _OWN, "openai_chat": frozenset({"keep_alive"})},
)
"""Of a chat."""
_NOTHING_SAMPLED = {**dict.fromkeys(Sampling.__struct_fields__, _NO_SAMPLING), "user": _NO_FIELD}
EMBED_TERMS = Terms(_NOTHING_SAMPLED, {EMBEDDINGS: _OWN})
"""Of texts that become vectors."""
SINGLE_TERMS = Terms({**_NOTHING_SAMPLED, "dimensions": _NO_FIELD}, {EMBED: _OWN})
"""Of a text that becomes a vector, the older way."""
