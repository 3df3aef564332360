"""The simulated upstream as a server sees it: a request in, a script of its response out; no I/O here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from urllib.parse import unquote

from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core.call import Call, Clock
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
)
from dragoman.core.ports import Inbound
from dragoman.dialects import inbound
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.faults import Wire, spoil_events, spoil_wire
from dragoman.testing.simulator.judge import judge
from dragoman.testing.simulator.models import BORN, MODELS, Model
from dragoman.testing.simulator.poe.face import PoeFace
from dragoman.testing.simulator.qwen import QwenFace
from dragoman.testing.simulator.script import Cadence, Script, play_at_once
from dragoman.testing.simulator.speak import JSON, read_call, write_break, write_headers, write_pieces
from dragoman.testing.simulator.studio import perform
from dragoman.testing.simulator.videos import VideoDesk
from dragoman.wire.json import encode

ROUTES = {
    "/messages": ("anthropic_messages", "msg_sim"),
    "/messages/count_tokens": ("anthropic_tokens", "msg_sim"),
    "/responses": ("openai_responses", "resp_sim"),
    "/api/chat": ("ollama_chat", "sim"),
    "/api/embed": ("ollama_embed", "sim"),
    "/api/embeddings": ("ollama_embeddings", "sim"),
    "/api/generate": ("ollama_generate", "sim"),
    "/chat/completions": ("openai_chat", "chatcmpl-sim"),
    "/completions": ("openai_completions", "cmpl-sim"),
    "/embeddings": ("openai_embeddings", "sim"),
    "/images/generations": ("openai_images", "sim"),
    "/images/edits": ("openai_image_edits", "sim"),
    "/images/variations": ("openai_image_variations", "sim"),
    "/audio/speech": ("openai_speech", "sim"),
    "/audio/transcriptions": ("openai_transcriptions", "sim"),
    "/audio/translations": ("openai_translations", "sim"),
    "/moderations": ("openai_moderations", "modr-sim"),
}
"""How a path ends (the first that fits) → the dialect spoken there, and how the ids of its answers begin."""
Face = Callable[[str, str, Mapping[str, str], bytes], Script]
"""Takes the method, the path below its prefix, the headers and the body."""
_CATALOGUE = "/models"
_VIDEOS = re.compile(r".*/videos(?:/(.*))?")
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


class _Senses(Struct, frozen=True):
    """What a model takes and gives."""

    input_modalities: list[str]
    output_modalities: list[str]


class _Entry(Struct, frozen=True):
    """A model in the catalogue, with what OpenRouter's catalogue tells of one."""

    id: str
    description: str
    context_length: int | None
    architecture: _Senses
    supported_parameters: list[str]
    object: str = "model"
    created: int = BORN
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
        self._videos = VideoDesk(seed, now, self._model, self._cadence)
        self.poe = PoeFace(seed, now, self._cadence)
        self._faces: dict[str, Face] = {
            "/poe/": self.poe.answer,
            "/qwen/compatible-mode/v1/": QwenFace(seed, now, self._cadence).answer,
            "": self._answer,
        }

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request with lower-case header names; what is wrong with it is told, not raised."""
        prefix = next(prefix for prefix in self._faces if path.startswith(prefix))
        return self._faces[prefix](method, path.removeprefix(prefix), headers, body)

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """The face of a server that speaks every dialect, and asks for no key."""
        path, _, query = path.partition("?")
        dialect, prefix = next((route for end, route in ROUTES.items() if path.endswith(end)), ("openai_chat", ""))
        side = inbound(dialect)
        try:
            if prefix:
                if method != "POST":
                    raise MethodNotAllowed
                return self._ask(side, read_call(side, headers, body), prefix)
            if below := _VIDEOS.fullmatch(path):
                return self._videos.answer(method, below[1] or "", query, headers, body)
            return self._list(method, path)
        except DragomanError as error:
            return _fail(side, error, digest(self._seed, body).hex())

    def _ask(self, side: Inbound, call: Call, prefix: str) -> Script:
        call.id = call.serial = digest(self._seed, call.body).hex()
        call.clock = Clock(float, self._now)
        requests = call.requests
        model = self._model(call.model)
        self._fail_at_first(model, call.body)
        for request in requests:
            judge(request)
        events = spoil_events(model.fault, perform(call.task, requests, self._seed))
        events[0] = ev.Start(f"{prefix}{call.id}", call.model, self._now())
        cadence = model.cadence or self._cadence
        pieces = write_pieces(side, call, events, cadence)
        script = Script(200, write_headers(side, call), pieces)
        return spoil_wire(model.fault, Wire(script, pieces, partial(write_break, side, call, events), call.stream))

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
        entries = [_entry(model) for model in self._models.values()]
        if not rest:
            return play_at_once(200, [("content-type", JSON)], encode(_Catalogue(entries)))
        name = unquote(rest)
        wanted = [entry for entry in entries if entry.id == name]
        if not wanted:
            raise ModelNotFound(f"the model '{name}' does not exist", param="model")
        return play_at_once(200, [("content-type", JSON)], encode(wanted[0]))


def _entry(model: Model) -> _Entry:
    can = model.can
    senses = [name for name, has in (("text", True), ("image", can.vision), ("audio", can.audio)) if has]
    switches = [name for name, has in (("temperature", True), ("tools", can.tools), ("reasoning", can.thinking)) if has]
    return _Entry(
        model.id, model.about, can.context, _Senses(senses, ["embeddings" if can.embedding else "text"]), switches
    )


def _fail(side: Inbound, error: DragomanError, request_id: str) -> Script:
    status, body = side.write_error(error, request_id)
    headers = [("content-type", JSON)]
    if error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    if isinstance(error, MethodNotAllowed):
        headers.append(("allow", "GET, POST"))
    return play_at_once(status, headers, body)


def _with_status(status: int, error: DragomanError) -> DragomanError:
    error.status = status
    return error
