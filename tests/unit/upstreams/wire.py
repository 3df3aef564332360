"""An upstream without a network: replies that were written beforehand, and what was asked and done with them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dragoman.net.reply import Patience
from dragoman.upstreams.reading import Reply

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


class Asked(NamedTuple):
    """One request."""

    method: bytes
    path: bytes
    headers: bytes
    body: bytes
    patience: Patience


class Written:
    """A reply: its pieces come one with each read, an exception among them is raised."""

    def __init__(
        self, pieces: Sequence[bytes | Exception], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = JSON if headers is None else headers
        self.done: list[str] = []
        """What was called, in order."""
        self._pieces = list(pieces)

    async def read(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def read_all(self, limit: int) -> bytes:
        body = b""
        while data := await self.read():
            body += data
        assert len(body) <= limit
        return body

    def began(self) -> None:
        self.done.append("began")

    def give(self, seconds: float) -> None:
        self.done.append(f"give {seconds:g}")

    def finish(self) -> None:
        self.done.append("finish")

    def close(self) -> None:
        self.done.append("close")


class Wire:
    """Gives each request the next reply."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.asked: list[Asked] = []
        self.closed = False
        self._replies = list(replies)

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        self.asked.append(Asked(method, path, headers, body, patience))
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        self.closed = True
