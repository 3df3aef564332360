"""An upstream that follows a script: which bytes it sends, and whether it then waits, closes or resets."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from typing import Literal, NamedTuple

SOON = 20.0
"""Seconds after which a test has failed; what is awaited takes milliseconds, and a machine may stall."""
JSON = b"content-type: application/json\r\n"
SSE = b"content-type: text/event-stream\r\n"
DONE = b"data: [DONE]\n\n"
SECRET = "sk-upstream-0123456789abcdef"
"""The key the gateway shows to this upstream."""
RUMOUR = "rumour from upstream.internal"
"""What only the upstream says, in every error of its own: no client may ever read it."""
_FLOOD_STALL = 0.3
"""Seconds in which nobody takes a byte: then it is said that the flood has been stopped."""


class Request(NamedTuple):
    """One request as it came."""

    line: str
    headers: list[tuple[str, str]]
    """Names in lower case, in the order they came."""
    body: bytes


class Script(NamedTuple):
    """The answer to one request: bytes, piece by piece, and what happens then."""

    pieces: tuple[bytes, ...] = ()
    then: Literal["keep", "wait", "close", "reset", "drip", "flood"] = "keep"
    """Keep the connection, say nothing more, end it, or repeat the last piece for ever (slowly, or as fast as may be).
    """
    later: bytes = b""
    """What is said after the pieces, once `Hostile.go` is set."""


class Hostile:
    """The upstream, what it was asked, and what became of its connections."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self.connections = 0
        self.open = 0
        """Connections that are neither closed here nor there."""
        self.sent = 0
        """Bytes of a flood."""
        self.asked = asyncio.Semaphore(0)
        """Released once for every request."""
        self.told = asyncio.Semaphore(0)
        """Released once for every script whose pieces are sent."""
        self.go = asyncio.Event()
        self.left = asyncio.Semaphore(0)
        """Released once for every connection that the gateway has ended."""
        self.stalled = asyncio.Event()
        """Nobody takes the bytes of a flood any more."""
        self.flowing = asyncio.Event()
        """Somebody takes them again."""
        self._scripts: list[Script] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def play(self, *scripts: Script) -> None:
        """Answer the next requests with `scripts`, the last one for ever, and count anew."""
        self._scripts = list(scripts)
        self.requests.clear()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            while await self._perform(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.release()
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def emptied(self) -> None:
        """Wait until no connection is left."""
        await until(lambda: not self.open)

    async def stop(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=SOON)

    async def _perform(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection is good for another."""
        self.requests.append(await read_request(reader))
        self.asked.release()
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        for piece in script.pieces:
            writer.write(piece)
            await writer.drain()
            if len(script.pieces) > 1:  # so that every piece is a read of its own
                await asyncio.sleep(0.002)
        self.told.release()
        if script.later:
            await self.go.wait()
            writer.write(script.later)
        match script.then:
            case "reset":
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            case "wait" | "drip" | "flood":
                await self._go_on(script, reader, writer)
            case "keep" | "close":
                pass
        return script.then == "keep"

    async def _go_on(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait for the gateway to leave, saying nothing or the last piece again and again."""
        speak = {"wait": _nothing, "drip": self._drip, "flood": self._flood}[script.then]
        async with asyncio.TaskGroup() as group:
            speaker = group.create_task(speak(writer, script.pieces[-1] if script.pieces else b""))
            with contextlib.suppress(ConnectionError):
                while await reader.read(65536):
                    pass
            self.left.release()
            speaker.cancel()

    async def _drip(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.03)

    async def _flood(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(piece)
                stall = asyncio.get_running_loop().call_later(_FLOOD_STALL, self.stalled.set)
                await writer.drain()
                stall.cancel()
                if self.stalled.is_set():
                    self.flowing.set()
                self.sent += len(piece)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens soon."""
    for _ in range(round(SOON / 0.002)):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError(f"not within {SOON} seconds")


@contextlib.asynccontextmanager
async def hostile(*scripts: Script) -> AsyncGenerator[Hostile]:
    """Run an upstream for the time of the block."""
    upstream = Hostile()
    upstream.play(*scripts)
    server = await asyncio.start_server(upstream.accept, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
        await upstream.emptied()
    finally:
        server.close()
        await upstream.stop()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (text.partition(":") for text in lines)]
    return Request(line, headers, await reader.readexactly(int(dict(headers).get("content-length", "0"))))


async def _nothing(_: asyncio.StreamWriter, __: bytes) -> None:
    """Say nothing."""


# What an upstream may say


def response(body: bytes, headers: bytes = JSON, status: bytes = b"200 OK") -> bytes:
    """Return a whole response."""
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, headers, len(body), body)


def head(headers: bytes = SSE, status: bytes = b"200 OK") -> bytes:
    """Return the head of a response in chunks."""
    return b"HTTP/1.1 %b\r\n%btransfer-encoding: chunked\r\n\r\n" % (status, headers)


def chunk(data: bytes) -> bytes:
    """Return one chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def stream(*frames: bytes, end: bytes = END, headers: bytes = SSE) -> bytes:
    """Return a response whose body is `frames`, one chunk each."""
    return head(headers) + b"".join(map(chunk, frames)) + end


def event(delta: str, finish: str = "null", extra: str = "") -> bytes:
    """Return one frame of a stream; `delta` and `finish` are JSON."""
    top = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m"'
    choice = f'{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}'
    return f'data: {{{top},{extra}"choices":[{choice}]}}\n\n'.encode()


def text(words: str) -> bytes:
    """Return the frame that says `words`."""
    return event(f'{{"content":"{words}"}}')


ROLE = event('{"role":"assistant","content":""}')
FINISH = event("{}", '"stop"')
USAGE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'
)
WHOLE = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}]}'
)
PLAIN_OK = Script((response(WHOLE),))
STREAM_OK = Script((stream(ROLE, text("Hello"), FINISH, DONE),))


def fault(status: bytes, headers: bytes = b"") -> Script:
    """Return an error as OpenAI's API writes it, with a message nobody may see."""
    body = b'{"error":{"message":"%b, key %b","type":"x","param":null,"code":null}}' % (
        RUMOUR.encode(),
        SECRET.encode(),
    )
    return Script((response(body, JSON + headers, status),))
