"""Who calls: one credential per request, looked up by its hash; a refusal never says why."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote

from msgspec import structs

from dragoman.core.call import Caller
from dragoman.core.errors import Unauthenticated
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler

ANYBODY = Caller("")
"""Who calls a server that has no keys."""
KEY_PATH = "/k/"
"""How a path begins that holds a key."""
_FROM_PATH = "/k"
"""Where a key of the path stands among the headers; no client can send one of this name."""

_NOBODYS = "\0"
"""Stands for a credential that cannot be read: it is no key, and agrees with none."""


class Keys:
    """The client keys, known by their SHA-256 only."""

    def __init__(self, callers: Mapping[bytes, Caller]) -> None:
        """`callers`: digest of a key → who holds it; empty: nobody needs a key."""
        self._callers = dict(callers)

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return who sends these headers (lower-case names); raises `Unauthenticated`.

        The key stands in ``Authorization`` (``Bearer``, or the password of ``Basic``), in ``x-api-key`` or in the path;
        in several of them only if they agree. The lookup is by the whole digest, so its time tells nothing about a key.
        """
        if not self._callers:
            return ANYBODY
        key = _read_key(headers)
        caller = self._callers.get(sha256(key.encode("latin-1")).digest()) if key else None
        if caller is None:
            raise Unauthenticated
        return caller


def take_key_from_path(handler: Handler) -> Handler:
    """Return `handler` for clients that can send no header: ``/k/<key>/v1/models`` is ``/v1/models`` with that key.

    The path that all others see, and may repeat in an error, is without it.
    """

    async def take(exchange: Exchange) -> None:
        head = exchange.head
        if head.path.startswith(KEY_PATH):
            key, _, rest = head.path[len(KEY_PATH) :].partition("/")
            headers = {**head.headers, _FROM_PATH: unquote(key, "latin-1")}
            exchange.head = structs.replace(head, path=f"/{rest}", headers=headers)
        await handler(exchange)

    return take


def _read_key(headers: Mapping[str, str]) -> str:
    """Return the one key that is given; nothing for none, or for several."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    bearer = _read_scheme(scheme.lower(), given.strip())
    plain, path = headers.get("x-api-key", "").strip(), headers.get(_FROM_PATH, "")
    key = bearer or plain or path
    return key if bearer in ("", key) and plain in ("", key) and path in ("", key) else ""


def _read_scheme(scheme: str, given: str) -> str:
    """Return the key of an ``Authorization``, nothing when it holds none."""
    if scheme == "bearer":
        return given
    if scheme != "basic":
        return ""
    try:
        return binascii.a2b_base64(given, strict_mode=True).decode("latin-1").partition(":")[2]
    except ValueError:  # no base64, or no ASCII
        return _NOBODYS
