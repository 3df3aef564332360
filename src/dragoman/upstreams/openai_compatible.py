"""Any server that speaks OpenAI's dialect: OpenAI itself, vLLM, llama.cpp, OpenRouter, Groq, …"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dragoman.core.ports import Outbound
from dragoman.dialects import outbound
from dragoman.upstreams.catalogue import read_models
from dragoman.upstreams.connector import CATALOGUE_PATIENCE, Connector, Wiring
from dragoman.upstreams.learning import learn_quirks

ENDPOINTS = {
    "chat": ("openai_chat",),
    "responses": ("openai_responses",),
    "completions": ("openai_completions",),
    "embeddings": ("openai_embeddings",),
    "images": ("openai_images", "openai_image_edits", "openai_image_variations"),
    "videos": ("openai_videos",),
    "audio": (
        "openai_speech",
        "openai_speech_events",
        "openai_transcriptions",
        "openai_transcription_text",
        "openai_translations",
        "openai_translation_text",
    ),
    "moderations": ("openai_moderations",),
}
"""The endpoints such a server may have → the dialects that speak to each; of one task the first serves all."""
ACCEPT = b"accept: application/json, text/event-stream\r\n"


def build(wiring: Wiring, endpoints: Sequence[str] = ("chat",)) -> Connector:
    """Return an upstream that has these of OpenAI's endpoints."""
    keys = write_bearer(wiring.keys)
    learn = partial(learn_quirks, wiring.catalogue)
    http = wiring.speak(list_dialects(endpoints), headers=ACCEPT, keys=keys, learn=learn)
    key = b"".join(keys[:1])
    read = partial(read_models, wiring.transport, ACCEPT + wiring.headers + key, CATALOGUE_PATIENCE)
    return Connector(http, http.ask_model, read)


def list_dialects(endpoints: Sequence[str]) -> list[Outbound]:
    """Return the dialects that speak to `endpoints`."""
    return [outbound(name) for endpoint, names in ENDPOINTS.items() if endpoint in endpoints for name in names]


def write_bearer(keys: Sequence[str]) -> list[bytes]:
    """Return a header line with a bearer token for each key."""
    return [b"authorization: Bearer %b\r\n" % key.encode() for key in keys]
