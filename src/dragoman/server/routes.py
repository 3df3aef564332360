"""Which handler answers which path; what has none is refused in words a client can read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from dragoman.core.errors import DragomanError, MethodNotAllowed, NotFound
from dragoman.dialects.openai_errors import write_error
from dragoman.server.endpoint import write_error_head
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler


class Routes:
    """The table of paths: exact ones, and one prefix for things that have a name."""

    def __init__(self, exact: Mapping[tuple[str, str], Handler], below: Mapping[tuple[str, str], Handler]) -> None:
        """`exact`: (method, path) → handler; `below`: (method, prefix ending in a slash) → handler."""
        self._exact = dict(exact)
        self._below = dict(below)
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
            refuse(exchange, error, b"allow: %b\r\n" % ", ".join(allowed).encode())
        else:
            refuse(exchange, NotFound(f"unknown request URL: {head.method} {head.path}"))

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
    status, body = write_error(error, exchange.id)
    exchange.respond(status, write_error_head(exchange, error) + headers, body)
