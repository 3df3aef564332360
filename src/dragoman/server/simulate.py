"""The simulator on a port of its own: its scripts played on real connections, faults included."""

from __future__ import annotations

import asyncio

from dragoman.core.errors import DragomanError
from dragoman.server.exchange import Exchange
from dragoman.server.http1 import Handler
from dragoman.server.routes import refuse
from dragoman.testing.simulator.face import Simulator
from dragoman.testing.simulator.script import Script

_ID = "x-request-id"
"""Ours, unless the simulator has one of its own."""


def simulated(simulator: Simulator) -> Handler:
    """Return the handler that answers every exchange as `simulator` says."""

    async def answer(exchange: Exchange) -> None:
        try:
            body = await exchange.body()
        except DragomanError as error:
            refuse(exchange, error)
            return
        head = exchange.head
        path = f"{head.path}?{head.query}" if head.query else head.path
        await _play(exchange, simulator.answer(head.method, path, head.headers, body))

    return answer


async def _play(exchange: Exchange, script: Script) -> None:
    """Send the pieces at their times: several of them chunked, a single one, or none, as a whole body."""
    loop = asyncio.get_running_loop()
    headers = "".join(f"{name}: {value}\r\n" for name, value in script.headers).encode("latin-1")
    if not any(name == _ID for name, _ in script.headers):
        headers += b"%b: %b\r\n" % (_ID.encode(), exchange.id.encode())
    pieces = list(script.pieces)
    if len(pieces) < 2 and script.ends == "clean":
        delay, body = pieces[0] if pieces else (0.0, b"")
        await asyncio.sleep(delay)
        exchange.respond(script.status, headers, body)
        return
    due = loop.time()
    for delay, data in pieces:
        due += delay
        await asyncio.sleep(due - loop.time())
        if not exchange.started:
            exchange.begin(script.status, headers)
        exchange.send(data)
        await exchange.drain()
    if script.ends == "hang":
        await loop.create_future()
    elif script.ends == "cut":
        exchange.abort()
    else:
        exchange.end()
