"""Transcripts, whole and streamed, read and written: JSON, plain text and subtitles."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.dialects.openai_audio import schema as wire
from dragoman.dialects.openai_audio.schema import LANGUAGE, SEGMENT, WORD, Span
from dragoman.dialects.openai_events import EventReader, EventWriter, write_event
from dragoman.dialects.openai_media import read_answer, read_usage
from dragoman.wire.json import encode, is_utf8

_TEXT, _DONE = "transcript.text.delta", "transcript.text.done"
_ENGLISH = "english"


class _Whole(Struct):
    """What is read of a whole transcript; the rest is passed on."""

    text: str


class _Event(Struct):
    """What is read of an event."""

    delta: str = ""
    text: str = ""


_whole = msgspec.json.Decoder(_Whole)
_event = msgspec.json.Decoder(_Event)
_span = msgspec.json.Decoder(Span)
_text = msgspec.json.Decoder(str | None)
_texts = msgspec.json.Decoder(list[str])


def read_json_reply(dialect: str, body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole transcript; raises `UpstreamError`."""
    whole, body = read_answer(_whole, body)
    return Burst([fallback, *_said(whole.text), ev.Finish("stop"), *read_usage(body)], body, dialect)


def read_text_reply(dialect: str, body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole transcript that is text or subtitles; silence is an empty one."""
    if not is_utf8(body):
        body = body.decode("utf-8", "replace").encode()
    return Burst([fallback, *_said(body.decode()), ev.Finish("stop")], body, dialect)


def make_reader(dialect: str, start: ev.Start, wanted: int) -> EventReader:
    """Return a reader of one stream."""
    return EventReader(dialect, _Sayer().say, start)


def make_writer(dialect: str, call: Call) -> EventWriter:
    """Return a writer of one stream."""
    return EventWriter(dialect, _Script())


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the upstream's own answer, else one made from its events in the form the client asked for."""
    if burst.raw is not None and burst.dialect == call.dialect:
        return burst.raw
    text = "".join([event.text for event in burst.events if isinstance(event, ev.Text)])
    notes = [event for event in burst.events if isinstance(event, ev.Note)]
    segments = [_span.decode(note.text) for note in notes if note.kind == SEGMENT]
    match read_format(call):
        case "text":
            return text.encode() + b"\n"
        case "srt":
            return _write_srt(segments).encode()
        case "vtt":
            return _write_vtt(segments).encode()
        case "verbose_json":
            return encode(_write_verbose(call, text, segments, notes))
        case _:
            usage = next((event for event in burst.events if isinstance(event, ev.Usage)), None)
            return encode(wire.Transcript(text, usage=_write_usage(usage)))


def read_format(call: Call) -> str:
    """Return the form of transcript that a client asks for."""
    raw = call.fields.get("response_format")
    return (_text.decode(raw) if raw is not None else None) or "json"


class _Sayer:
    """Says what the events of one stream mean."""

    def __init__(self) -> None:
        self._said = False

    def say(self, kind: str, data: bytes) -> list[ev.Event]:
        if kind == _TEXT:
            said = _said(_event.decode(data).delta)
            self._said = self._said or bool(said)
            return said
        if kind == _DONE:
            text = _event.decode(data).text
            return [*([] if self._said else _said(text)), ev.Finish("stop"), *read_usage(data)]
        return [ev.Note(kind, "")]


class _Script:
    """Writes pieces of a transcript, and at the end the whole of it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._usage: ev.Usage | None = None

    def say(self, event: ev.Event) -> bytes:
        match event:
            case ev.Text():
                self._pieces.append(event.text)
                return write_event(wire.TextDelta(event.text), _TEXT)
            case ev.Usage():
                self._usage = event
            case _:
                pass
        return b""

    def last(self) -> bytes:
        return write_event(wire.TextDone("".join(self._pieces), _write_usage(self._usage)), _DONE)


def _said(text: str) -> list[ev.Event]:
    return [ev.Text(text)] if text else []


def _write_usage(usage: ev.Usage | None) -> wire.Usage | UnsetType:
    if usage is None:
        return UNSET
    return wire.Usage(usage.prompt, usage.completion, usage.prompt + usage.completion, "tokens")


def _write_verbose(call: Call, text: str, spans: Sequence[Span], notes: Sequence[ev.Note]) -> wire.Transcript:
    duration = spans[-1].end if spans else 0.0
    language = next((note.text for note in notes if note.kind == LANGUAGE), _ENGLISH)
    whole = wire.Transcript(text, language, duration, usage=wire.Seconds(duration))
    asked = _texts.decode(call.fields["timestamp_granularities"]) if "timestamp_granularities" in call.fields else []
    if "segment" in asked or not asked:
        whole.segments = [wire.Segment(number, one.start, one.end, one.text) for number, one in enumerate(spans)]
    if "word" in asked:
        words = [_span.decode(note.text) for note in notes if note.kind == WORD]
        whole.words = [wire.Word(one.text, one.start, one.end) for one in words]
    return whole


def _write_srt(spans: Sequence[Span]) -> str:
    return "".join(
        [
            f"{number}\n{_time(one.start, ',')} --> {_time(one.end, ',')}\n{one.text}\n\n"
            for number, one in enumerate(spans, 1)
        ]
    )


def _write_vtt(spans: Sequence[Span]) -> str:
    return "WEBVTT\n\n" + "".join(
        [f"{_time(one.start, '.')} --> {_time(one.end, '.')}\n{one.text}\n\n" for one in spans]
    )


def _time(seconds: float, point: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"
