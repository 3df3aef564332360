"""The simulator in the place of a connection pool: the same surface as `net`'s, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from math import inf

from dragoman.core.errors import (
    UpstreamError,
    UpstreamIncomplete,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from dragoman.net.reply import Patience
from dragoman.testing.simulator.face import Simulator
from dragoman.testing.simulator.script import Piece, Script

_READ = 64 * 1024
"""Most bytes that come in one read, as from a socket."""


class SimulatorTransport:
    """Requests to a simulator in the same process; stands in for `HttpPool`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def request(
        self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience
    ) -> SimulatedReply:
        """Send a request and return the response once its head is here; `headers` are whole lines.

        Raises `UpstreamUnavailable` when the simulator closes without an answer, `UpstreamTimeout` when it is too slow.
        """
        script = self._simulator.answer(method.decode("ascii"), path.decode("ascii"), _read_headers(headers), body)
        reply = SimulatedReply(script, patience)
        await reply.open()
        return reply

    def close(self) -> None:
        """Close nothing: there is nothing that stays open."""


class SimulatedReply:
    """A response that plays its script; whoever holds it closes it. Stands in for `Reply`."""

    def __init__(self, script: Script, patience: Patience) -> None:
        self.status = script.status
        self.headers: dict[str, str] = {}
        """By lower-case name; of several with one name the first."""
        for name, value in script.headers:
            self.headers.setdefault(name.lower(), value)
        self._ends = script.ends
        self._pieces: Iterator[Piece] = _slice(script.pieces)
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._due = now
        """When the next piece is to come."""
        self._first = now + patience.first
        self._idle = patience.idle
        self._end = now + patience.total
        self._began = False
        self._closed = False
        self._complete = False
        self._error: UpstreamError | None = None
        self._next = self._turn()

    async def open(self) -> None:
        """Wait for the head, which comes with the first piece or with the end."""
        await self._wait(self._due)
        if self._next is None and self._ends == "cut":
            raise UpstreamUnavailable(fault="reset", detail="closed by the simulator")

    def header(self, name: bytes) -> str:
        """Return the header with the lower-case `name`, or nothing."""
        return self.headers.get(name.decode("latin-1"), "")

    async def read(self) -> bytes:
        """Return the next piece of the body, nothing once it is complete.

        Raises `UpstreamIncomplete` when it was cut and `UpstreamTimeout` when it is too slow.
        """
        while True:
            self._check_open()
            if self._complete:
                return b""
            if self._error is not None:
                raise self._error
            await self._wait(self._due)
            data = self._take()
            if data:
                return data

    async def read_all(self, limit: int) -> bytes:
        """Return the whole body; raises `UpstreamTooLarge` as soon as it is longer than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while data := await self.read():
            if not pieces:
                self.began()
            size += len(data)
            if size > limit:
                self._error = UpstreamTooLarge(detail="whole body")
                raise self._error
            pieces.append(data)
        return b"".join(pieces)

    def began(self) -> None:
        """Say that the first event is here: until now `first` counted, from now on `idle` between two reads."""
        self._check_open()
        self._began = True

    def give(self, seconds: float) -> None:
        """Shorten the time for what is still to come."""
        self._check_open()
        self._end = min(self._end, self._loop.time() + seconds)

    def finish(self) -> None:
        """Stop reading: the answer has said all it had to say."""
        self._closed = True

    def close(self) -> None:
        """Stop reading; at once, and harmless twice."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the reply is closed")

    def _turn(self) -> Piece | None:
        """Go on to the next piece, which sets when it, or the end, is due."""
        piece = next(self._pieces, None)
        if piece is not None:
            self._due += piece[0]
        elif self._ends == "hang":
            self._due = inf
        return piece

    def _take(self) -> bytes:
        """Return what is due now: a piece, or nothing after the last."""
        piece = self._next
        if piece is not None:
            self._next = self._turn()
            return piece[1]
        if self._ends == "cut":
            self._error = UpstreamIncomplete(detail="cut by the simulator")
        else:
            self._complete = True
        return b""

    async def _wait(self, due: float) -> None:
        """Sleep until `due`, or give up when patience ends before it."""
        now = self._loop.time()
        patient = min(now + self._idle if self._began else self._first, self._end)
        try:
            await asyncio.sleep(max(min(due, patient) - now, 0.0))
        except BaseException:
            self.close()
            raise
        if due > patient:
            self._error = self._late()
            raise self._error

    def _late(self) -> UpstreamTimeout:
        if self._loop.time() >= self._end:
            return UpstreamTimeout()
        if self._began:
            return UpstreamTimeout(fault="idle_timeout")
        error = UpstreamTimeout(fault="first_byte_timeout")
        error.retry = "elsewhere"
        return error


def _slice(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Cut long pieces; an empty one stays, for the head comes with it."""
    for delay, data in pieces:
        yield delay, data[:_READ]
        for at in range(_READ, len(data), _READ):
            yield 0.0, data[at : at + _READ]


def _read_headers(lines: bytes) -> dict[str, str]:
    """Return the headers in whole lines, by lower-case name."""
    pairs = [line.partition(":") for line in lines.decode("latin-1").split("\r\n") if line]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
