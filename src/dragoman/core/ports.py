"""What a dialect offers: the shapes that let the server and the upstreams use any of them without knowing which.

A dialect's inbound side faces clients, its outbound side faces upstreams; one of them may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from dragoman.core.burst import Burst
from dragoman.core.call import Call, Task
from dragoman.core.errors import DragomanError
from dragoman.core.events import Start
from dragoman.core.loss import Terms
from dragoman.core.message import Request
from dragoman.core.quirks import Quirks


class Limits(Struct, frozen=True):
    """How much a client's JSON may hold; one more of anything is a `BadRequest`. All of it can be configured."""

    depth: int = 64
    """Nesting of objects and arrays."""
    digits: int = 308
    """Digits of one number."""
    keys: int = 10_000
    """Keys of one object."""
    messages: int = 10_000
    tools: int = 512
    stop: int = 16
    n: int = 128
    metadata: int = 64


class Writer(Protocol):
    """Writes one streamed answer to a client; holds what the dialect must remember between bursts."""

    def write(self, burst: Burst) -> bytes:
        """Return the frames of `burst`: its own bytes where they serve, else written anew; may be empty."""
        ...

    def end(self) -> bytes:
        """Return the success marker; asked for only after the upstream's own completion signal."""
        ...

    def fail(self, error: DragomanError) -> bytes | None:
        """Return the frame that tells the client its answer broke; nothing follows it.

        None: the dialect has no such frame, and only a cut connection can tell.
        """
        ...

    def ping(self) -> bytes:
        """Return what tells the client that the answer is still coming, and says nothing else."""
        ...


class Inbound(Struct, frozen=True):
    """The client side of a dialect."""

    name: str
    stream_type: bytes
    """Content type of a streamed answer."""
    read_call: Callable[[bytes, Limits], Call]
    """Take model and stream from a JSON body, leaving the rest for later; raises `BadRequest`."""
    writer: Callable[[Call], Writer]
    write_reply: Callable[[Call, Burst], bytes]
    """The body of a plain answer."""
    write_error: Callable[[DragomanError, str], tuple[int, bytes]]
    """Status and body of an error, given the request id."""
    read_form: Callable[[bytes, str, Limits], Call] | None = None
    """The same for a ``multipart/form-data`` body, given its content type; None: the dialect knows JSON alone."""
    any_type: bool = False
    """Whether a body is read as JSON whatever its content type says."""
    id_header: bytes = b"x-request-id"
    """The header in which its SDKs look for the request id."""
    headers: tuple[str, ...] = ()
    """The client's headers, in lower case, that are part of what it asks and go on to an upstream of this dialect."""


class Reader(Protocol):
    """Reads one streamed answer of an upstream, fed whatever the network delivered."""

    finished: bool
    """Every choice has its finish; only usage or the end mark can follow."""

    @property
    def done(self) -> bool:
        """Whether the upstream's end mark has been read; what follows it is ignored."""
        ...

    def feed(self, data: bytes) -> Burst | None:
        """Return what became complete; raises `UpstreamError` for broken data or an error in the stream."""
        ...

    def end(self) -> Burst | None:
        """Return what was held back to the end; raises `UpstreamIncomplete` when the upstream was not done."""
        ...


class Outbound(Struct, frozen=True):
    """The upstream side of a dialect."""

    name: str
    path: bytes
    """Appended to the upstream's base address; ``%b`` in it stands for what the upstream calls the model."""
    id_prefix: str
    """What the ids of its answers begin with, for one we have to make up."""
    patch_request: Callable[[Call, str], bytes]
    """The client's own body for the same dialect, with only what must change changed: the upstream's model name."""
    write_request: Callable[[Request, str], bytes]
    """A body made anew from the meaning of a request, for another dialect's client."""
    reader: Callable[[Start, int], Reader]
    """A reader for one stream: what to put where the upstream tells no id, model or time; how many choices to come."""
    read_reply: Callable[[bytes, Start], Burst]
    """Read a whole plain answer; raises `UpstreamError`."""
    read_error: Callable[[int, Mapping[str, str], bytes], DragomanError]
    """Say what a response that is not a success means, given status, headers (lower case) and body."""
    task: Task = "chat"
    """What an upstream is asked for in this dialect."""
    terms: Terms = Terms()
    """What of a request it has no place for."""
    stream_type: str = "text/event-stream"
    """Media type of its streams; empty: the answer is no stream of frames but bytes of a type of their own."""
    always_streams: bool = False
    """Whether there are no plain answers: what the client wants whole is a stream read to its end."""
    headers: Mapping[str, str] = {}
    """Headers of every request, lower case, unless the client of the same dialect says them itself."""
    fitted: Callable[[Quirks], Outbound] | None = None
    """The same side for a server that differs from the dialect; None: no quirk concerns it."""


class Record(Struct, frozen=True):
    """A JSON object that is kept for the client it belongs to."""

    kind: str
    """What it is, a short fixed word."""
    owner: str
    """The name of the client's key."""
    id: str
    body: bytes
    previous: str = ""
    """The id of the record of the same kind and owner that this one continues."""


class Store(Protocol):
    """Keeps records until they expire; nobody is ever shown the record of another owner.

    Everything here raises `DragomanError` with the fault ``store`` when the store is down, full or broken.
    """

    async def put(self, record: Record) -> None:
        """Keep a record, or set the body of the one that its owner keeps under the same kind and id."""
        ...

    async def get(self, kind: str, owner: str, record_id: str) -> Record | None:
        """Return a record, None when its owner has none by this id (any more)."""
        ...

    async def trail(self, kind: str, owner: str, record_id: str, limit: int) -> list[Record]:
        """Return a record and those it continues, at most `limit`, the oldest first; empty when it is not there."""
        ...

    async def page(self, kind: str, owner: str, limit: int, after: str = "", *, newest: bool = True) -> list[Record]:
        """Return up to `limit` records in the order they were first put, those behind the record `after`."""
        ...

    async def delete(self, kind: str, owner: str, record_id: str) -> bool:
        """Forget a record; tell whether it was there."""
        ...
