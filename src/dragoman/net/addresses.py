"""Which addresses are public, and which addresses a name has: what stands before any connection a client asks for.

`ipaddress` alone does not do: what its `is_global` knows depends on the release of Python, and multicast, site-local
and the newer documentation addresses are global to that of 3.11.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from dragoman.core.errors import UpstreamUnavailable

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; the metadata of one cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the host of a virtual machine on Azure, not in the registry
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; the metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4, deprecated
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
"""Source: IANA IPv4 Special-Purpose Address Registry; IANA IPv4 Address Space Registry for multicast."""

_UNICAST_6 = IPv6Network("2000::/3")
"""All that has been given out as global unicast (IANA IPv6 Address Space Registry)."""

_NOT_PUBLIC_6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, AMT, AS112
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
"""Of these 2000::/3 is made up too. Source: IANA IPv6 Special-Purpose Address Registry."""

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")

_AT_ONCE = 4
"""Names that are looked up at the same time."""


def is_public(address: Address) -> bool:
    """Tell whether `address` is global unicast: on the internet, and not of this machine, its network or its cloud.

    An IPv6 address that carries an IPv4 one (mapped, NAT64 of RFC 6052, 6to4) is as public as that.
    """
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        inner = _inner(address)
        if inner is None:
            return address.is_global and address in _UNICAST_6 and not any(address in net for net in _NOT_PUBLIC_6)
        address = inner
    return address.is_global and not any(address in net for net in _NOT_PUBLIC_4)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to `address` may be sent on to."""
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(address.packed[12:])
    if address in _6TO4:
        return IPv4Address(address.packed[2:6])
    return None


class Resolver:
    """The system's way to look up names, in threads of its own: a client that names slow servers delays nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "look-up")

    async def look_up(self, host: str) -> list[str]:
        """Return every address of `host`, the best first; raises `UpstreamUnavailable` when it has none."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, host)
        except OSError as error:
            raise UpstreamUnavailable(detail=str(error)) from None
        return list(dict.fromkeys(found))


def _look_up(host: str) -> list[str]:
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
