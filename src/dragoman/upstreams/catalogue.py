"""What an upstream can serve: a list from the configuration, or its own, read in the background and kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError, UpstreamInvalid
from dragoman.net.reply import Patience
from dragoman.upstreams.http import MAX_BODY, Transport
from dragoman.upstreams.listing import Model, parse_models

FIRST_RETRY = 5.0
"""Seconds until a catalogue that could not be read is tried again; doubled up to the refresh interval."""


class Catalogue:
    """The models of one upstream; asking it never waits for the network."""

    def __init__(self, models: Sequence[Model] | None = None, *, any_name: bool = False) -> None:
        """`models` is a list that never changes; None: not known until `replace` says."""
        self.any_name = any_name
        """Whether names that are not listed are passed on too."""
        self.failure = ""
        """Why the last refresh failed, in a word; empty when it did not."""
        self._models: dict[str, Model] = {}
        self._folded: dict[str, str] = {}
        self.known = models is not None
        """Whether there is a list at all."""
        self.replace(models or ())

    def replace(self, models: Sequence[Model]) -> None:
        """Set the list."""
        self._models = {model.id: model for model in models}
        self._folded = {name.lower(): name for name in reversed(self._models)}

    def models(self) -> list[Model]:
        """Return what is listed, in the upstream's order."""
        return list(self._models.values())

    def lists(self, model: str) -> bool:
        """Tell whether `model` is listed."""
        return model in self._models

    def spell(self, model: str) -> str | None:
        """Return how the list spells `model`, whose case may be wrong; of several the first."""
        return self._folded.get(model.lower())

    def find(self, model: str) -> Model:
        """Return what is known of `model`, which is nothing when it is not listed."""
        return self._models.get(model) or Model(model)

    def tell(self, model: str) -> Capabilities:
        """Return what is known of what `model` can."""
        return self.find(model).can

    def may_serve(self, model: str) -> bool:
        """Tell whether `model` is worth asking for: listed, or nobody can know."""
        return self.any_name or not self.known or model in self._models


async def keep_fresh(catalogue: Catalogue, read: Callable[[], Awaitable[list[Model]]], interval: float) -> None:
    """Read a catalogue again every `interval` seconds, for ever; a failure keeps what is known."""
    again = FIRST_RETRY
    while True:
        try:
            catalogue.replace(await read())
        except DragomanError as error:
            catalogue.failure = error.fault
            await asyncio.sleep(min(interval, again))
            again *= 2
        else:
            catalogue.known, catalogue.failure, again = True, "", FIRST_RETRY
            await asyncio.sleep(interval)


async def read_models(transport: Transport, headers: bytes, patience: Patience) -> list[Model]:
    """Read an OpenAI-compatible ``GET /models``; raises `UpstreamError`."""
    reply = await transport.request(b"GET", b"/models", headers, b"", patience)
    try:
        body = await reply.read_all(MAX_BODY)
        if reply.status != 200:
            raise UpstreamInvalid(detail=f"the catalogue answered {reply.status}")
    finally:
        reply.close()
    return parse_models(body)
