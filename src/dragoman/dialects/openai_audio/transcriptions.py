"""``POST /audio/transcriptions``: what is said in a sound, in its own language, both sides."""

from __future__ import annotations

from functools import partial

from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects.openai_audio.hearing import read_hearing
from dragoman.dialects.openai_audio.schema import TRANSCRIPTION_TEXT, TRANSCRIPTIONS
from dragoman.dialects.openai_audio.transcript import make_reader, make_writer, read_json_reply, write_reply
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import no_json, no_translation, patch_media

INBOUND = Inbound(
    name=TRANSCRIPTIONS,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=no_json,
    writer=partial(make_writer, TRANSCRIPTIONS),
    write_reply=write_reply,
    write_error=write_error,
    read_form=partial(read_hearing, (TRANSCRIPTIONS, TRANSCRIPTION_TEXT)),
)
OUTBOUND = Outbound(
    name=TRANSCRIPTIONS,
    path=b"/audio/transcriptions",
    id_prefix="",
    patch_request=patch_media,
    write_request=no_translation,
    reader=partial(make_reader, TRANSCRIPTIONS),
    read_reply=partial(read_json_reply, TRANSCRIPTIONS),
    read_error=read_error,
    task="transcription",
)
