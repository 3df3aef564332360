"""Uploads for the bot protocol: a raw key, a form with a file or the address of one. Source: fastapi_poe 0.0.83."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote_to_bytes

from msgspec import Struct

from dragoman.core.errors import BadRequest
from dragoman.testing.simulator.poe.account import Accounts
from dragoman.testing.simulator.poe.gallery import File, Gallery
from dragoman.testing.simulator.poe.refusal import Refused
from dragoman.testing.simulator.script import Script, play_at_once
from dragoman.wire.json import encode
from dragoman.wire.multipart import read_form

_PATH = "file_upload_3RD_PARTY_POST"
_FAILS = re.compile(r"sim-error-([45]\d\d)\b.*")
"""Names of files whose upload fails with that status."""
_UNKNOWN = "application/octet-stream"
_TYPES = {
    "csv": "text/csv",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webp": "image/webp",
}
"""Extension → media type; not the operating system's table, which differs from machine to machine."""


class _Uploaded(Struct):
    attachment_url: str
    mime_type: str


class Uploads:
    """The upload endpoint; its errors are plain text."""

    def __init__(self, accounts: Accounts, gallery: Gallery) -> None:
        self._accounts = accounts
        self._gallery = gallery

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to an upload."""
        try:
            return self._take(method, path, headers, body)
        except (Refused, BadRequest) as error:
            return play_at_once(error.status, [("content-type", "text/plain")], str(error).encode())

    def _take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        if (method, path) != ("POST", _PATH):
            raise Refused(404, "Not found")
        key = headers.get("authorization", "")
        # The key stands alone: one that is sent as a bearer is another key.
        self._accounts.open("" if key.startswith("Bearer ") else key).enter(self._accounts.now())
        name, file = self._read(headers.get("content-type", ""), body)
        if found := _FAILS.fullmatch(name):
            raise Refused(int(found[1]), "This upload fails on purpose.")
        uploaded = _Uploaded(self._gallery.keep(file, headers), file.media_type)
        return play_at_once(200, [("content-type", "application/json")], encode(uploaded))

    def _read(self, content_type: str, body: bytes) -> tuple[str, File]:
        if content_type.startswith("multipart/"):
            form = read_form(body, content_type)
            for part in form.parts:
                if part.name == "file" and part.file is not None:
                    return part.file, File(part.media_type or _guess(part.file), form.data(part))
            raise Refused(400, "The form has no part 'file'.")
        said = parse_qs(body.decode("utf-8", "replace"))
        url = said.get("download_url", [""])[-1]
        if not url:
            raise Refused(400, "Either 'file' or 'download_url' is required.")
        name = said.get("download_filename", [url.partition("?")[0].rpartition("/")[2]])[-1]
        return name, self._fetch(url, name)

    def _fetch(self, url: str, name: str) -> File:
        """Return what is at an address; what lies elsewhere in the world is its own address, as a file."""
        if own := self._gallery.find(url):
            return own
        if url.startswith("data:"):
            return _read_data(url)
        return File(_guess(name), url.encode())


def _read_data(url: str) -> File:
    head, _, data = url[5:].partition(",")
    try:
        content = b64decode(data, validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
    except NotBase64:
        raise Refused(400, "The data URL is malformed.") from None
    return File(head.partition(";")[0] or _UNKNOWN, content)


def _guess(name: str) -> str:
    return _TYPES.get(name.lower().rpartition(".")[2], _UNKNOWN)
