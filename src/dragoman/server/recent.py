"""What became of the last requests, for whoever made them: ``GET /dragoman/requests/{id}``."""

from __future__ import annotations

from collections import deque

import msgspec
from msgspec import Struct

from dragoman.core.call import Call, Caller
from dragoman.core.errors import DragomanError, NotFound
from dragoman.server.auth import Keys
from dragoman.server.exchange import Exchange
from dragoman.server.head import JSON, write_id
from dragoman.server.routes import name_below, refuse
from dragoman.wire.json import encode

PATH = "/dragoman/requests/"
KEPT = 1_000
"""Requests that are remembered."""


class Loss(Struct, frozen=True):
    """A part of a request that did not reach the upstream."""

    field: str
    """In the words of the client's dialect."""
    reason: str


class Record(Struct, frozen=True, gc=False):
    """What is known of a request; nothing of what was said."""

    caller: str
    """The name of its key."""
    id: str
    dialect: str
    model: str
    served_by: str
    attempts: int
    error: str | None
    """The class of what went wrong; null for an answer that was completed."""
    losses: dict[str, str]


class Recent:
    """The records of the last requests."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        # To append is all that a request pays for; the search can take its time.
        self._records: deque[Record] = deque(maxlen=kept)

    def note(self, call: Call, error: DragomanError | None) -> None:
        """Remember a call that is over."""
        fault = None if error is None else error.fault
        losses = call.losses
        self._records.append(
            Record(call.caller.name, call.id, call.dialect, call.model, call.served_by, call.attempts, fault, losses)
        )

    def find(self, request_id: str, caller: Caller) -> Record:
        """Return what is known of a request of `caller`; raises `NotFound` for those of others too."""
        for record in reversed(self._records):
            if record.id == request_id and record.caller == caller.name:
                return record
        raise NotFound(f"no request '{request_id}' among the last {self._kept}", code="request_not_found")


class RecentEndpoint:
    """``GET /dragoman/requests/{id}``."""

    def __init__(self, recent: Recent, keys: Keys) -> None:
        self._recent = recent
        self._keys = keys

    async def one(self, exchange: Exchange) -> None:
        """Answer with what became of a request of the same key."""
        try:
            record = self._recent.find(name_below(exchange, PATH), self._keys.identify(exchange.head.headers))
        except DragomanError as error:
            refuse(exchange, error)
            return
        losses = [Loss(field, reason) for field, reason in record.losses.items()]
        told: dict[str, object] = {**msgspec.structs.asdict(record), "losses": losses}
        del told["caller"]
        exchange.respond(200, JSON + write_id(exchange), encode(told))
