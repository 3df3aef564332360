"""The client's side of one connection, and the verdict on every answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httptools
import msgspec
from msgspec import Struct

from bench.dialect import MARK, MODEL, Said
from bench.wire import Wire


class Target(Struct, frozen=True):
    """Somebody who answers: a gateway, or the mock itself."""

    name: str
    port: int
    stream_port: int
    """Where streams are asked for; nginx relays them without buffering on a port of its own."""
    model: str
    """The name the client must use."""
    key: str = ""
    pid: int = 0
    says: tuple[str, ...] = (MODEL,)
    """What the answer may call the model."""


class Exchange(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self, ended: Callable[[Exchange, str], None], heard: Callable[[Exchange, int], None] | None) -> None:
        """Call `ended` with every whole answer or the fault that prevented it, `heard` with each read's tokens."""
        self._ended = ended
        self._heard = heard
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._waiting = False
        self.sent = 0.0
        self.last = 0.0
        """When the latest token came; 0 before the first."""

    @property
    def body(self) -> bytes:
        """The body as far as it has come."""
        return b"".join(self._parts)

    @property
    def status(self) -> int:
        """The status of the latest answer."""
        return self._parser.get_status_code()

    def ask(self, request: bytes) -> None:
        """Send one request; the answer before it has ended."""
        self._parts.clear()
        self._waiting = True
        self.last = 0.0
        self.sent = time.perf_counter()
        self._wire.write(request)

    def close(self) -> None:
        """Leave, whatever is under way."""
        self._waiting = False
        self._wire.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self._wire = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"the answer is not HTTP: {error}")
            self.close()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)
        if self._heard is not None and (tokens := body.count(MARK)):
            self._heard(self, tokens)

    def on_message_complete(self) -> None:
        self._end("")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection was lost: {exc or 'closed'}")

    def _end(self, fault: str) -> None:
        if self._waiting:
            self._waiting = False
            self._ended(self, fault)


def write_request(target: Target, path: str, body: bytes) -> bytes:
    """Return the bytes of one request as a common SDK would send it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nUser-Agent: bench/1\r\nAuthorization: Bearer {target.key or 'none'}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def find_fault(status: int, body: bytes, target: Target, read: Callable[[bytes], Said], expected: Said) -> str:
    """Return what is wrong with a whole answer, or nothing: status, text, finish, usage, model and the last word."""
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    try:
        said = read(body)
    except (ValueError, LookupError) as error:  # msgspec's errors are ValueErrors
        return f"unreadable answer ({error}): {body[:200]!r}"
    if said.model != expected.model and said.model in target.says:
        said = msgspec.structs.replace(said, model=expected.model)
    return "" if said == expected else _difference(said, expected)


def _difference(said: Said, expected: Said) -> str:
    fields = zip(said.__struct_fields__, msgspec.structs.astuple(said), msgspec.structs.astuple(expected), strict=True)
    wrong = [f"{name} is {str(is_)[:80]!r}, not {str(ought)[:80]!r}" for name, is_, ought in fields if is_ != ought]
    return "; ".join(wrong)
