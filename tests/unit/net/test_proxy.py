"""Proxies: how their URLs are read, how each kind is asked for a tunnel, and what each way to refuse is called."""

import asyncio
import socket
import subprocess
import sys
from base64 import b64encode

import pytest

from dragoman.core.errors import UpstreamUnavailable
from dragoman.net.proxy import Proxy, Scheme, open_tunnel, parse_proxy
from tests.unit.net.loopback import OK, Handler, Upstream, failure, saying, serving
from tests.unit.net.tunnels import GRANTED, SOCKS_GRANTED, connecting, socks

SECRET = "s3cr3t-word"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("http", "proxy.example", 3128)),
        ("HTTP://Proxy.Example/", Proxy("http", "proxy.example", 80)),
        ("socks5://127.0.0.1", Proxy("socks5", "127.0.0.1", 1080)),
        ("socks5h://[::1]:9050/", Proxy("socks5h", "::1", 9050)),
        ("socks5://me:secret@h:1", Proxy("socks5", "h", 1, "me", "secret")),
        ("http://me%40home:p%3Aw%2F%C3%A9@h", Proxy("http", "h", 80, "me@home", "p:w/é")),
        ("http://me:a@b@h", Proxy("http", "h", 80, "me", "a@b")),
        ("http://token@h", Proxy("http", "h", 80, "token")),
        ("http://:word@h", Proxy("http", "h", 80, "", "word")),
    ],
)
def test_a_proxy_url_is_taken_apart(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "socks5://",
        "proxy.example:3128",
        "socks4://h",
        "https://h",
        f"ftp://me:{SECRET}@h",
        f"http://me:{SECRET}@",
        f"http://me:{SECRET}@h:0",
        f"http://me:{SECRET}@h:99999",
        f"http://me:{SECRET}@h/path",
        f"http://me:{SECRET}@h?x=1",
        f"http://me:{SECRET}@h é",
        f"http://me:{SECRET}@hé",
        f"http://me:{SECRET}/x@h",
        f"http://me:{SECRET}#x@h",
        f"http://me:{SECRET}%ff@h",
        f"http://m%3Ae:{SECRET}@h",
        f"socks5://{SECRET}@h",
        f"socks5://:{SECRET}@h",
        f"socks5h://me%C3%A9:{SECRET}@h",
        f"socks5h://me:{SECRET}{'x' * 250}@h",
    ],
)
def test_a_proxy_url_that_is_not_plain_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"prox") as caught:
        parse_proxy(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_proxy_shows_nobody_who_we_are_to_it() -> None:
    assert repr(parse_proxy(f"http://me:{SECRET}@h")) == "Proxy('http', 'h', 80)"


def test_the_socks_library_is_loaded_by_the_first_tunnel_only() -> None:
    script = "import dragoman.net.pool, dragoman.net.proxy as p, sys; p.parse_proxy('socks5://h'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "dragoman.net.proxy" in loaded.stdout.split()
    assert "python_socks" not in loaded.stdout.split()


# Tunnels


def proxy_of(server: Upstream, scheme: Scheme = "http", user: str = "", password: str = "") -> Proxy:
    return Proxy(scheme, "127.0.0.1", server.port, user, password)


async def talk(tunnel: socket.socket) -> bytes:
    """Send a small request through a tunnel, and return what comes back first."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(tunnel, b"GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        return await loop.sock_recv(tunnel, len(OK))
    finally:
        tunnel.close()


@pytest.mark.parametrize(
    ("host", "place"), [("api.example", b"api.example:443"), ("2001:db8::1", b"[2001:db8::1]:443")]
)
async def test_an_http_proxy_is_asked_for_a_tunnel(host: str, place: bytes) -> None:
    asked: list[bytes] = []
    async with serving(saying(OK)) as upstream, serving(connecting(asked, upstream.port)) as server:
        assert await talk(await open_tunnel(proxy_of(server), host, 443)) == OK
        assert asked == [b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (place, place)]


@pytest.mark.parametrize(("user", "password"), [("me", "a:b\r\né"), ("token", ""), ("", "word")])
async def test_an_http_proxy_is_told_who_we_are(user: str, password: str) -> None:
    asked: list[bytes] = []
    async with serving(saying(OK)) as upstream, serving(connecting(asked, upstream.port)) as server:
        assert await talk(await open_tunnel(proxy_of(server, "http", user, password), "h", 80)) == OK
    secret = b64encode(f"{user}:{password}".encode())
    assert asked == [b"CONNECT h:80 HTTP/1.1\r\nhost: h:80\r\nproxy-authorization: Basic %b\r\n\r\n" % secret]


@pytest.mark.parametrize("answer", [GRANTED, b"HTTP/1.0 204 \r\n\r\n", b"HTTP/1.1 200\r\nx: y\r\n\r\n"])
async def test_an_answer_to_connect_survives_any_cut(answer: bytes) -> None:
    pieces = [answer[index : index + 1] for index in range(len(answer))]
    async with serving(saying(OK)) as upstream, serving(connecting([], upstream.port, pieces)) as server:
        assert await talk(await open_tunnel(proxy_of(server), "h", 80)) == OK


@pytest.mark.parametrize("user", ["", "me"])
@pytest.mark.parametrize(
    ("scheme", "host", "place"),
    [
        ("socks5h", "no-such-host.invalid", "name no-such-host.invalid 443"),
        ("socks5", "localhost", "address 127.0.0.1 443"),
        ("socks5h", "127.0.0.1", "address 127.0.0.1 443"),
        ("socks5", "::1", "address ::1 443"),
    ],
)
async def test_a_name_is_looked_up_here_or_at_the_socks_proxy(scheme: Scheme, host: str, place: str, user: str) -> None:
    asked: list[str] = []
    password = SECRET if user else ""
    async with serving(saying(OK)) as upstream, serving(socks(asked, upstream.port, user, password)) as server:
        assert await talk(await open_tunnel(proxy_of(server, scheme, user, password), host, 443)) == OK
        assert asked == [place]


async def refusal(proxy: Proxy, host: str = "h") -> str:
    """Return what the log is told, and see that it is not told too much."""
    error = await failure(open_tunnel(proxy, host, 443))
    assert isinstance(error, UpstreamUnavailable)
    assert (error.fault, error.detail[:7]) == ("connect", "proxy: ")
    assert SECRET not in error.detail + error.message
    assert b64encode(f"me:{SECRET}".encode()).decode() not in error.detail
    return error.detail


def saying_at_once(answer: bytes) -> Handler:
    """Say `answer` to whatever comes, and close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)

    return handle


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"HTTP/1.1 407 Give me %b\r\n\r\n" % SECRET.encode(), "refused the tunnel with status 407"),
        (b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno", "refused the tunnel with status 403"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "refused the tunnel with status 100"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, "not HTTP"),
        (b"", "closed the connection"),
        (GRANTED + b"HTTP/1.1 200 OK\r\n", "bytes after its answer"),
    ],
)
async def test_an_http_proxy_that_makes_no_tunnel_is_told_in_the_log_only(answer: bytes, detail: str) -> None:
    async with serving(saying_at_once(answer)) as server:
        assert detail in await refusal(proxy_of(server, "http", "me", SECRET))
        await server.saw_the_end()


@pytest.mark.parametrize("user", ["", "you", "me"])
async def test_a_socks_proxy_that_does_not_know_us_is_told_in_the_log_only(user: str) -> None:
    async with serving(socks([], 1, "me", "other")) as server:
        await refusal(proxy_of(server, "socks5h", user, SECRET if user else ""))
        await server.saw_the_end()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x05",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x05\x01",
        b"\x05\x07",
        b"\x05\xff",
        b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x04\x00\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x05\x00\x00\x09\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x05\x00\x00\x03\x02\xff\xff\x00\x00",
        b"\x05\x00" + SOCKS_GRANTED[:-1],
    ],
)
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_that_talks_nonsense_is_told_in_the_log_only(scheme: Scheme, answer: bytes) -> None:
    async with serving(saying_at_once(answer)) as server:
        await refusal(proxy_of(server, scheme), "127.0.0.1")
        await server.saw_the_end()


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_a_proxy_that_is_not_there_is_unavailable(scheme: Scheme, host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        await refusal(Proxy(scheme, host, taken.getsockname()[1], "me", SECRET))


async def test_a_name_that_only_the_proxy_could_have_known_is_unavailable() -> None:
    asked: list[str] = []
    async with serving(socks(asked, 1)) as server:
        await refusal(proxy_of(server, "socks5"), "no-such-host.invalid")
        assert asked == []
        await server.saw_the_end()


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_cancelling_at_any_step_of_a_tunnel_closes_its_socket(scheme: Scheme) -> None:
    handler = connecting([], 1) if scheme == "http" else socks([], 1)
    async with serving(handler) as server:
        for steps in range(12):
            opening = asyncio.create_task(open_tunnel(proxy_of(server, scheme), "127.0.0.1", 443))
            for _ in range(steps):
                await asyncio.sleep(0)
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled():
                opening.result().close()
        for _ in range(server.connections):
            await server.saw_the_end()
