"""One connection to an upstream, which carries one exchange at a time: a request out, its response in.

llhttp (through `httptools`) does the framing; its callbacks for headers and body are a dict's and a list's own methods,
so that neither costs a Python frame. The reader is woken once for a network read, whatever that read held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol, runtime_checkable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dragoman.core.errors import (
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from dragoman.net.deadlines import Deadlines

UNREAD = 64 * 1024
"""Most bytes that wait to be read before the socket is left alone; also most bytes in a row that are no body."""

_JOINED = 16 * 1024
"""Bodies below this are copied behind the head, into one TLS record; above, two buffers in one write are cheaper
(100 kB: 24 µs against 28 to 44)."""


class Owner(Protocol):
    """Whoever made a connection and wants it back."""

    def freed(self, connection: Connection) -> None:
        """`connection` is clean and can carry the next exchange."""

    def gone(self, connection: Connection) -> None:
        """`connection` is closed; called exactly once."""


@runtime_checkable
class Wire(Protocol):
    """What we need of a transport (those of uvloop are no `asyncio.Transport`)."""

    def write(self, data: bytes) -> None: ...
    def writelines(self, list_of_data: Iterable[bytes]) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def get_write_buffer_size(self) -> int: ...


class Connection(asyncio.Protocol):
    """A socket, its parser and the exchange it carries."""

    __slots__ = (
        "_began",
        "_busy",
        "_deadlines",
        "_end",
        "_fields",
        "_head_limit",
        "_idle",
        "_keep",
        "_lingers",
        "_loop",
        "_owner",
        "_parser",
        "_paused",
        "_pieces",
        "_unread",
        "_until_close",
        "_waiter",
        "_wire",
        "closed",
        "complete",
        "deadline",
        "error",
        "headers",
        "made",
        "on_body",
        "on_header",
        "received",
        "reused",
        "status",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, owner: Owner, head_limit: int) -> None:
        self._loop = loop
        self._deadlines = deadlines
        self._owner = owner
        self._head_limit = head_limit
        self._wire: Wire | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._fields: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._busy = self._began = self._paused = self._keep = self._until_close = self._lingers = False
        self._end = self._idle = inf
        self._unread = 0
        self.deadline = inf
        self.made = loop.time()
        """When the connection was begun, in loop time."""
        self.reused = self.closed = False
        self.status = 0
        """0 until the head has arrived."""
        self.headers: dict[bytes, bytes] = {}
        """Of the current response: lower-case names, the first value of each."""
        self.complete = False
        """The whole response has arrived, though some of its body may still wait to be taken."""
        self.error: UpstreamError | None = None
        """Why nothing more will come."""
        self.received = 0
        """Bytes of the current response, framing and all."""
        self.on_header: Callable[[bytes, bytes], object] = self._fields.setdefault
        self.on_body: Callable[[bytes], None] = self._pieces.append
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    # What the pool and a reply do with it

    def send(self, head: bytes, body: bytes, *, first: float, idle: float, end: float) -> None:
        """Begin an exchange: write the request and expect an event within `first` seconds, and all before `end`.

        On a connection that has closed meanwhile the exchange fails as if it had been cut at once.
        """
        self._busy, self._began = True, False
        self._fields.clear()
        self.status = self.received = self._unread = 0
        self.complete = False
        self._idle, self._end = idle, end
        self.deadline = min(self._loop.time() + first, end)
        if self._wire is None or self.closed:
            self.error = UpstreamUnavailable(fault="reset")
        elif len(body) < _JOINED:
            self._wire.write(head + body)
        else:
            self._wire.writelines((head, body))

    def wait(self) -> asyncio.Future[None]:
        """Return a future for the next news: the head, more of the body, the end or an error.

        To be called only while there is neither an error nor the whole response.
        """
        if self._began:
            self._rearm()
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def take(self) -> bytes:
        """Return the pieces of the body that have come since the last time, joined, or nothing."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._unread = 0
        if self._paused:
            self._resume()
        return data

    def began(self) -> None:
        """Let the idle limit count from now on, instead of the time for the first event."""
        self._began = True
        self._rearm()

    def give(self, seconds: float) -> None:
        """Let the exchange end in `seconds` at the latest."""
        self._end = min(self._end, self._loop.time() + seconds)
        self.deadline = min(self.deadline, self._end)

    def release(self) -> None:
        """End the exchange: hand the connection back if its response is complete and nothing is left over, or cut."""
        self._busy = self._lingers = False
        self._pieces.clear()
        if self._wire is None or self.closed:
            return
        # A server may answer before it has read the whole request: the rest of ours must not meet the next one.
        if self.complete and self._keep and not self._wire.get_write_buffer_size():
            self.reused = True
            self.deadline = inf
            self._owner.freed(self)
        else:
            self.cut()

    def linger(self, seconds: float) -> None:
        """As `release`, but give the end of the response `seconds` to arrive; what else arrives is dropped.

        A stream says that it is over before its framing does: to cut then would cost a new connection for every stream.
        """
        if self.complete or self.closed:
            self.release()
            return
        self.take()
        self._lingers = True
        self._end = self.deadline = self._loop.time() + seconds

    def cut(self) -> None:
        """Close at once, whatever is under way; harmless when closed."""
        if self.closed:
            return
        self.closed = True
        self.deadline = inf
        self._deadlines.forget(self)
        if self._busy and not self.complete and self.error is None:
            self.error = UpstreamIncomplete(detail="cut by the gateway")
        if self._wire is not None:
            self._wire.abort()
        self._wake()
        self._owner.gone(self)

    def fail(self, error: UpstreamError) -> None:
        """Cut because of `error`, which the reader gets once it has taken what came before."""
        self.error = error
        self.cut()

    def expire(self) -> None:
        """Called by `Deadlines`: the exchange, or the rest in the pool, took too long."""
        now = self._loop.time()
        if not self._busy or self.complete:
            self.cut()
        elif now >= self._end:
            self.fail(UpstreamTimeout())
        elif not self._began:
            error = UpstreamTimeout(fault="first_byte_timeout")
            error.retry = "elsewhere"
            self.fail(error)
        elif self._waiter is None:
            # It is us who are slow, not the upstream: `wait` sets the next idle limit.
            self.deadline = self._end
        else:
            self.fail(UpstreamTimeout(fault="idle_timeout"))

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self._wire = transport
        if self.closed:
            transport.abort()
        else:
            self._deadlines.watch(self)

    def data_received(self, data: bytes) -> None:
        if self.complete or not self._busy:
            self.cut()
            return
        size = len(data)
        self.received += size
        self._unread += size
        try:
            self._feed(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._break(error)
            return
        if self._lingers:
            self._drop()
        elif self._pieces:
            waiter = self._waiter
            if waiter is not None:
                self._waiter = None
                if not waiter.done():
                    waiter.set_result(None)
        elif self._began and self._waiter is not None:
            self._rearm()
        if self._unread > UNREAD and not self.complete:
            self._swamped()

    def eof_received(self) -> None:
        self._ended("end of stream")

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended("end of stream" if exc is None else str(exc), clean=exc is None)
        self._parser = None  # it holds our methods: without this only the garbage collector could free the two

    # What llhttp tells

    def on_message_begin(self) -> None:
        if self.complete:
            raise UpstreamInvalid(detail="bytes after the response")

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        status = parser.get_status_code()
        if status in (100, 103):
            return
        if status < 200:
            raise UpstreamInvalid(detail="unexpected informational response", fault="protocol")
        # The first of two equal names wins. A copy, because trailers will be put into `_fields` too.
        headers = {name.lower(): value for name, value in reversed(self._fields.items())}
        coding = headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise UpstreamInvalid(detail="unknown transfer-encoding")
        self.headers = headers
        self.status = status
        self._until_close = coding is None and b"content-length" not in headers
        self._keep = parser.should_keep_alive()
        if self._keep and b"connection" in headers:
            self._keep = parser.get_http_version() == "1.1"
        self._wake()

    def on_message_complete(self) -> None:
        if self.status:
            self.complete = True
            self._wake()
        else:
            self._fields.clear()

    # How it is done

    def _feed(self, data: bytes) -> None:
        """Let the parser read; of a head no byte beyond its limit, so that it counts to the byte."""
        parser = self._parser
        assert parser is not None
        if not self.status and self.received > self._head_limit:
            room = len(data) - (self.received - self._head_limit)
            parser.feed_data(data[:room])
            if not self.status:
                self.fail(UpstreamTooLarge(detail="response head"))
                return
            data = data[room:]
        parser.feed_data(data)

    def _drop(self) -> None:
        """Nobody reads any more: only the end of the response is of interest."""
        self._pieces.clear()
        if self.complete:
            self.release()
        elif self._unread > UNREAD:
            self.cut()

    def _break(self, error: HttpParserError | HttpParserUpgrade) -> None:
        """Bytes that are not HTTP, or not what we can accept."""
        if self.complete:
            self.cut()  # too many bytes, but the response itself is whole
        elif isinstance(error.__context__, UpstreamError):
            self.fail(error.__context__)
        else:
            self.fail(UpstreamInvalid(detail=str(error)))

    def _ended(self, reason: str, *, clean: bool = True) -> None:
        """The upstream has closed the connection, orderly or not."""
        if self._busy and not self.complete and self.error is None:
            if not self.received:
                self.error = UpstreamUnavailable(fault="reset", detail=reason)
            elif not self.status:
                self.error = UpstreamInvalid(detail=reason)
            elif self._until_close and clean:
                self.complete = True
            else:
                self.error = UpstreamIncomplete(detail=reason)
        self.cut()

    def _swamped(self) -> None:
        """Much has come and nobody has taken it: stop reading, or give up when none of it is body."""
        if not self._pieces:
            self.fail(UpstreamTooLarge(detail="response framing"))
        elif not self._paused and self._wire is not None:
            self._paused = True
            self._wire.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if self._wire is not None and not self.closed:
            self._wire.resume_reading()

    def _rearm(self) -> None:
        self.deadline = min(self._loop.time() + self._idle, self._end)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
