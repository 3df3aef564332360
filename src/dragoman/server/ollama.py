"""Ollama's catalogue, answered from memory, and fitting answers for what a gateway has no use for.

All of it needs a key but ``/`` and ``/api/version``: they say the same to everybody, nothing of this server, and
clients ask them (the command line before every command) to see whether anybody is there, before they think of a key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from dragoman.core.call import Caller
from dragoman.core.errors import BadRequest, DragomanError, Forbidden, MethodNotAllowed, ModelNotFound, NotFound
from dragoman.dialects import ollama_models as wire
from dragoman.dialects.ollama.errors import write_error, write_stream_error
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.exchange import Exchange
from dragoman.server.head import write_id
from dragoman.server.http1 import Handler
from dragoman.server.routes import Refusal, refuse_in
from dragoman.upstreams.slices import in_slices
from dragoman.wire.json import read_json

START = "/api/"
"""How all of Ollama's own paths begin, but for the root."""
LOADED = 300.0
"""Seconds for which a model that was asked for counts as loaded, as in Ollama."""
NOT_OURS = "not supported: this server is a gateway, its models are configured on the server"
_NO_ACCOUNTS = "accounts are not supported by this server"
_NO_MANIFEST = "pull model manifest: file does not exist"
_JSON = b"content-type: application/json; charset=utf-8\r\n"
_LINES = b"content-type: application/x-ndjson\r\n"
_TEXT = b"content-type: text/plain; charset=utf-8\r\n"
_STATUS = b'{"cloud":{"disabled":true,"source":"config"}}'
_Table = dict[tuple[str, str], Handler]
_Answer = Callable[[Exchange, Caller], Awaitable[None]]


class _Question(Struct):
    """What all requests about one model say."""

    model: str | None = None
    name: str | None = None
    """What `model` was called before."""
    stream: bool | None = None


_question = msgspec.json.Decoder(_Question)


class OllamaEndpoints:
    """The paths of Ollama that ask no model."""

    def __init__(self, directory: Directory, keys: Keys, version: str) -> None:
        """`version` is the one that is told: clients refuse to speak to one that is too old."""
        self._directory = directory
        self._keys = keys
        self._version = wire.write_version(version)

    def exact(self) -> _Table:
        """Return the handlers of whole paths."""
        refused = [("POST", "push"), ("POST", "create"), ("POST", "copy")]
        return {
            ("GET", "/"): self.root,
            ("GET", f"{START}version"): self.version,
            ("GET", f"{START}tags"): self._for_caller(self.tags),
            ("GET", f"{START}ps"): self._for_caller(self.running),
            ("GET", f"{START}status"): self._for_caller(self.status),
            ("POST", f"{START}show"): self._for_caller(self.show),
            ("POST", f"{START}pull"): self._for_caller(self.pull),
            ("DELETE", f"{START}delete"): self._for_caller(self.delete),
            ("POST", f"{START}me"): self._for_caller(self.account),
            ("POST", f"{START}signout"): self._for_caller(self.account),
            **{(method, f"{START}{path}"): self._for_caller(self.refused) for method, path in refused},
        }

    def below(self) -> _Table:
        """Return the handlers of paths that end in a name."""
        return {
            ("HEAD", f"{START}blobs/"): self._for_caller(self.no_blob),
            ("POST", f"{START}blobs/"): self._for_caller(self.refused),
            ("DELETE", f"{START}user/keys/"): self._for_caller(self.account),
        }

    async def root(self, exchange: Exchange) -> None:
        """Say that somebody is here."""
        exchange.respond(200, _TEXT + write_id(exchange), b"Ollama is running")

    async def version(self, exchange: Exchange) -> None:
        """Say which Ollama this is like."""
        _say(exchange, self._version)

    async def tags(self, exchange: Exchange, caller: Caller) -> None:
        """List every model the caller may use."""
        tags = await in_slices(map(wire.show_tag, self._directory.entries(caller)))
        _say(exchange, wire.write_tags(tags))

    async def running(self, exchange: Exchange, caller: Caller) -> None:
        """List the models that the caller has asked for of late."""
        used = self._directory.used(caller, LOADED)
        _say(exchange, wire.write_running([(entry, at + LOADED) for entry, at in used]))

    async def show(self, exchange: Exchange, caller: Caller) -> None:
        """Tell all that is known of one model."""
        name = (await _read_question(exchange))[0]
        _say(exchange, wire.write_shown(self._directory.entry(name, caller)))

    async def pull(self, exchange: Exchange, caller: Caller) -> None:
        """Say that a model that is known is here already, as after a download that took no time."""
        name, stream = await _read_question(exchange)
        try:
            self._directory.entry(name, caller)
        except ModelNotFound:
            missing = NotFound(_NO_MANIFEST)
            if not stream:
                raise missing from None
            lines = [*wire.write_progress("pulling manifest"), write_stream_error(missing)]
        else:
            steps = ("pulling manifest", "verifying sha256 digest", "writing manifest", "success")
            lines = wire.write_progress(*(steps if stream else steps[-1:]))
        if stream:
            exchange.respond(200, _LINES + write_id(exchange), b"".join(lines))
        else:
            _say(exchange, lines[0].rstrip())

    async def delete(self, exchange: Exchange, caller: Caller) -> None:
        """Refuse to delete what is there; what is not there is not found."""
        self._directory.entry((await _read_question(exchange))[0], caller)
        raise Forbidden(NOT_OURS)

    async def refused(self, exchange: Exchange, caller: Caller) -> None:
        """Refuse what changes models, its body unread: it may hold gigabytes."""
        raise Forbidden(NOT_OURS)

    async def no_blob(self, exchange: Exchange, caller: Caller) -> None:
        """Say that a part of a model is not here."""
        raise NotFound

    async def account(self, exchange: Exchange, caller: Caller) -> None:
        """Say that there are no accounts."""
        raise NotFound(_NO_ACCOUNTS)

    async def status(self, exchange: Exchange, caller: Caller) -> None:
        """Say that there is no cloud behind this server."""
        _say(exchange, _STATUS)

    def _for_caller(self, answer: _Answer) -> Handler:
        """Return what answers those with a key, and tells all errors."""

        async def handle(exchange: Exchange) -> None:
            try:
                await answer(exchange, self._keys.identify(exchange.head.headers))
            except DragomanError as error:
                _refuse_in_json(exchange, error, b"")

        return handle


def refuse(exchange: Exchange, error: DragomanError, headers: bytes = b"") -> None:
    """Refuse a path that Ollama does not know, or a method, in its words; all else as an error."""
    if isinstance(error, NotFound | MethodNotAllowed):
        text = b"404 page not found" if isinstance(error, NotFound) else b"405 method not allowed"
        exchange.respond(error.status, _TEXT + write_id(exchange) + headers, text)
    else:
        _refuse_in_json(exchange, error, headers)


_refuse_in_json: Refusal = refuse_in(write_error)


def _say(exchange: Exchange, body: bytes) -> None:
    exchange.respond(200, _JSON + write_id(exchange), body)


async def _read_question(exchange: Exchange) -> tuple[str, bool]:
    """Return the model that is asked about, and whether the answer is to be streamed; raises `BadRequest`."""
    body = await exchange.body()
    if not body.strip():
        raise BadRequest("missing request body")
    question = read_json(_question, body)
    name = question.model or question.name
    if not name:
        raise BadRequest("model is required", param="model")
    return name, question.stream is not False
