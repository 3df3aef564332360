"""Asks in any dialect over the raw wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct, field

from dragoman.testing.conform.field import Field, Json
from dragoman.testing.conform.question import Question, Said
from dragoman.testing.conform.server import Reply, Server
from dragoman.testing.conform.verdict import NotApplicable, Refused

_WHOLE, _PIECE = '{"model":', '{"model" '
"""How a body begins, and what is no JSON."""


class Wire(Struct, frozen=True):
    """A dialect, as far as it is tested."""

    path: str
    required: str
    """A field without which a request is refused."""
    write: Callable[[Question], dict[str, Json]]
    """Make the body; its first member is the model."""
    read: Callable[[Field, Question], Said]
    """Read a plain answer, and raise `Mismatch` for the first rule it breaks."""
    read_stream: Callable[[Reply, Question], Said]
    """The same for a stream; raises `Broken` for one that tells an error."""
    read_error: Callable[[Field, int], str]
    """Return the message of an error, given its status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    embed_path: str = ""
    read_vectors: Callable[[Field], list[list[float]]] | None = None
    """None: the dialect has no embeddings."""


class RawSpeaker:
    """A `Speaker` that knows the rules of a dialect, and forgives nothing."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._server = server
        self._wire = wire

    def ask(self, question: Question) -> Said:
        """Return the answer, read strictly."""
        reply = self._post(self._wire.path, self._write(question))
        if question.stream:
            return self._wire.read_stream(reply, question)
        return self._wire.read(reply.json(), question)

    def leave(self, question: Question) -> None:
        """Close the connection after the first byte of a stream."""
        self._server.leave(self._wire.path, self._write(question), self._wire.headers)

    def send(self, question: Question, *, broken: bool) -> None:
        """Send a body that is to be refused."""
        if broken:
            body = self._write(question).replace(_WHOLE.encode(), _PIECE.encode(), 1)
        else:
            members = self._wire.write(question)
            del members[self._wire.required]
            body = msgspec.json.encode(members)
        self._post(self._wire.path, body)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return embeddings, in the order of `texts`."""
        if self._wire.read_vectors is None:
            raise NotApplicable("the dialect has no embeddings")
        body: dict[str, Json] = {"model": model, "input": list(texts)}
        return self._wire.read_vectors(self._post(self._wire.embed_path, msgspec.json.encode(body)).json())

    def _write(self, question: Question) -> bytes:
        return msgspec.json.encode(self._wire.write(question))

    def _post(self, path: str, body: bytes) -> Reply:
        """Return a success; raises `Refused` for an error in the right shape, `Mismatch` for any other."""
        reply = self._server.post(path, body, self._wire.headers)
        if reply.status != 200:
            raise Refused(reply.status, self._wire.read_error(reply.json(), reply.status))
        return reply
