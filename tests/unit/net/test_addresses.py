"""Which addresses are public, by the registries of IANA, and how names are looked up."""

import asyncio
import threading
from ipaddress import ip_address

import pytest

from dragoman.core.errors import UpstreamUnavailable
from dragoman.net.addresses import Resolver, is_public
from tests.unit.net.loopback import failure


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00:1450:4001:830::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.1.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "233.252.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_an_address_for_special_use_is_not_public_however_it_is_wrapped(address: str) -> None:
    packed = ip_address(address).packed
    assert not is_public(ip_address(address))
    assert not is_public(ip_address(f"::ffff:{address}"))
    assert not is_public(ip_address(f"64:ff9b::{address}"))
    assert not is_public(ip_address(b"\x20\x02" + packed + bytes(10)))


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b:1::808:808",
        "64:ff9b::1:808:808",
        "100::1",
        "100:0:0:1::1",
        "1fff::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:10::1",
        "2001:20::1",
        "2001:30::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2620:4f:8000::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_ipv6_address_for_special_use_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


async def test_a_name_has_the_addresses_the_system_says() -> None:
    resolver = Resolver()
    assert "127.0.0.1" in await resolver.look_up("localhost")
    assert await resolver.look_up("127.0.0.1") == ["127.0.0.1"]
    assert await resolver.look_up("::1") == ["::1"]


@pytest.mark.parametrize("spelling", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1"])
async def test_an_odd_spelling_of_an_address_is_that_address(spelling: str) -> None:
    assert await Resolver().look_up(spelling) == ["127.0.0.1"]


async def test_a_name_without_an_address_is_unavailable() -> None:
    error = await failure(Resolver().look_up("no-such-host.invalid"))
    assert isinstance(error, UpstreamUnavailable)
    assert error.detail


async def test_names_are_looked_up_in_threads_of_their_own() -> None:
    before = set(threading.enumerate())
    await asyncio.wait_for(Resolver().look_up("localhost"), 30)
    assert {thread.name for thread in set(threading.enumerate()) - before} <= {"look-up_0"}
