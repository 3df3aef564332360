"""Who calls: one credential per request, looked up by its hash; a refusal never says why."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from dragoman.core.call import Caller
from dragoman.core.errors import Unauthenticated

ANYBODY = Caller("")
"""Who calls a server that has no keys."""


class Keys:
    """The client keys, known by their SHA-256 only."""

    def __init__(self, callers: Mapping[bytes, Caller]) -> None:
        """`callers`: digest of a key → who holds it; empty: nobody needs a key."""
        self._callers = dict(callers)

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return who sends these headers (lower-case names); raises `Unauthenticated`.

        The key stands in ``Authorization: Bearer`` or in ``x-api-key``; in both only if they agree. The lookup is by
        the whole digest, so its time tells nothing about a key.
        """
        if not self._callers:
            return ANYBODY
        key = _read_key(headers)
        caller = self._callers.get(sha256(key.encode("latin-1")).digest()) if key else None
        if caller is None:
            raise Unauthenticated
        return caller


def _read_key(headers: Mapping[str, str]) -> str:
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    plain = headers.get("x-api-key", "").strip()
    if bearer and plain and bearer != plain:
        return ""
    return bearer or plain
