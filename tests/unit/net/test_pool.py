"""A pool: what goes out, and which connections are used again."""

import asyncio

import pytest

from dragoman.core.errors import UpstreamInvalid, UpstreamUnavailable
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience
from tests.unit.net.loopback import (
    OK,
    Clock,
    failure,
    fetch,
    pool_of,
    post,
    read_request,
    recording,
    saying,
    saying_then_closing,
    serving,
    settle,
)

# What goes out


async def test_a_request_is_written_as_the_caller_and_the_pool_say() -> None:
    seen: list[bytes] = []
    async with serving(recording(seen)) as upstream:
        pool = pool_of(upstream, base="/v1/")
        for body in (b"{}", b"x" * 200_000):
            reply = await pool.request(b"POST", b"/chat?a=b", b"content-type: text/plain\r\n", body, Patience())
            reply.close()
        pool.close()
    assert (
        seen[0]
        == (
            b"POST /v1/chat?a=b HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nuser-agent: dragoman\r\naccept-encoding: identity\r\n"
            b"content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}"
        )
        % upstream.port
    )
    assert seen[1].endswith(b"content-length: 200000\r\n\r\n" + b"x" * 200_000)


async def test_more_paths_than_are_remembered_are_all_right() -> None:
    seen: list[bytes] = []
    async with serving(recording(seen)) as upstream:
        pool = pool_of(upstream)
        for number in range(300):
            reply = await pool.request(b"GET", b"/videos/%d" % number, b"", b"", Patience())
            reply.close()
        pool.close()
    assert [request.split()[1] for request in seen] == [b"/videos/%d" % number for number in range(300)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (b"POST", b""),
        (b"POST", b"chat"),
        (b"POST", b"/a b"),
        (b"POST", b"/a\r\nx: y"),
        (b"POST", b"/\xc3\xa9"),
        (b"HEAD", b"/"),
        (b"CONNECT", b"/"),
        (b"", b"/"),
        (b"GET /", b"/"),
    ],
)
async def test_a_request_line_that_could_be_misread_is_refused(method: bytes, path: bytes) -> None:
    pool = HttpPool(parse_origin("http://127.0.0.1:9"), Deadlines(asyncio.get_running_loop()))
    with pytest.raises(ValueError, match=r"the (path|method) "):
        await pool.request(method, path, b"", b"", Patience())


# Which connections are used again


async def test_connections_are_used_again_the_last_one_first() -> None:
    ports: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            ports.append(writer.get_extra_info("peername")[1])
            writer.write(OK)

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        first, second = await post(pool), await post(pool)
        first.close()
        second.close()
        assert await fetch(pool) == b"hi"
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 2
        assert ports[2:] == [ports[1]] * 2
        pool.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    ],
    ids=["close", "http/1.0", "surplus"],
)
async def test_a_connection_that_is_not_clean_is_not_used_again(answer: bytes) -> None:
    async with serving(saying(answer, answer)) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 2


async def test_a_connection_on_which_something_came_while_idle_is_not_used_again() -> None:
    speak = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await speak.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await reader.read()

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        speak.set()
        await upstream.saw_the_end()
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 2
        pool.close()


async def test_an_idle_connection_that_the_upstream_closed_is_forgotten() -> None:
    async with serving(saying_then_closing(OK)) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        await upstream.saw_the_end()
        await settle()
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 2


async def test_a_used_connection_that_dies_under_a_request_is_replaced_unseen() -> None:
    dying = iter([True, False])

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        if next(dying):
            writer.transport.abort()
        else:
            writer.write(OK)

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 2
        pool.close()


async def test_a_new_connection_that_dies_under_a_request_is_a_reset() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with serving(handle) as upstream:
        error = await failure(post(pool_of(upstream)))
        assert isinstance(error, UpstreamUnavailable)
        assert error.fault == "reset"
        assert upstream.connections == 1


async def test_the_second_connection_is_the_last_that_is_tried() -> None:
    answered = iter([OK])

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(next(answered, b""))
        if upstream.connections == 1:
            await read_request(reader)

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        assert (await failure(post(pool))).fault == "reset"
        assert upstream.connections == 2


async def test_a_used_connection_that_dies_after_a_byte_is_not_replaced() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        assert await fetch(pool) == b"hi"
        assert isinstance(await failure(post(pool)), UpstreamInvalid)
        assert upstream.connections == 1


async def test_a_connection_is_kept_for_its_idle_time(clock: Clock) -> None:
    async with serving(saying(OK, OK, OK)) as upstream:
        pool = pool_of(upstream)
        await fetch(pool)
        await clock.pass_by(29)
        await fetch(pool)
        assert upstream.connections == 1
        await clock.pass_by(31)
        await upstream.saw_the_end()
        await fetch(pool)
        assert upstream.connections == 2
        pool.close()


async def test_an_old_connection_is_given_up_however_busy_it_is(clock: Clock) -> None:
    async with serving(saying(OK, *[OK] * 20)) as upstream:
        pool = pool_of(upstream, limits=Limits(age=100))
        for _ in range(9):
            await fetch(pool)
            await clock.pass_by(11)
        assert upstream.connections == 1
        reply = await post(pool)
        clock.ahead += 2
        reply.close()
        await upstream.saw_the_end()
        await fetch(pool)
        assert upstream.connections == 2
        pool.close()


async def test_a_closed_pool_closes_what_is_idle_and_lets_the_rest_finish() -> None:
    async with serving(saying(OK, OK)) as upstream:
        pool = pool_of(upstream)
        busy = await post(pool)
        idle = await post(pool)
        idle.close()
        pool.close()
        await upstream.saw_the_end()
        assert await busy.read_all(2) == b"hi"
        busy.close()
        await upstream.saw_the_end()
        assert await fetch(pool) == b"hi"
        await upstream.saw_the_end()
