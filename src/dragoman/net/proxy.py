"""The way to an upstream through a proxy: a tunnel of bytes, in which HTTP and TLS are the upstream's own.

An HTTP proxy is always asked for a tunnel (``CONNECT``), for upstreams without TLS too. To pass single requests through
it instead would need other request lines, credentials in every request, and would let the proxy read and change them:
with a tunnel everything above is the same with and without a proxy. (A proxy may refuse tunnels to other ports than
443, as Squid does until told otherwise; then it answers 403.)
"""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from dragoman.core.errors import UpstreamUnavailable
from dragoman.net.origin import read_place

Scheme = Literal["http", "socks5", "socks5h"]

_SCHEMES: dict[str, tuple[Scheme, int]] = {
    "http": ("http", 80),
    "socks5": ("socks5", 1080),
    "socks5h": ("socks5h", 1080),
}
"""What a URL may begin with, and the port where it names none."""
_PLAIN = re.compile(r"[!-~]+")
_NOT_IN_CREDENTIALS = re.compile(r"[/?#\\]")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
_MAX_HEAD = 16 * 1024
"""Bytes of a proxy's answer; also the most that are lost in a proxy which never ends it."""
_DAY = 86_400.0


class Proxy(Struct, frozen=True):
    """Where a proxy is, how it is spoken to, and who we are to it."""

    scheme: Scheme
    """``http``: CONNECT; ``socks5``: the upstream's name is looked up here; ``socks5h``: by the proxy."""
    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Return what may be seen in a log."""
        return f"Proxy({self.scheme!r}, {self.host!r}, {self.port})"


def parse_proxy(url: str) -> Proxy:
    """Read a URL such as ``socks5h://user:password@127.0.0.1:1080``; the port may be absent (80, for SOCKS 1080).

    User and password are percent-decoded. A SOCKS proxy wants both or none, each ASCII of at most 255 characters
    (RFC 1929 knows bytes only); the user of an HTTP proxy has no colon (RFC 7617).
    Raises `ValueError`; nothing of the URL is repeated in the message, for it may hold a password.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in _SCHEMES or not rest:
        raise ValueError("the proxy URL must begin with http://, socks5:// or socks5h://")
    if not _PLAIN.fullmatch(url):
        raise ValueError("the proxy URL must be printable ASCII without spaces")
    name, usual = _SCHEMES[scheme.lower()]
    credentials, _, place = rest.removesuffix("/").rpartition("@")
    try:
        host, port = read_place(place.lower())
    except ValueError:
        raise ValueError("the proxy URL has an invalid host or port, or a path") from None
    user, password = _read_credentials(credentials)
    if name == "http":
        if ":" in user:
            raise ValueError("the user of an HTTP proxy must not have a colon")
    elif credentials and not (_fits_socks(user) and _fits_socks(password)):
        raise ValueError("a SOCKS proxy wants user and password, each 1 to 255 ASCII characters")
    return Proxy(name, host, port or usual, user, password)


async def open_tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Return a socket that does not block and whose other end is `host` at `port`.

    Raises `UpstreamUnavailable`, whose detail says what the proxy did and never who we are to it. How long it may take
    is the caller's matter: cancelling closes the socket.
    """
    try:
        if proxy.scheme == "http":
            return await _open_http(proxy, host, port)
        return await _open_socks(proxy, host, port)
    except OSError as error:
        raise _failed(str(error)) from None


def _read_credentials(text: str) -> tuple[str, str]:
    if _NOT_IN_CREDENTIALS.search(text):
        raise ValueError("special characters in the user or password of the proxy URL must be percent-encoded")
    user, _, password = text.partition(":")
    try:
        return unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("the user or password of the proxy URL is not UTF-8") from None


def _fits_socks(text: str) -> bool:
    return text.isascii() and 1 <= len(text) <= 255


def _failed(reason: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(detail=f"proxy: {reason}")


async def _open_socks(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Speak SOCKS 5 (RFC 1928, 1929)."""
    # Imported only where a SOCKS proxy is configured.
    from python_socks import ProxyError, ProxyType
    from python_socks.async_.asyncio import Proxy as Socks

    there = proxy.scheme == "socks5h"
    socks = Socks(ProxyType.SOCKS5, proxy.host, proxy.port, proxy.user or None, proxy.password or None, rdns=there)
    try:
        # A limit of its own it must have; ours is shorter and holds for TLS too.
        return await socks.connect(host, port, timeout=_DAY)
    except ProxyError as error:
        raise _failed(str(error)) from None
    except ValueError:
        raise _failed("its answer is not SOCKS") from None


async def _open_http(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Ask for a tunnel by CONNECT (RFC 9110 §9.3.6).

    `python-socks` could do this too, but takes whatever the first network read gives for the whole of the proxy's
    answer: of one that comes in two pieces the second would be read as the upstream's.
    """
    loop = asyncio.get_running_loop()
    tunnel = await _dial(proxy.host, proxy.port)
    try:
        await loop.sock_sendall(tunnel, _write_connect(proxy, host, port))
        _check_answer(await _read_answer(tunnel))
    except BaseException:
        tunnel.close()
        raise
    return tunnel


async def _dial(host: str, port: int) -> socket.socket:
    """Return a socket connected to the first address of `host` that takes it."""
    loop = asyncio.get_running_loop()
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


def _write_connect(proxy: Proxy, host: str, port: int) -> bytes:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n"
    if proxy.user or proxy.password:
        secret = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        head += f"proxy-authorization: Basic {secret}\r\n"
    return f"{head}\r\n".encode()


async def _read_answer(tunnel: socket.socket) -> bytes:
    """Return the head of the proxy's answer, with whatever came in the same read."""
    loop = asyncio.get_running_loop()
    head = b""
    while b"\r\n\r\n" not in head:
        data = await loop.sock_recv(tunnel, 4096)
        head += data
        if not data or len(head) > _MAX_HEAD or not head.startswith(b"HTTP/"[: len(head)]):
            raise _failed("its answer is not HTTP" if head else "it closed the connection")
    return head


def _check_answer(head: bytes) -> None:
    """Raise `UpstreamUnavailable` unless the proxy has made the tunnel, and nobody has spoken in it yet."""
    status = _STATUS.match(head)
    if status is None:
        raise _failed("its answer is not HTTP")
    if not status[1].startswith(b"2"):
        raise _failed(f"it refused the tunnel with status {int(status[1])}")
    if not head.endswith(b"\r\n\r\n"):
        raise _failed("bytes after its answer")
