"""Read a stream of the bot protocol: bytes in, events out; ``done`` alone is the end.

Source: the Poe protocol specification, 1.2, and what fastapi_poe 0.0.83 reads and writes, 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import UNSET

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError, UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.openai_errors import read_stream_error
from dragoman.dialects.poe_bot.calls import Calls
from dragoman.dialects.poe_bot.frames import read_frames
from dragoman.dialects.poe_bot.schema import NAME, Failed, Json, Said, Shown, is_first
from dragoman.dialects.poe_bot.speech import HeldSpeech, Speech
from dragoman.wire.fault import read_fault
from dragoman.wire.json import Fields, encode, repair_text
from dragoman.wire.sse import SseFramer, is_foreign

TOO_LONG = "user_message_too_long"
STATUS = {
    TOO_LONG: 413,
    "insufficient_fund": 402,
    "user_caused_error": 400,
    "privacy_authorization_error": 403,
}
"""The types of errors → the status that means the same; what has no type is the bot's own failure."""
REASONS: Mapping[str, ev.FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
"""Why a chunk says that it ends; all else is ``stop``."""
T = TypeVar("T")
_said = msgspec.json.Decoder(Said)
_shown = msgspec.json.Decoder(Shown)
_failed = msgspec.json.Decoder(Failed)
_json = msgspec.json.Decoder(Json)
_fields = msgspec.json.Decoder(Fields)


def nobody(model: str) -> None:
    """Tell nobody that a bot took back what it had said."""


class Reader:
    """Reads one stream. What is no event of the first answer is passed over; nothing behind the end is looked at."""

    def __init__(
        self, start: ev.Start, n: int, *, replaces: bool = False, took_back: Callable[[str], None] = nobody
    ) -> None:
        """`replaces`: nothing is told before the end; `took_back` is told the model that takes back what it said."""
        del n  # the protocol knows one answer
        self.finished = self.done = False
        self._framer = SseFramer()
        self._start = start
        self._began = False
        self._speech = HeldSpeech() if replaces else Speech(lambda: took_back(start.model))
        self._calls = Calls()
        self._reason: ev.FinishReason = "stop"
        self._usage: ev.Usage | None = None
        self._takers: dict[bytes, Callable[[bytes, list[ev.Event]], None]] = {
            b"text": self._take_text,
            b"replace_response": self._take_replacement,
            b"suggested_reply": self._take_suggestion,
            b"file": self._take_file,
            b"json": self._take_json,
            b"error": self._take_error,
            b"done": self._take_end,
        }

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        block = self._framer.feed(data)
        return self._read_block(block) if block and not self.done else None

    def end(self) -> Burst | None:
        """Return what stood after the last blank line; raises `UpstreamIncomplete` when the bot was not done."""
        rest = b"" if self.done else self._framer.close().strip()
        burst = None
        if rest:
            try:
                burst = self._read_block(rest + b"\n\n")
            except UpstreamInvalid:
                if not self._began and is_foreign(rest):
                    raise
                raise UpstreamIncomplete from None
        if not self.done:
            raise UpstreamIncomplete
        return burst

    def _read_block(self, block: bytes) -> Burst | None:
        events: list[ev.Event] = []
        takers = self._takers
        for name, data in read_frames(block):
            take = takers.get(name)
            if take is not None:
                take(data, events)
            if self.done:
                break
        if not events:
            return None
        if not self._began:
            self._began = True
            events.insert(0, self._start)
        return Burst(events, None, NAME)

    def _take_text(self, data: bytes, events: list[ev.Event]) -> None:
        try:
            said = _said.decode(data)
        except (msgspec.DecodeError, RecursionError):
            said = _mend(_said, data)
        if is_first(said.index) and said.text:
            self._speech.say(said.text, events)

    def _take_replacement(self, data: bytes, events: list[ev.Event]) -> None:
        said = _decode(_said, data)
        if is_first(said.index):
            self._speech.replace(said.text, events)

    def _take_suggestion(self, data: bytes, events: list[ev.Event]) -> None:
        said = _decode(_said, data)
        if is_first(said.index) and said.text:
            events.append(ev.Note("suggested_reply", said.text))

    def _take_file(self, data: bytes, events: list[ev.Event]) -> None:
        shown = _decode(_shown, data)
        if not shown.url.startswith(("https://", "http://")):
            raise UpstreamInvalid(detail="a file without an address")
        if is_first(shown.index):
            self._speech.show(shown, events)

    def _take_json(self, data: bytes, events: list[ev.Event]) -> None:
        chunk = _read_chunk(data)
        if chunk.error is not UNSET and bytes(chunk.error) != b"null":
            raise read_stream_error(chunk.error)
        if not is_first(chunk.index):
            return
        self._usage = self._calls.read_usage(chunk) or self._usage
        for choice in chunk.choices:
            if choice.index > 0:
                continue
            if choice.delta is not None:
                self._calls.say(choice.delta, self._speech, events)
            if choice.finish_reason:
                self._reason = REASONS.get(choice.finish_reason, "stop")

    def _take_error(self, data: bytes, events: list[ev.Event]) -> None:
        raise _read_failure(_decode(_failed, data))

    def _take_end(self, data: bytes, events: list[ev.Event]) -> None:
        self._speech.end(events)
        self._calls.end(events)
        reason = "tool_calls" if self._calls.count and self._reason == "stop" else self._reason
        events.append(ev.Finish(reason))
        if self._usage is not None:
            events.append(self._usage)
        self.finished = self.done = True


def _read_failure(failed: Failed) -> DragomanError:
    """Return what an error means; its text is for the log alone."""
    kind = failed.error_type or ""
    code = "context_length_exceeded" if kind == TOO_LONG else kind  # the word by which agents know what to do
    error = read_fault(STATUS.get(kind, 500), {}, code=code, text=f"{kind} {failed.text or ''}".strip())
    if kind not in STATUS and failed.allow_retry is False:
        error.retry = "never"
    return error


def _read_chunk(data: bytes) -> Json:
    """Decode a chunk; without its usage where that is what nobody can read."""
    try:
        return _decode(_json, data)
    except UpstreamInvalid:
        fields = _decode(_fields, data)
        if fields.pop("usage", None) is None:
            raise
        return _decode(_json, encode(fields))


def _decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return _mend(decoder, data)


def _mend(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode data whose text is bad; raises `UpstreamInvalid` when that is not all that is wrong."""
    try:
        return decoder.decode(repair_text(data))
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="the data of an event is not what it should be") from None
