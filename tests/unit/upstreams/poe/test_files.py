"""The files that bots make, by the addresses in their answers."""

import pytest

from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.upstreams.http import Transport
from dragoman.upstreams.poe.files import MAX_HOSTS, Files
from tests.unit.upstreams.wire import Wire, Written

URL = "https://pfst.cf2.poecdn.net/base/image/0a1b?w=1024&h=1024"
PNG = b"\x89PNG\r\n\x1a\n rest"


class Ways:
    """Transports by origin, and the origins that were asked for."""

    def __init__(self, *replies: Written) -> None:
        self.wire = Wire(*replies)
        self.origins: list[str] = []

    def reach(self, url: str) -> Transport:
        self.origins.append(url)
        return self.wire


def files(ways: Ways | None = None) -> Files:
    return Files((ways or Ways()).reach, "http://127.0.0.1:9/poe/v1")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (URL, "image"),
        ("https://poecdn.net/base/video/ab", "video"),
        ("https://a.poecdn.net/base/audio/ab", "audio"),
        ("https://a.poecdn.net/base/file/ab", ""),
        ("https://a.poecdn.net/other", ""),
        ("http://127.0.0.1:9/poe/base/image/ab", "image"),
        ("http://127.0.0.1:8/poe/base/image/ab", None),
        ("http://a.poecdn.net/base/image/ab", None),
        ("https://a.poecdn.net:444/base/image/ab", None),
        ("https://a.poecdn.net:x/base/image/ab", None),
        ("https://user@a.poecdn.net/base/image/ab", None),
        ("https://a.poecdn.net\\@evil.com/base/image/ab", None),
        ("https://evilpoecdn.net/base/image/ab", None),
        ("https://poecdn.net.evil.com/base/image/ab", None),
        ("https://[poecdn.net/base/image/ab", None),
        ("https://a.poecdn.net/base/image/é", None),
        ("ftp://a.poecdn.net/base/image/ab", None),
        ("https://a.poecdn.net/" + "a" * 3000, None),
    ],
)
def test_only_what_is_on_poes_hosts_is_a_file(url: str, kind: str | None) -> None:
    assert files().find_kind(url) == kind


async def test_a_file_is_fetched_without_any_key() -> None:
    ways = Ways(Written([PNG[:4], PNG[4:]], headers={}), Written([PNG], headers={}))
    found = files(ways)
    assert await found.fetch(URL, "image") == ("image/png", PNG)
    assert await found.fetch(URL, "image") == ("image/png", PNG)
    asked = ways.wire.asked[0]
    assert (asked.method, asked.path) == (b"GET", b"/base/image/0a1b?w=1024&h=1024")
    assert (asked.headers, asked.body) == (b"accept: */*\r\n", b"")
    assert ways.origins == ["https://pfst.cf2.poecdn.net"]


async def test_a_type_that_its_bytes_do_not_tell_is_the_one_that_is_said() -> None:
    ways = Ways(Written([b"?"], headers={"content-type": "Audio/X-New; rate=8"}))
    assert await files(ways).fetch("https://poecdn.net/base/audio/ab", "audio") == ("audio/x-new", b"?")
    assert ways.wire.asked[0].path == b"/base/audio/ab"


@pytest.mark.parametrize(
    "reply",
    [
        Written([b"<html>"], headers={"content-type": "text/html"}),
        Written([b"?"], headers={}),
        Written([PNG], 302, {"location": "http://169.254.169.254/"}),
        Written([PNG], 404),
        Written([PNG, UpstreamIncomplete()]),
    ],
)
async def test_what_is_no_such_file_is_an_error_and_gives_the_connection_back(reply: Written) -> None:
    ways = Ways(reply)
    with pytest.raises((UpstreamInvalid, UpstreamIncomplete)):
        await files(ways).fetch(URL, "image")
    assert reply.done == ["close"]
    assert len(ways.wire.asked) == 1


async def test_a_model_cannot_make_us_remember_any_number_of_hosts() -> None:
    ways = Ways(*(Written([PNG]) for _ in range(MAX_HOSTS)))
    found = files(ways)
    for number in range(MAX_HOSTS):
        await found.fetch(f"https://h{number}.poecdn.net/base/image/a", "image")
    with pytest.raises(UpstreamInvalid):
        await found.fetch("https://one.more.poecdn.net/base/image/a", "image")
    assert len(ways.origins) == MAX_HOSTS
