"""The files that Poe's bots make: known by their addresses, which stand in the text of answers, and fetched from there.

The text is the model's, so an address in it is believed only on the hosts where Poe keeps files; no redirect is
followed, and no key is sent. Source: recorded answers of Poe, 2026: ``https://….poecdn.net/base/image/<64 hex>``, no
extension; the kind is the segment of the path, or what the bot makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from dragoman.core.errors import UpstreamInvalid
from dragoman.net.reply import Patience
from dragoman.net.sniff import sniff
from dragoman.upstreams.http import Transport

HOSTS = ("poecdn.net",)
"""Where Poe keeps files: on these hosts and those below them."""
MAX_FILE = 32 * 1024 * 1024
"""Bytes of a file that is fetched."""
MAX_HOSTS = 16
"""Hosts that are remembered; a model could invent any number below one domain."""
PATIENCE = Patience(first=60, total=120)
KINDS = ("image", "audio", "video")
_KIND = re.compile(r"/base/([a-z]{1,10})/")
_PLAIN = re.compile(r"[!-~]{1,2048}")


class Files:
    """Files on Poe's hosts."""

    def __init__(self, reach: Callable[[str], Transport], base_url: str, hosts: Sequence[str] = HOSTS) -> None:
        """`reach` gives what carries requests to an origin; files may be where Poe's API is, at `base_url`, too."""
        self._reach = reach
        self._own = _origin(base_url)
        self._hosts = tuple(hosts)
        self._transports: dict[str, Transport] = {}

    def find_kind(self, url: str) -> str | None:
        """Return ``image``, ``audio`` or ``video`` for the address of a file, empty if it tells none; None: no file."""
        if not _PLAIN.fullmatch(url) or not self._is_ours(url):
            return None
        found = _KIND.search(urlsplit(url).path)
        return found[1] if found is not None and found[1] in KINDS else ""

    async def fetch(self, url: str, kind: str) -> tuple[str, bytes]:
        """Return the media type and the bytes of a file, which must be of `kind`; raises `UpstreamError`."""
        transport = self._transport(_origin(url))
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = await transport.request(b"GET", path.encode(), b"accept: */*\r\n", b"", PATIENCE)
        try:
            if reply.status != 200:
                raise UpstreamInvalid(detail=f"a file that a bot made answered {reply.status}")
            data = await reply.read_all(MAX_FILE)
        finally:
            reply.close()
        media_type = sniff(data) or reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not media_type.startswith(f"{kind}/"):
            raise UpstreamInvalid(detail="a file that a bot made is of another kind")
        return media_type, data

    def _is_ours(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if "@" in parts.netloc or "\\" in url:
            return False
        if _origin(url) == self._own:
            return True
        listed = any(host == known or host.endswith(f".{known}") for known in self._hosts)
        return listed and parts.scheme == "https" and port is None

    def _transport(self, origin: str) -> Transport:
        transport = self._transports.get(origin)
        if transport is None:
            if len(self._transports) >= MAX_HOSTS:
                raise UpstreamInvalid(detail="files on too many hosts")
            transport = self._transports[origin] = self._reach(origin)
        return transport


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
