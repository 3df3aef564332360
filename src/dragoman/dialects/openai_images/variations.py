"""``POST /images/variations``: variations of a picture, both sides."""

from __future__ import annotations

from functools import partial

from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_images.answer import read_reply, write_reply
from dragoman.dialects.openai_images.request import read_variation_form
from dragoman.dialects.openai_media import no_json, no_reader, no_stream, no_translation, patch_media

NAME = "openai_image_variations"

INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=no_json,
    writer=no_stream,
    write_reply=partial(write_reply, NAME),
    write_error=write_error,
    read_form=read_variation_form,
)
OUTBOUND = Outbound(
    name=NAME,
    path=b"/images/variations",
    id_prefix="",
    patch_request=patch_media,
    write_request=no_translation,
    reader=no_reader,
    read_reply=partial(read_reply, NAME),
    read_error=read_error,
    task="image",
)
