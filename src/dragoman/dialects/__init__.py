"""Floor 2: the wire formats, a folder each; nothing here does I/O.

Registration is one line in `INBOUND` (faces clients) or `OUTBOUND` (faces upstreams): name → module and attribute.
"""

from __future__ import annotations

from importlib import import_module

from dragoman.core.ports import Inbound, Outbound

INBOUND = {
    "anthropic_messages": "dragoman.dialects.anthropic_messages.inbound",
    "anthropic_tokens": "dragoman.dialects.anthropic_messages.tokens",
    "ollama_chat": "dragoman.dialects.ollama.chat",
    "ollama_embed": "dragoman.dialects.ollama.embed",
    "ollama_embeddings": "dragoman.dialects.ollama.embeddings",
    "ollama_generate": "dragoman.dialects.ollama.generate",
    "openai_chat": "dragoman.dialects.openai_chat.inbound",
    "openai_completions": "dragoman.dialects.openai_completions.inbound",
    "openai_embeddings": "dragoman.dialects.openai_embeddings",
    "openai_image_edits": "dragoman.dialects.openai_images.edits",
    "openai_image_variations": "dragoman.dialects.openai_images.variations",
    "openai_images": "dragoman.dialects.openai_images.generations",
    "openai_moderations": "dragoman.dialects.openai_moderations",
    "openai_responses": "dragoman.dialects.openai_responses.inbound",
    "openai_speech": "dragoman.dialects.openai_audio.speech",
    "openai_transcriptions": "dragoman.dialects.openai_audio.transcriptions",
    "openai_translations": "dragoman.dialects.openai_audio.translations",
    "openai_videos": "dragoman.dialects.openai_videos",
}
OUTBOUND = {
    "anthropic_messages": "dragoman.dialects.anthropic_messages.outbound",
    "ollama_chat": "dragoman.dialects.ollama.chat",
    "ollama_embed": "dragoman.dialects.ollama.embed",
    "ollama_embeddings": "dragoman.dialects.ollama.embeddings",
    "ollama_generate": "dragoman.dialects.ollama.generate",
    "openai_chat": "dragoman.dialects.openai_chat.outbound",
    "openai_completions": "dragoman.dialects.openai_completions.outbound",
    "openai_embeddings": "dragoman.dialects.openai_embeddings",
    "openai_image_edits": "dragoman.dialects.openai_images.edits",
    "openai_image_variations": "dragoman.dialects.openai_images.variations",
    "openai_images": "dragoman.dialects.openai_images.generations",
    "openai_moderations": "dragoman.dialects.openai_moderations",
    "openai_responses": "dragoman.dialects.openai_responses.outbound",
    "openai_speech": "dragoman.dialects.openai_audio.speech",
    "openai_speech_events": "dragoman.dialects.openai_audio.spoken",
    "openai_transcription_text": "dragoman.dialects.openai_audio.transcription_text",
    "openai_transcriptions": "dragoman.dialects.openai_audio.transcriptions",
    "openai_translation_text": "dragoman.dialects.openai_audio.translation_text",
    "openai_translations": "dragoman.dialects.openai_audio.translations",
    "openai_videos": "dragoman.dialects.openai_videos",
    "poe_bot": "dragoman.dialects.poe_bot.outbound",
}


def inbound(name: str) -> Inbound:
    """Return the client side of dialect `name`, imported when first asked for."""
    side: Inbound = import_module(INBOUND[name]).INBOUND
    return side


def outbound(name: str) -> Outbound:
    """Return the upstream side of dialect `name`, imported when first asked for."""
    side: Outbound = import_module(OUTBOUND[name]).OUTBOUND
    return side
