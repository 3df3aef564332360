"""``POST /audio/speech``: a text read aloud, both sides. The answer is the sound itself, or a stream of events."""

from __future__ import annotations

from base64 import b64decode

import msgspec

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Words
from dragoman.core.errors import DragomanError, UpstreamIncomplete
from dragoman.core.ports import Inbound, Limits, Outbound, Writer
from dragoman.dialects.openai_audio.schema import EVENTS, SPEECH
from dragoman.dialects.openai_audio.spoken import make_writer, write_reply
from dragoman.dialects.openai_body import NUMBER, TEXT, Kinds, check_kinds, patch_body, read_model
from dragoman.dialects.openai_errors import read_error, write_error
from dragoman.dialects.openai_media import extra_fields, no_translation, read_text
from dragoman.wire.json import read_body

_KINDS: Kinds = {
    "response_format": ("string", TEXT),
    "stream_format": ("string", TEXT),
    "instructions": ("string", TEXT),
    "speed": ("number", NUMBER),
}
_KNOWN = frozenset({"model", "input", "stream_format"})
WORDS = Words(reasons={"response_format": "the model makes sounds in a form of its own"})
_DEFAULT = "audio/mpeg"
_TYPES = {form: f"audio/{form}" for form in ("opus", "aac", "flac", "wav", "pcm")}
"""What the answer is called unless the upstream says otherwise; what is not here is MP3."""
_text = msgspec.json.Decoder(str | None)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take the model from a body; raises `BadRequest` naming the field.

    The sound is always streamed: it goes on to the client as it comes.
    """
    body, fields = read_body(body, limits)
    model = read_model(fields)
    text = read_text(fields, "input")
    check_kinds(fields, _KINDS)
    streamed = bytes(fields.get("stream_format", b"")) == b'"sse"'
    extra = extra_fields(fields, _KNOWN)
    message = msg.Message("user", [msg.Text(text)])
    call = Call(body, SPEECH, model, lambda: [msg.Request(model, [message], stream=True, extra=extra)], stream=True)
    call.fields, call.task, call.words, call.by_value = fields, "speech", WORDS, True
    if streamed:
        call.dialect = EVENTS
    else:
        call.reply_type = _TYPES.get(_text.decode(fields.get("response_format", b"null")) or "", _DEFAULT)
    return call


class SoundReader:
    """Passes on the bytes of a sound, whose end only the connection can tell."""

    def __init__(self, start: ev.Start, wanted: int) -> None:
        self.finished = False
        self.done = False
        self._start: ev.Start | None = start

    def feed(self, data: bytes) -> Burst | None:
        """Return what came as one piece of the sound."""
        sound = ev.Media("audio/*")
        events: list[ev.Event] = [sound] if self._start is None else [self._start, sound]
        self._start = None
        return Burst(events, data, SPEECH)

    def end(self) -> Burst | None:
        """Return that the sound is whole; raises `UpstreamIncomplete` when there was none."""
        if self._start is not None:
            raise UpstreamIncomplete
        return Burst([ev.Finish("stop")], b"", SPEECH)


class SoundWriter:
    """Writes a sound as its bytes; what breaks it, only a cut connection can tell."""

    def write(self, burst: Burst) -> bytes:
        """Return the bytes of `burst`."""
        if burst.raw is not None and burst.dialect == SPEECH:
            return burst.raw
        return b"".join([b64decode(event.data) for event in burst.events if isinstance(event, ev.Media)])

    def end(self) -> bytes:
        """Return nothing: the sound has no end mark."""
        return b""

    def fail(self, error: DragomanError) -> None:
        """Ask for the connection to be cut."""

    def ping(self) -> bytes:
        """Return nothing: whatever is sent is heard."""
        return b""


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Refuse JSON where a sound was asked for; raises what it says that went wrong."""
    raise read_error(500, {}, body)


def _writer(call: Call) -> Writer:
    return SoundWriter() if call.dialect == SPEECH else make_writer(call)


INBOUND = Inbound(
    name=SPEECH,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=_writer,
    write_reply=write_reply,
    write_error=write_error,
)
OUTBOUND = Outbound(
    name=SPEECH,
    path=b"/audio/speech",
    id_prefix="",
    patch_request=patch_body,
    write_request=no_translation,
    reader=SoundReader,
    read_reply=read_reply,
    read_error=read_error,
    task="speech",
    stream_type="",
)
