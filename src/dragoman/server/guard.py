"""Keeps other people's web pages out: they run in the browser of somebody who may ask.

A server without keys trusts its own machine, and with it every page in a browser there. A page whose name was made to
point to this machine (DNS rebinding) is known by its Host; one that posts what a browser lets any page post unasked (a
form, say) by its Origin. And Ollama's paths read JSON whatever the content type says, so that there the Origin counts
on every server; pages that may ask are also told so, to read the answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address

from dragoman.core.errors import DragomanError, Forbidden
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler

Refuse = Callable[[Exchange, DragomanError], None]
"""Answers an exchange with an error."""
MAX_KNOWN = 100
"""Hosts that need not be looked at twice (to read an address takes 2 µs)."""
PREFLIGHT = (
    b"access-control-allow-methods: GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS\r\n"
    b"access-control-allow-headers: Authorization, Content-Type, User-Agent, Accept, X-Requested-With, X-Api-Key, "
    b"OpenAI-Beta, x-stainless-arch, x-stainless-async, x-stainless-custom-poll-interval, x-stainless-helper-method, "
    b"x-stainless-lang, x-stainless-os, x-stainless-package-version, x-stainless-poll-helper, "
    b"x-stainless-retry-count, x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout\r\n"
    b"access-control-max-age: 43200\r\n"
)


def guard_local(handler: Handler, public: str, allows: Callable[[str], bool], refuse: Refuse) -> Handler:
    """Return `handler` for this machine alone, and pages of origins that `allows` knows.

    Every other Host than this machine's and `public`, the server's own name, is refused.
    """
    known: set[str] = set()

    def guarded(exchange: Exchange) -> Awaitable[None]:
        headers = exchange.head.headers
        host = headers["host"]
        if host not in known:
            if not is_local(host, public):
                return turn_away(exchange, Forbidden("this Host is not served here", code="host_not_allowed"))
            if len(known) < MAX_KNOWN:
                known.add(host)
        if "origin" in headers and not allows(headers["origin"]):
            return turn_away(exchange, _not_allowed())
        return handler(exchange)

    async def turn_away(exchange: Exchange, error: DragomanError) -> None:
        refuse(exchange, error)

    return guarded


def is_local(host: str, public: str = "") -> bool:
    """Tell whether a Host can name nothing but this machine: localhost, an address, or `public`."""
    name, _, port = host.rpartition(":")
    name = (name if name and port.isdecimal() else host).lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or (public and name == public):
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class OriginGuard:
    """Lets the pages of certain origins ask, and read what is answered; all others are refused."""

    def __init__(self, origins: Sequence[str], refuse: Refuse) -> None:
        """`origins` as a browser writes them; one that ends in ``*`` stands for all that begin so."""
        self._exact = frozenset(origin.lower() for origin in origins)
        self._starts = tuple(origin[:-1].lower() for origin in origins if origin.endswith("*"))
        self._refuse = refuse

    def guard(self, table: Mapping[tuple[str, str], Handler], start: str) -> dict[tuple[str, str], Handler]:
        """Return the handlers of `table`, those of paths that begin with `start` guarded, each with its OPTIONS."""
        guarded = {
            (method, path): self._guarded(handler) if path.startswith(start) else handler
            for (method, path), handler in table.items()
        }
        preflight = self._guarded(_answer_preflight)
        return guarded | {("OPTIONS", path): preflight for _, path in table if path.startswith(start)}

    def allows(self, origin: str) -> bool:
        """Tell whether pages of `origin` may ask."""
        origin = origin.lower()
        return origin in self._exact or origin.startswith(self._starts)

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(exchange: Exchange) -> Awaitable[None]:
            origin = exchange.head.headers.get("origin")
            return handler(exchange) if origin is None else self._check(handler, exchange, origin)

        return guarded

    async def _check(self, handler: Handler, exchange: Exchange, origin: str) -> None:
        if not self.allows(origin):
            self._refuse(exchange, _not_allowed())
            return
        exchange.also = b"access-control-allow-origin: %b\r\nvary: origin\r\n" % origin.encode("latin-1")
        await handler(exchange)


def _not_allowed() -> Forbidden:
    return Forbidden("this Origin may not ask here", code="origin_not_allowed")


async def _answer_preflight(exchange: Exchange) -> None:
    exchange.respond(204, PREFLIGHT, b"")
