"""The header lines that tell what became of a call, the same in every dialect."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import ceil

from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, RateLimited
from dragoman.server.exchange import Exchange

JSON = b"content-type: application/json\r\n"
REQUEST_ID = b"x-request-id"
_TURNED_AWAY = frozenset({"server_overloaded", "server_shutdown"})
_ODD = re.compile(r"[^!-+\--~]")
"""What cannot stand in a list in a header; a client may call a field anything."""


def write_type(media_type: str) -> bytes:
    """Return the line that tells the type of a body."""
    return b"content-type: %b\r\n" % media_type.encode("latin-1")


def write_id(exchange: Exchange, id_header: bytes = REQUEST_ID) -> bytes:
    """Return the request id under our name for it, and under the name that the client's SDK looks for."""
    line = b"x-request-id: %b\r\n" % exchange.id.encode()
    return line if id_header == REQUEST_ID else b"%b%b: %b\r\n" % (line, id_header, exchange.id.encode())


def write_trace(exchange: Exchange, call: Call, id_header: bytes = REQUEST_ID) -> bytes:
    """Return the lines of a model's answer: who gave it, after how many attempts, and what was lost on the way."""
    lines = f"x-dragoman-attempts: {call.attempts}\r\n"
    if call.served_by:
        lines = f"x-dragoman-model: {call.served_by}\r\n{lines}"
    if call.losses:
        lines += f"x-dragoman-loss: {write_names(call.losses)}\r\n"
    return write_id(exchange, id_header) + lines.encode("latin-1", "replace")


def write_names(names: Iterable[str]) -> str:
    """Return a list of fields for a header; what no header can hold becomes `?`."""
    return ", ".join([_ODD.sub("?", name) for name in names])


def write_error_head(
    exchange: Exchange, error: DragomanError, call: Call | None = None, id_header: bytes = REQUEST_ID
) -> bytes:
    """Return the lines of an error; who has seen our retries fail need not repeat them.

    Whoever was turned away at the door (too many calls, the server stops) may come again: nothing was tried yet.
    """
    lines = JSON + write_id(exchange, id_header)
    if error.retry_after is not None:
        lines += b"retry-after: %d\r\n" % min(86_400, max(1, ceil(error.retry_after)))
    if not isinstance(error, RateLimited) and error.code not in _TURNED_AWAY:
        lines += b"x-should-retry: false\r\n"
    if call is not None and call.attempts:
        lines += b"x-dragoman-attempts: %d\r\n" % call.attempts
    return lines
