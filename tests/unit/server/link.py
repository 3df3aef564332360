"""Exchanges without a network: a link that keeps what is written, and the response taken apart."""

import re

from msgspec import Struct

from dragoman.server.exchange import DateLine, Exchange, RequestIds
from dragoman.wire.http1 import HeadLimits, read_head

KEY = "authorization: Bearer dg-app-key"
JSON = "content-type: application/json"


class Link:
    """A connection that leads nowhere."""

    def __init__(self) -> None:
        self.paused = False
        self.dates = DateLine()
        self.ids = RequestIds()
        self.written = b""
        self.cuts = 0
        self.drained = 0

    def write(self, data: bytes) -> None:
        self.written += data

    def persists(self) -> bool:
        return True

    def cut(self, *, reset: bool) -> None:
        self.cuts += 1

    async def drain(self) -> None:
        self.drained += 1


class Response(Struct):
    """What was written."""

    status: int
    headers: dict[str, str]
    body: bytes
    """With its chunks joined."""
    ended: bool
    """Whether the body has come to its end."""


def make_exchange(link: Link, line: str = "POST /v1/x", *headers: str, body: bytes = b"") -> Exchange:
    """Return an exchange whose request has come whole."""
    lines = (f"{line} HTTP/1.1", "host: localhost", "x-request-id: id-1", *headers, "", "")
    return Exchange(link, read_head("\r\n".join(lines).encode(), HeadLimits()), "127.0.0.1", body)


def response(link: Link) -> Response:
    """Return the one response that was written."""
    head, _, body = link.written.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name: value for name, _, value in (text.partition(": ") for text in lines)}
    if headers.get("transfer-encoding") != "chunked":
        return Response(int(line.split()[1]), headers, body, len(body) == int(headers["content-length"]))
    pieces: list[bytes] = []
    while (size := re.match(rb"([0-9a-f]+)\r\n", body)) is not None:
        end = size.end() + int(size[1], 16)
        pieces.append(body[size.end() : end])
        body = body[end + 2 :]
        if not pieces[-1]:
            break
    assert not body
    return Response(int(line.split()[1]), headers, b"".join(pieces), bool(pieces) and not pieces[-1])
