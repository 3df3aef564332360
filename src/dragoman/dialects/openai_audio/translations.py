"""``POST /audio/translations``: what is said in a sound, in English, both sides."""

from __future__ import annotations

from functools import partial

from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects.openai_audio.hearing import read_hearing
from dragoman.dialects.openai_audio.schema import TRANSLATION_TEXT, TRANSLATIONS
from dragoman.dialects.openai_audio.transcript import make_reader, make_writer, read_json_reply, write_reply
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import no_json, no_translation, patch_media

INBOUND = Inbound(
    name=TRANSLATIONS,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=no_json,
    writer=partial(make_writer, TRANSLATIONS),
    write_reply=write_reply,
    write_error=write_error,
    read_form=partial(read_hearing, (TRANSLATIONS, TRANSLATION_TEXT)),
)
OUTBOUND = Outbound(
    name=TRANSLATIONS,
    path=b"/audio/translations",
    id_prefix="",
    patch_request=patch_media,
    write_request=no_translation,
    reader=partial(make_reader, TRANSLATIONS),
    read_reply=partial(read_json_reply, TRANSLATIONS),
    read_error=read_error,
    task="transcription",
)
