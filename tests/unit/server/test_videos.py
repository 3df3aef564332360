"""The routes around video jobs, in front of an upstream that is the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import msgspec
import pytest

from dragoman.core.call import Caller, Clock
from dragoman.core.errors import DragomanError, UpstreamError
from dragoman.core.ports import Record
from dragoman.dialects.openai_videos import INBOUND, OUTBOUND
from dragoman.net.reply import Patience
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from dragoman.server.outlet import Pulse
from dragoman.server.recent import Recent
from dragoman.server.routes import Routes
from dragoman.server.videos import KIND, VIDEOS, VideosEndpoint, keep_videos
from dragoman.stores.sqlite import MEMORY, SqliteStore
from dragoman.testing.simulator import INSTANT, Simulator
from dragoman.upstreams.http import HttpUpstream, Manners
from dragoman.upstreams.reading import Reply
from dragoman.upstreams.simulator import build
from tests.schema import mismatches
from tests.unit.server.link import JSON, KEY, Link, Response, make_exchange, response
from tests.unit.upstreams.wire import Wire, Written

GUEST = "authorization: Bearer dg-guest-key"
ORDER = b'{"model":"m","prompt":"a house","seconds":"4"}'


class Shown(msgspec.Struct):
    """What is looked at of anything shown."""

    id: str = ""
    status: str = ""
    model: str = ""
    deleted: bool = False
    remixed_from_video_id: str | None = None
    data: list[Shown] = []
    has_more: bool = False


class Bench:
    """All routes of videos in front of one upstream."""

    def __init__(self, upstream: HttpUpstream, store: SqliteStore, patience: float = 60) -> None:
        self.upstreams = {"lab": upstream}
        self.lines: list[str] = []
        self.store = store
        keys = Keys({sha256(f"dg-{name}-key".encode()).digest(): Caller(name, ("m",)) for name in ("app", "guest")})
        self.gate = Gate(5, 5)
        clock = Clock(lambda: 7.0, lambda: 1234.5)
        directory = Directory({"m": upstream.ask_model("instant")}, [])
        desk = Desk(keys, self.gate, directory, Log((), self.lines.append), clock, Pulse(15), Recent())
        videos = VideosEndpoint(desk, store, self.upstreams, patience=patience)
        order = Endpoint(INBOUND, desk, keep_videos(store))
        self.routes = Routes({("POST", VIDEOS): order, **videos.exact()}, videos.below())

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> Response:
        self.link = Link()
        await self.routes(make_exchange(self.link, line, *(headers or (KEY, JSON)), body=body))
        return response(self.link)

    async def order(self) -> str:
        """Order a video and return its name."""
        made = await self.ask(f"POST {VIDEOS}", body=ORDER)
        assert made.status == 200
        return read(made).id

    async def finish(self) -> str:
        """Order a video, and look at it until it is done."""
        name = await self.order()
        states = [read(await self.ask(f"GET {VIDEOS}/{name}")).status for _ in range(2)]
        assert states == ["in_progress", "completed"]
        return name


def read(answer: Response) -> Shown:
    return msgspec.json.decode(answer.body, type=Shown)


def code_of(answer: Response) -> tuple[int, str | None]:
    error = msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]
    return answer.status, error["code"]


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(SqliteStore(MEMORY)) as store:
        yield store


@pytest.fixture
def bench(store: SqliteStore) -> Bench:
    return Bench(build("lab", Simulator(cadence=INSTANT), Clock(lambda: 7.0, lambda: 1234.5)), store)


def wired(store: SqliteStore, *replies: Reply | Exception, patience: float = 60) -> tuple[Bench, Wire]:
    """Return a bench whose upstream says what is written, after it has taken an order."""
    wire = Wire(Written([b'{"id":"up/1","status":"queued","odd": 1}']), *replies)
    return Bench(HttpUpstream("lab", wire, manners(), Clock(lambda: 7.0, lambda: 1234.5)), store, patience), wire


def manners() -> Manners:
    return Manners([OUTBOUND], b"x-key: k\r\n", Patience())


async def test_a_job_has_an_id_of_ours_and_is_else_as_the_upstream_told_it(store: SqliteStore) -> None:
    bench, wire = wired(
        store, Written([b'{"id":"up/1","status":"in_progress"}'], headers={"openai-poll-after-ms": "7"})
    )
    made = await bench.ask(f"POST {VIDEOS}", body=ORDER)
    name = read(made).id
    assert name.startswith("video_")
    assert made.body == f'{{"id":"{name}","status":"queued","odd": 1}}'.encode()
    assert wire.asked[0].body == ORDER.replace(b'"m"', b'"instant"')
    shown = await bench.ask(f"GET {VIDEOS}/{name}")
    assert shown.body == f'{{"id":"{name}","status":"in_progress"}}'.encode()
    assert (shown.headers["openai-poll-after-ms"], shown.headers["x-dragoman-model"]) == ("7", "lab/instant")
    assert wire.asked[1][:4] == (b"GET", b"/videos/up%2F1", b"x-key: k\r\n", b"")


async def test_a_job_is_made_looked_at_fetched_and_deleted(bench: Bench) -> None:
    name = await bench.finish()
    shown = await bench.ask(f"GET {VIDEOS}/{name}")
    assert mismatches("VideoResource", shown.body) == []
    video = await bench.ask(f"GET {VIDEOS}/{name}/content")
    assert (video.headers["content-type"], video.body[4:8], video.ended) == ("video/mp4", b"ftyp", True)
    thumbnail = await bench.ask(f"GET {VIDEOS}/{name}/content?variant=thumbnail")
    assert (thumbnail.headers["content-type"], thumbnail.body[:4]) == ("image/png", b"\x89PNG")
    gone = await bench.ask(f"DELETE {VIDEOS}/{name}")
    assert mismatches("DeletedVideoResource", gone.body) == []
    for line in (f"GET {VIDEOS}/{name}", f"GET {VIDEOS}/{name}/content", f"DELETE {VIDEOS}/{name}"):
        assert code_of(await bench.ask(line)) == (404, "video_not_found")
    assert bench.gate.count == 0


async def test_a_video_that_is_not_done_is_not_there(bench: Bench) -> None:
    answer = await bench.ask(f"GET {VIDEOS}/{await bench.order()}/content")
    assert code_of(answer) == (404, "video_not_found")


async def test_a_job_of_another_key_does_not_exist(bench: Bench) -> None:
    name = await bench.finish()
    for line in (f"GET {VIDEOS}/{name}", f"GET {VIDEOS}/{name}/content", f"DELETE {VIDEOS}/{name}"):
        assert code_of(await bench.ask(line, GUEST)) == (404, "video_not_found")
    remix = await bench.ask(f"POST {VIDEOS}/{name}/remix", GUEST, JSON, body=b'{"prompt":"a"}')
    assert code_of(remix) == (404, "video_not_found")
    assert read(await bench.ask(f"GET {VIDEOS}", GUEST)).data == []
    assert (await bench.ask(f"GET {VIDEOS}/{name}", "accept: */*")).status == 401


async def test_a_video_is_made_from_another(bench: Bench) -> None:
    name = await bench.finish()
    remix = await bench.ask(f"POST {VIDEOS}/{name}/remix", body=b'{"prompt":"a horse"}')
    assert mismatches("VideoResource", remix.body) == []
    assert read(remix).remixed_from_video_id == name
    assert read(remix).id != name
    shown = await bench.ask(f"GET {VIDEOS}/{read(remix).id}")
    assert (read(shown).remixed_from_video_id, read(shown).status) == (name, "in_progress")


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("remix", (KEY, JSON), b"{}", 400),
        ("remix", (KEY,), b"{}", 415),
        ("odd", (KEY, JSON), b"{}", 404),
    ],
)
async def test_a_wrong_remix_is_refused(
    bench: Bench, path: str, headers: tuple[str, ...], body: bytes, status: int
) -> None:
    name = await bench.order()
    assert (await bench.ask(f"POST {VIDEOS}/{name}/{path}", *headers, body=body)).status == status
    assert bench.gate.count == 0


async def test_jobs_are_listed_as_they_are_now(bench: Bench) -> None:
    names = [await bench.order() for _ in range(3)]
    page = await bench.ask(f"GET {VIDEOS}?limit=2")
    assert mismatches("VideoListResource", page.body) == []
    assert [(job.id, job.status) for job in read(page).data] == [(name, "in_progress") for name in names[:0:-1]]
    assert read(page).has_more
    for _ in range(2):
        rest = await bench.ask(f"GET {VIDEOS}?order=asc&after={names[1]}")
        assert [(job.id, job.status) for job in read(rest).data] == [(names[2], "completed")]
    assert mismatches("VideoListResource", (await bench.ask(f"GET {VIDEOS}?after={names[0]}")).body) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up"])
async def test_a_wrong_page_is_refused(bench: Bench, query: str) -> None:
    assert code_of(await bench.ask(f"GET {VIDEOS}?{query}")) == (400, "invalid_value")


async def test_a_list_tells_what_was_last_known_when_an_upstream_fails(store: SqliteStore) -> None:
    bench, _ = wired(store, UpstreamError())
    name = await bench.order()
    (job,) = read(await bench.ask(f"GET {VIDEOS}")).data
    assert (job.id, job.status) == (name, "queued")


async def test_a_list_does_not_wait_for_an_upstream_that_says_nothing(store: SqliteStore) -> None:
    bench, wire = wired(store, Silent(), patience=0.1)
    await bench.order()
    assert read(await bench.ask(f"GET {VIDEOS}")).data[0].status == "queued"
    assert len(wire.asked) == 2


class Silent(Written):
    """A response that never comes to its end."""

    def __init__(self) -> None:
        super().__init__([])

    async def read(self) -> bytes:
        never: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        return await never


async def test_what_the_upstream_says_is_wrong_is_told(store: SqliteStore) -> None:
    error = b'{"error":{"message":"not yet","code":"video_not_ready"}}'
    broken = Written([b"{}"])
    page = Written([b"<html>"], headers={"content-type": "text/html"})
    told = Written([b'{"id":"up/1","status":"failed"}'])
    bench, _ = wired(store, Written([error], 409), broken, page, told)
    name = await bench.order()
    assert code_of(await bench.ask(f"GET {VIDEOS}/{name}/content")) == (409, "video_not_ready")
    assert code_of(await bench.ask(f"GET {VIDEOS}/{name}")) == (502, "upstream_invalid")
    assert code_of(await bench.ask(f"GET {VIDEOS}/{name}/content")) == (502, "upstream_invalid")
    assert (broken.done, page.done) == (["close"], ["close"])
    shown = await bench.ask(f"GET {VIDEOS}/{name}")
    assert (read(shown).status, "openai-poll-after-ms" in shown.headers) == ("failed", False)


async def test_a_video_that_breaks_off_ends_in_a_cut_connection(store: SqliteStore) -> None:
    reply = Written([b"abc", UpstreamError()], headers={"content-type": "video/mp4"})
    bench, _ = wired(store, reply)
    name = await bench.order()
    link = Link()
    await bench.routes(make_exchange(link, f"GET {VIDEOS}/{name}/content", KEY))
    assert (link.cuts, link.written.endswith(b"3\r\nabc\r\n"), reply.done) == (1, True, ["began", "close"])
    assert bench.gate.count == 0


async def test_a_job_that_its_upstream_has_forgotten_can_be_deleted(store: SqliteStore) -> None:
    bench, _ = wired(store, Written([b"{}"], 404))
    name = await bench.order()
    assert read(await bench.ask(f"DELETE {VIDEOS}/{name}")).deleted
    assert await store.get(KIND, "app", name) is None


async def test_a_job_whose_upstream_is_gone_is_not_there(bench: Bench) -> None:
    name = await bench.order()
    bench.upstreams.clear()
    assert code_of(await bench.ask(f"GET {VIDEOS}/{name}")) == (404, "video_not_found")


class Full(SqliteStore):
    """A store without room."""

    async def put(self, record: Record) -> None:
        raise DragomanError(fault="store")


async def test_a_job_that_cannot_be_kept_is_an_error() -> None:
    with closing(Full(MEMORY)) as store:
        reply = Written([b'{"id":"up","status":"queued"}'])
        wire = Wire(reply)
        bench = Bench(HttpUpstream("lab", wire, manners(), Clock(lambda: 7.0, lambda: 1234.5)), store)
        assert (await bench.ask(f"POST {VIDEOS}", body=ORDER)).status == 500
        assert reply.done == ["close"]
