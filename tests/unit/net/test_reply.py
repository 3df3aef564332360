"""What the caller holds: the body as it comes, decompressed, within its limits, and closed in every way."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid, UpstreamTimeout, UpstreamTooLarge
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience, Reply
from tests.unit.net.loopback import (
    CHUNKED,
    OK,
    Clock,
    Upstream,
    fetch,
    pool_of,
    post,
    read_request,
    saying,
    saying_then_closing,
    serving,
    settle,
)


@asynccontextmanager
async def reply_to(
    answer: bytes, *, close: bool = False, limits: Limits | None = None, patience: Patience | None = None
) -> AsyncGenerator[tuple[Reply, HttpPool, Upstream], None]:
    """Ask an upstream that says `answer` (and closes) and hand over its reply."""
    async with serving(saying_then_closing(answer) if close else saying(answer, OK)) as upstream:
        pool = pool_of(upstream, limits=limits)
        reply = await post(pool, patience)
        try:
            yield reply, pool, upstream
        finally:
            reply.close()
            pool.close()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def encoded(encoding: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (encoding, len(body)) + body


async def test_a_reply_has_status_headers_and_body() -> None:
    answer = b"HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nX-Name: caf\xe9\r\ncontent-length: 4\r\n\r\ngone"
    async with reply_to(answer) as (reply, _, _):
        assert reply.status == 404
        assert reply.header(b"content-type") == "text/plain"
        assert reply.header(b"absent") == ""
        assert reply.headers == {"content-type": "text/plain", "x-name": "caf\xe9", "content-length": "4"}
        assert reply.headers is reply.headers
        assert await reply.read_all(4) == b"gone"
        assert await reply.read() == b""


async def test_a_stream_is_read_as_it_comes() -> None:
    turn = asyncio.Semaphore(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED)
        for number in range(3):
            await turn.acquire()
            writer.write(chunk(b"data: %d\n\n" % number))
        await turn.acquire()
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        reply = await post(pool)
        reply.began()
        for number in range(3):
            turn.release()
            assert await reply.read() == b"data: %d\n\n" % number
        turn.release()
        assert await reply.read() == b""
        reply.close()
        pool.close()


async def test_a_large_body_comes_whole() -> None:
    body = bytes(range(256)) * 20_000
    async with reply_to(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body) as (reply, _, _):
        assert await reply.read_all(len(body)) == body


async def test_a_body_of_nothing_is_read_as_nothing() -> None:
    async with reply_to(b"HTTP/1.1 204 No Content\r\n\r\n") as (reply, _, _):
        assert await reply.read_all(0) == b""


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async with reply_to(b"HTTP/1.1 200 OK\r\n\r\nhi", close=True) as (reply, _, _):
        assert await reply.read_all(10) == b"hi"


async def test_a_body_that_is_cut_short_is_incomplete() -> None:
    async with reply_to(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", close=True) as (reply, _, _):
        assert await reply.read() == b"hi"
        for _ in range(2):
            with pytest.raises(UpstreamIncomplete):
                await reply.read()


async def test_a_body_longer_than_the_caller_wants_is_too_large_and_cut() -> None:
    async with reply_to(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc") as (reply, _, upstream):
        with pytest.raises(UpstreamTooLarge):
            await reply.read_all(2)
        await upstream.saw_the_end()


async def test_a_response_over_the_limit_of_the_pool_is_too_large_and_cut() -> None:
    body = bytes(5000)
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + body
    async with reply_to(answer, limits=Limits(stream=5000)) as (reply, _, upstream):
        with pytest.raises(UpstreamTooLarge):
            await reply.read_all(1 << 20)
        await upstream.saw_the_end()


@pytest.mark.parametrize(("encoding", "squeeze"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
async def test_a_compressed_body_is_decompressed(encoding: bytes, squeeze: Callable[[bytes], bytes]) -> None:
    body = b"hello " * 100_000
    async with reply_to(encoded(encoding, squeeze(body))) as (reply, _, _):
        assert await reply.read_all(len(body)) == body


async def test_an_identity_encoding_changes_nothing() -> None:
    async with reply_to(encoded(b"identity", b"hi")) as (reply, _, _):
        assert await reply.read_all(2) == b"hi"


async def test_a_compressed_stream_is_not_held_back() -> None:
    deflater = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    turn = asyncio.Semaphore(0)
    events = [b"data: one\n\n", b"data: two\n\n"]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"))
        for event in events:
            await turn.acquire()
            writer.write(chunk(deflater.compress(event) + deflater.flush(zlib.Z_SYNC_FLUSH)))
        await turn.acquire()
        writer.write(chunk(deflater.flush()) + b"0\r\n\r\n")
        await reader.read()

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        reply = await post(pool)
        for event in events:
            turn.release()
            assert await reply.read() == event
        turn.release()
        assert await reply.read() == b""
        reply.close()
        pool.close()


async def test_a_bomb_is_stopped_early() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    async with reply_to(encoded(b"gzip", bomb), limits=Limits(stream=1_000_000)) as (reply, _, upstream):
        sizes: list[int] = []

        async def read_on() -> None:
            while data := await reply.read():
                sizes.append(len(data))

        with pytest.raises(UpstreamTooLarge):
            await read_on()
        assert 0 < sum(sizes) <= 1_000_000
        await upstream.saw_the_end()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", b"no gzip"),
        (b"gzip", gzip.compress(b"hello", mtime=0)[:-2]),
        (b"deflate", b"\x78\x9c\xff\xff"),
    ],
)
async def test_a_body_that_cannot_be_decompressed_is_invalid(encoding: bytes, body: bytes) -> None:
    async with reply_to(encoded(encoding, body)) as (reply, _, upstream):
        with pytest.raises(UpstreamInvalid):
            await reply.read_all(100)
        reply.close()
        await upstream.saw_the_end()


async def test_an_unknown_encoding_is_invalid_and_cut() -> None:
    async with serving(saying(encoded(b"br", b"hi"))) as upstream:
        pool = pool_of(upstream)
        with pytest.raises(UpstreamInvalid):
            await post(pool)
        await upstream.saw_the_end()


async def test_a_closed_reply_gives_its_connection_back_once() -> None:
    async with reply_to(OK) as (reply, pool, upstream):
        assert await reply.read_all(2) == b"hi"
        reply.close()
        second = await post(pool)
        reply.close()
        assert await second.read_all(2) == b"hi"
        second.close()
        assert upstream.connections == 1


async def test_a_complete_response_need_not_be_read_to_be_given_back() -> None:
    async with reply_to(OK) as (reply, pool, upstream):
        reply.close()
        second = await post(pool)
        assert await second.read_all(2) == b"hi"
        second.close()
        assert upstream.connections == 1


async def test_closing_before_the_end_cuts_the_connection() -> None:
    async with reply_to(CHUNKED + b"2\r\nhi\r\n") as (reply, _, upstream):
        assert await reply.read() == b"hi"
        reply.close()
        await upstream.saw_the_end()


async def test_a_closed_reply_cannot_be_used() -> None:
    async with reply_to(OK) as (reply, _, _):
        reply.close()
        with pytest.raises(RuntimeError):
            await reply.read()
        with pytest.raises(RuntimeError):
            reply.began()
        with pytest.raises(RuntimeError):
            reply.give(1)


async def test_cancelling_a_reader_cuts_the_connection_at_once() -> None:
    async with reply_to(CHUNKED) as (reply, _, upstream):
        reading = asyncio.create_task(reply.read())
        await asyncio.sleep(0)
        reading.cancel()
        await upstream.saw_the_end()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_silence_before_the_first_event_is_a_first_byte_timeout(clock: Clock) -> None:
    async with reply_to(CHUNKED, patience=Patience(first=60)) as (reply, _, upstream):
        clock.ahead += 60
        with pytest.raises(UpstreamTimeout) as caught:
            await reply.read()
        assert (caught.value.fault, caught.value.retry) == ("first_byte_timeout", "elsewhere")
        await upstream.saw_the_end()


async def test_silence_after_the_first_event_is_an_idle_timeout() -> None:
    async with reply_to(CHUNKED + b"2\r\nhi\r\n", patience=Patience(idle=0.05)) as (reply, _, upstream):
        with pytest.raises(UpstreamTimeout) as caught:
            await reply.read_all(100)
        assert caught.value.fault == "idle_timeout"
        await upstream.saw_the_end()


async def test_what_follows_the_finish_can_be_given_little_time() -> None:
    async with reply_to(CHUNKED + b"2\r\nhi\r\n") as (reply, _, upstream):
        assert await reply.read() == b"hi"
        reply.began()
        reply.give(0.05)
        with pytest.raises(UpstreamTimeout) as caught:
            await reply.read()
        assert caught.value.fault == "timeout"
        await upstream.saw_the_end()


async def test_an_upstream_whose_body_nobody_reads_is_made_to_wait() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 100_000_000:
            writer.write(bytes(100_000))
            await writer.drain()
            sent += 100_000

    async with serving(pour) as upstream:
        pool = pool_of(upstream)
        reply = await post(pool)
        before = -1
        while sent != before:
            before = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < 50_000_000
        received = 0
        while received < 2 * sent and (data := await reply.read()):
            assert len(data) < 1_000_000
            received += len(data)
        reply.close()
        await upstream.saw_the_end()
        pool.close()


async def test_a_finished_stream_gives_its_connection_back_when_its_framing_ends() -> None:
    turn = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + chunk(b"data: [DONE]\n\n"))
        await turn.wait()
        writer.write(chunk(b"nobody reads this") + b"0\r\n\r\n")
        await read_request(reader)
        writer.write(OK)
        await reader.read()

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        reply = await post(pool)
        assert await reply.read() == b"data: [DONE]\n\n"
        reply.finish()
        reply.finish()
        turn.set()
        await settle()
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 1
        pool.close()


async def test_a_finished_stream_whose_framing_has_ended_gives_its_connection_back_at_once() -> None:
    async with reply_to(OK) as (reply, pool, upstream):
        assert await reply.read_all(10) == b"hi"
        reply.finish()
        assert await fetch(pool) == b"hi"
        assert upstream.connections == 1


async def test_a_finished_stream_that_does_not_end_soon_is_cut(clock: Clock) -> None:
    async with reply_to(CHUNKED + chunk(b"data: [DONE]\n\n")) as (reply, _, upstream):
        assert await reply.read() == b"data: [DONE]\n\n"
        reply.finish()
        await clock.pass_by(1.5)
        await upstream.saw_the_end()


async def test_a_finished_stream_that_goes_on_is_cut() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + chunk(b"data: [DONE]\n\n"))
        while True:
            writer.write(chunk(bytes(10_000)))
            await writer.drain()

    async with serving(handle) as upstream:
        pool = pool_of(upstream)
        reply = await post(pool)
        await reply.read()
        reply.finish()
        await upstream.saw_the_end()
        pool.close()
