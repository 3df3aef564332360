"""Answers with pictures, whole and streamed, read and written."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.ports import Writer
from dragoman.dialects.openai_events import EventReader, EventWriter, write_event
from dragoman.dialects.openai_media import Details, Usage, read_answer, read_usage, write_usage
from dragoman.wire.json import Fields, encode

PARTIAL = "partial_image"
"""Kind of the notes that show an unfinished picture, as base64."""
_SIZE, _QUALITY, _BACKGROUND, _FORMAT = "auto", "auto", "auto", "png"


class Picture(Struct):
    """One picture."""

    b64_json: str | UnsetType | None = UNSET
    url: str | UnsetType | None = UNSET
    revised_prompt: str | UnsetType | None = UNSET


class Pictures(Struct):
    """A whole answer."""

    data: list[Picture]
    created: int = 0
    output_format: str | UnsetType | None = UNSET
    usage: Usage | UnsetType = UNSET


class Shown(Struct):
    """One event of a stream: a picture, or what of it is there so far."""

    type: str
    b64_json: str = ""
    created_at: int = 0
    size: str = _SIZE
    quality: str = _QUALITY
    background: str = _BACKGROUND
    output_format: str = _FORMAT
    partial_image_index: int | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET


class _Whole(Struct):
    """What is read of a whole answer; the rest is passed on."""

    data: list[Picture]
    created: float = 0
    output_format: str | None = None


class _Event(Struct):
    """What is read of an event."""

    b64_json: str = ""
    output_format: str | None = None


_whole = msgspec.json.Decoder(_Whole)
_event = msgspec.json.Decoder(_Event)
_text = msgspec.json.Decoder(str | None)


def read_reply(dialect: str, body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole answer; raises `UpstreamError`."""
    whole, body = read_answer(_whole, body)
    if not whole.data:
        raise UpstreamInvalid(detail="no picture")
    events: list[ev.Event] = [ev.Start("", fallback.model, int(whole.created) or fallback.created)]
    kind = f"image/{whole.output_format or _FORMAT}"
    for number, picture in enumerate(whole.data):
        told = picture.revised_prompt or ""
        extra = Raw(encode({"revised_prompt": told})) if told else UNSET
        events.append(ev.Media(kind, picture.b64_json or "", picture.url or "", number, extra))
        events.append(ev.Finish("stop", number))
    return Burst([*events, *read_usage(body)], body, dialect)


def make_reader(dialect: str, start: ev.Start, wanted: int) -> EventReader:
    """Return a reader of one stream."""
    return EventReader(dialect, _Sayer().say, start, wanted)


def write_reply(dialect: str, call: Call, burst: Burst) -> bytes:
    """Return the upstream's own answer, else one made from its events."""
    if burst.raw is not None and burst.dialect == dialect:
        return burst.raw
    pictures: list[Picture] = []
    whole = Pictures(pictures)
    for event in burst.events:
        match event:
            case ev.Start():
                whole.created = event.created
            case ev.Media():
                pictures.append(_write_picture(event))
                whole.output_format = event.media_type.rpartition("/")[2].replace("*", "") or UNSET
            case ev.Usage():
                whole.usage = _write_usage(event)
            case _:
                pass
    return encode(whole)


def make_writer(dialect: str, stem: str, call: Call) -> Writer:
    """Return a writer of one stream whose events are called `stem` and what they are."""
    return EventWriter(dialect, _Script(stem, call))


class _Sayer:
    """Says what the events of one stream mean."""

    def __init__(self) -> None:
        self._choice = 0

    def say(self, kind: str, data: bytes) -> list[ev.Event]:
        what = kind.partition(".")[2]
        if what == "partial_image":
            return [ev.Note(PARTIAL, _event.decode(data).b64_json)]
        if what != "completed":
            return [ev.Note(kind, "")]
        event = _event.decode(data)
        number = self._choice
        self._choice += 1
        media = ev.Media(f"image/{event.output_format or _FORMAT}", event.b64_json, choice=number)
        return [media, ev.Finish("stop", number), *read_usage(data)]


class _Script:
    """Writes what is said as events of a stream; the finished pictures wait until all is told."""

    def __init__(self, stem: str, call: Call) -> None:
        self._stem = stem
        self._fields = call.fields
        self._created = 0
        self._partial = 0
        self._pictures: list[ev.Media] = []
        self._usage = ev.Usage(0, 0)

    def say(self, event: ev.Event) -> bytes:
        match event:
            case ev.Start():
                self._created = event.created
            case ev.Note(kind="partial_image"):
                shown = self._show("partial_image", event.text)
                shown.partial_image_index = self._partial
                self._partial += 1
                return write_event(shown, shown.type)
            case ev.Media():
                self._pictures.append(event)
            case ev.Usage():
                self._usage = event
            case _:
                pass
        return b""

    def last(self) -> bytes:
        frames: list[bytes] = []
        usage = self._usage
        for picture in self._pictures:
            shown = self._show("completed", picture.data)
            shown.usage = _write_usage(usage)
            usage = ev.Usage(0, 0)  # told once, however many pictures there are
            frames.append(write_event(shown, shown.type))
        return b"".join(frames)

    def _show(self, what: str, data: str) -> Shown:
        size = _asked(self._fields, "size", _SIZE)
        quality = _asked(self._fields, "quality", _QUALITY)
        background = _asked(self._fields, "background", _BACKGROUND)
        form = _asked(self._fields, "output_format", _FORMAT)
        return Shown(f"{self._stem}.{what}", data, self._created, size, quality, background, form)


def _asked(fields: Fields, name: str, default: str) -> str:
    return default if name not in fields else _text.decode(fields[name]) or default


def _write_picture(event: ev.Media) -> Picture:
    picture = Picture(event.data) if event.data else Picture(url=event.url)
    if event.extra is not UNSET:
        picture.revised_prompt = msgspec.json.decode(event.extra, type=dict[str, str]).get("revised_prompt", UNSET)
    return picture


def _write_usage(usage: ev.Usage) -> Usage:
    """The hub does not tell words from pictures: all of a prompt counts as words."""
    told = write_usage(usage)
    told.input_tokens_details = Details(usage.prompt)
    return told
