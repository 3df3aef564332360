"""Attachments that are only linked."""

import pytest
from msgspec import Struct

from dragoman.core.errors import BadRequest
from dragoman.core.message import Audio, File, Image, Message, Part, Request, Text, ToolResult, Video
from dragoman.upstreams.links import MAX_LINKS, WORDS, fetch_links

KINDS = {kind: frozenset({f"any/{kind.__name__.lower()}"}) for kind in WORDS}
ALL = frozenset(WORDS.values())
PNG = "data:image/png;base64,AAAA"


class Found(Struct, frozen=True):
    media_type: str
    data: bytes


class Web:
    """Has the same at every address."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, frozenset[str], str | None]] = []

    async def fetch(self, url: str, *, kinds: frozenset[str], param: str | None = None) -> Found:
        self.asked.append((url, kinds, param))
        return Found("audio/wav" if "sound" in url else "image/png", b"\0\0\0")


def asked(*parts: Part) -> Request:
    return Request("m", [Message("user", list(parts))])


async def test_bytes_take_the_place_of_links() -> None:
    web = Web()
    linked: list[Part] = [
        Image("https://x/a", "high"),
        Audio("", "", url="http://x/sound"),
        Video("https://x/v"),
        File("https://x/f"),
    ]
    request = await fetch_links(web, KINDS)(asked(Text("a"), *linked), ALL)
    assert request.messages[0].parts == [
        Text("a"),
        Image(PNG, "high"),
        Audio("AAAA", "wav"),
        Video(PNG),
        File(PNG),
    ]
    assert web.asked[0] == ("https://x/a", frozenset({"any/image"}), "messages[0].content[1]")
    assert [kinds for _, kinds, _ in web.asked] == list(KINDS.values())


async def test_what_a_tool_shows_is_fetched_too() -> None:
    inner = ToolResult("c", [Text("a"), Image("https://x/a")])
    request = await fetch_links(Web(), KINDS)(asked(inner), ALL)
    assert request.messages[0].parts == [ToolResult("c", [Text("a"), Image(PNG)])]


async def test_a_dialect_that_takes_links_gets_them() -> None:
    web, request = Web(), asked(Image("https://x/a"), Image(PNG), File(id="f"), Audio("AAAA", "wav"))
    assert await fetch_links(web, KINDS)(request, frozenset({"linked_audio", "linked_file"})) is request
    assert await fetch_links(web, KINDS)(asked(Image(PNG)), ALL) == asked(Image(PNG))
    assert web.asked == []


async def test_many_links_are_refused_before_any_is_fetched() -> None:
    web = Web()
    with pytest.raises(BadRequest) as caught:
        await fetch_links(web, KINDS)(asked(*[Image(f"https://x/{n}") for n in range(MAX_LINKS + 1)]), ALL)
    assert (caught.value.param, web.asked) == ("messages[0].content[20]", [])
