"""A full pool: how many connections there are, and who gets the next."""

import asyncio
from collections.abc import Callable

import pytest

from dragoman.core.errors import Overloaded
from dragoman.net.connection import Connection
from dragoman.net.deadlines import Deadlines, Watched
from dragoman.net.origin import parse_origin
from dragoman.net.pool import HttpPool, Limits
from dragoman.net.reply import Patience
from tests.unit.net.loopback import (
    CHUNKED,
    OK,
    Clock,
    failure,
    fetch,
    pool_of,
    post,
    read_request,
    saying,
    serving,
    settle,
)


async def test_a_full_pool_refuses_after_the_time_to_wait() -> None:
    async with serving(saying(OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        reply = await post(pool)
        error = await failure(post(pool, Patience(acquire=0.01)))
        assert isinstance(error, Overloaded)
        assert error.code == "pool_exhausted"
        reply.close()
        pool.close()


async def test_a_place_that_comes_in_the_last_moment_is_taken(clock: Clock) -> None:
    async with serving(saying(OK, OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        reply = await post(pool)
        waiting = asyncio.create_task(post(pool, Patience(acquire=5)))
        await settle()
        clock.call_soon(reply.close)
        clock.ahead += 6  # the time is up in the very turn of the loop that frees the connection
        (await waiting).close()
        pool.close()


async def test_a_full_pool_refuses_at_once_when_too_many_wait() -> None:
    async with serving(saying(OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1, waiting=0))
        reply = await post(pool)
        assert isinstance(await failure(post(pool)), Overloaded)
        reply.close()
        pool.close()


async def test_who_waits_gets_the_next_connection_in_the_order_of_coming() -> None:
    done: list[int] = []
    async with serving(saying(*[OK] * 4)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        reply = await post(pool)

        async def ask(number: int) -> None:
            await fetch(pool)
            done.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(ask(number))
            await settle()
            reply.close()
        assert done == [0, 1, 2]
        assert upstream.connections == 1
        pool.close()


async def test_who_waits_gets_the_place_of_a_connection_that_is_cut() -> None:
    async with serving(saying(CHUNKED)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        for _ in range(3):
            reply = await post(pool)
            waiting = asyncio.create_task(post(pool))
            await settle()
            reply.close()
            (await waiting).close()
        assert upstream.connections == 6


async def leave_with_a_connection(pool: HttpPool, free: Callable[[], None]) -> None:
    """Wait for `free` to give something, and leave before having noticed."""
    waiting = asyncio.create_task(post(pool))
    await settle()
    free()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("answer", [OK, CHUNKED], ids=["a connection", "a place"])
async def test_what_was_given_to_someone_who_left_goes_to_the_next(answer: bytes) -> None:
    async with serving(saying(*[answer] * 3)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        await leave_with_a_connection(pool, (await post(pool)).close)
        reply = await post(pool)
        leaver = asyncio.create_task(post(pool))
        heir = asyncio.create_task(post(pool))
        await settle()
        reply.close()
        leaver.cancel()
        (await heir).close()
        assert leaver.cancelled()
        pool.close()


async def test_who_leaves_while_waiting_is_skipped() -> None:
    async with serving(saying(OK, OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        reply = await post(pool)
        leaver, heir = asyncio.create_task(post(pool)), asyncio.create_task(post(pool))
        await settle()
        leaver.cancel()
        reply.close()
        assert await (await heir).read_all(2) == b"hi"
        assert leaver.cancelled()
        (await heir).close()
        pool.close()


async def test_a_connection_that_dies_on_its_way_to_someone_who_leaves_is_not_kept() -> None:
    async with serving(saying(OK, OK)) as upstream:
        pool = pool_of(upstream, limits=Limits(connections=1))
        reply = await post(pool)
        loop = asyncio.get_running_loop()
        dying = Connection(loop, Deadlines(loop), pool, 1000)

        def give_a_dying_connection() -> None:
            pool.freed(dying)
            dying.cut()

        await leave_with_a_connection(pool, give_a_dying_connection)
        assert await fetch(pool) == b"hi"
        reply.close()
        pool.close()


async def test_in_a_full_pool_an_idle_connection_makes_room_for_a_new_one() -> None:
    """The place of a connection that died goes to who waits; whoever it died under takes that of an idle one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dies = upstream.connections == 1
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        await die.wait()
        assert dies
        writer.transport.abort()

    class Watch(Deadlines):
        def forget(self, item: Watched) -> None:
            super().forget(item)
            asyncio.get_running_loop().call_soon(second.close)

    die = asyncio.Event()
    async with serving(handle) as upstream:
        origin = parse_origin(f"http://127.0.0.1:{upstream.port}")
        pool = HttpPool(origin, Watch(asyncio.get_running_loop()), limits=Limits(connections=2))
        first = await post(pool)
        second = await post(pool)
        first.close()
        async with asyncio.TaskGroup() as group:
            bereaved = group.create_task(post(pool))
            waiting = group.create_task(post(pool))
            await settle()
            die.set()
        bereaved.result().close()
        waiting.result().close()
        assert upstream.connections == 4
        pool.close()
