"""The connections to one upstream: kept while they are of use, bounded in number, each request on one of its own."""

from __future__ import annotations

import asyncio
import ssl

from msgspec import Struct

from dragoman.core.errors import Overloaded, UpstreamTimeout, UpstreamUnavailable
from dragoman.net.connection import Connection
from dragoman.net.deadlines import Deadlines
from dragoman.net.origin import Origin
from dragoman.net.proxy import Proxy, open_tunnel
from dragoman.net.reply import Patience, Reply
from dragoman.net.tls import make_context

_PREFIXES = 256
"""Most request lines that are remembered: paths with ids in them must not pile up."""


class Limits(Struct, frozen=True):
    """Bounds of one pool: numbers, sizes in bytes, times in seconds."""

    connections: int = 1000
    """Open at once, those being made included."""
    waiting: int = 1000
    """Requests that may wait for a connection."""
    idle: float = 30
    """How long a connection is kept without use."""
    age: float = 300
    """How long a connection is used at all, so that a changed address is noticed."""
    head: int = 64 * 1024
    """Of a response's status line and headers, interim responses included."""
    stream: int = 256 * 1024 * 1024
    """Of a whole response, as it came and decompressed."""


class HttpPool:
    """Requests to one upstream over HTTP/1.1, on connections that are used again; redirects are never followed."""

    def __init__(
        self,
        origin: Origin,
        deadlines: Deadlines,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        """Make a pool without a connection; `tls` takes the place of the system's authorities.

        Without a `proxy` connections are made straight to the upstream, whatever the environment says of proxies.
        """
        self._origin = origin
        self._deadlines = deadlines
        self._limits = limits or Limits()
        self._tls = tls
        self._proxy = proxy
        self._prefixes: dict[tuple[bytes, bytes], bytes] = {}
        self._idle: dict[Connection, None] = {}
        self._waiting: dict[asyncio.Future[Connection | None], None] = {}
        self._open = 0
        self._closed = False

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        """Send a request and return the response once its head is here.

        `path` follows the base path and may have a query; `headers` are whole lines, ``name: value\\r\\n`` each, to
        which the pool adds host, user-agent, accept-encoding and content-length.
        Raises `UpstreamUnavailable`, `UpstreamTimeout`, `UpstreamInvalid`, `UpstreamTooLarge`, or `Overloaded` when
        the pool stays full. Cancelling closes the connection.
        """
        end = self._deadlines.now() + patience.total
        prefix = self._prefixes.get((method, path)) or self._write_prefix(method, path)
        head = b"%b%bcontent-length: %d\r\n\r\n" % (prefix, headers, len(body))
        connection = self._idle.popitem()[0] if self._idle else await self._acquire(patience)
        try:
            return await self._exchange(connection, head, body, patience, end)
        except UpstreamUnavailable:
            if not connection.reused:
                raise
        # The upstream closed while our request was on its way, which says nothing about the request.
        connection = await self._acquire(patience)
        return await self._exchange(connection, head, body, patience, end)

    def close(self) -> None:
        """Close what is idle, and what is in use as soon as it is given back; requests already begun go on."""
        self._closed = True
        for connection in list(self._idle):
            connection.cut()

    def freed(self, connection: Connection) -> None:
        """Take back a clean connection: for the next who waits, or to keep it."""
        now = self._deadlines.now()
        old = connection.made + self._limits.age
        if self._closed or now >= old:
            connection.cut()
        elif (turn := self._next_turn()) is not None:
            turn.set_result(connection)
        else:
            connection.deadline = min(now + self._limits.idle, old)
            self._idle[connection] = None

    def gone(self, connection: Connection) -> None:
        """Forget a closed connection; its place goes to the next who waits."""
        self._idle.pop(connection, None)
        turn = self._next_turn()
        if turn is None:
            self._open -= 1
        else:
            turn.set_result(None)

    async def _exchange(
        self, connection: Connection, head: bytes, body: bytes, patience: Patience, end: float
    ) -> Reply:
        try:
            connection.send(head, body, first=patience.first, idle=patience.idle, end=end)
            while not connection.status:
                if connection.error is not None:
                    raise connection.error
                await connection.wait()
            return Reply(connection, self._limits.stream)
        except BaseException:
            connection.cut()
            raise

    def _write_prefix(self, method: bytes, path: bytes) -> bytes:
        """Return the request line and the headers that are always the same, and remember them."""
        target = self._origin.path.encode("ascii") + path
        if not target.startswith(b"/") or not all(0x20 < byte < 0x7F for byte in target):
            raise ValueError("the path must begin with a slash and be printable ASCII without spaces")
        if not method.isalpha() or method in (b"HEAD", b"CONNECT"):
            raise ValueError("the method is not supported")
        always = f"host: {self._origin.authority}\r\nuser-agent: dragoman\r\naccept-encoding: identity\r\n"
        prefix = b"%b %b HTTP/1.1\r\n%b" % (method, target, always.encode("ascii"))
        if len(self._prefixes) >= _PREFIXES:
            self._prefixes.clear()
        self._prefixes[method, path] = prefix
        return prefix

    async def _acquire(self, patience: Patience) -> Connection:
        """Return a new connection, or in a full pool the first that becomes free."""
        if self._open >= self._limits.connections and self._idle:
            next(iter(self._idle)).cut()
        if self._open < self._limits.connections:
            self._open += 1
        elif (connection := await self._turn(patience.acquire)) is not None:
            return connection
        return await self._connect(min(patience.connect, patience.total))

    async def _turn(self, seconds: float) -> Connection | None:
        """Wait for a connection that another request gives back, or (None) for the place of one that is closed."""
        if len(self._waiting) >= self._limits.waiting:
            raise _exhausted()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        timer = loop.call_later(seconds, _refuse, turn)
        self._waiting[turn] = None
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on(turn.result())
            raise
        finally:
            self._waiting.pop(turn, None)
            timer.cancel()

    def _next_turn(self) -> asyncio.Future[Connection | None] | None:
        """Return the future of whoever has waited longest."""
        while self._waiting:
            turn = next(iter(self._waiting))
            del self._waiting[turn]
            if not turn.done():
                return turn
        return None

    def _pass_on(self, given: Connection | None) -> None:
        """Someone was given something just before it left."""
        if given is not None:
            if not given.closed:
                self.freed(given)
        elif (turn := self._next_turn()) is not None:
            turn.set_result(None)
        else:
            self._open -= 1

    async def _connect(self, seconds: float) -> Connection:
        """Make a connection in a place that is already counted."""
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._deadlines, self, self._limits.head)
        try:
            async with asyncio.timeout(seconds):
                await self._dial(loop, connection)
        except TimeoutError:
            connection.cut()
            raise UpstreamTimeout(fault="connect_timeout") from None
        except OSError as error:
            connection.cut()
            raise UpstreamUnavailable(detail=str(error)) from None
        except BaseException:
            connection.cut()
            raise
        return connection

    async def _dial(self, loop: asyncio.AbstractEventLoop, connection: Connection) -> None:
        """Connect straight or through the proxy, and make TLS with the upstream itself where that is wanted."""
        origin = self._origin
        host, name = origin.address or origin.host, None
        if origin.secure:
            name = origin.host
            self._tls = self._tls or make_context()
        context = self._tls if origin.secure else None
        if self._proxy is None:
            await loop.create_connection(lambda: connection, host, origin.port, ssl=context, server_hostname=name)
        else:
            tunnel = await open_tunnel(self._proxy, host, origin.port)
            await loop.create_connection(lambda: connection, sock=tunnel, ssl=context, server_hostname=name)


def _refuse(turn: asyncio.Future[Connection | None]) -> None:
    if not turn.done():
        turn.set_exception(_exhausted())


def _exhausted() -> Overloaded:
    return Overloaded("too many requests to the upstream are under way", code="pool_exhausted")
