"""The server under test, asked over plain HTTP/1.1: one connection for each request, by the standard library alone."""

from __future__ import annotations

import http.client
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from dragoman.net.origin import Origin, parse_origin
from dragoman.testing.conform.field import Field, read_json
from dragoman.testing.conform.verdict import Mismatch


class Reply(Struct, frozen=True):
    """A whole response."""

    status: int
    content_type: str
    """Without its parameters."""
    body: bytes

    def json(self) -> Field:
        """Return the body; raises `Mismatch` if it is no JSON or does not say that it is."""
        self.expect_type("application/json")
        return read_json(self.body)

    def expect_type(self, expected: str) -> None:
        """Raise `Mismatch` for another content type."""
        if self.content_type != expected:
            raise Mismatch("content-type", expected, self.content_type or "none")


class Server(Struct, frozen=True):
    """Where to ask, and how."""

    origin: Origin
    key: str
    timeout: float
    """Seconds to connect, and between two reads."""

    @property
    def url(self) -> str:
        """The base URL, without ``/v1``."""
        return f"{self.origin.scheme}://{self.origin.authority}{self.origin.path}"

    def get(self, path: str) -> Reply:
        """Return the answer to a GET."""
        with self._response("GET", path, None, {}) as response:
            return _read(response)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the whole answer to a POST; raises `Mismatch` when there is none."""
        with self._response("POST", path, body, headers) as response:
            return _read(response)

    def leave(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Ask, wait for the first bytes of the answer, and close the connection."""
        with self._response("POST", path, body, headers) as response:
            if response.status != 200 or not response.read1(1):
                raise Mismatch("status", "200 and a stream", str(response.status))

    @contextmanager
    def _response(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Generator[http.client.HTTPResponse]:
        """Ask, and close the connection in the end; what the network does wrong becomes a `Mismatch`."""
        kind = http.client.HTTPSConnection if self.origin.secure else http.client.HTTPConnection
        connection = kind(self.origin.host, self.origin.port, timeout=self.timeout)
        sent = {"content-type": "application/json", **headers}
        if self.key:
            sent.setdefault("authorization", f"Bearer {self.key}")
        try:
            connection.request(method, self.origin.path + path, body, sent)
            with connection.getresponse() as response:
                yield response
        except (OSError, http.client.HTTPException) as error:
            raise Mismatch("connection", "a whole answer", f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()


def open_server(url: str, key: str, timeout: float) -> Server:
    """Return the server at a base URL, with or without ``/v1``; raises `ValueError` for one that is none."""
    return Server(parse_origin(url.rstrip("/").removesuffix("/v1")), key, timeout)


def _read(response: http.client.HTTPResponse) -> Reply:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Reply(response.status, kind, response.read())
