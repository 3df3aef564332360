"""Poe's media endpoints: pictures at once, videos as jobs. Source: Poe's documentation of April 2026."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from dragoman.core.errors import NotFound
from dragoman.testing.simulator.models import Model
from dragoman.testing.simulator.poe.account import Account, Switches
from dragoman.testing.simulator.poe.catalogue import as_model
from dragoman.testing.simulator.poe.gallery import Gallery
from dragoman.testing.simulator.poe.refusal import Refused
from dragoman.testing.simulator.poe.talk import find_bot
from dragoman.testing.simulator.script import Cadence, Script, play_at_once
from dragoman.testing.simulator.tokens import count
from dragoman.testing.simulator.videos import VideoDesk
from dragoman.wire.json import encode, read_json

_PICTURE, _VIDEO = 1_000, 10_000
"""What they cost, in tokens."""


class _Asked(Struct):
    model: str
    prompt: str
    response_format: str = "url"


class _Shown(Struct, omit_defaults=True):
    url: str = ""
    b64_json: str = ""


class _Pictures(Struct):
    created: int
    data: list[_Shown]


class _Named(Struct):
    id: str


class _Extension(Struct):
    video: _Named


_asked = msgspec.json.Decoder(_Asked)
_extension = msgspec.json.Decoder(_Extension)


class Media:
    """Pictures and videos of one simulator."""

    def __init__(self, seed: int, now: Callable[[], int], cadence: Cadence, gallery: Gallery) -> None:
        self._now = now
        self._cadence = cadence
        self._gallery = gallery
        self._desk = VideoDesk(seed, now, self._find, cadence)
        self._anybody = Account(seed, "", Switches())

    def paint(self, account: Account, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to ``POST /v1/images``; raises `Refused` and `BadRequest`."""
        if method != "POST" or account.switches.no_images:
            raise Refused(404, "Not found")
        asked = read_json(_asked, body)
        bot, _ = find_bot(asked.model, account)
        if bot.gives != "image":
            raise Refused(400, f"Model {asked.model} does not make images.", param="model")
        account.afford()
        account.charge(bot.name, self._now(), count(asked.prompt), _PICTURE)
        file = self._gallery.make("image", asked.prompt)
        shown = _Shown(b64_json=b64encode(file.data).decode())
        if asked.response_format != "b64_json":
            shown = _Shown(self._gallery.keep(file, headers))
        told = encode(_Pictures(self._now(), [shown]))
        return Script(200, [("content-type", "application/json")], [(self._cadence.first, told)])

    def film(self, account: Account, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request below ``/v1/videos``; raises `Refused` and `DragomanError`."""
        path, _, query = path.removeprefix("videos").partition("?")
        name = path.removeprefix("/")
        if method == "POST":
            account.afford()
        if name == "extensions":
            name = f"{read_json(_extension, body).video.id}/remix"
        try:
            script = self._desk.answer(method, name, query, headers, body)
        except NotFound as error:
            raise Refused(404, error.message, kind="not_found") from None
        if method == "POST":
            account.charge("video", self._now(), 0, _VIDEO)
        return play_at_once(script.status, list(script.headers), b"".join(data for _, data in script.pieces))

    def _find(self, name: str) -> Model:
        bot, mischief = find_bot(name, self._anybody)
        if mischief.fault:
            return Model(bot.id, bot.name, fault=mischief.fault)
        if bot.gives != "video":
            raise Refused(400, f"Model {name} does not make videos.", param="model")
        return as_model(bot)
