"""``POST /images/edits``: pictures made from others, both sides."""

from __future__ import annotations

from functools import partial

from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_images.answer import make_reader, make_writer, read_reply, write_reply
from dragoman.dialects.openai_images.request import read_edit, read_edit_form
from dragoman.dialects.openai_media import no_translation, patch_media

NAME = "openai_image_edits"
STEM = "image_edit"
INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_edit,
    writer=partial(make_writer, NAME, STEM),
    write_reply=partial(write_reply, NAME),
    write_error=write_error,
    read_form=read_edit_form,
)
OUTBOUND = Outbound(
    name=NAME,
    path=b"/images/edits",
    id_prefix="",
    patch_request=patch_media,
    write_request=no_translation,
    reader=partial(make_reader, NAME),
    read_reply=partial(read_reply, NAME),
    read_error=read_error,
    task="image",
)
