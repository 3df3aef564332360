"""Write answers as Responses: the upstream's own bytes where they serve, else a stream of numbered events, or one whole
object made by the very same steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.dialects.openai_body import find_start
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.output import Output
from dragoman.dialects.openai_responses.response import WHOLE, begin_response, end_response, fail_response, read_wishes
from dragoman.dialects.openai_responses.speech import Delta, Sink
from dragoman.wire.json import encode
from dragoman.wire.sse import PING

DONE = b"data: [DONE]\n\n"
_NUMBER = re.compile(rb'.*"sequence_number"[ \t]*:[ \t]*([0-9]{1,9})', re.DOTALL)


class Frames:
    """The events of a stream, written and numbered without gaps."""

    __slots__ = ("_frames", "number")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self.number = 0
        """Of the next event."""

    def say(self, event: wire.Event) -> None:
        """Write an event."""
        event.sequence_number = self.number
        self.number += 1
        kind = str(event.__struct_config__.tag).encode()
        self._frames.append(b"event: %b\ndata: %b\n\n" % (kind, encode(event)))

    def grow(self, delta: Delta, text: str) -> None:
        """Write a piece of a text: nearly all of its event is prepared."""
        self._frames.append(b"%b%d%b%b}\n\n" % (delta.head, self.number, delta.middle, encode(text)))
        self.number += 1

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken


class Unsaid:
    """Takes the events that nobody is told."""

    def say(self, event: wire.Event) -> None:
        """Drop an event."""

    def grow(self, delta: Delta, text: str) -> None:
        """Drop a piece of a text."""


class Account:
    """Follows one answer from its start to the whole response."""

    def __init__(self, call: Call, sink: Sink, *, encrypted: bool = False) -> None:
        self._call = call
        self._sink = sink
        self._wishes = read_wishes(call, encrypted=encrypted)
        self._response = wire.Response()
        self._output: Output | None = None
        self._finish: ev.FinishReason = "stop"
        self._usage: ev.Usage | None = None

    def take(self, event: ev.Event) -> None:
        """Add what an event says."""
        match event:
            case ev.Start():
                self._begin(event)
            case ev.Finish(choice=0):
                self._finish = event.reason
                self.begin().end(whole=event.reason in WHOLE)
            case ev.Usage():
                self._usage = event
            case _:
                self.begin().take(event)

    def end(self) -> wire.Response:
        """Return the whole response."""
        return end_response(self._response, self._call, self.begin().items(), self._finish, self._usage)

    def fail(self, error: DragomanError) -> wire.Response:
        """Return the response as far as it came."""
        output = self.begin()
        output.end(whole=False)
        return fail_response(self._response, output.items(), error)

    def begin(self) -> Output:
        """Return the output of an answer that has begun; one that breaks before its start begins with that."""
        return self._output or self._begin(ev.Start("", self._call.model, int(self._call.clock.epoch())))

    def _begin(self, start: ev.Start) -> Output:
        response = self._response = begin_response(self._call, start)
        output = self._output = Output(self._sink, response.id, self._wishes)
        self._sink.say(wire.Created(response))
        self._sink.say(wire.InProgress(response))
        return output


class Passage:
    """An answer that passes in its own bytes: all but the frame that ends it, which is the last of its burst."""

    def __init__(self, burst: Burst) -> None:
        self._start = find_start(burst)
        self._last = b""
        self._told = b""

    def take(self, burst: Burst) -> bytes:
        """Return the frames of `burst` that are no end."""
        raw = burst.raw or b""
        if burst.events and isinstance(burst.events[-1], ev.Finish | ev.Usage):
            head, blank, last = raw[:-2].rpartition(b"\n\n")
            raw, self._last = head + blank, last + b"\n\n"
        if raw:
            self._told = raw
        return raw

    def end(self) -> bytes:
        """Return the upstream's event that says how the answer ended, and the end mark."""
        return self._last + DONE

    def fail(self, call: Call, error: DragomanError) -> bytes:
        """Return the event that says the answer broke, numbered after the upstream's last."""
        begun = begin_response(call, self._start, passed=True)
        frames, number = Frames(), _NUMBER.match(self._told)
        frames.number = int(number[1]) + 1 if number else 0
        frames.say(wire.Failed(fail_response(begun, [], error)))
        return frames.take()


class Writer:
    """Writes one streamed answer."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._frames = Frames()
        self._account = Account(call, self._frames)
        self._passage: Passage | None = None

    def write(self, burst: Burst) -> bytes:
        """Return the frames of `burst`; how the answer ended is told at its end."""
        if burst.raw is not None and burst.dialect == wire.NAME:
            passage = self._passage = self._passage or Passage(burst)
            return passage.take(burst)
        take = self._account.take
        for event in burst.events:
            take(event)
        return self._frames.take()

    def end(self) -> bytes:
        """Return the event that says how the answer ended, and the end mark."""
        if self._passage is not None:
            return self._passage.end()
        response = self._account.end()
        self._frames.say(wire.Completed(response) if response.status == "completed" else wire.Ended(response))
        return self._frames.take() + DONE

    def fail(self, error: DragomanError) -> bytes:
        """Return the event that says the answer broke; no open item is told as done, and no end mark follows."""
        if self._passage is not None:
            return self._passage.fail(self._call, error)
        frames = self._frames
        self._account.begin()
        told, number = frames.take(), frames.number
        response = self._account.fail(error)
        frames.take()
        frames.number = number
        frames.say(wire.Failed(response))
        return told + frames.take()

    def ping(self) -> bytes:
        """Return a comment, which every reader of event streams skips."""
        return PING


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of a plain answer: the upstream's own, else one made from its events."""
    if burst.raw is not None and burst.dialect == wire.NAME:
        return burst.raw
    return encode(write_whole(call, burst.events))


def write_whole(call: Call, events: Iterable[ev.Event], *, encrypted: bool = False) -> wire.Response:
    """Return the response that `events` make; `encrypted`: with the proofs of reasoning that nobody asked for, too."""
    account = Account(call, Unsaid(), encrypted=encrypted)
    for event in events:
        account.take(event)
    return account.end()
