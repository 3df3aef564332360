"""The files of the pretended Poe: made by bots or uploaded, served below ``/base/`` under names without extension."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from msgspec import Struct

from dragoman.testing.simulator import png, sound
from dragoman.testing.simulator.mp4 import film
from dragoman.testing.simulator.poe.refusal import Refused
from dragoman.testing.simulator.script import Script, play_at_once

MAX_FILES = 200
SIDE = 1024
"""Pixels of a picture."""
_FILM = (320, 192, 1)
"""Width, height and seconds of a video."""
_PLACE = "/poe/base/"
_NOWHERE = "simulator.invalid"
"""The host of a simulator that was asked without naming one."""


class File(Struct, frozen=True):
    """One file."""

    media_type: str
    data: bytes

    @property
    def kind(self) -> str:
        """The part of its address that says what it is."""
        kind = self.media_type.partition("/")[0]
        return kind if kind in ("image", "audio", "video") else "file"


class Gallery:
    """All files of one simulator, the oldest forgotten first."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._files: dict[str, File] = {}

    def keep(self, file: File, headers: Mapping[str, str]) -> str:
        """Keep a file and return its address, on the host that the request of these `headers` was sent to."""
        name = f"{file.kind}/{sha256(file.data).hexdigest()}"
        if len(self._files) >= MAX_FILES:
            del self._files[next(iter(self._files))]
        self._files[name] = file
        return f"http://{headers.get('host', _NOWHERE)}{_PLACE}{name}"

    def find(self, url: str) -> File | None:
        """Return the file at an address, None when it is none of ours."""
        return self._files.get(url.partition(_PLACE)[2].partition("?")[0])

    def make(self, kind: str, words: str) -> File:
        """Return an image, a sound or a video for `words`."""
        match kind:
            case "image":
                return File("image/png", png.draw(self._seed, words, SIDE, SIDE))
            case "audio":
                return File("audio/wav", b"".join(sound.speak(words, 1.0, wav=True)))
            case _:
                return File("video/mp4", film(self._seed, words, *_FILM))

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the file that `path` names below ``/base/``, without asking for a key; raises `Refused`."""
        file = self.find(_PLACE + path)
        if file is None or method not in ("GET", "HEAD"):
            raise Refused(404, "No such file")
        return play_at_once(200, [("content-type", file.media_type)], file.data)
