"""One request on its way through the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Raw, Struct

from dragoman.core.burst import Burst
from dragoman.core.errors import DragomanError
from dragoman.core.message import Request

Read = Callable[[], Sequence[Request]]
"""Decodes a body, when somebody first asks what it means; raises `BadRequest`."""
Task = Literal["chat", "embed", "image", "video", "speech", "transcription", "moderation"]
"""What is asked of a model; an upstream has an endpoint for it or not."""


class Caller(Struct, frozen=True):
    """Who calls: the name of a client key, and what it may ask for."""

    name: str
    models: tuple[str, ...] | None = None
    """Model names allowed, ``prefix*`` included; None = all."""

    def may_use(self, model: str) -> bool:
        """Tell whether this key may ask for `model` by that name."""
        if self.models is None:
            return True
        return any(model == name or (name.endswith("*") and model.startswith(name[:-1])) for name in self.models)


class Clock(Struct, frozen=True):
    """The two times an answer may tell, in seconds."""

    now: Callable[[], float]
    """The loop's time, for deadlines and durations."""
    epoch: Callable[[], float]
    """Since 1970."""


class Words(Struct, frozen=True):
    """How a client's dialect calls things, for telling it what was lost."""

    names: Mapping[str, str] = {}
    """The hub's word (see `core.loss`) → the client's, where they differ."""
    reasons: Mapping[str, str] = {}
    """A field of this dialect alone → why it is lost elsewhere; empty: nothing is lost with it."""


class Thread(Struct):
    """A conversation that the gateway keeps for its client from call to call."""

    keep: bool
    """Whether this turn can be continued later."""
    previous: str = ""
    """The id of the turn this one continues, empty at the beginning."""
    history: list[Raw] = []
    """All turns before this one, in the client's dialect; set before anybody reads the call's meaning."""


class Call(Struct, eq=False):
    """A client's request: its bytes, what routing needs of them, and (decoded only if somebody looks) its meaning."""

    body: bytes
    """The client's own bytes, in `dialect`."""
    dialect: str
    model: str
    """The model name the client asked for."""
    read: Read
    """Decodes `body`; whoever wants its meaning takes `requests`, where it is kept."""
    stream: bool
    fields: dict[str, Raw] = {}
    """The members of `body`, their values untouched."""
    task: Task = "chat"
    media_type: str = "application/json"
    """Of `body`, with its parameters."""
    reply_type: str = ""
    """Content type of the answer; empty: the dialect's usual one."""
    n: int = 1
    """How many choices the client asks for."""
    show_usage: bool = True
    """Whether the client wants to be told the usage of a stream."""
    words: Words = Words()
    ready: Burst | None = None
    """The whole answer, where the question needs no upstream."""
    thread: Thread | None = None
    by_value: bool = False
    """Whether the media of the answer have to come along: the client is told no address."""
    headers: Mapping[str, str] = {}
    """The client's headers that its dialect counts as part of what is asked, in lower case."""
    id: str = ""
    """Request id; a client may choose it, so it is not unique."""
    serial: str = ""
    """128 random bits in hex, ours and unique to this call."""
    caller: Caller = Caller("")
    strict: bool = False
    """Whether the client would rather have an error than lose part of its request."""
    clock: Clock = Clock(float, float)
    began: float = 0.0
    """Loop time at which the request had arrived."""
    asked: float = 0.0
    """Loop time at which an upstream was asked last."""
    deadline: float = float("inf")
    """Loop time at which everything must be over."""
    served_by: str = ""
    """``upstream/model`` of the target asked last."""
    attempts: int = 0
    """How often an upstream has been asked for this call."""
    committed: bool = False
    """The client has been told to wait, so nothing may be asked again."""
    losses: dict[str, str] = {}
    """Fields of the request that could not be carried, in the client's words → the reason."""
    observers: list[Callable[[Burst], None]] = []
    watchers: list[Callable[[DragomanError], None]] = []
    _requests: Sequence[Request] = ()

    @property
    def requests(self) -> Sequence[Request]:
        """The meaning of the body, decoded when first looked at; several when it holds several prompts.

        Raises `BadRequest`.
        """
        if not self._requests:
            self._requests = self.read()
        return self._requests

    @property
    def request(self) -> Request:
        """The meaning of a body that holds one prompt."""
        return self.requests[0]

    def amend(self, change: Callable[[Request], Request]) -> None:
        """Change the meaning of every prompt, now or when it is first looked at; the body stays as it is."""
        if self._requests:
            self._requests = [change(request) for request in self._requests]
            return
        read = self.read
        self.read = lambda: [change(request) for request in read()]

    def observe(self, observer: Callable[[Burst], None]) -> None:
        """Show `observer` every burst that goes to the client, the first included; it is quick and never raises."""
        self.observers.append(observer)

    def watch(self, watcher: Callable[[DragomanError], None]) -> None:
        """Tell `watcher` if the answer breaks after it has begun, and how; it is quick and never raises."""
        self.watchers.append(watcher)

    def broke(self, error: DragomanError) -> None:
        """Tell all that watch that the answer has broken; called once, by whoever held it."""
        for watcher in self.watchers:
            watcher(error)
