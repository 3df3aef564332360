"""The whole gateway in this process, on a free port of the loopback interface, and a client that reads every byte."""

import asyncio
import contextlib
import socket
import struct
import sys
import tomllib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Literal, TypedDict, Unpack

import msgspec

from dragoman.app import App, build_app
from dragoman.config.check import check_document
from dragoman.config.schema import Config
from dragoman.core.errors import DragomanError
from dragoman.dialects.openai_errors import write_error
from dragoman.net.deadlines import Deadlines, Watched
from dragoman.observe.log import Log
from dragoman.server.http1 import Edge, Http1
from tests.faults.hostile import PLAIN_OK, RUMOUR, SECRET, SOON, STREAM_OK, Hostile, until

TICK = 0.02
"""Seconds between two looks at the deadlines: a tenth of the usual, for quick tests."""
SHORT = 0.1
"""Seconds of a time that has to run out; nothing that a test counts on may have to happen within it."""
LONG = 3 * SOON
"""Seconds of a time that never runs out: a test that waits so long has failed before."""
LONGER = (0.3, 1.0, 3.0, 9.0)
"""Seconds of a time that has to run out, but not before something else is done: which takes a slow machine longer.
A test tries the next one when that was not done."""


class Times(TypedDict, total=False):
    """Seconds that an upstream is given."""

    connect: float
    first: float
    idle: float
    total: float


class Error(msgspec.Struct, forbid_unknown_fields=True):
    """The four keys every error has."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an error, or the data of the frame that ends a broken stream."""

    error: Error


class Response(msgspec.Struct):
    """One response, its framing taken off."""

    status: int
    headers: dict[str, str]
    """Lower-case names; each may be there only once."""
    body: bytes

    @property
    def error(self) -> Error:
        """The error it is."""
        assert self.headers["content-type"] == "application/json"
        return msgspec.json.decode(self.body, type=ErrorBody).error

    @property
    def frames(self) -> list[bytes]:
        """The data of the events it holds."""
        assert self.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert self.body.endswith(b"\n\n")
        return [frame.removeprefix(b"data: ") for frame in self.body[:-2].split(b"\n\n")]

    @property
    def broken(self) -> Error:
        """The error that ends the stream it is, with nothing that looks like success."""
        *before, last = self.frames
        assert b"[DONE]" not in self.body
        assert all(b'"finish_reason":null' in frame for frame in before)
        return msgspec.json.decode(last, type=ErrorBody).error


class Client:
    """One connection to the gateway; what is not read stays in the network, but for the first 128 KiB."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, model: str = "lab/m", headers: str = "", *, stream: bool = False, extra: str = "") -> Response:
        """Send a call and read the response to it."""
        await self.send(model, headers, stream=stream, extra=extra)
        return await self.read()

    async def send(self, model: str = "lab/m", headers: str = "", *, stream: bool = False, extra: str = "") -> None:
        """Send a call; `headers` are whole lines, `extra` are members of the body, each with a comma after it."""
        body = f'{{"model":"{model}",{extra}"messages":[{{"role":"user","content":"Hi"}}]'
        body += ',"stream":true}' if stream else "}"
        await self.post(body.encode(), headers)

    async def post(self, body: bytes, headers: str = "", path: str = "/v1/chat/completions") -> None:
        """Send any body."""
        lines = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}"
        self.writer.write(f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n".encode() + body)
        await self.writer.drain()

    async def get(self, path: str, headers: str = "") -> Response:
        """Read what is at `path`."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n".encode())
        return await self.read()

    async def read(self) -> Response:
        """Read one response to its proper end."""
        async with asyncio.timeout(SOON):
            response = await self.read_head()
            if response.headers.get("transfer-encoding") == "chunked":
                while piece := await self.read_chunk():
                    response.body += piece
            else:
                response.body = await self.reader.readexactly(int(response.headers["content-length"]))
        return response

    async def read_head(self) -> Response:
        """Read a head."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *lines = raw[:-4].decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (text.partition(":") for text in lines)]
        assert len(dict(headers)) == len(headers), headers
        return Response(int(line.split(" ")[1]), dict(headers), b"")

    async def read_chunk(self) -> bytes:
        """Read one chunk; nothing is the proper end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size + 2)
        assert data.endswith(b"\r\n")
        return data[:-2]

    def leave(self, way: Literal["fin", "half", "reset"] = "reset") -> None:
        """Close with a FIN, close one half only, or cut."""
        match way:
            case "fin":
                self.writer.close()
            case "half":
                self.writer.write_eof()
            case "reset":
                raw: socket.socket | None = self.writer.get_extra_info("socket")
                if raw is not None and not self.writer.is_closing():
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.writer.transport.abort()


class Waivable(Deadlines):
    """Deadlines that can be waived."""

    waived = False
    """Whether who comes from now on may take any time."""

    def watch(self, item: Watched) -> None:
        if not self.waived:
            super().watch(item)


class Gateway:
    """A gateway that runs, and what it has written to its log."""

    def __init__(self, config: Config) -> None:
        loop = asyncio.get_running_loop()
        self.lines: list[str] = []
        self.deadlines = Waivable(loop, TICK)
        self.app: App = build_app(config, self.deadlines, lambda secrets: Log(secrets, self.lines.append))
        self.edge = Edge(self.app.handler, _spawn, _write_error, self.deadlines, self.app.settings)
        self.port = 0
        self._clients: list[Client] = []

    @property
    def log(self) -> list[dict[str, str | float]]:
        """The lines of the log."""
        return [msgspec.json.decode(line, type=dict[str, str | float]) for line in self.lines]

    async def connect(self) -> Client:
        """Return a new client."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def ask(self, model: str = "lab/m", headers: str = "", *, stream: bool = False, extra: str = "") -> Response:
        """Send a call on a new connection and read the response."""
        return await (await self.connect()).ask(model, headers, stream=stream, extra=extra)

    async def in_flight(self) -> int:
        """Return how many calls the gateway believes to be under way."""

        class Health(msgspec.Struct):
            in_flight: int

        response = await (await self.connect()).get("/health")
        return msgspec.json.decode(response.body, type=Health).in_flight

    async def close(self) -> None:
        """Close everything, and see that nothing is left."""
        for client in self._clients:
            client.leave()
        await until(lambda: self.edge.connections.count == 0)
        self.app.close()


@contextlib.asynccontextmanager
async def gateway(toml: str) -> AsyncGenerator[Gateway]:
    """Run the gateway that `toml` describes for the time of the block; afterwards no task of it is left."""
    before = asyncio.all_tasks()
    running = Gateway(check_document(tomllib.loads(toml), {"LAB_KEY": SECRET, "APP_KEY": "dg-app-key"}, {}))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Http1(running.edge), "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    background = [_spawn(_run(task)) for task in running.app.background]
    try:
        yield running
    finally:
        for task in background:
            task.cancel()
        server.close()
        await running.close()
        await until(lambda: not [task for task in asyncio.all_tasks() - before if _is_ours(task)])


def lab(*upstreams: Hostile, more: str = "", **times: Unpack[Times]) -> str:
    """Return a configuration with `upstreams` by the names lab, lab2, …, each asked twice at most, and `more`.

    Their time never runs out, but for `times`: ``first=SHORT``.
    """
    names = (f"lab{number}" if number > 1 else "lab" for number in range(1, len(upstreams) + 1))
    return "\n".join(table(name, upstream, **times) for name, upstream in zip(names, upstreams, strict=True)) + more


def table(name: str, upstream: Hostile, **times: Unpack[Times]) -> str:
    """Return the table of one upstream of such a configuration."""
    given = {"connect": LONG, "first": LONG, "idle": LONG, "total": 10 * LONG} | times
    return (
        f'[upstreams.{name}]\nkind = "openai"\nbase_url = "http://127.0.0.1:{upstream.port}/v1"\n'
        f'key = "$LAB_KEY"\nmodels = ["*"]\nretry = {{ attempts = 2 }}\n'
        f"timeout = {{ {', '.join(f'{time} = {seconds}' for time, seconds in given.items())} }}\n"
    )


async def see_well(running: Gateway, upstream: Hostile) -> None:
    """See that a normal call succeeds, and that nothing of what happened before is left."""
    running.deadlines.waived = True
    for stream, script in ((False, PLAIN_OK), (True, STREAM_OK)):
        upstream.play(script)
        response = await running.ask(stream=stream)
        assert response.status == 200
        assert b"Hello" in response.body
    assert await running.in_flight() == 0
    assert running.edge.connections.busy == 0
    # The connection that was used last is kept, every other is closed: some after a second, for what may still come.
    await until(lambda: upstream.open == 1)


def see_no_leak(response: Response) -> None:
    """See that nothing the client reads comes from the upstream's mouth, or tells where it is, or what we run."""
    told = f"{response.headers} {response.body!r}"
    for word in (SECRET, RUMOUR, "127.0.0.1", "Traceback", "Error(", "Errno", ".py", "set-cookie", "'server'"):
        assert word not in told, told


def _is_ours(task: "asyncio.Task[None]") -> bool:
    return "Http1." in repr(task.get_coro())


def _spawn(run: Coroutine[None, None, None]) -> "asyncio.Task[None]":
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(run, loop=loop, eager_start=True)
    return loop.create_task(run)


async def _run(background: Callable[[], Awaitable[None]]) -> None:
    await background()


def _write_error(error: DragomanError, request_id: str) -> bytes:
    return write_error(error, request_id)[1]
