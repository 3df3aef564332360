"""Fetching what a client names: what is fetched, what is refused, always in the same words, and what is never asked."""

import asyncio
import gzip
import ssl
from collections.abc import Sequence

import pytest
import trustme

from dragoman.core.errors import BadRequest, UpstreamUnavailable
from dragoman.net.addresses import Address
from dragoman.net.deadlines import Deadlines
from dragoman.net.fetch import CODE, REFUSAL, Bounds, Fetched, Fetcher, LookUp, read_link
from dragoman.net.origin import Origin
from dragoman.net.sniff import AUDIO, IMAGES
from tests.unit.net.loopback import Clock, Handler, failure, read_request, serving, settle

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
PATIENT = Bounds(connect=60, total=60)
AUTHORITY = trustme.CA()


def answer(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, headers, len(body), body)


def redirect(location: bytes, status: bytes = b"302 Found") -> bytes:
    return answer(b"", b"set-cookie: a=b\r\nlocation: " + location + b"\r\n", status)


def serving_files(seen: list[bytes], *answers: bytes) -> Handler:
    """Answer the requests in turn, each on a connection of its own, and write them down; PORT is the server's."""
    rest = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port: int = writer.get_extra_info("sockname")[1]
        seen.append(await read_request(reader))
        writer.write(rest.pop(0).replace(b"PORT", b"%d" % port))
        await reader.read()

    return handle


def knowing(**names: Sequence[str]) -> LookUp:
    """Return a resolver that knows `names`, with dots for underscores; it knows addresses too."""

    async def look_up(host: str) -> Sequence[str]:
        return names.get(host.replace(".", "_"), (host,) if host[0] in "1:" else ("127.0.0.1",))

    return look_up


def no_private(address: Address) -> bool:
    """Stand in for the real rule, where loopback counts as the internet."""
    return address.is_loopback


def fetcher(*, look_up: LookUp | None = None, tls: ssl.SSLContext | None = None, bounds: Bounds = PATIENT) -> Fetcher:
    deadlines = Deadlines(asyncio.get_running_loop(), tick=0.02)
    return Fetcher(deadlines, look_up=look_up or knowing(), may_reach=no_private, tls=tls, bounds=bounds)


async def refused(fetching: Fetcher, url: str) -> str:
    """Return what the log is told; the client is told the same every time."""
    error = await failure(fetching.fetch(url, kinds=IMAGES, param="messages[0]"))
    assert isinstance(error, BadRequest)
    assert (error.status, error.message, error.code, error.param) == (400, REFUSAL, CODE, "messages[0]")
    return error.detail


# What is fetched


async def test_a_file_is_fetched_with_its_own_host_and_nothing_of_ours() -> None:
    seen: list[bytes] = []
    async with serving(serving_files(seen, answer(PNG, b"content-type: text/html\r\n"))) as files:
        url = f"http://files.example:{files.port}/a/ü%20b?x=%zz&y='#part"
        assert await fetcher().fetch(url, kinds=IMAGES) == Fetched("image/png", PNG)
        await files.saw_the_end()
    line, *headers = seen[0].decode().splitlines()
    assert line == "GET /a/%C3%BC%20b?x=%zz&y=' HTTP/1.1"
    assert sorted(name.partition(":")[0] for name in headers if name) == [
        "accept",
        "accept-encoding",
        "content-length",
        "host",
        "user-agent",
    ]
    assert f"host: files.example:{files.port}" in headers
    assert "accept-encoding: identity" in headers


async def test_tls_is_made_with_the_name_and_not_the_address() -> None:
    context, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    AUTHORITY.issue_cert("files.example").configure_cert(context)
    AUTHORITY.configure_trust(client)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    async with serving(serving_files([], answer(PNG)), tls=context) as files:
        fetched = await fetcher(tls=client).fetch(f"https://files.example:{files.port}/", kinds=IMAGES)
        assert fetched.data == PNG
        assert names == ["files.example"]
        assert "certificate" in (await refused(fetcher(tls=client), f"https://other.example:{files.port}/")).lower()
        assert "certificate" in (await refused(fetcher(), f"https://files.example:{files.port}/")).lower()


async def test_a_compressed_file_is_fetched_all_the_same() -> None:
    async with serving(serving_files([], answer(gzip.compress(PNG, mtime=0), b"content-encoding: gzip\r\n"))) as files:
        assert (await fetcher().fetch(f"http://h:{files.port}", kinds=IMAGES)).data == PNG


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with serving(serving_files([], answer(PNG))) as files:
        names = knowing(h=("127.0.0.2", "127.0.0.1"))
        assert (await fetcher(look_up=names).fetch(f"http://h:{files.port}", kinds=IMAGES)).data == PNG


async def test_only_a_few_addresses_are_tried() -> None:
    async with serving(serving_files([], answer(PNG))) as files:
        names = knowing(h=[*(f"127.0.0.{last}" for last in range(2, 6)), "127.0.0.1"])
        await refused(fetcher(look_up=names), f"http://h:{files.port}")
        assert files.connections == 0


async def test_the_name_is_looked_up_once() -> None:
    asked: list[str] = []

    async def look_up(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with serving(serving_files([], answer(PNG))) as files:
        await fetcher(look_up=look_up).fetch(f"http://h:{files.port}", kinds=IMAGES)
        assert asked == ["h"]


# Redirects


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Again", b"308 Again"])
@pytest.mark.parametrize(
    ("location", "asked"),
    [
        (b"/b?c#d", b"GET /b?c HTTP/1.1\r\nhost: h:PORT\r\n"),
        (b"b", b"GET /dir/b HTTP/1.1\r\nhost: h:PORT\r\n"),
        (b"?q", b"GET /dir/a?q HTTP/1.1\r\nhost: h:PORT\r\n"),
        (b"//other:PORT/x", b"GET /x HTTP/1.1\r\nhost: other:PORT\r\n"),
        (b"http://127.0.0.1:PORT", b"GET / HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n"),
        ("/ü b".encode(), b"GET /%C3%BC%20b HTTP/1.1\r\nhost: h:PORT\r\n"),
    ],
)
async def test_a_redirect_is_followed_without_cookies(location: bytes, asked: bytes, status: bytes) -> None:
    seen: list[bytes] = []
    async with serving(serving_files(seen, redirect(location, status), answer(PNG))) as files:
        fetched = await fetcher().fetch(f"http://h:{files.port}/dir/a", kinds=IMAGES)
        assert fetched.data == PNG
        assert seen[1].startswith(asked.replace(b"PORT", b"%d" % files.port))
        assert b"cookie" not in seen[1]


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        (b"http://inner:PORT/", "the address is not public"),
        (b"http://10.0.0.1/", "the address is not public"),
        (b"//[::ffff:10.0.0.1]:PORT/", "the address is not public"),
        (b"http://me:secret@h:PORT/", "the URL has an invalid host, port or path"),
        (b"http://h\\@inner:PORT/", "the URL is not plain"),
        (b"/\\inner", "the URL is not plain"),
        (b"http://h\t:PORT/", "the URL has an invalid host, port or path"),
        (b"http://[/", "the redirect is not plain"),
        (b"file:///etc/passwd", "the URL is not plain"),
        (b"gopher://h:PORT/", "the URL is not plain"),
        (b"", "status 302"),
    ],
)
async def test_a_redirect_is_judged_like_the_first_url(location: bytes, detail: str) -> None:
    names = knowing(inner=("10.0.0.1",))
    async with serving(serving_files([], redirect(location))) as files:
        assert await refused(fetcher(look_up=names), f"http://h:{files.port}/") == detail
        assert files.connections == 1
        await files.saw_the_end()


async def test_three_redirects_are_followed_and_no_more() -> None:
    three = [redirect(b"/")] * 3
    async with serving(serving_files([], *three, answer(PNG))) as files:
        assert (await fetcher().fetch(f"http://h:{files.port}", kinds=IMAGES)).data == PNG
    async with serving(serving_files([], *three, redirect(b"/"), answer(PNG))) as files:
        assert await refused(fetcher(), f"http://h:{files.port}") == "too many redirects"
        assert files.connections == 4


# What is refused


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/etc/passwd",
        "//h/a",
        "h/a.png",
        "file:///etc/passwd",
        "ftp://h/a.png",
        "data:image/png;base64,AAAA",
        "javascript://h/",
        "http:h",
        "http:/h",
        "http:///h",
        "http://",
        "http://?h",
        "http://#h",
        "http://me@h/",
        "http://me:secret@h/",
        "http://@h/",
        "http://h\\@other/",
        "http://h/a\\b",
        "http://h/a b",
        "http://h/a\tb",
        " http://h/",
        "http://h/\r\nx: y",
        "http://h/\n",
        "http://h\x00/",
        "http://h/\x7f",
        "http://h/\x85",
        "http://h/\ud800",
        "http://h:0/",
        "http://h:65536/",
        "http://h:8x/",
        "http://h:\u0661/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[::1%eth0]/",
        "http://h%2e/",
        "http://a..b/",
        "http://ü..b/",
        "http://ü\u2100/",
        f"http://{'ü' * 70}/",
        f"http://{'a.' * 150}com/",
        f"http://h/{'a' * 9000}",
    ],
)
async def test_a_url_that_is_not_plain_is_refused_before_anything_is_looked_up(url: str) -> None:
    async def look_up(host: str) -> Sequence[str]:
        raise AssertionError(host)

    assert (await refused(fetcher(look_up=look_up), url)).startswith("the URL ")


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("HTTPS://Files.Example", Origin("https", "files.example", 443), b"/"),
        ("http://h:8080?a#b", Origin("http", "h", 8080), b"/?a"),
        ("http://Bücher.example:81/ä", Origin("http", "xn--bcher-kva.example", 81), b"/%C3%A4"),
        ("http://\uff11\uff12\uff17\u30020\u30020\u30021/", Origin("http", "127.0.0.1", 80), b"/"),
        ("http://[::FFFF:7F00:1]/", Origin("http", "::ffff:7f00:1", 80), b"/"),
    ],
)
def test_a_url_is_read_once_and_becomes_ascii_first(url: str, origin: Origin, path: bytes) -> None:
    assert read_link(url) == (origin, path)


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("127.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "::1%eth0"),
        ("127.0.0.1", "not an address"),
        (),
    ],
)
async def test_a_name_is_refused_unless_every_address_may_be_reached(addresses: Sequence[str]) -> None:
    def may_reach(address: Address) -> bool:
        return str(address) == "127.0.0.1"

    async with serving(serving_files([], answer(PNG))) as files:
        deadlines = Deadlines(asyncio.get_running_loop())
        fetching = Fetcher(deadlines, look_up=knowing(h=addresses), may_reach=may_reach, bounds=PATIENT)
        assert "address" in await refused(fetching, f"http://h:{files.port}/")
        assert files.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_never_asked_unless_somebody_allows_it(host: str) -> None:
    async with serving(serving_files([], answer(PNG))) as files:
        fetching = Fetcher(Deadlines(asyncio.get_running_loop()))
        assert await refused(fetching, f"http://{host}:{files.port}/") == "the address is not public"
        assert files.connections == 0


async def test_a_name_that_does_not_exist_is_refused() -> None:
    async def look_up(host: str) -> Sequence[str]:
        raise UpstreamUnavailable(detail="no such name")

    assert await refused(fetcher(look_up=look_up), "http://h/") == "no such name"


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (answer(PNG, status=b"404 Not Found"), "status 404"),
        (answer(PNG, status=b"206 Partial Content"), "status 206"),
        (answer(PNG, status=b"300 Choices"), "status 300"),
        (answer(PNG, b"content-encoding: br\r\n"), "unknown content-encoding"),
        (answer(PNG + bytes(81)), "whole body"),
        (answer(gzip.compress(PNG + bytes(1000), mtime=0), b"content-encoding: gzip\r\n"), "whole body"),
        (answer(b"<html>"), "the media type is unknown"),
        (answer(b"fLaC"), "the media type is audio/flac"),
        (answer(b""), "the media type is unknown"),
        (b"SSH-2.0-OpenSSH\r\n", "Expected HTTP/"),
    ],
)
async def test_what_is_no_small_file_of_the_right_kind_is_refused(said: bytes, detail: str) -> None:
    bounds = Bounds(connect=60, total=60, size=len(PNG) + 80)
    async with serving(serving_files([], said)) as files:
        assert detail in await refused(fetcher(bounds=bounds), f"http://h:{files.port}/")
        await files.saw_the_end()


async def test_a_file_of_just_the_greatest_size_is_fetched() -> None:
    async with serving(serving_files([], answer(PNG))) as files:
        fetching = fetcher(bounds=Bounds(connect=60, total=60, size=len(PNG)))
        assert (await fetching.fetch(f"http://h:{files.port}/", kinds=IMAGES | AUDIO)).data == PNG


async def test_nobody_there_is_refused() -> None:
    assert await refused(fetcher(look_up=knowing(h=("127.0.0.2",))), "http://h:9/")


@pytest.mark.parametrize("said", [b"", answer(PNG)[:-5]])
async def test_a_server_that_takes_too_long_is_refused(said: bytes, clock: Clock) -> None:
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)
        asked.set()
        await reader.read()

    async with serving(handle) as files:
        fetching = asyncio.create_task(refused(fetcher(), f"http://h:{files.port}/"))
        await asyncio.wait_for(asked.wait(), 30)
        clock.ahead += PATIENT.total
        assert await fetching in {"too slow", "timeout"}
        await files.saw_the_end()


async def test_a_resolver_that_takes_too_long_is_refused() -> None:
    async def look_up(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    assert await refused(fetcher(look_up=look_up, bounds=Bounds(total=0.05)), "http://h/") == "too slow"


async def test_only_so_many_are_fetched_at_once() -> None:
    waiting, go = asyncio.Semaphore(0), asyncio.Event()

    async def look_up(host: str) -> Sequence[str]:
        waiting.release()
        await go.wait()
        return ["127.0.0.1"]

    async with serving(serving_files([], *[answer(PNG)] * 3)) as files:
        fetching = fetcher(look_up=look_up, bounds=Bounds(connect=60, total=60, at_once=2))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetching.fetch(f"http://h:{files.port}", kinds=IMAGES)) for _ in range(3)]
            for _ in range(2):
                await waiting.acquire()
            await settle()
            assert waiting.locked()
            go.set()
        assert [task.result().data for task in tasks] == [PNG] * 3


async def test_cancelling_a_fetch_closes_its_connection() -> None:
    seen: list[bytes] = []
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        asked.set()
        await reader.read()

    async with serving(handle) as files:
        fetching = asyncio.create_task(fetcher().fetch(f"http://h:{files.port}", kinds=IMAGES))
        await asyncio.wait_for(asked.wait(), 30)
        fetching.cancel()
        await files.saw_the_end()
        with pytest.raises(asyncio.CancelledError):
            await fetching
