"""Forms with a recording whose words are wanted, read into the hub."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.ports import Limits
from dragoman.dialects.openai_audio.transcript import read_format
from dragoman.dialects.openai_body import FLAG, NUMBER, TEXT, Kinds, is_true, missing, read_model
from dragoman.dialects.openai_media import extra_fields, find_files, read_form_fields
from dragoman.wire.multipart import Form, read_form

KINDS: Kinds = {
    "response_format": ("string", TEXT),
    "language": ("string", TEXT),
    "prompt": ("string", TEXT),
    "temperature": ("number", NUMBER),
    "stream": ("boolean", FLAG),
}
_KNOWN = frozenset({"model", "file", "stream", "prompt"})
_TEXT_FORMATS = frozenset({"text", "srt", "vtt"})
_text = msgspec.json.Decoder(str | None)


def read_hearing(names: tuple[str, str], body: bytes, kind: str, limits: Limits) -> Call:
    """Take model and stream from a form; raises `BadRequest` naming the field.

    `names`: the dialect for answers that are JSON or a stream, and the one for plain text.
    """
    form = read_form(body, kind)
    fields = read_form_fields(form, KINDS)
    model = read_model(fields)
    if not find_files(form, "file"):
        raise missing("file")
    call = Call(body, names[0], model, lambda: [_read_request(call, form)], stream=is_true(fields, "stream"))
    call.fields, call.task, call.media_type = fields, "transcription", kind
    if read_format(call) in _TEXT_FORMATS and not call.stream:
        call.dialect = names[1]
        call.reply_type = "text/plain; charset=utf-8"
    return call


def _read_request(call: Call, form: Form) -> msg.Request:
    file = find_files(form, "file")[0]
    extension = (file.file or "").rpartition(".")[2].lower()
    parts: list[msg.Part] = [msg.Audio(b64encode(form.data(file)).decode(), extension)]
    if "prompt" in call.fields and (prompt := _text.decode(call.fields["prompt"])):
        parts.append(msg.Text(prompt))
    extra = extra_fields(call.fields, _KNOWN)
    return msg.Request(call.model, [msg.Message("user", parts)], stream=call.stream, extra=extra)
