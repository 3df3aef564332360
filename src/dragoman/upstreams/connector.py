"""What every kind of upstream is built with, and what it is once it is built."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct

from dragoman.core.ask import Ask
from dragoman.core.call import Clock, Task
from dragoman.core.errors import DragomanError
from dragoman.core.message import Request
from dragoman.core.ports import Outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.http import HttpUpstream, Manners, Transport, learn_nothing
from dragoman.upstreams.links import FetchLinks
from dragoman.upstreams.listing import Model

CATALOGUE_PATIENCE = Patience(first=10, total=30)
"""How long a catalogue may take."""


class Wiring(Struct, frozen=True):
    """What an upstream is built with, whatever its kind."""

    name: str
    transport: Transport
    """What carries requests to its base URL."""
    clock: Clock
    catalogue: Catalogue
    keys: Sequence[str] = ()
    """Its API keys."""
    headers: bytes = b""
    """Written header lines of every request that the operator wants."""
    patience: Patience = Patience()
    plain_first: float | None = None
    """Seconds to the first byte of a plain answer; None: only the total counts."""
    saw: Callable[[Mapping[str, str]], None] | None = None
    """Is shown the headers of every response."""
    reach: Callable[[str], Transport] | None = None
    """Returns what carries requests to another base URL of the same upstream, on the same way."""
    links: FetchLinks | None = None
    """Puts the bytes of linked attachments in their place, where the operator allows that."""

    def speak(
        self,
        dialects: Sequence[Outbound],
        *,
        headers: bytes = b"",
        keys: Sequence[bytes] = (),
        instead: Mapping[Task, Task] | None = None,
        prepare: Callable[[Request], Awaitable[Request]] | None = None,
        learn: Callable[[str, DragomanError], bool] = learn_nothing,
    ) -> HttpUpstream:
        """Return the upstream that speaks `dialects`; `headers` and `keys` are written lines."""
        manners = Manners(
            dialects=dialects,
            headers=headers + self.headers,
            patience=self.patience,
            plain_first=self.plain_first,
            can=self.catalogue.tell,
            quirks=self.catalogue.quirks,
            keys=keys,
            instead=instead or {},
            prepare=prepare,
            links=self.links,
            learn=learn,
            saw=self.saw,
        )
        return HttpUpstream(self.name, self.transport, manners, self.clock)


class Connector(Struct, frozen=True):
    """An upstream that is ready to be asked."""

    http: HttpUpstream
    """Asks for what is no model's answer, such as the jobs of videos."""
    ask_model: Callable[[str], Ask]
    """The ask for what the upstream itself calls by this name."""
    read_models: Callable[[], Awaitable[list[Model]]] | None = None
    """Reads its catalogue; raises `UpstreamError`. None: it has none."""
