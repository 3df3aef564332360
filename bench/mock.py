"""The upstream of every row: `python -m bench.mock` prints its port and answers from bytes made beforehand.

It refuses a model name that was not rewritten, and sends the pieces of a stream every 50 ms, each stream in its own
phase. One timer moves all streams, so a thousand of them cost it a fraction of what a gateway pays.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import time

import msgspec
import uvloop

from bench.anthropic import ANTHROPIC
from bench.dialect import MODEL, Asked, Dialect, Mocked, Script
from bench.openai_chat import OPENAI_CHAT
from bench.poe_bot import POE_BOT
from bench.wire import Wire

PACE = 0.05
"""Seconds between two pieces of a stream."""
DIALECTS = (OPENAI_CHAT, ANTHROPIC, POE_BOT)
"""What the mock speaks; a dialect of upstreams is one entry more."""

_SLOT = 0.001
_BACKLOG = 2048
_TAIL = 200
"""The fields that vary stand behind the messages, so the end of a body tells most requests apart."""
_BY_PATH = {dialect.path.encode(): dialect for dialect in DIALECTS}
_MODELS = f'{{"object":"list","data":[{{"id":"{MODEL}","object":"model","created":1,"owned_by":"bench"}}]}}'.encode()
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Play:
    """One stream under way: what it still has to say, and to whom."""

    def __init__(self, wire: Wire, bursts: list[bytes]) -> None:
        self._wire = wire
        self._bursts = bursts
        self._next = 0

    def step(self) -> bool:
        """Send the next burst; false when it was the last, or when nobody listens any more."""
        if self._wire.is_closing():
            return False
        self._wire.write(self._bursts[self._next])
        self._next += 1
        return self._next < len(self._bursts)


class Pacer:
    """Give every stream its turn once per `PACE`, spread evenly over slots of a millisecond."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: list[set[Play]] = [set() for _ in range(round(PACE / _SLOT))]
        self._joined = 0
        self._running = 0
        self._slot = 0
        self._due = 0.0

    def join(self, play: Play) -> None:
        """Send the first burst now, and every other in its turn."""
        if not play.step():
            return
        self._slots[self._joined % len(self._slots)].add(play)
        self._joined += 1
        self._running += 1
        if self._running == 1:
            self._due = time.monotonic()
            self._tick()

    def _tick(self) -> None:
        now = time.monotonic()
        while self._due <= now:
            plays = self._slots[self._slot]
            ended = [play for play in plays if not play.step()]
            plays.difference_update(ended)
            self._running -= len(ended)
            self._slot = (self._slot + 1) % len(self._slots)
            self._due += _SLOT
        if self._running:
            self._loop.call_later(max(0.0, self._due - time.monotonic()), self._tick)


class Reader:
    """Decode each different request once; to compare 100 kB costs a tenth of decoding them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes], tuple[bytes, Asked]] = {}

    def read(self, dialect: Dialect, body: bytes) -> Asked:
        """Return what `body` asks; raises `msgspec.DecodeError`."""
        key = (dialect.name, len(body), body[-_TAIL:])
        known = self._known.get(key)
        if known is None or known[0] != body:
            known = self._known[key] = (body, _mocked(dialect).read_request(body))
        return known[1]


class Server(asyncio.Protocol):
    """One connection: whole requests with a Content-Length, one after the other."""

    def __init__(self, pacer: Pacer, reader: Reader) -> None:
        self._pacer = pacer
        self._reader = reader
        self._held: list[bytes] = []
        self._size = 0
        self._need = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self._wire = transport

    def data_received(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size < self._need:
            return
        whole = b"".join(self._held)
        head_size = whole.find(b"\r\n\r\n") + 4
        if head_size < 4:
            return
        head = whole[:head_size]
        self._need = head_size + _content_length(head)
        if len(whole) < self._need:
            return
        self._held.clear()
        self._size = self._need = 0
        self._answer(head, whole[head_size:])

    def _answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        dialect = _BY_PATH.get(path)
        if method == b"GET" and path.endswith(b"/models"):
            self._wire.write(_whole(200, _MODELS))
        elif method != b"POST" or dialect is None:
            self._wire.write(_refusal(404, "there is nothing here"))
        else:
            self._play(dialect, body)

    def _play(self, dialect: Dialect, body: bytes) -> None:
        try:
            asked = self._reader.read(dialect, body)
        except msgspec.DecodeError as error:
            self._wire.write(_refusal(400, f"not a request of the bench: {error}"))
            return
        if asked.model != MODEL:
            self._wire.write(_refusal(400, f"the model name was not rewritten: {asked.model}"))
        elif asked.stream:
            self._pacer.join(Play(self._wire, _bursts(dialect.name, asked)))
        else:
            self._wire.write(_reply(dialect.name, asked))


async def serve() -> None:
    """Serve on a free port of the loopback until the process is ended."""
    loop = asyncio.get_running_loop()
    pacer, reader = Pacer(loop), Reader()
    server = await loop.create_server(lambda: Server(pacer, reader), "127.0.0.1", 0, backlog=_BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    gc.disable()  # a collection would be a gap in every stream; what a run leaves behind is bounded
    await server.serve_forever()


def _content_length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0]) if after else 0


@functools.cache
def _reply(dialect: str, asked: Asked) -> bytes:
    return _whole(200, _script(dialect, asked).reply)


@functools.cache
def _bursts(dialect: str, asked: Asked) -> list[bytes]:
    """Return what a stream sends in each turn: head, opening and first piece; a piece each; the end."""
    script = _script(dialect, asked)
    first, *others = [_framed(piece) for piece in script.pieces]
    return [_STREAM_HEAD + _framed(script.opening) + first, *others, _framed(script.closing) + b"0\r\n\r\n"]


def _script(name: str, asked: Asked) -> Script:
    return _mocked(next(dialect for dialect in DIALECTS if dialect.name == name)).write_script(asked)


def _mocked(dialect: Dialect) -> Mocked:
    assert dialect.upstream is not None
    return dialect.upstream


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _whole(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d bench\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _refusal(status: int, message: str) -> bytes:
    return _whole(status, msgspec.json.encode({"error": {"message": message, "type": "bench"}}))


if __name__ == "__main__":
    uvloop.run(serve())
