"""Where an upstream lives: a base URL from the configuration, taken apart and refused when it is not plain."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from msgspec import Struct

PORTS = {"http": 80, "https": 443}
"""The schemes of upstreams → their own ports."""
_PLAIN = re.compile(r"[!-~]+")
"""Printable ASCII without the space; `urlsplit` would drop tabs and line ends without a word."""
_PLACE = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_-]{1,63})*\.?))(?::([0-9]{1,5}))?")
"""Host and port: an IPv6 address (no zone: it means something on one machine only) or a name, and a number."""


class Origin(Struct, frozen=True):
    """Scheme, host and port of an upstream, and the path below which its endpoints are."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int
    path: str = ""
    """The base path, without a slash at its end."""
    address: str = ""
    """Where connections go instead, when `host` has been looked up before: an IP address. The name stays what `Host`
    says and the certificate must show."""

    @property
    def secure(self) -> bool:
        """Whether connections are made with TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """What the `Host` header says: the port only if it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_origin(url: str) -> Origin:
    """Read a base URL such as ``https://api.example.com/v1``.

    Raises `ValueError` for another scheme than http and https, for credentials, a query, a fragment, a backslash,
    anything but printable ASCII, and for a host or port that is none. The URL itself is not repeated in the message.
    """
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise ValueError("the URL must be printable ASCII without spaces or backslashes")
    if url.partition("://")[0].lower() not in PORTS:
        raise ValueError("the URL must begin with http:// or https://")
    try:
        parts = urlsplit(url)
        host, port = read_place(parts.netloc.lower())
    except ValueError:
        raise ValueError("the URL has an invalid host or port") from None
    if "?" in url or "#" in url:
        raise ValueError("the URL must not have a query or a fragment")
    return Origin(parts.scheme, host, port or PORTS[parts.scheme], parts.path.rstrip("/"))


def read_place(text: str) -> tuple[str, int | None]:
    """Read ``host`` or ``host:port`` in lower case; raises `ValueError` for anything else, credentials too."""
    place = _PLACE.fullmatch(text)
    if place is None:
        raise ValueError
    address, name, digits = place.groups()
    port = int(digits) if digits else None
    if port is not None and not 0 < port < 65536:
        raise ValueError
    host = str(IPv6Address(address)) if address else name
    if len(host) > 253:
        raise ValueError
    return host, port
