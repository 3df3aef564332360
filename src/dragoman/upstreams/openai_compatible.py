"""Any server that speaks OpenAI's dialect: OpenAI itself, vLLM, llama.cpp, Poe, DashScope, OpenRouter, Groq, …"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.dialects import outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners, Transport, nobody_knows

ENDPOINTS = {
    "chat": ("openai_chat",),
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


class Options(Struct, frozen=True):
    """How one such server differs from the others."""

    key: str = ""
    """Sent as a bearer token when there is one."""
    endpoints: Sequence[str] = ("chat",)
    patience: Patience = Patience()
    plain_first: float | None = None
    """Seconds to the first byte of a plain answer; None: only the total counts."""
    can: Callable[[str], Capabilities] = nobody_knows
    """What is known of a model."""


def build(name: str, transport: Transport, clock: Clock, options: Options) -> HttpUpstream:
    """Return the upstream `name`."""
    names = [name for endpoint, names in ENDPOINTS.items() if endpoint in options.endpoints for name in names]
    dialects = [outbound(name) for name in names]
    manners = Manners(dialects, write_headers(options.key), options.patience, options.plain_first, options.can)
    return HttpUpstream(name, transport, manners, clock)


def write_headers(key: str) -> bytes:
    """Return the header lines of every request, but for the type of its body."""
    lines = b"accept: application/json, text/event-stream\r\n"
    return lines + b"authorization: Bearer " + key.encode() + b"\r\n" if key else lines
