"""Files that a client names by a URL, fetched so that no client can make the gateway look where it should not.

Every URL, those of redirects too, is read by one parser, its name looked up once, every address of it judged, and the
connection made to an address that was judged. No credentials, cookies or proxies have a part in it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Container, Sequence
from ipaddress import ip_address
from urllib.parse import quote, urljoin

from msgspec import Struct, structs

from dragoman.core.errors import BadRequest, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from dragoman.net.addresses import Address, Resolver, is_public
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import PORTS, Origin, read_place
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience, Reply
from dragoman.net.sniff import sniff
from dragoman.net.tls import make_context

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Gives every address of a name; raises an `UpstreamError` when there is none."""

CODE = "invalid_image_url"
REFUSAL = "the URL cannot be used: it must lead to a public file of an accepted type and size"
"""All that a client learns: more would tell it what is to be found where it cannot look."""

_REDIRECTS = {301, 302, 303, 307, 308}
_FRAMING = 1024 * 1024
"""Bytes of chunk heads and the like that are borne beside the file."""
_MAX_URL = 8 * 1024
_MAX_ADDRESSES = 4
"""How many addresses of one name are tried, so that nobody lets us knock at a thousand doors."""
_FORBIDDEN = re.compile(r"[\x00-\x20\\\x7f-\x9f]")
_LINK = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class Bounds(Struct, frozen=True):
    """What one fetch may take; times in seconds."""

    connect: float = 5
    """For each connection, TLS included."""
    total: float = 15
    """From the URL to the last byte, every redirect included."""
    size: int = 20 * 1024 * 1024
    """Bytes of the file, decompressed."""
    redirects: int = 3
    at_once: int = 8
    """Fetches under way together; the others wait, within their own time."""


class Fetched(Struct, frozen=True):
    """A file."""

    media_type: str
    """By its content; see `dragoman.net.sniff`."""
    data: bytes


class Fetcher:
    """Fetches public files by their URLs."""

    def __init__(
        self,
        deadlines: Deadlines,
        *,
        look_up: LookUp | None = None,
        may_reach: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        """Prepare to fetch; `look_up` takes the place of the system's resolver, `tls` that of its authorities.

        `may_reach` decides about each address of a name; one that may not be reached is enough to refuse the name.
        """
        self._deadlines = deadlines
        self._look_up = look_up or Resolver().look_up
        self._may_reach = may_reach
        self._tls = tls
        self._bounds = bounds or Bounds()
        self._gate = asyncio.Semaphore(self._bounds.at_once)

    async def fetch(self, url: str, *, kinds: Container[str], param: str | None = None) -> Fetched:
        """Return the file at `url` if its media type is one of `kinds`.

        Raises `BadRequest` with the code ``invalid_image_url``, always in the same words; `param` is where the URL
        stood in the client's request, and the detail, for the log, has the reason but nothing of the URL.
        """
        try:
            async with asyncio.timeout(self._bounds.total), self._gate:
                data = await self._follow(url)
        except TimeoutError:
            raise _refuse("too slow", param) from None
        except UpstreamError as error:
            raise _refuse(error.detail or error.fault, param) from None
        media_type = sniff(data)
        if media_type is None or media_type not in kinds:
            raise _refuse(f"the media type is {media_type or 'unknown'}", param)
        return Fetched(media_type, data)

    async def _follow(self, url: str) -> bytes:
        """Return what is at `url`, or where it sends us to."""
        for _ in range(1 + self._bounds.redirects):
            origin, path = read_link(url)
            reply = await self._ask(origin, path)
            try:
                if reply.status == 200:
                    return await reply.read_all(self._bounds.size)
                url = _next(url, reply)
            finally:
                reply.close()
        raise UpstreamUnavailable(detail="too many redirects")

    async def _ask(self, origin: Origin, path: bytes) -> Reply:
        """Ask at the first address that takes a connection."""
        bounds = self._bounds
        limits = Limits(connections=1, stream=bounds.size + _FRAMING)
        patience = Patience(bounds.connect, first=bounds.total, idle=bounds.total, total=bounds.total)
        if origin.secure:
            self._tls = self._tls or make_context()
        failure: UpstreamError | None = None
        for address in await self._judge(origin.host):
            pinned = structs.replace(origin, address=address)
            pool = HttpPool(pinned, self._deadlines, limits=limits, tls=self._tls)
            try:
                return await pool.request(b"GET", path, b"accept: */*\r\n", b"", patience)
            except (UpstreamUnavailable, UpstreamTimeout) as error:
                failure = error
            finally:
                pool.close()
        raise failure or UpstreamUnavailable(detail="the name has no address")

    async def _judge(self, host: str) -> list[str]:
        """Return the addresses of `host` to be tried, if all it has may be reached."""
        found = list(await self._look_up(host))
        for text in found:
            try:
                allowed = self._may_reach(ip_address(text))
            except ValueError:
                allowed = False
            if not allowed:
                raise UpstreamUnavailable(detail="the address is not public")
        return found[:_MAX_ADDRESSES]


def read_link(url: str) -> tuple[Origin, bytes]:
    """Return where the URL of a file leads, and the path to ask for there, query included.

    A name that is not ASCII becomes its IDNA form before anything else is done with it; what is not ASCII in the path
    is percent-encoded. Raises `UpstreamUnavailable` for another scheme than http and https, credentials, a backslash,
    a space or control character, and anything that is no host or port.
    """
    link = _LINK.fullmatch(url)
    if link is None or len(url) > _MAX_URL or _FORBIDDEN.search(url):
        raise UpstreamUnavailable(detail="the URL is not plain")
    scheme, place, target = link.groups()
    try:
        host, port = read_place(_encode_name(place).lower())
        path = quote(target, safe=_ASCII)
    except ValueError:  # UnicodeError is one too
        raise UpstreamUnavailable(detail="the URL has an invalid host, port or path") from None
    scheme = scheme.lower()
    return Origin(scheme, host, port or PORTS[scheme]), (path if path.startswith("/") else f"/{path}").encode()


def _encode_name(place: str) -> str:
    """Return host and port in ASCII."""
    if place.isascii():
        return place
    name, colon, port = place.partition(":")
    return name.encode("idna").decode() + colon + port


def _next(url: str, reply: Reply) -> str:
    """Return where a redirect leads; it is read and judged like the first URL."""
    location = reply.header(b"location")
    if reply.status not in _REDIRECTS or not location:
        raise UpstreamUnavailable(detail=f"status {reply.status}")
    try:
        return urljoin(url, quote(location.encode("latin-1"), safe=_ASCII))
    except ValueError:
        raise UpstreamUnavailable(detail="the redirect is not plain") from None


def _refuse(reason: str, param: str | None) -> BadRequest:
    return BadRequest(REFUSAL, code=CODE, param=param, detail=reason)
