"""Text completions towards an upstream that has the endpoint: passed on as they come, every frame read and checked."""

from __future__ import annotations

import msgspec
from msgspec import Raw, UnsetType

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.message import Request
from dragoman.core.ports import Outbound
from dragoman.dialects.openai_body import patch_body
from dragoman.dialects.openai_chat.schema import MAX_COUNT
from dragoman.dialects.openai_completions.schema import NAME, NULL, OBJECT, TRUE, Choice, Completion, Usage
from dragoman.dialects.openai_errors import find_error, read_error, read_stream_error
from dragoman.dialects.openai_stream import DataStream
from dragoman.wire.json import Fields, encode, is_utf8, repair_text

_completion = msgspec.json.Decoder(Completion)
_fields = msgspec.json.Decoder(Fields)
_usage = msgspec.json.Decoder(Usage | None)
_REASONS: dict[str, ev.FinishReason] = {"length": "length", "max_tokens": "length", "content_filter": "content_filter"}
_BROKEN = frozenset({"error", "abort"})
"""Words of llama.cpp's and vLLM's relatives for an answer that is not complete."""


def write_request(request: Request, model: str) -> bytes:
    """Refuse: text completions cannot say what other dialects ask. Raises `BadRequest`; another target may serve."""
    error = BadRequest(f"the model '{model}' serves text completions only", param="model", code="unsupported_value")
    error.retry = "elsewhere"
    raise error


def read_reply(body: bytes, fallback: ev.Start) -> Burst:
    """Read a whole plain answer; raises `UpstreamError`."""
    completion, body = _decode(body)
    if not completion.choices:
        raise UpstreamInvalid(detail="the answer has no choices")
    events: list[ev.Event] = [_start(completion, fallback)]
    told = len({choice.index for choice in completion.choices}) == len(completion.choices)
    for number, choice in enumerate(completion.choices):
        index = choice.index if told and choice.index >= 0 else number
        if choice.text:
            events.append(ev.Text(choice.text, index))
        events.append(ev.Finish(_read_finish(choice.finish_reason), index))
    if (usage := _read_usage(completion.usage)) is not None:
        events.append(usage)
    elif completion.usage:
        body = _leave_out_usage(body)
    return Burst(events, body, NAME)


class Reader:
    """Reads one stream; usage is held back to the end."""

    def __init__(self, fallback: ev.Start, n: int) -> None:
        self.finished = False
        self._stream = DataStream(NAME, self._read_chunk)
        self._fallback = fallback
        self._wanted = n
        self._start: ev.Start | None = None
        self._open: dict[int, bool] = {}
        self._usage: ev.Usage | None = None
        self._usage_frame = b""

    @property
    def done(self) -> bool:
        """The end mark has been read."""
        return self._stream.done

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        return self._stream.feed(data)

    def end(self) -> Burst | None:
        """Return the usage and missing finishes; raises `UpstreamIncomplete` when the upstream was not done."""
        last = self._stream.close(finished=self.finished)
        if self._start is None or not (self.done or self.finished):
            raise UpstreamIncomplete
        events: list[ev.Event] = [] if last is None else last.events
        frames: list[bytes] = [] if last is None or last.raw is None else [last.raw]
        for index in [index for index, is_open in self._open.items() if is_open]:
            # [DONE] without a finish reason: complete
            events.append(ev.Finish("stop", index))
            choice = Choice("", index, finish_reason="stop")
            start = self._start
            frames.append(b"data: %b\n\n" % encode(Completion(start.id, OBJECT, start.created, start.model, [choice])))
        if self._usage is not None:
            events.append(self._usage)
            frames.append(b"data: %b\n\n" % self._usage_frame)
        return Burst(events, b"".join(frames), NAME) if events else None

    def _read_chunk(self, data: bytes, events: list[ev.Event]) -> bytes:
        """Say what one chunk says; return the bytes that say it, none when it is held back or comes too late."""
        completion, data = _decode(data)
        if completion.usage:
            data = self._take_usage(completion, data)
        if not any(self._open.get(choice.index, True) for choice in completion.choices):
            return b""
        if self._start is None:
            self._start = _start(completion, self._fallback)
            events.append(self._start)
        for choice in completion.choices:
            self._say(choice, events)
        return data

    def _say(self, choice: Choice, events: list[ev.Event]) -> None:
        index = choice.index
        if index < 0 or not self._open.setdefault(index, True):
            raise UpstreamInvalid(detail="a choice has a negative index, or goes on after its finish")
        if choice.text:
            events.append(ev.Text(choice.text, index))
        if choice.finish_reason:
            events.append(ev.Finish(_read_finish(choice.finish_reason), index))
            self._open[index] = False
            self.finished = len(self._open) >= self._wanted and not any(self._open.values())

    def _take_usage(self, completion: Completion, data: bytes) -> bytes:
        """Hold usage back, in a frame of its own; return what is left of the frame it came in."""
        counted = _read_usage(completion.usage)
        fields = _fields.decode(data)
        if counted is not None:
            self._usage, self._usage_frame = counted, encode(fields | {"choices": Raw(b"[]")})
        del fields["usage"]
        return encode(fields)


def _decode(body: bytes) -> tuple[Completion, bytes]:
    """Return an answer and its bytes, in which bad text is repaired; raises `UpstreamError`."""
    try:
        completion, whole = _completion.decode(body), is_utf8(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        completion, whole = Completion(), False
    try:
        if not whole:
            body = _mend(body)
            completion = _completion.decode(body)
        error = find_error(_fields.decode(body)) if not completion.choices or completion.error else None
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="not a text completion") from None
    if error is not None:
        raise read_stream_error(error)
    return completion, body


def _mend(body: bytes) -> bytes:
    """Return an answer with its text repaired, and without usage that cannot be read."""
    body = repair_text(body)
    try:
        _usage.decode(_fields.decode(body).get("usage", NULL))
    except msgspec.ValidationError:
        return _leave_out_usage(body)
    return body


def _leave_out_usage(body: bytes) -> bytes:
    fields = _fields.decode(body)
    del fields["usage"]
    return encode(fields)


def _read_finish(reason: str | None) -> ev.FinishReason:
    reason = (reason or "stop").lower()
    if reason in _BROKEN:
        raise UpstreamError(detail="the finish reason tells of an error")
    return _REASONS.get(reason, "stop")


def _start(completion: Completion, fallback: ev.Start) -> ev.Start:
    return ev.Start(
        completion.id or fallback.id, completion.model or fallback.model, completion.created or fallback.created
    )


def _read_usage(usage: Usage | UnsetType | None) -> ev.Usage | None:
    if not isinstance(usage, Usage) or usage.prompt_tokens is None:
        return None
    counted = ev.Usage(usage.prompt_tokens, usage.completion_tokens or 0, estimated=usage.estimated == TRUE)
    return counted if all(0 <= count <= MAX_COUNT for count in (counted.prompt, counted.completion)) else None


OUTBOUND = Outbound(
    name=NAME,
    path=b"/completions",
    id_prefix="cmpl-",
    patch_request=patch_body,
    write_request=write_request,
    reader=Reader,
    read_reply=read_reply,
    read_error=read_error,
)
