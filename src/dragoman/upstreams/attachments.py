"""Attachments of Poe's bot protocol: what comes along in a request is uploaded, once, and only its address is sent.

Source: Poe's upload endpoint as fastapi_poe 0.0.83 uses it, 2026: the key without ``Bearer``, one part ``file``.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Raw, Struct, structs

from dragoman.core import message as msg
from dragoman.core.attached import Attached, find_attached, replace_attached
from dragoman.core.errors import BadRequest, DragomanError, ModelNotFound, UpstreamInvalid
from dragoman.dialects.openai_errors import read_error
from dragoman.dialects.poe_bot.attach import KINDS, describe, find_url
from dragoman.net.reply import Patience
from dragoman.upstreams.http import Transport
from dragoman.upstreams.keys import KeyRing
from dragoman.upstreams.reading import read_error_body
from dragoman.wire.json import encode

PATH = b"/file_upload_3RD_PARTY_POST"
PATIENCE = Patience(first=120, total=300)
"""Poe fetches or keeps the whole file before it answers."""
MAX_ANSWER = 64 * 1024
"""Bytes of what an upload is answered."""
OWN_HOST = "poecdn.net"
"""Where Poe keeps files: what is there need not be uploaded."""
_WORD = r"[a-zA-Z0-9][a-zA-Z0-9.+-]{0,99}"
_DATA = re.compile(rf"data:({_WORD}/{_WORD})(?:;[^,;]*)*;base64")
_MAX_HEAD = 512
"""Characters before the comma of a ``data:`` URL."""
_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Limits(Struct, frozen=True):
    """What may be attached, and for how long an upload is good."""

    size: int = 50 * 1024 * 1024
    """Bytes of one attachment."""
    count: int = 50
    """Attachments of one request."""
    kept: int = 1_000
    """Uploads that are remembered."""
    seconds: float = 86_400
    """For how long they are."""
    links: bool = False
    """Whether what is only linked is uploaded from where it is; else the link itself is sent."""


class _Placed(Struct, frozen=True):
    """An answered upload."""

    attachment_url: str
    mime_type: str


class _Upload(Struct, frozen=True):
    """What is sent to the upload endpoint."""

    mark: bytes
    """The same for the same content."""
    body: bytes
    media_type: str
    name: str


class _Running:
    """An upload under way, for those who want the same."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.error: DragomanError | None = None


_placed = msgspec.json.Decoder(_Placed)


class Attachments:
    """Puts attachments where bots find them."""

    def __init__(self, transport: Transport, keys: Sequence[str], now: Callable[[], float], limits: Limits) -> None:
        """`transport` carries requests to the upload's base URL; `now` gives the loop's time."""
        self._transport = transport
        self._keys = KeyRing([b"authorization: %b\r\n" % key.encode() for key in keys], now)
        self._now = now
        self._limits = limits
        self._kept: OrderedDict[bytes, tuple[float, _Placed]] = OrderedDict()
        self._running: dict[bytes, _Running] = {}

    async def place(self, request: msg.Request) -> msg.Request:
        """Return the request with every attachment at an address of its own.

        Raises `BadRequest` naming the part that is too large or is not what it says; and what the upload raises.
        """
        found = list(find_attached(request))
        if len(found) > self._limits.count:
            reason = f"more than {self._limits.count} attachments"
            raise BadRequest(reason, param="messages", code="too_many_attachments")
        placed = {id(part): await self._place_part(part, path) for path, part in found}
        return replace_attached(request, placed) if placed else request

    async def _place_part(self, part: Attached, path: str) -> msg.Part:
        url = find_url(part)
        if url.startswith("data:"):
            return _at(part, await self._upload_once(_read_data(part, url, path, self._limits.size)))
        if not url.startswith(("https://", "http://")):
            _refuse(path, "expected a data: or https: URL")
        if not self._limits.links or _is_own(url):
            return part
        return _at(part, await self._upload_once(_read_link(part, url)))

    async def _upload_once(self, upload: _Upload) -> tuple[_Placed, str]:
        """Upload what was not uploaded before; whoever wants the same meanwhile waits for it."""
        while True:
            known = self._recall(upload.mark)
            if known is not None:
                return known, upload.name
            running = self._running.get(upload.mark)
            if running is None:
                return await self._upload(upload), upload.name
            await running.over.wait()
            if running.error is not None:
                raise running.error

    async def _upload(self, upload: _Upload) -> _Placed:
        running = self._running[upload.mark] = _Running()
        try:
            placed = await self._send(upload)
        except DragomanError as error:
            running.error = error
            raise
        finally:
            del self._running[upload.mark]
            running.over.set()
        self._kept[upload.mark] = (self._now() + self._limits.seconds, placed)
        if len(self._kept) > self._limits.kept:
            self._kept.popitem(last=False)
        return placed

    def _recall(self, mark: bytes) -> _Placed | None:
        end, placed = self._kept.get(mark, (0.0, None))
        if placed is None:
            return None
        if end <= self._now():
            del self._kept[mark]
            return None
        self._kept.move_to_end(mark)
        return placed

    async def _send(self, upload: _Upload) -> _Placed:
        headers = b"accept: application/json\r\ncontent-type: %b\r\n" % upload.media_type.encode()
        refusals: list[DragomanError] = []
        for number, key in self._keys.turns():
            reply = await self._transport.request(
                b"POST", PATH, headers + key, upload.body, Patience(first=120, total=300)
            )
            try:
                if reply.status == 200:
                    return _read_placed(await reply.read_all(MAX_ANSWER))
                error = _read_error(reply.status, reply.headers, await read_error_body(reply))
            finally:
                reply.close()
            if not self._keys.blame(number, reply.status, error.retry_after):
                raise error
            refusals.append(error)
        raise self._keys.sum_up(refusals)


def _read_data(part: Attached, url: str, path: str, limit: int) -> _Upload:
    """Return the upload of what came along; raises `BadRequest` naming `path`."""
    head, _, text = url.partition(",")
    found = _DATA.fullmatch(head) if len(head) <= _MAX_HEAD else None
    if found is None:
        _refuse(path, "expected a media type and base64")
    media_type = found[1].lower()
    if not media_type.startswith(KINDS.get(type(part), "")):
        _refuse(path, f"the media type is not one of {KINDS[type(part)]}s")
    if len(text) // 4 * 3 > limit + 2:
        _refuse(path, f"more than {limit} bytes", "attachment_too_large")
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        _refuse(path, "the base64 is broken")
    if not data:
        _refuse(path, "it is empty")
    if len(data) > limit:
        _refuse(path, f"more than {limit} bytes", "attachment_too_large")
    _, name = describe(part, media_type)
    return _write_form(data, media_type, name)


def _write_form(data: bytes, media_type: str, name: str) -> _Upload:
    """The boundary is made of the content, so that the content cannot hold it."""
    mark = sha256(media_type.encode() + b"\0" + data).digest()
    boundary = f"dragoman-{mark.hex()[:48]}"
    place = f'content-disposition: form-data; name="file"; filename="{name.translate(_QUOTED)}"'
    head = f"--{boundary}\r\n{place}\r\ncontent-type: {media_type}\r\n\r\n"
    body = b"".join([head.encode(), data, f"\r\n--{boundary}--\r\n".encode()])
    return _Upload(mark, body, f"multipart/form-data; boundary={boundary}", name)


def _read_link(part: Attached, url: str) -> _Upload:
    _, name = describe(part)
    body = urlencode({"download_url": url, "download_filename": name}).encode()
    return _Upload(sha256(body).digest(), body, "application/x-www-form-urlencoded", name)


def _read_error(status: int, headers: Mapping[str, str], body: bytes) -> DragomanError:
    """No model is missing where the place for uploads is."""
    error = read_error(status, headers, body)
    return UpstreamInvalid(detail=error.detail) if isinstance(error, ModelNotFound) else error


def _read_placed(body: bytes) -> _Placed:
    try:
        placed = _placed.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamInvalid(detail="an upload was answered without an address") from None
    if not placed.attachment_url.startswith(("https://", "http://")):
        raise UpstreamInvalid(detail="an upload was answered without an address")
    return placed


def _at(part: Attached, upload: tuple[_Placed, str]) -> msg.Part:
    placed, name = upload
    url = placed.attachment_url
    extra = {"content_type": Raw(encode(placed.mime_type)), "name": Raw(encode(name))}
    match part:
        case msg.Audio():
            return structs.replace(part, data="", url=url, extra=extra)
        case msg.File():
            return structs.replace(part, data=url, extra=extra)
        case _:
            return structs.replace(part, url=url, extra=extra)


def _is_own(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == OWN_HOST or host.endswith(f".{OWN_HOST}")


def _refuse(path: str, reason: str, code: str = "invalid_value") -> NoReturn:
    raise BadRequest(f"invalid '{path}': {reason}", param=path, code=code)
