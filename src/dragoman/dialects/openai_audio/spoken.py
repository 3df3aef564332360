"""Speech as a stream of named events, both sides: the same request as for the sound itself, another answer."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.ports import Outbound
from dragoman.dialects.openai_audio.schema import EVENTS, SpeechDelta, SpeechDone, Usage
from dragoman.dialects.openai_body import patch_body
from dragoman.dialects.openai_errors import read_error
from dragoman.dialects.openai_events import EventReader, EventWriter, write_event
from dragoman.dialects.openai_media import no_translation, read_usage


class _Delta(Struct):
    audio: str


_delta = msgspec.json.Decoder(_Delta)


def make_reader(start: ev.Start, wanted: int) -> EventReader:
    """Return a reader of one stream."""
    return EventReader(EVENTS, _say, start)


def make_writer(call: Call) -> EventWriter:
    """Return a writer of one stream."""
    return EventWriter(EVENTS, _Script())


def write_reply(call: Call, burst: Burst) -> bytes:
    """Write nothing: speech is always streamed."""
    raise UpstreamInvalid(detail="speech that is no stream")


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Refuse JSON where a stream was asked for; raises what it says that went wrong."""
    raise read_error(500, {}, body)


def _say(kind: str, data: bytes) -> list[ev.Event]:
    if kind == "speech.audio.delta":
        return [ev.Media("audio/*", _delta.decode(data).audio)]
    if kind == "speech.audio.done":
        return [ev.Finish("stop"), *read_usage(data)]
    return [ev.Note(kind, "")]


class _Script:
    """Writes pieces of a sound, and at the end what they cost."""

    def __init__(self) -> None:
        self._usage = ev.Usage(0, 0)

    def say(self, event: ev.Event) -> bytes:
        if isinstance(event, ev.Usage):
            self._usage = event
        if isinstance(event, ev.Media):
            delta = SpeechDelta(event.data)
            return write_event(delta, delta.type)
        return b""

    def last(self) -> bytes:
        usage = self._usage
        done = SpeechDone(Usage(usage.prompt, usage.completion, usage.prompt + usage.completion))
        return write_event(done, done.type)


OUTBOUND = Outbound(
    name=EVENTS,
    path=b"/audio/speech",
    id_prefix="",
    patch_request=patch_body,
    write_request=no_translation,
    reader=make_reader,
    read_reply=read_reply,
    read_error=read_error,
    task="speech",
)
