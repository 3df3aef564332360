"""Which handler answers which path; what has none is refused in words a client of that path can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from dragoman.core.errors import DragomanError, MethodNotAllowed, NotFound
from dragoman.dialects.openai_errors import write_error
from dragoman.server.exchange import Exchange
from dragoman.server.head import REQUEST_ID, write_error_head
from dragoman.server.http1 import Handler

Table = Mapping[tuple[str, str], Handler]
"""Method and path → what answers them."""
Refusal = Callable[[Exchange, DragomanError, bytes], None]
"""Answers an exchange with an error, and more header lines."""
WriteError = Callable[[DragomanError, str], tuple[int, bytes]]
"""Writes status and body of an error, given the request id, in some dialect."""


class Routes:
    """The table of paths: exact ones, and one prefix for things that have a name."""

    def __init__(self, exact: Table, below: Table, refusals: Sequence[tuple[str, Refusal]] = ()) -> None:
        """`below` has prefixes that end in a slash; `refusals`: a path → who refuses it and all below it."""
        self._exact = dict(exact)
        self._below = dict(below)
        self._refusals = [(path.rstrip("/"), f"{path.rstrip('/')}/", refusal) for path, refusal in refusals]
        for (method, path), handler in exact.items():
            if method == "GET":
                self._exact["HEAD", path] = handler
        for (method, prefix), handler in below.items():
            if method == "GET":
                self._below["HEAD", prefix] = handler

    async def __call__(self, exchange: Exchange) -> None:
        """Hand the exchange to the handler of its path."""
        head = exchange.head
        handler = self._exact.get((head.method, head.path)) or self._find(head.method, head.path)
        if handler is not None:
            await handler(exchange)
            return
        allowed = sorted({method for method, path in self._exact if path == head.path} | self._methods_below(head.path))
        if allowed:
            error: DragomanError = MethodNotAllowed(f"{head.method} is not supported here")
            self.refuse(exchange, error, b"allow: %b\r\n" % ", ".join(allowed).encode())
        else:
            self.refuse(exchange, NotFound(f"unknown request URL: {head.method} {head.path}"))

    def refuse(self, exchange: Exchange, error: DragomanError, headers: bytes = b"") -> None:
        """Answer with an error in the dialect of the path, OpenAI's where it belongs to none."""
        path = exchange.head.path
        for exact, start, refusal in self._refusals:
            if path == exact or path.startswith(start):
                refusal(exchange, error, headers)
                return
        refuse(exchange, error, headers)

    def _find(self, method: str, path: str) -> Handler | None:
        for (known, prefix), handler in self._below.items():
            if known == method and path.startswith(prefix) and len(path) > len(prefix):
                return handler
        return None

    def _methods_below(self, path: str) -> set[str]:
        return {method for method, prefix in self._below if path.startswith(prefix) and len(path) > len(prefix)}


def name_below(exchange: Exchange, prefix: str) -> str:
    """Return what the path names below `prefix`, percent-decoded; the name may hold slashes."""
    return unquote(exchange.head.path[len(prefix) :])


def refuse(exchange: Exchange, error: DragomanError, headers: bytes = b"") -> None:
    """Answer with an error in OpenAI's shape, the one for paths that belong to no dialect."""
    _refuse(exchange, error, headers, write_error, REQUEST_ID)


def refuse_in(write: WriteError, id_header: bytes = REQUEST_ID) -> Refusal:
    """Return what refuses in another shape, that of `write`."""
    return lambda exchange, error, headers: _refuse(exchange, error, headers, write, id_header)


def _refuse(exchange: Exchange, error: DragomanError, headers: bytes, write: WriteError, id_header: bytes) -> None:
    status, body = write(error, exchange.id)
    exchange.respond(status, write_error_head(exchange, error, None, id_header) + headers, body)
