"""``POST /audio/translations``, its upstream side where plain text or subtitles are asked for."""

from __future__ import annotations

from functools import partial

from dragoman.core.ports import Outbound
from dragoman.dialects.openai_audio.schema import TRANSLATION_TEXT
from dragoman.dialects.openai_audio.transcript import read_text_reply
from dragoman.dialects.openai_errors import read_error
from dragoman.dialects.openai_media import no_reader, no_translation, patch_media

OUTBOUND = Outbound(
    name=TRANSLATION_TEXT,
    path=b"/audio/translations",
    id_prefix="",
    patch_request=patch_media,
    write_request=no_translation,
    reader=no_reader,
    read_reply=partial(read_text_reply, TRANSLATION_TEXT),
    read_error=read_error,
    task="transcription",
    stream_type="",
)
