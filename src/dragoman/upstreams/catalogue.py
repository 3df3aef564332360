"""What an upstream can serve: a list from the configuration, or its own, read in the background and kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Raw, Struct

from dragoman.core.errors import DragomanError, UpstreamInvalid
from dragoman.net.reply import Patience
from dragoman.upstreams.http import MAX_BODY, Transport
from dragoman.wire.json import repair_text

FIRST_RETRY = 5.0
"""Seconds until a catalogue that could not be read is tried again; doubled up to the refresh interval."""


class Model(Struct, frozen=True):
    """One model of a catalogue."""

    id: str
    created: int = 0
    """Seconds since the Unix epoch; 0 when unknown."""


class _Entry(Struct):
    id: str
    created: Raw = Raw(b"0")


class _List(Struct):
    data: list[Raw]


_list = msgspec.json.Decoder(_List)
_entry = msgspec.json.Decoder(_Entry)
_number = msgspec.json.Decoder(float)


class Catalogue:
    """The models of one upstream; asking it never waits for the network."""

    def __init__(self, models: Sequence[Model] | None = None, *, any_name: bool = False) -> None:
        """`models` is a list that never changes; None: not known until `replace` says."""
        self.any_name = any_name
        """Whether names that are not listed are passed on too."""
        self.failure = ""
        """Why the last refresh failed, in a word; empty when it did not."""
        self._models: dict[str, Model] = {}
        self.known = models is not None
        """Whether there is a list at all."""
        self.replace(models or ())

    def replace(self, models: Sequence[Model]) -> None:
        """Set the list."""
        self._models = {model.id: model for model in models}

    def models(self) -> list[Model]:
        """Return what is listed, in the upstream's order."""
        return list(self._models.values())

    def lists(self, model: str) -> bool:
        """Tell whether `model` is listed."""
        return model in self._models

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


def parse_models(body: bytes) -> list[Model]:
    """Read the list; entries that are no models are left out, a body that is no list raises `UpstreamInvalid`."""
    try:
        entries = _list.decode(repair_text(body)).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamInvalid(detail="the catalogue is not a list of models") from None
    models = [_read_entry(entry) for entry in entries]
    return [model for model in models if model is not None]


def _read_entry(raw: Raw) -> Model | None:
    try:
        entry = _entry.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Model(entry.id, _read_time(entry.created)) if entry.id else None


def _read_time(raw: Raw) -> int:
    try:
        return int(_number.decode(raw))
    except msgspec.DecodeError:
        return 0  # some servers write a date; the model is there all the same
