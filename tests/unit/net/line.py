"""A connection without a network: the test says what it hears and sees what it writes."""

import asyncio

from dragoman.core.errors import UpstreamError
from dragoman.net.connection import Connection
from dragoman.net.deadlines import Deadlines
from tests.unit.net.loopback import Cable

HEAD_LIMIT = 64 * 1024


class Shelf:
    """An owner that writes down what comes back."""

    def __init__(self) -> None:
        self.free: list[Connection] = []
        self.lost: list[Connection] = []

    def freed(self, connection: Connection) -> None:
        self.free.append(connection)

    def gone(self, connection: Connection) -> None:
        self.lost.append(connection)


class Line:
    """A connection on a cable, with a request on its way."""

    def __init__(self, head_limit: int = HEAD_LIMIT) -> None:
        loop = asyncio.get_running_loop()
        self.shelf = Shelf()
        self.cable = Cable()
        self.deadlines = Deadlines(loop)
        self.connection = Connection(loop, self.deadlines, self.shelf, head_limit)
        self.connection.connection_made(self.cable)
        self.ask()

    def ask(self, *, first: float = 60, idle: float = 60, total: float = 600) -> None:
        self.connection.send(b"POST / HTTP/1.1\r\n\r\n", b"", first=first, idle=idle, end=self.deadlines.now() + total)

    def hear(self, data: bytes, size: int = 1 << 20) -> None:
        """Let `data` come in, `size` bytes a network read; nothing more is read once the connection is closed."""
        for start in range(0, len(data), size):
            if not self.cable.aborted:
                self.connection.data_received(data[start : start + size])

    @property
    def failure(self) -> UpstreamError:
        assert self.connection.error is not None
        assert self.cable.aborted
        return self.connection.error

    def hang_up(self, reason: Exception | None = None) -> None:
        if reason is None:
            self.connection.eof_received()
        self.connection.connection_lost(reason)
