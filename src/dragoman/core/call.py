"""One request on its way through the gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Raw, Struct

from dragoman.core.burst import Burst
from dragoman.core.message import Request

Read = Callable[[], Sequence[Request]]
"""Decodes a body, when somebody first asks what it means; raises `BadRequest`."""


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


class Call(Struct, eq=False):
    """A client's request: its bytes, what routing needs of them, and (decoded only if somebody looks) its meaning."""

    body: bytes
    """The client's own JSON, in `dialect`."""
    dialect: str
    model: str
    """The model name the client asked for."""
    read: Read
    """Decodes `body`; whoever wants its meaning takes `requests`, where it is kept."""
    stream: bool
    fields: dict[str, Raw] = {}
    """The members of `body`, their values untouched."""
    n: int = 1
    """How many choices the client asks for."""
    show_usage: bool = True
    """Whether the client wants to be told the usage of a stream."""
    id: str = ""
    """Request id, unique to this call."""
    caller: Caller = Caller("")
    deadline: float = float("inf")
    """Loop time at which everything must be over."""
    served_by: str = ""
    """``upstream/model`` of the target asked last."""
    attempts: int = 0
    """How often an upstream has been asked for this call."""
    losses: dict[str, str] = {}
    """Request fields that could not be carried upstream → the reason."""
    observers: list[Callable[[Burst], None]] = []
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

    def observe(self, observer: Callable[[Burst], None]) -> None:
        """Show `observer` every burst that goes to the client, the first included; it is quick and never raises."""
        self.observers.append(observer)
