"""The process: the loop, the listening socket, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from msgspec import Struct

from dragoman.net.deadlines import Deadlines
from dragoman.server.http1 import Connections, Edge, Handler, Http1, Settings, WriteError

LISTEN_AFTER_TERM = 2.0
"""Seconds that new connections are still taken after SIGTERM: load balancers lag behind readiness."""
LAST_WORDS = 1.0
"""Seconds in which the calls that are left when the time is over can be told so."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 64 * 1024 * 1024
"""Bytes of freed memory that stay ours."""
BACKLOG = 2048
"""Connections the kernel holds until we take them."""


class Service(Struct, frozen=True):
    """What is served."""

    handler: Handler
    write_error: WriteError
    settings: Settings
    background: Sequence[Callable[[], Awaitable[None]]]
    on_drain: Callable[[], None]
    """Called when the server is told to stop."""
    close: Callable[[], None]
    """Called when the last connection is gone."""


async def serve(
    build: Callable[[Deadlines], Service], host: str, port: int, *, drain: float, ready: Callable[[str, int], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then let the calls under way end, for at most `drain` seconds.

    A second signal ends at once. `ready` is called with the address once connections are taken.
    Raises `OSError` when the address cannot be had.
    """
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    service = build(deadlines)
    connections = Connections()
    edge = Edge(service.handler, _spawner(loop), service.write_error, deadlines, service.settings, connections)
    server = await loop.create_server(lambda: Http1(edge), host, port, backlog=BACKLOG)
    stop, now = asyncio.Event(), asyncio.Event()
    signals: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        (now if signals else stop).set()
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    background = [loop.create_task(_run(job)) for job in service.background]
    _freeze()
    _keep_memory()
    address = server.sockets[0].getsockname()
    ready(address[0], address[1])
    try:
        await stop.wait()
        service.on_drain()
        if signals[0] == signal.SIGTERM:  # a person at the keyboard need not wait
            await _wait_for(now, LISTEN_AFTER_TERM)
        server.close()
        connections.drain()
        await _drain(connections, now, drain)
    finally:
        for task in background:
            task.cancel()
        connections.abort_all()
        service.close()
        await asyncio.wait([loop.create_task(asyncio.sleep(0)), *background], timeout=1)


async def _drain(connections: Connections, now: asyncio.Event, seconds: float) -> None:
    """Wait for the calls under way; those that are left at the end are told so in their streams."""
    await _wait_until_idle(connections, now, seconds)
    if connections.busy:
        connections.stop_all()
        await _wait_until_idle(connections, asyncio.Event(), LAST_WORDS)


async def _wait_until_idle(connections: Connections, now: asyncio.Event, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while connections.busy and not now.is_set() and loop.time() < end:
        await _wait_for(now, 0.05)


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def _run(job: Callable[[], Awaitable[None]]) -> None:
    await job()


def _keep_memory() -> None:
    """Tell glibc to keep what is freed: giving the heap's top back after a large body costs a tenth of its request."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such switch
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_MMAP_THRESHOLD, _KEPT)


def _freeze() -> None:
    """What exists now lives for ever: the garbage collector need not look at it again, and looks less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _spawner(
    loop: asyncio.AbstractEventLoop,
) -> Callable[[Coroutine[None, None, None]], asyncio.Task[None]]:
    """Return what starts a handler: at once where Python can (3.12), so that a short call needs no turn of the loop."""
    if sys.version_info >= (3, 12):
        return lambda coroutine: asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task
