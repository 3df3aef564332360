"""A client that lies, stalls, floods or leaves, over real sockets, against both event loops."""

import asyncio
import random
import re
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import suppress

import pytest
import uvloop
from msgspec import structs

from dragoman.server.http1 import Settings
from dragoman.wire.http1 import HeadLimits
from tests.faults.gateway import LONG, SHORT
from tests.faults.hostile import SOON
from tests.faults.tiny_server import LAST_GET, Server, read_to_end, serve

HOST = b"Host: localhost\r\n"
GET = b"GET /echo HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
PATIENT = Settings(head_timeout=LONG, body_timeout=LONG, write_timeout=LONG, keep_alive=LONG, linger=LONG)
SILENCES = 50
"""How often a machine may be so slow that a request does not even begin in time."""


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest) -> Generator[Server]:
    """A server with the default limits, whose times never run out."""
    with serve(LOOPS[request.param](), PATIENT) as running:
        yield running


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
    """A loop for a server one of whose times runs out."""
    return LOOPS[request.param]()


def read_until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        data = client.recv(65536)
        assert data, received
        received += data
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


def request(*lines: bytes, line: bytes = b"POST /echo HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join((line, *([host] if host else []), *lines, b"", b""))


REFUSED = {
    "Content-Length and Transfer-Encoding": (400, request(b"Content-Length: 3", b"Transfer-Encoding: chunked")),
    "two lengths": (400, request(b"Content-Length: 3", b"Content-Length: 3")),
    "two different lengths": (400, request(b"Content-Length: 3", b"Content-Length: 4")),
    "a length that is no number": (400, request(b"Content-Length: 3x")),
    "a negative length": (400, request(b"Content-Length: -3")),
    "a length of 20 digits": (400, request(b"Content-Length: 18446744073709551617")),
    "an unknown transfer coding": (400, request(b"Transfer-Encoding: gzip")),
    "two transfer codings": (400, request(b"Transfer-Encoding: gzip, chunked")),
    "a hidden transfer coding": (400, request(b"Transfer-Encoding: \x0bchunked")),
    "Transfer-Encoding in HTTP/1.0": (400, request(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0")),
    "a folded header": (400, request(b"x: a", b" b")),
    "a NUL in a value": (400, request(b"x: a\0b")),
    "a CR in a value": (400, request(b"x: a\rb")),
    "an LF that ends a line": (400, request(b"x: a\nContent-Length: 3")),
    "a space before the colon": (400, request(b"Content-Length : 3")),
    "an empty header name": (400, request(b": a")),
    "a header without a colon": (400, request(b"a")),
    "no Host": (400, request(host=b"")),
    "two Hosts": (400, request(b"Host: a")),
    "a Host with a path": (400, request(host=b"Host: a/b")),
    "a Host with a user": (400, request(host=b"Host: u@a")),
    "a Host with a port out of range": (400, request(host=b"Host: a:65536")),
    "an absolute target": (400, request(line=b"GET http://a/ HTTP/1.1")),
    "CONNECT": (400, request(line=b"CONNECT a:443 HTTP/1.1")),
    "an asterisk": (400, request(line=b"OPTIONS * HTTP/1.1")),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "HTTP/9.9": (400, request(line=b"GET / HTTP/9.9")),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "lines that end with LF": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a compressed body": (415, request(b"Content-Encoding: gzip", b"Content-Length: 3")),
    "another expectation": (417, request(b"Expect: 200-ok")),
    "a head that is too large": (431, request(*[b"x%d: " % n + b"a" * 4000 for n in range(9)])),
    "a head that never ends": (431, b"GET / HTTP/1.1\r\n" + b"x: aaaa\r\n" * 4000),
    "a header that is too large": (431, request(b"x: " + b"a" * 16_400)),
    "too many headers": (431, request(*[b"x: a"] * 100)),
    "a target that is too long": (414, request(line=b"GET /" + b"a" * 8192 + b" HTTP/1.1")),
    "a target that never ends": (414, b"GET /" + b"a" * 9000),
    "a body over the limit": (413, request(b"Content-Length: 33554433")),
    "a chunk over the limit": (413, CHUNKED + b"2000001\r\n"),
    "a malformed chunk size": (400, CHUNKED + b"zz\r\n"),
    "a chunk longer than its size": (400, CHUNKED + b"1\r\nab\r\n"),
    "a chunk size that is too long": (400, CHUNKED + b"0" * 40 + b"1\r\na\r\n0\r\n\r\n"),
    "a chunk extension without end": (400, CHUNKED + b"1;" + b"a" * 5000),
    "a trailer without end": (400, CHUNKED + b"0\r\n" + b"x: a\r\n" * 5000),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_told_why_and_closed(server: Server, what: str) -> None:
    status, raw = REFUSED[what]
    received = server.talk(raw + GET)
    assert statuses(received) == [status]
    assert b"\r\nconnection: close\r\n" in received
    assert server.is_well()


@pytest.mark.parametrize("what", ["no Host", "a malformed chunk size", "a head that never ends"])
def test_is_told_why_although_it_has_stopped_sending(server: Server, what: str) -> None:
    status, raw = REFUSED[what]
    if b"chunked" in raw:
        assert statuses(server.talk(raw, half_close=True)) in ([status], [])
    else:
        assert statuses(server.talk(raw, half_close=True)) == [status]


def test_an_error_before_any_handler_is_json_with_a_request_id(server: Server) -> None:
    head, _, body = server.talk(b"NO\r\n\r\n").partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert re.search(rb"x-request-id: [0-9a-f]{32}\r\n", head)
    assert b"content-length: %d\r\n" % len(body) in head
    assert body.startswith(b'{"error":')


@pytest.mark.parametrize(("path", "length", "status"), [(b"/echo", 40_000_000, 413), (b"/refuse", 30_000_000, 401)])
def test_a_refusal_reaches_a_client_that_is_still_sending(
    server: Server, path: bytes, length: int, status: int
) -> None:
    head = request(b"Content-Length: %d" % length, line=b"POST " + path + b" HTTP/1.1")
    assert statuses(server.talk(head, *[bytes(100_000)] * 30)) == [status]


def test_a_small_limit_counts_as_well() -> None:
    with serve(uvloop.new_event_loop(), structs.replace(PATIENT, body=10, head=HeadLimits(count=2))) as server:
        assert statuses(server.talk(request(b"Content-Length: 11"))) == [413]
        assert statuses(server.talk(CHUNKED + b"6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n")) == [413]
        assert statuses(server.talk(request(b"a: b", b"c: d"))) == [431]


def test_requests_may_come_one_byte_at_a_time(server: Server) -> None:
    raw = CHUNKED + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n" + LAST_GET
    received = server.talk(*(raw[at : at + 1] for at in range(len(raw))))
    assert statuses(received) == [200, 200]
    assert b"POST hello!" in received


def test_three_pipelined_requests_are_answered_in_order(server: Server) -> None:
    chunked = CHUNKED + b"3\r\ntwo\r\n0\r\n\r\n"
    plain = request(b"Content-Length: 3") + b"one"
    received = server.talk(plain + chunked + GET.replace(b"/echo", b"/stream") + LAST_GET)
    assert statuses(received) == [200, 200, 200, 200]
    one, two, three = (received.index(body) for body in (b"POST one", b"POST two", b"7\r\npiece 0"[3:]))
    assert one < two < three < received.index(b"GET ")


def test_thousands_of_pipelined_requests_are_all_answered(server: Server) -> None:
    with server.connect() as client:
        sending = threading.Thread(target=client.sendall, args=(GET * 5000 + LAST_GET,))
        sending.start()
        received = read_to_end(client)
        sending.join(SOON)
    assert statuses(received) == [200] * 5001


def test_a_client_that_waits_is_told_to_go_on(server: Server) -> None:
    with server.connect() as client:
        client.sendall(request(b"Content-Length: 5", b"Expect: 100-continue", b"Connection: close"))
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert read_to_end(client).endswith(b"POST hello")


def test_a_client_that_waits_in_vain_is_refused_at_once(server: Server) -> None:
    head = request(b"Content-Length: 5", b"Expect: 100-continue", line=b"POST /refuse HTTP/1.1")
    assert statuses(server.talk(head)) == [401]


def test_an_unread_body_is_not_taken_for_a_request(server: Server) -> None:
    body = GET
    head = request(b"Content-Length: %d" % len(body), line=b"POST /refuse HTTP/1.1")
    assert statuses(server.talk(head, body, LAST_GET)) == [401, 200]


def test_http_1_0_is_answered_and_closed(server: Server) -> None:
    received = server.talk(request(line=b"GET /stream HTTP/1.0"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"piece 0\npiece 1\npiece 2\n"


def test_http_1_0_may_keep_its_connection(server: Server) -> None:
    kept = request(b"Connection: keep-alive", line=b"GET /echo HTTP/1.0")
    received = server.talk(kept, request(line=b"GET /echo HTTP/1.0"))
    assert statuses(received) == [200, 200]
    assert b"connection: keep-alive" in received


def test_head_gets_no_body(server: Server) -> None:
    received = server.talk(request(b"Connection: close", line=b"HEAD /echo HTTP/1.1"))
    assert b"content-length: 5\r\n" in received
    assert received.endswith(b"\r\n\r\n")


def test_a_stream_that_is_given_up_has_no_end(server: Server) -> None:
    received = server.talk(request(line=b"GET /give_up HTTP/1.1"))
    assert not received.endswith(b"0\r\n\r\n")


def test_a_stream_that_only_the_end_of_the_connection_ends_is_reset(server: Server) -> None:
    with pytest.raises(ConnectionResetError):
        server.talk(request(line=b"GET /give_up HTTP/1.0"))


def leave_with_fin(client: socket.socket) -> None:
    client.close()


def leave_half_way(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def leave_with_rst(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


PHASES = {
    "before the body is whole": (request(b"Content-Length: 5") + b"he", b""),
    "within a chunk": (CHUNKED + b"5\r\nhe", b""),
    "before it is told to go on": (request(b"Content-Length: 5", b"Expect: 100-continue"), b"\r\n\r\n"),
    "while the handler waits": (request(line=b"POST /wait HTTP/1.1"), b""),
    "with a request behind": (request(line=b"POST /wait HTTP/1.1") + GET, b""),
    "while it streams": (request(line=b"POST /drip HTTP/1.1"), b"one\r\n"),
    "while it reads too slowly": (request(line=b"POST /flood HTTP/1.1"), b""),
}


@pytest.mark.parametrize("leave", [leave_with_fin, leave_half_way, leave_with_rst])
@pytest.mark.parametrize("phase", PHASES)
def test_a_client_that_leaves_cancels_its_request(
    server: Server, phase: str, leave: Callable[[socket.socket], None]
) -> None:
    raw, answer = PHASES[phase]
    with server.connect() as client:
        client.sendall(raw)
        read_until(client, answer)
        leave(client)
        assert server.how_it_ended().endswith(" cancelled")
    assert server.is_well()


def test_a_head_that_drips_is_timed_out(loop: asyncio.AbstractEventLoop) -> None:
    with serve(loop, structs.replace(PATIENT, head_timeout=SHORT)) as server:
        received = soon_enough(lambda: drip(server))
        assert statuses(received) == [408]
        assert soon_enough(lambda: server.talk(LAST_GET)).startswith(b"HTTP/1.1 200 OK\r\n")


def drip(server: Server) -> bytes:
    with server.connect() as client, suppress(OSError):  # the server is free to close between two bytes
        for byte in GET[:-2]:
            client.sendall(bytes([byte]))
        return read_to_end(client)
    return b""


def soon_enough(talk: Callable[[], bytes]) -> bytes:
    """Return the first answer: a connection on which nothing comes in time gets none, however slow the machine is."""
    for _ in range(SILENCES):
        if received := talk():
            return received
    raise AssertionError("there was never an answer")


@pytest.mark.parametrize("raw", [request(b"Content-Length: 5") + b"he", CHUNKED, CHUNKED + b"5\r\nhe"])
def test_a_body_that_does_not_come_is_timed_out(loop: asyncio.AbstractEventLoop, raw: bytes) -> None:
    with serve(loop, structs.replace(PATIENT, body_timeout=SHORT)) as server:
        received = server.talk(raw)
    assert statuses(received) == [408]
    assert b"connection: close" in received


@pytest.mark.parametrize("raw", [b"", b"\r\n"])
def test_a_connection_that_says_nothing_is_closed_in_silence(loop: asyncio.AbstractEventLoop, raw: bytes) -> None:
    with serve(loop, structs.replace(PATIENT, head_timeout=SHORT)) as server:
        assert server.talk(raw) == b""


def test_an_idle_connection_is_closed_in_silence(loop: asyncio.AbstractEventLoop) -> None:
    with serve(loop, structs.replace(PATIENT, keep_alive=SHORT)) as server:
        assert statuses(server.talk(GET)) == [200]


def test_a_client_that_does_not_read_is_cut(loop: asyncio.AbstractEventLoop) -> None:
    with serve(loop, structs.replace(PATIENT, write_timeout=SHORT)) as server:
        with server.connect() as client:
            client.sendall(request(line=b"POST /flood HTTP/1.1"))
            assert server.how_it_ended() == "/flood cancelled"
            with suppress(ConnectionResetError):
                read_to_end(client)
        assert server.is_well()


def test_noise_is_refused_or_closed_and_harms_nobody(server: Server) -> None:
    rng = random.Random(9112)
    for _ in range(1000):
        received = server.talk(rng.randbytes(rng.randrange(1, 60)), half_close=True)
        assert all(400 <= status < 500 for status in statuses(received)), received
    assert server.is_well()


def test_mutated_requests_are_answered_refused_or_closed(server: Server) -> None:
    rng = random.Random(9110)
    whole = request(b"Content-Length: 5", b"x: y") + b"hello" + CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + LAST_GET
    for _ in range(1500):
        raw = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.choice((b"", b"\r", b"\n", b"\0", b" ", b":", b"\r\n", b"9", b"\xff"))
        received = server.talk(bytes(raw), half_close=True)
        assert all(status == 200 or 400 <= status < 500 for status in statuses(received)), received
    assert server.is_well()
