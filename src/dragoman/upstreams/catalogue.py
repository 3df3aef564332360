"""What an upstream can serve: a list from the configuration, or its own, read in the background and kept in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec import structs

from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError, UpstreamAuth, UpstreamInvalid, UpstreamTimeout, UpstreamUnavailable
from dragoman.core.quirks import Quirks
from dragoman.net.reply import Patience
from dragoman.upstreams.http import Transport
from dragoman.upstreams.listing import Model, Tell, as_read, read_each
from dragoman.upstreams.reading import MAX_BODY
from dragoman.upstreams.slices import in_slices

FIRST_RETRY = 5.0
"""Seconds until a catalogue that could not be read is tried again; doubled up to the refresh interval."""
Complete = Callable[[Model], Model]
"""Adds to what an upstream tells of a model what is known from elsewhere; the same for the same model."""
_REFUSED = (401, 403)
MAX_UNLISTED = 10_000
"""Models that are remembered although nobody lists them."""


def as_told(model: Model) -> Model:
    """Return what the upstream tells, where nobody knows more."""
    return model


def any_model(model: str) -> bool:
    """Allow every model."""
    return True


def allow_models(allow: Sequence[str], deny: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells which names may be asked for: those that fit `allow` and not `deny`, whatever their case.

    Each is a name, or the beginning of one and ``*``.
    """
    if tuple(allow) == ("*",) and not deny:
        return any_model

    def allows(model: str) -> bool:
        name = model.lower()
        return _fits(name, allow) and not _fits(name, deny)

    return allows


class Catalogue:
    """The models of one upstream; asking it never waits for the network."""

    def __init__(
        self,
        models: Sequence[Model] | None = None,
        *,
        any_name: bool = False,
        named: bool = False,
        complete: Complete = as_told,
        allows: Callable[[str], bool] = any_model,
        always: Sequence[Model] = (),
    ) -> None:
        """`models` is a list that never changes; None: not known until `replace` says.

        `allows` tells which models may be asked for at all, `always` are there whether or not the list names them.
        """
        self.any_name = any_name
        """Whether names that are not listed are passed on too."""
        self.named = named
        """Whether they are where the client names the upstream besides."""
        self.failure = ""
        """Why the last refresh failed, in a word; empty when it did not."""
        self.answered: bool | None = None
        """Whether the upstream answered at all when it was last asked for its list; None: nobody asks."""
        self.read_at: float | None = None
        """When the list was last read, in seconds since 1970; None: never."""
        self.allows = allows
        self._complete = complete
        self._always = always
        self._learnt: dict[str, Complete] = {}
        self._unlisted: dict[str, Model] = {}
        self._models: dict[str, Model] = {}
        self._folded: dict[str, str] = {}
        self.known = models is not None
        """Whether there is a list at all."""
        self.replace(models or ())

    def replace(self, models: Sequence[Model]) -> None:
        """Set the list; what has been learnt of a model stays known."""
        self._set([self._complete(model) for model in self._served(models)])

    async def refill(self, models: Sequence[Model]) -> None:
        """Set the list as `replace` does, but let others have their turns meanwhile: it may be very long."""
        self._set(await in_slices(self._complete(model) for model in self._served(models)))

    def _served(self, models: Sequence[Model]) -> list[Model]:
        """Return the models that may be asked for, the promised ones that are not listed at the end."""
        listed = {model.id for model in models}
        promised = [model for model in self._always if model.id not in listed]
        return [model for model in (*models, *promised) if self.allows(model.id)]

    def _set(self, models: Sequence[Model]) -> None:
        self._models = {model.id: self._settle(model) for model in models}
        listed = list(reversed(self._models.values()))
        called = {model.name.lower().replace(" ", "-"): model.id for model in listed if model.name}
        self._folded = called | {model.id.lower(): model.id for model in listed}

    def models(self) -> list[Model]:
        """Return what is listed, in the upstream's order."""
        return list(self._models.values())

    def lists(self, model: str) -> bool:
        """Tell whether `model` is listed."""
        return model in self._models

    def spell(self, model: str) -> str | None:
        """Return how the list spells `model`, whose case may be wrong, or which is what people call it.

        Of several it is the first. An id counts before a name, in which a space is a hyphen.
        """
        return self._folded.get(model.lower())

    def find(self, model: str) -> Model:
        """Return what is known of `model`, listed or not."""
        return self._models.get(model) or self._unlisted.get(model) or self._remember(model)

    def tell(self, model: str) -> Capabilities:
        """Return what is known of what `model` can."""
        return self.find(model).can

    def quirks(self, model: str) -> Quirks:
        """Return how `model` has to be spoken to."""
        return self.find(model).quirks

    def learn(self, model: str, lesson: Complete) -> bool:
        """Change what is known of `model` for good; tell whether that is news."""
        known = self.find(model)
        learnt = lesson(known)
        if learnt == known:
            return False
        before = self._learnt.get(model, as_told)
        if len(self._learnt) >= MAX_UNLISTED:
            self._learnt.clear()
        self._learnt[model] = lambda told: lesson(before(told))
        (self._models if model in self._models else self._unlisted)[model] = learnt
        return True

    def may_serve(self, model: str) -> bool:
        """Tell whether `model` is worth asking for: listed, or nobody can know; and allowed."""
        return model in self._models or ((self.any_name or self.named or not self.known) and self.allows(model))

    def _settle(self, model: Model) -> Model:
        """Add what has been learnt; quirks that are the same stay the same object, for that is how change is seen."""
        learnt = self._learnt.get(model.id)
        known = model if learnt is None else learnt(model)
        before = self._models.get(model.id) or self._unlisted.get(model.id)
        if before is None or before.quirks is known.quirks or before.quirks != known.quirks:
            return known
        return structs.replace(known, quirks=before.quirks)

    def _remember(self, model: str) -> Model:
        if len(self._unlisted) >= MAX_UNLISTED:
            self._unlisted.clear()
        known = self._unlisted[model] = self._settle(self._complete(Model(model)))
        return known


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(
        name.startswith(pattern[:-1].lower()) if pattern.endswith("*") else name == pattern.lower()
        for pattern in patterns
    )


async def keep_fresh(
    catalogue: Catalogue,
    read: Callable[[], Awaitable[list[Model]]],
    interval: float,
    now: Callable[[], float] = time.time,
) -> None:
    """Read a catalogue again every `interval` seconds, for ever; a failure keeps what is known."""
    again = FIRST_RETRY
    while True:
        try:
            await catalogue.refill(await read())
        except DragomanError as error:
            catalogue.failure = error.fault
            catalogue.answered = not isinstance(error, UpstreamUnavailable | UpstreamTimeout)
            await asyncio.sleep(min(interval, again))
            again *= 2
        else:
            catalogue.known, catalogue.failure, catalogue.answered, again = True, "", True, FIRST_RETRY
            catalogue.read_at = now()
            await asyncio.sleep(interval)


async def read_models(transport: Transport, headers: bytes, patience: Patience, tell: Tell = as_read) -> list[Model]:
    """Read an OpenAI-compatible ``GET /models``, of which `tell` may know more; raises `UpstreamError`."""
    reply = await transport.request(b"GET", b"/models", headers, b"", patience)
    try:
        body = await reply.read_all(MAX_BODY)
        if reply.status in _REFUSED:
            raise UpstreamAuth(detail=f"the catalogue answered {reply.status}")
        if reply.status != 200:
            raise UpstreamInvalid(detail=f"the catalogue answered {reply.status}")
    finally:
        reply.close()
    return await in_slices(read_each(body, tell))
