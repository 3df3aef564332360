"""Read a stream of chat completion chunks: bytes in, bursts out, whatever the cuts and habits of the upstream."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.dialects.openai_chat.mend import FINISH, Seen, mend_chunk, mend_top, read_object
from dragoman.dialects.openai_chat.schema import (
    CHUNK,
    MAX_TOOL_INDEX,
    NAME,
    NULL,
    Choice,
    Chunk,
    Custom,
    Delta,
    Function,
    ToolCall,
    Usage,
    custom_arguments,
    read_extra,
    read_usage,
)
from dragoman.dialects.openai_errors import find_error, read_stream_error
from dragoman.dialects.openai_stream import DataStream
from dragoman.wire.json import Fields, encode

_chunk = msgspec.json.Decoder(Chunk)
_usage = msgspec.json.Decoder(Usage)
REASONS: dict[str, ev.FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class Reader:
    """Reads one stream. Frames pass as they came unless they must be mended; usage is held back to the end."""

    def __init__(self, fallback: ev.Start, n: int, change: Callable[[bytes], bytes] | None = None) -> None:
        """`change` is shown every frame before it is read, and returns what is read in its place."""
        self.finished = False
        self._change = change or bytes
        self._stream = DataStream(NAME, self._read_chunk if change is None else self._read_changed)
        self._fallback = fallback
        self._choices: dict[int, Seen] = {}
        self._wanted = n
        self._open = 0
        """Choices that have begun and not finished."""
        self._start: ev.Start | None = None
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
        for index, seen in self._choices.items():
            if seen.started and not seen.finished:  # [DONE] without a finish reason: complete
                choice: dict[str, object] = {"index": index, "delta": {}, "logprobs": None, "finish_reason": "stop"}
                fields: Fields = {"choices": Raw(encode([choice])), "usage": NULL}
                frames.append(b"data: %b\n\n" % self._read_mended(fields, events))
        if self._usage is not None:
            events.append(self._usage)
            frames.append(b"data: %b\n\n" % self._usage_frame)
        return Burst(events, b"".join(frames), NAME) if events else None

    def _read_changed(self, data: bytes, events: list[ev.Event]) -> bytes:
        return self._read_chunk(self._change(data), events)

    def _read_chunk(self, data: bytes, events: list[ev.Event]) -> bytes:
        """Say what one chunk says; return the bytes that say it: `data` itself, mended ones, or none."""
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return self._mend(data, events)
        if not self._is_normal(chunk):
            return self._mend(data, events)
        if chunk.choices:
            self._say(chunk, events)
            return data
        if (counted := read_usage(chunk.usage)) is not None:
            self._usage, self._usage_frame = counted, data
        return b""

    def _mend(self, data: bytes, events: list[ev.Event]) -> bytes:
        fields = read_object(data)
        if (error := find_error(fields)) is not None:
            raise read_stream_error(error)
        if (usage := fields.get("usage")) is not None and bytes(usage)[:1] == b"{":
            self._take_usage(dict(fields), usage)
        return self._read_mended(fields, events)

    def _read_mended(self, fields: Fields, events: list[ev.Event]) -> bytes:
        mend_top(fields, self._start or self._fallback, CHUNK)
        data = mend_chunk(fields, self._choices)
        if data:
            try:
                chunk = _chunk.decode(data)
            except msgspec.DecodeError:
                raise UpstreamInvalid(detail="a chunk has fields of the wrong type") from None
            self._say(chunk, events)
        return data

    def _take_usage(self, fields: Fields, raw: Raw) -> None:
        """Keep usage that stands beside a choice, in a frame of its own."""
        try:
            counted = read_usage(_usage.decode(raw))
        except msgspec.DecodeError:
            return  # nonsense: the answer is delivered without it
        if counted is not None:
            mend_top(fields, self._start or self._fallback, CHUNK)
            fields["choices"] = Raw(b"[]")
            self._usage, self._usage_frame = counted, encode(fields)

    def _is_normal(self, chunk: Chunk) -> bool:
        """Tell whether the official SDK can read this chunk as it is, after all that came before it."""
        if not (chunk.id and chunk.created and chunk.model) or chunk.object != CHUNK or chunk.error is not UNSET:
            return False
        choices = chunk.choices
        if choices and (chunk.usage or (len(choices) > 1 and len({choice.index for choice in choices}) < len(choices))):
            return False
        for choice in choices:
            seen = self._choices.get(choice.index)
            if seen is None:
                if choice.index < 0:
                    return False
                seen = self._choices[choice.index] = Seen()
            if not _is_normal_choice(choice, seen):
                return False
        return True

    def _say(self, chunk: Chunk, events: list[ev.Event]) -> None:
        if self._start is None:
            self._start = ev.Start(chunk.id, chunk.model, chunk.created)
            events.append(self._start)
        for choice in chunk.choices:
            seen = self._choices[choice.index]
            if not seen.started:
                seen.started = True
                self._open += 1
            _say_delta(choice, choice.delta or Delta(), seen, events)
            if choice.finish_reason:
                _close_customs(seen, choice.index, events)
                events.append(ev.Finish(REASONS[choice.finish_reason], choice.index))
                seen.finished = True
                self._open -= 1
                self.finished = self._open == 0 and len(self._choices) >= self._wanted


def _is_normal_choice(choice: Choice, seen: Seen) -> bool:
    delta, reason = choice.delta, choice.finish_reason
    if delta is None or seen.finished or (delta.role if seen.started else delta.role != "assistant"):
        return False
    if delta.tool_calls:
        return reason is None and not delta.function_call and _are_normal_tools(delta.tool_calls, seen)
    if delta.function_call:
        return reason is None and _is_normal_function(delta.function_call, seen)
    return reason is None or (reason in FINISH and (not seen.filled or (reason != "stop" and all(seen.filled))))


def _are_normal_tools(tools: list[ToolCall], seen: Seen) -> bool:
    begun = len(seen.filled)
    for tool in tools:
        if not _is_normal_tool(tool, seen, begun):
            return False
        begun = max(begun, (tool.index or 0) + 1)
    return True


def _is_normal_tool(tool: ToolCall, seen: Seen, begun: int) -> bool:
    """`begun` counts the calls that have begun before this piece, in this chunk or earlier."""
    index, called = tool.index, tool.function or tool.custom
    if not called or not isinstance(index, int):
        return False
    kind, text = ("function", called.arguments) if isinstance(called, Function) else ("custom", called.input)
    if not isinstance(text, str):
        return False
    if not 0 <= index <= MAX_TOOL_INDEX:
        return False
    if index in seen.keys:
        return seen.keys[index] == index and not (tool.id or called.name)
    return index == begun and bool(tool.id and called.name) and tool.type == kind and tool.id not in seen.keys


def _is_normal_function(function: Function, seen: Seen) -> bool:
    if not isinstance(function.arguments, str) or seen.keys:
        return False
    return bool(function.name) == (seen.function is None)


def _say_delta(choice: Choice, delta: Delta, seen: Seen, events: list[ev.Event]) -> None:
    index = choice.index
    if thought := delta.reasoning_content or delta.reasoning:
        events.append(ev.Thinking(thought, index))
    if choice.logprobs is not NULL and bytes(choice.logprobs)[:1] == b"{":
        events.append(ev.Text(delta.content or "", index, choice.logprobs))
    elif delta.content:
        events.append(ev.Text(delta.content, index))
    if delta.refusal:
        events.append(ev.Refusal(delta.refusal, index))
    if delta.tool_calls:
        events.extend([_say_tool(tool, seen, index) for tool in delta.tool_calls])
    if delta.function_call:
        events.append(_say_function(delta.function_call, seen, index))
    if delta.audio is not UNSET and bytes(delta.audio) != b"null":
        events.append(ev.Media("audio/*", choice=index, extra=delta.audio))


def _say_tool(tool: ToolCall, seen: Seen, choice: int) -> ev.ToolDelta:
    index = tool.index or 0
    called, arguments = tool.function or tool.custom or Function(), ""
    if isinstance(called, Function):
        arguments = called.arguments or ""
    first = index == len(seen.filled)
    if first:
        seen.filled.append(False)
        if index not in seen.keys.values():
            seen.keys[index] = seen.keys[tool.id or f"#{index}"] = index
    if isinstance(called, Custom):
        arguments = custom_arguments(called.input or "", first=first)
        seen.customs.add(index)
    seen.filled[index] = seen.filled[index] or bool(arguments)
    call_id, name = (tool.id or "", called.name or "") if first else (None, None)
    return ev.ToolDelta(index, arguments, call_id, name, choice, read_extra(tool.extra_content))


def _say_function(function: Function, seen: Seen, choice: int) -> ev.ToolDelta:
    """The deprecated form: one call, no id."""
    call_id = name = None
    if seen.function is None:
        seen.function = len(seen.filled)
        seen.filled.append(False)
        call_id, name = f"call_{choice}", function.name or ""
    arguments = function.arguments or ""
    seen.filled[seen.function] = seen.filled[seen.function] or bool(arguments)
    return ev.ToolDelta(seen.function, arguments, call_id, name, choice)


def _close_customs(seen: Seen, choice: int, events: list[ev.Event]) -> None:
    events.extend([ev.ToolDelta(index, '"}', choice=choice) for index in sorted(seen.customs)])
