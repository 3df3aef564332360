"""What whoever asked an upstream holds: a response whose head has arrived, and the right to read the rest."""

from __future__ import annotations

from msgspec import Struct

from dragoman.core.errors import UpstreamError, UpstreamTooLarge
from dragoman.net.connection import Connection
from dragoman.net.inflate import inflater_for

LINGER = 1.0
"""Seconds for the framing of a response to end once its content has."""


class Patience(Struct, frozen=True):
    """How long to wait for an upstream, in seconds."""

    connect: float = 5
    """For a new connection, TLS included."""
    first: float = 60
    """For the first event, once the request is written."""
    idle: float = 60
    """Between two reads, once the first event is here."""
    total: float = 600
    """For everything together."""
    acquire: float = 2
    """For a place in a pool that is full."""


class Reply:
    """An upstream's response; whoever holds it closes it."""

    __slots__ = ("_connection", "_given", "_headers", "_inflater", "_limit", "_raw", "status")

    def __init__(self, connection: Connection, limit: int) -> None:
        """Take over `connection`, whose head has arrived; `limit` is for the body, compressed and not.

        Raises `UpstreamInvalid` for a `Content-Encoding` we cannot read.
        """
        self.status = connection.status
        self._raw = connection.headers
        self._headers: dict[str, str] | None = None
        encoding = self._raw.get(b"content-encoding")
        self._inflater = None if encoding is None else inflater_for(encoding.decode("latin-1"))
        self._connection: Connection | None = connection
        self._limit = limit
        self._given = 0

    @property
    def headers(self) -> dict[str, str]:
        """The headers, by lower-case name; of several with one name the first. Decoded when first asked for."""
        if self._headers is None:
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._raw.items()}
        return self._headers

    def header(self, name: bytes) -> str:
        """Return the header with the lower-case `name`, or nothing; cheaper than `headers`."""
        return self._raw.get(name, b"").decode("latin-1")

    async def read(self) -> bytes:
        """Return what has come of the body since the last time (decompressed), nothing once it is complete.

        Raises an `UpstreamError` when it breaks off, is too slow or too large, or cannot be decompressed.
        """
        while True:
            connection = self._open()
            data = connection.take() if self._inflater is None else self._inflate(connection)
            if connection.received > self._limit:
                raise self._failed(UpstreamTooLarge(detail="whole response"))
            if data or connection.complete:
                return data
            if connection.error is not None:
                raise connection.error
            try:
                await connection.wait()
            except BaseException:
                self.close()
                raise

    async def read_all(self, limit: int) -> bytes:
        """Return the whole body; raises `UpstreamTooLarge` as soon as it is longer than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while data := await self.read():
            if not pieces:
                self.began()
            size += len(data)
            if size > limit:
                raise self._failed(UpstreamTooLarge(detail="whole body"))
            pieces.append(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def began(self) -> None:
        """Say that the first event is here: until now `first` counted, from now on each byte renews `idle`."""
        self._open().began()

    def give(self, seconds: float) -> None:
        """Shorten the time for what is still to come."""
        self._open().give(seconds)

    def finish(self) -> None:
        """Give the connection back as soon as the response has ended, which must be soon; nothing more is read."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.linger(LINGER)

    def close(self) -> None:
        """Give the connection back if the response is complete and clean, else cut it; at once, and harmless twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the reply is closed")
        return self._connection

    def _inflate(self, connection: Connection) -> bytes:
        """Return the next decompressed bytes, a bounded piece at a time: only then is more taken from the socket."""
        inflater = self._inflater
        assert inflater is not None
        try:
            if not inflater.pending:
                inflater.feed(connection.take())
            data = inflater.read()
            if not data and connection.complete:
                inflater.finish()
        except UpstreamError as error:
            raise self._failed(error) from None
        self._given += len(data)
        if self._given > self._limit:
            raise self._failed(UpstreamTooLarge(detail="decompressed response"))
        return data

    def _failed(self, error: UpstreamError) -> UpstreamError:
        """Cut the connection because of what it carried, and return the reason."""
        self._open().fail(error)
        return error
