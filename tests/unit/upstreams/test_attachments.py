"""Attachments on their way to a bot: uploaded once, refused by name, or passed on."""

import asyncio
from base64 import b64encode

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRejected,
)
from dragoman.net.reply import Patience
from dragoman.upstreams.attachments import PATH, Attachments, Limits
from dragoman.upstreams.reading import Reply
from dragoman.wire.multipart import read_form
from tests.unit.upstreams.wire import Wire, Written

PNG = b"\x89PNG\r\n\x1a\n"
URL = f"data:image/png;base64,{b64encode(PNG).decode()}"
PLACED = Raw(b'"image/png"')


def placed(url: str = "https://p/1", media_type: str = "image/png") -> Written:
    return Written([msgspec.json.encode({"attachment_url": url, "mime_type": media_type})])


def user(*parts: msg.Part) -> msg.Request:
    return msg.Request("bot", [msg.Message("system", [msg.Text("Hm")]), msg.Message("user", list(parts))])


class Desk:
    """Attachments with a wire of written replies and a clock."""

    def __init__(
        self, *replies: Reply | Exception, limits: Limits | None = None, keys: tuple[str, ...] = ("k",)
    ) -> None:
        self.wire = Wire(*replies)
        self.time = 0.0
        self.attachments = Attachments(self.wire, keys, lambda: self.time, limits or Limits())

    async def place(self, *parts: msg.Part) -> list[msg.Part]:
        request = await self.attachments.place(user(*parts))
        return request.messages[1].parts


async def test_bytes_are_uploaded_as_poe_wants_it() -> None:
    desk = Desk(placed())
    (image,) = await desk.place(msg.Image(URL, extra={"odd": Raw(b"1")}))
    assert image == msg.Image("https://p/1", extra={"content_type": PLACED, "name": Raw(b'"image.png"')})
    (asked,) = desk.wire.asked
    assert (asked.method, asked.path) == (b"POST", PATH)
    lines = dict(line.split(b": ", 1) for line in asked.headers.splitlines())
    assert (lines[b"authorization"], lines[b"accept"]) == (b"k", b"application/json")
    form = read_form(asked.body, lines[b"content-type"].decode())
    (part,) = form.parts
    assert (part.name, part.file, part.media_type, form.data(part)) == ("file", "image.png", "image/png", PNG)


async def test_every_kind_of_part_is_placed() -> None:
    data = b64encode(b"x").decode()
    told = {"content_type": Raw(b'"a/b"'), "name": Raw(b'"a%22.txt"')}
    desk = Desk(*(placed(f"https://p/{number}", "a/b") for number in range(4)))
    audio, video, paper, result = await desk.place(
        msg.Audio(data, "mp3"),
        msg.Video(f"data:video/mp4;base64,{data}"),
        msg.File(f"data:text/plain;charset=utf-8;base64,{data}", name='a".txt'),
        msg.ToolResult("c", [msg.Text("r"), msg.Image(URL)]),
    )
    assert isinstance(audio, msg.Audio)
    assert (audio.data, audio.url, audio.extra["name"]) == ("", "https://p/0", Raw(b'"audio.mp3"'))
    assert isinstance(video, msg.Video)
    assert (video.url, video.extra["name"]) == ("https://p/1", Raw(b'"video.mp4"'))
    assert isinstance(paper, msg.File)
    assert (paper.data, paper.extra) == ("https://p/2", told | {"name": Raw(b'"a\\".txt"')})
    assert isinstance(result, msg.ToolResult)
    assert isinstance(result.content[1], msg.Image)
    assert result.content[1].url == "https://p/3"
    assert b'filename="a%22.txt"' in desk.wire.asked[2].body


async def test_nothing_is_done_where_there_is_nothing() -> None:
    desk, request = Desk(), user(msg.Text("Hi"), msg.ToolResult("c", [msg.Text("r")]))
    assert await desk.attachments.place(request) is request


async def test_the_same_is_uploaded_once() -> None:
    desk = Desk(placed(), placed("https://p/2"))
    first = await desk.place(msg.Image(URL), msg.Image(URL))
    assert await desk.place(msg.Image(URL), msg.Image(URL)) == first
    assert len(desk.wire.asked) == 1
    await desk.place(msg.Image(URL.replace("png", "gif")))
    assert len(desk.wire.asked) == 2


async def test_an_upload_is_good_for_a_while() -> None:
    desk = Desk(placed(), placed("https://p/2"), limits=Limits(seconds=10))
    await desk.place(msg.Image(URL))
    desk.time = 9.5
    await desk.place(msg.Image(URL))
    desk.time = 10
    (image,) = await desk.place(msg.Image(URL))
    assert isinstance(image, msg.Image)
    assert image.url == "https://p/2"


async def test_those_used_last_are_remembered() -> None:
    urls = [f"data:image/png;base64,{b64encode(bytes([number])).decode()}" for number in range(3)]
    desk = Desk(*(placed() for _ in range(4)), limits=Limits(kept=2))
    for url in (urls[0], urls[1], urls[0], urls[2], urls[0]):
        await desk.place(msg.Image(url))
    assert len(desk.wire.asked) == 3
    await desk.place(msg.Image(urls[1]))
    assert len(desk.wire.asked) == 4


class Slow(Wire):
    """Answers when it is told to."""

    def __init__(self, *replies: Reply | Exception) -> None:
        super().__init__(*replies)
        self.go = asyncio.Event()
        self.begun = asyncio.Event()

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        self.begun.set()
        await self.go.wait()
        return await super().request(method, path, headers, body, patience)


async def test_who_wants_the_same_waits_for_it() -> None:
    wire = Slow(placed())
    attachments = Attachments(wire, ["k"], lambda: 0.0, Limits())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attachments.place(user(msg.Image(URL)))) for _ in range(3)]
        await wire.begun.wait()
        wire.go.set()
    assert len({msgspec.json.encode(task.result()) for task in tasks}) == 1
    assert len(wire.asked) == 1


async def test_what_fails_fails_for_all_who_wait_and_is_tried_again_later() -> None:
    wire = Slow(UpstreamError(), placed())
    attachments = Attachments(wire, ["k"], lambda: 0.0, Limits())

    async def place() -> bool:
        try:
            await attachments.place(user(msg.Image(URL)))
        except UpstreamError:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(place()) for _ in range(3)]
        await wire.begun.wait()
        wire.go.set()
    assert [task.result() for task in tasks] == [False] * 3
    assert len(wire.asked) == 1
    assert await place()


async def test_who_leaves_leaves_the_work_to_the_next() -> None:
    wire = Slow(placed())
    attachments = Attachments(wire, ["k"], lambda: 0.0, Limits())
    async with asyncio.TaskGroup() as group:
        first = group.create_task(attachments.place(user(msg.Image(URL))))
        await wire.begun.wait()
        second = group.create_task(attachments.place(user(msg.Image(URL))))
        wire.begun.clear()
        first.cancel()
        await wire.begun.wait()
        wire.go.set()
    assert first.cancelled()
    assert second.result().messages[1].parts != [msg.Image(URL)]


LONG = b64encode(b"x" * 101).decode()


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (msg.Image("data:image/png,abc"), "invalid_value"),
        (msg.Image("data:image/png;base64"), "invalid_value"),
        (msg.Image(f"data:image/png{';a=b' * 200};base64,AAAA"), "invalid_value"),
        (msg.Image("data:text/html;base64,AAAA"), "invalid_value"),
        (msg.Video("data:image/png;base64,AAAA"), "invalid_value"),
        (msg.File("data:nothing;base64,AAAA"), "invalid_value"),
        (msg.Image("data:image/png;base64,A!AA"), "invalid_value"),
        (msg.Image("data:image/png;base64,AAA"), "invalid_value"),
        (msg.Image("data:image/png;base64,\u00e9AAA"), "invalid_value"),
        (msg.Image("data:image/png;base64,"), "invalid_value"),
        (msg.Image(f"data:image/png;base64,{LONG}"), "attachment_too_large"),
        (msg.Image(f"data:image/png;base64,{LONG * 2}"), "attachment_too_large"),
        (msg.Image("ftp://x.test/i"), "invalid_value"),
        (msg.Image(""), "invalid_value"),
        (msg.File(id="file-1"), "invalid_value"),
    ],
)
async def test_what_is_not_what_it_says_is_refused_by_its_place(part: msg.Part, code: str) -> None:
    desk = Desk(limits=Limits(size=100))
    before: list[msg.Part] = [msg.Thinking("hm"), msg.Text("Look"), msg.ToolCall("c", "f", "{}")]
    with pytest.raises(BadRequest) as raised:
        await desk.place(*before, part)
    assert (raised.value.param, raised.value.code) == ("messages[1].content[1]", code)
    assert desk.wire.asked == []


async def test_as_much_as_is_allowed_is_taken() -> None:
    data = b64encode(b"x" * 100).decode()
    desk = Desk(placed(), limits=Limits(size=100, count=2))
    parts = [msg.Image(f"data:image/png;base64,{data}")] * 2
    await desk.place(*parts)
    with pytest.raises(BadRequest, match="more than 2 attachments"):
        await desk.place(*parts, msg.ToolResult("c", [msg.Image(URL)]))


@pytest.mark.parametrize("links", [True, False])
async def test_a_link_is_passed_on_or_uploaded_from_where_it_is(links: bool) -> None:
    own, other = msg.Image("https://pfst.cf2.poecdn.net/base/image/1"), msg.Image("https://x.test/a.gif?b=c&d")
    desk = Desk(placed(), limits=Limits(links=links))
    parts = await desk.place(own, msg.Image("https://poecdn.net/x"), other)
    assert parts[0] is own
    if not links:
        assert parts[2] is other
        return
    assert isinstance(parts[2], msg.Image)
    assert parts[2].url == "https://p/1"
    (asked,) = desk.wire.asked
    assert b"content-type: application/x-www-form-urlencoded\r\n" in asked.headers
    assert asked.body == b"download_url=https%3A%2F%2Fx.test%2Fa.gif%3Fb%3Dc%26d&download_filename=a.gif"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Written([b"no"], 400), UpstreamRejected),
        (Written([b"no"], 401), UpstreamAuth),
        (Written([b"no"], 404), UpstreamInvalid),
        (Written([b"no"], 413), UpstreamRejected),
        (Written([b"no"], 429), RateLimited),
        (Written([b"no"], 500), UpstreamError),
        (Written([b"{}"]), UpstreamInvalid),
        (Written([b"<html>"]), UpstreamInvalid),
        (Written([b"[" * 60_000]), UpstreamInvalid),
        (placed("file:///etc/passwd"), UpstreamInvalid),
    ],
)
async def test_an_upload_that_fails_is_the_upstreams_failure(reply: Written, kind: type[DragomanError]) -> None:
    desk = Desk(reply)
    with pytest.raises(kind):
        await desk.place(msg.Image(URL))
    assert reply.done[-1] == "close"


async def test_a_key_that_is_spent_makes_room_for_the_next() -> None:
    desk = Desk(Written([b"no"], 402), placed(), keys=("a", "b"))
    await desk.place(msg.Image(URL))
    assert [b"authorization: b\r\n" in asked.headers for asked in desk.wire.asked] == [False, True]
