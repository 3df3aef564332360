"""The simulated upstream as a server sees it: a request in, a script of its response out; no I/O here."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from urllib.parse import unquote

from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    Forbidden,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    Overloaded,
    RateLimited,
    Unauthenticated,
    UnsupportedMediaType,
    UpstreamError,
)
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects import inbound
from dragoman.testing.simulator.brain import think_each
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.faults import Wire, spoil_events, spoil_wire
from dragoman.testing.simulator.judge import judge
from dragoman.testing.simulator.models import MODELS, Model
from dragoman.testing.simulator.script import Cadence, Piece, Script, pace_reply, pace_stream, play_at_once
from dragoman.wire.json import encode

ROUTES = {
    "/chat/completions": ("openai_chat", "chatcmpl-sim"),
    "/completions": ("openai_completions", "cmpl-sim"),
}
"""How a path ends (the first that fits) → the dialect spoken there, and how the ids of its answers begin."""
_CATALOGUE = "/models"
_JSON = "application/json"
_BIRTH = 1767225600
"""When all models were made: 2026-01-01."""
_MOST_SEEN = 10_000
"""Conversations of which it is remembered how often they failed."""
_ERRORS: dict[int, Callable[[], DragomanError]] = {
    400: lambda: BadRequest("this model rejects every request", code="invalid_value"),
    401: Unauthenticated,
    402: lambda: _with_status(402, DragomanError("the credit is spent", code="insufficient_quota")),
    403: Forbidden,
    404: ModelNotFound,
    429: lambda: RateLimited(retry_after=1.0),
    500: lambda: DragomanError("this model fails on purpose"),
    503: lambda: Overloaded("this model is overloaded on purpose"),
}


class _Entry(Struct, frozen=True):
    """A model in the catalogue."""

    id: str
    description: str
    object: str = "model"
    created: int = _BIRTH
    owned_by: str = "simulator"


class _Catalogue(Struct, frozen=True):
    data: list[_Entry]
    object: str = "list"


class Simulator:
    """A pretended upstream. The same requests in the same order get the same bytes."""

    def __init__(
        self,
        seed: int = 0,
        cadence: Cadence | None = None,
        models: Collection[str] = tuple(MODELS),
        now: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        """Offer `models`; `cadence` is for those without one of their own, `now` gives the Unix time."""
        self._seed = seed
        self._cadence = cadence or Cadence()
        self._models = {name: MODELS[name] for name in models}
        self._now = now
        self._failed: dict[bytes, int] = {}

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request with lower-case header names; what is wrong with it is told, not raised."""
        path = path.partition("?")[0]
        dialect, prefix = next((route for end, route in ROUTES.items() if path.endswith(end)), ("openai_chat", ""))
        side = inbound(dialect)
        try:
            if prefix:
                _check_type(headers)
                return self._ask(side, f"{prefix}{digest(self._seed, body).hex()}", method, body)
            return self._list(method, path)
        except DragomanError as error:
            return _fail(side, error)

    def _ask(self, side: Inbound, answer_id: str, method: str, body: bytes) -> Script:
        if method != "POST":
            raise MethodNotAllowed
        call = side.read_call(body, Limits())
        requests = call.requests
        model = self._model(call.model)
        self._fail_at_first(model, body)
        for request in requests:
            judge(request)
        events = spoil_events(model.fault, think_each(requests, self._seed))
        events[0] = ev.Start(answer_id, call.model, self._now())
        cadence = model.cadence or self._cadence
        pieces = _stream(side, call, events, cadence) if call.stream else _reply(side, call, events, cadence)
        script = Script(200, _headers(side, stream=call.stream), pieces)
        return spoil_wire(model.fault, Wire(script, pieces, _error_in(side, call), call.stream))

    def _model(self, name: str) -> Model:
        model = self._models.get(name)
        if model is None:
            raise ModelNotFound(f"the model '{name}' does not exist", param="model")
        if model.status:
            raise _ERRORS[model.status]()
        return model

    def _fail_at_first(self, model: Model, body: bytes) -> None:
        if not model.failures:
            return
        key = digest(self._seed, body)
        failed = self._failed.get(key, 0)
        if failed < model.failures:
            if len(self._failed) >= _MOST_SEEN:
                self._failed.clear()
            self._failed[key] = failed + 1
            raise _ERRORS[500]()

    def _list(self, method: str, path: str) -> Script:
        _, found, rest = path.rpartition(_CATALOGUE) if path.endswith(_CATALOGUE) else path.partition(_CATALOGUE + "/")
        if not found:
            raise NotFound
        if method != "GET":
            raise MethodNotAllowed
        entries = [_Entry(model.id, model.about) for model in self._models.values()]
        if not rest:
            return play_at_once(200, [("content-type", _JSON)], encode(_Catalogue(entries)))
        name = unquote(rest)
        wanted = [entry for entry in entries if entry.id == name]
        if not wanted:
            raise ModelNotFound(f"the model '{name}' does not exist", param="model")
        return play_at_once(200, [("content-type", _JSON)], encode(wanted[0]))


def _check_type(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind != _JSON:
        raise UnsupportedMediaType


def _stream(side: Inbound, call: Call, events: list[ev.Event], cadence: Cadence) -> list[Piece]:
    writer = side.writer(call)
    spoken = [(event, writer.write(Burst([event]))) for event in events]
    return pace_stream(spoken, writer.end(), cadence)


def _reply(side: Inbound, call: Call, events: list[ev.Event], cadence: Cadence) -> list[Piece]:
    return pace_reply(side.write_reply(call, Burst(events)), events, cadence)


def _error_in(side: Inbound, call: Call) -> bytes:
    error = UpstreamError("this model fails on purpose")
    return side.writer(call).fail(error) if call.stream else side.write_error(error, "")[1]


def _headers(side: Inbound, *, stream: bool) -> list[tuple[str, str]]:
    kind = ("content-type", side.stream_type.decode("ascii") if stream else _JSON)
    return [kind, ("cache-control", "no-cache")] if stream else [kind]


def _fail(side: Inbound, error: DragomanError) -> Script:
    status, body = side.write_error(error, "")
    headers = [("content-type", _JSON)]
    if error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    if isinstance(error, MethodNotAllowed):
        headers.append(("allow", "GET, POST"))
    return play_at_once(status, headers, body)


def _with_status(status: int, error: DragomanError) -> DragomanError:
    error.status = status
    return error
