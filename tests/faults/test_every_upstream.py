"""What an upstream of every dialect does wrong before it has said anything: the same exact errors, whatever it speaks.

Each fault is met by clients of the upstream's own dialect and of a foreign one, for streams and for whole answers.
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Mapping

import pytest

from dragoman.dialects import OUTBOUND, outbound
from tests.faults.asked import Cell, configure, crowd, each
from tests.faults.gateway import SHORT, Times, gateway
from tests.faults.hostile import JSON, RUMOUR, Hostile, Script, chunk, head, response
from tests.faults.test_upstream_faults import (
    AUTH,
    FAILED,
    INCOMPLETE,
    INVALID,
    LATE,
    LIMITED,
    OVERLOADED,
    REDIRECT,
    SOON_AGAIN,
    STRANGE,
    TIMEOUT,
    TOO_LARGE,
    UNAVAILABLE,
    UNKNOWN,
    Wanted,
    rejected,
)
from tests.faults.upstreams import QUOTA, UPSTREAMS, Upstream

EVERY = pytest.mark.parametrize("name", UPSTREAMS)
HTML = b"<html>" + RUMOUR.encode() + b"</html>"
Told = Callable[[Upstream], Script]


def status(line: bytes, headers: bytes = b"") -> Told:
    """Return what says an error in every dialect."""
    return lambda upstream: upstream.fault(line, headers)


def raw(*pieces: bytes) -> Told:
    """Return what says the same in every dialect."""
    return lambda _: Script(pieces)


# Whatever the client asked for, a stream or a whole answer.
FAULTS: Mapping[str, tuple[Told, Wanted]] = {
    "reset": (lambda _: Script((), "reset"), UNAVAILABLE),
    "fin": (lambda _: Script((), "close"), UNAVAILABLE),
    "silence": (lambda _: Script((), "wait"), LATE),
    "half_a_head": (lambda _: Script((b"HTTP/1.1 200 OK\r\ncontent-ty",), "wait"), LATE),
    **{str(code): (status(b"%d Bad" % code), rejected(code)) for code in (400, 409, 413, 422)},
    "404": (status(b"404 Not Found"), UNKNOWN),
    "401": (status(b"401 Unauthorized"), AUTH),
    "403": (status(b"403 Forbidden"), AUTH),
    "402": (status(b"402 Payment Required"), QUOTA),
    "408": (status(b"408 Request Timeout"), TIMEOUT),
    "504": (status(b"504 Gateway Timeout"), TIMEOUT),
    "429": (status(b"429 Too Many Requests", SOON_AGAIN), LIMITED),
    **{str(code): (status(b"%d Bad" % code), FAILED) for code in (500, 502)},
    "503": (status(b"503 Service Unavailable", SOON_AGAIN), OVERLOADED),
    "529": (status(b"529 Overloaded", SOON_AGAIN), OVERLOADED),
    **{str(code): (status(b"%d Moved" % code, REDIRECT), STRANGE) for code in (301, 302, 307, 308)},
    "206": (status(b"206 Partial Content"), STRANGE),
    "204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), STRANGE),
    "html_error": (raw(response(HTML, b"content-type: text/html\r\n", b"502 Bad Gateway")), FAILED),
    "error_too_deep": (raw(response(b"[" * 60_000, JSON, b"500 Oops")), FAILED),
    "error_of_bad_text": (raw(response(b'{"error":"\\ud800\xff"}', JSON, b"500 Oops")), FAILED),
    "error_that_stops": (
        lambda _: Script((b"HTTP/1.1 500 Oops\r\ncontent-length: 999\r\n\r\n{" + HTML,), "close"),
        FAILED,
    ),
    "error_without_end": (lambda _: Script((head(JSON, b"400 Bad"), chunk(b'"' * 8192)), "flood"), rejected(400)),
    "no_http": (lambda _: Script((RUMOUR.encode() + b"\r\n\r\n",), "wait"), INVALID),
    "large_body": (lambda _: Script((head(JSON), chunk(b'"' * 65536) * 4), "flood"), TOO_LARGE),
}


def odd(change: Callable[[bytes], bytes]) -> Callable[[Upstream], bytes]:
    """Return what changes a whole answer; of who gives none, the answer that would be one in another dialect."""
    return lambda upstream: response(change(upstream.whole or UPSTREAMS["openai_chat"].whole))


def packed(upstream: Upstream, cut: int) -> bytes:
    """Return a compressed answer without its end."""
    return response(gzip.compress(upstream.whole)[:-cut], JSON + b"content-encoding: gzip\r\n")


# A status of 200 with a body that is no answer: a plain call is asked once more, a stream is not.
NO_ANSWERS: Mapping[str, Callable[[Upstream], bytes]] = {
    "html": odd(lambda _: HTML),
    "empty": odd(lambda _: b""),
    "truncated": odd(lambda whole: whole[:-9]),
    "no_json": odd(lambda _: RUMOUR.encode()),
    "list": odd(lambda _: b"[]"),
    "null": odd(lambda _: b"null"),
    "number": odd(lambda _: b"7"),
    "nothing": odd(lambda _: b"{}"),
    "another": odd(lambda _: b'{"id":"x"}'),
    "two": odd(lambda whole: whole + whole),
    "nan": odd(lambda whole: whole.replace(b"{", b'{"x":NaN,', 1)),
    "too_deep": odd(lambda whole: whole.replace(b"{", b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b",", 1)),
    "wrong_types": lambda upstream: response(upstream.wrong),
    "bad_gzip": lambda upstream: response(upstream.whole, JSON + b"content-encoding: gzip\r\n"),
    "half_gzip": lambda upstream: packed(upstream, 9),
    "bad_chunk": lambda upstream: head(JSON) + b"zz\r\n" + upstream.whole,
    "short": lambda upstream: b"HTTP/1.1 200 OK\r\n" + JSON + b"content-length: 9999\r\n\r\n" + upstream.whole,
}


def first(*frames: Callable[[Upstream], bytes]) -> Told:
    """Return a stream of these events, which ends well as HTTP."""
    return lambda upstream: Script((upstream.stream(*[frame(upstream) for frame in frames]),))


def begin(upstream: Upstream) -> bytes:
    """Return how a stream begins."""
    return upstream.begin


def hello(upstream: Upstream) -> bytes:
    """Return the first word."""
    return upstream.say(b"Hello")


def deep(upstream: Upstream) -> bytes:
    """Return an event that is nested too deep."""
    return upstream.frame(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


# Streams that begin well, and say nothing.
STREAMS: Mapping[str, tuple[Told, Wanted]] = {
    "html": (raw(response(HTML, b"content-type: text/html\r\n")), INVALID),
    "html_called_a_stream": (first(lambda _: HTML + b"\n\n"), INVALID),
    "no_content_type": (lambda upstream: upstream._replace(stream_type=b"").good(streamed=True), INVALID),
    "nothing": (first(), INCOMPLETE),
    "pings": (first(lambda upstream: upstream.ping * 2), INCOMPLETE),
    "beginning_only": (first(begin), INCOMPLETE),
    "cut": (lambda upstream: Script((head(upstream.stream_type) + chunk(upstream.begin),), "close"), INCOMPLETE),
    "reset": (lambda upstream: Script((head(upstream.stream_type), chunk(upstream.begin)), "reset"), INCOMPLETE),
    "cut_in_an_event": (
        lambda upstream: Script((head(upstream.stream_type) + chunk(hello(upstream)[:-9]),), "close"),
        INCOMPLETE,
    ),
    "bad_json": (first(lambda upstream: upstream.frame(b"{oops}")), INVALID),
    "wrong_types": (first(lambda upstream: upstream.frame(upstream.wrong)), INVALID),
    "a_list": (first(lambda upstream: upstream.frame(b"[]")), INVALID),
    "too_deep": (first(begin, deep), INVALID),
    "bad_gzip": (
        lambda upstream: upstream._replace(stream_type=upstream.stream_type + b"content-encoding: gzip\r\n").good(
            streamed=True
        ),
        INVALID,
    ),
    "bad_chunk": (lambda upstream: Script((head(upstream.stream_type) + chunk(begin(upstream)) + b"zz\r\n",)), INVALID),
    "pings_for_ever": (lambda upstream: Script((head(upstream.stream_type), chunk(upstream.ping)), "drip"), LATE),
    "beginning_then_silence": (
        lambda upstream: Script((head(upstream.stream_type) + chunk(upstream.begin),), "wait"),
        LATE,
    ),
    "large_event": (
        lambda upstream: Script(
            (head(upstream.stream_type) + chunk(hello(upstream).partition(b"Hello")[0]), chunk(b"x" * 65536)), "flood"
        ),
        TOO_LARGE,
    ),
}


def times(wanted: Wanted) -> Times:
    """Return what has to run out."""
    return {"first": SHORT} if wanted is LATE else {}


def test_the_table_holds_every_dialect() -> None:
    assert set(UPSTREAMS) == {name for name in OUTBOUND if outbound(name).task == "chat"}


@EVERY
async def test_an_upstream_of_every_dialect_is_asked_and_understood(name: str) -> None:
    upstream = UPSTREAMS[name]
    plain, streamed = upstream.good(streamed=False), upstream.good(streamed=True)

    async def check(cell: Cell) -> None:
        cell.see_whole(await cell.ask())
        assert [request.line for request in cell.hostile.requests] == [f"POST {upstream.path} HTTP/1.1"]
        assert not cell.log

    async with crowd(upstream, plain, streamed) as cells:
        await each(cells, check)


@pytest.mark.parametrize("what", FAULTS)
@EVERY
async def test_a_fault_is_one_exact_error(name: str, what: str) -> None:
    upstream, (tell, wanted) = UPSTREAMS[name], FAULTS[what]

    async def check(cell: Cell) -> None:
        cell.see_error(await cell.ask(), wanted)

    script = tell(upstream)
    async with crowd(upstream, script, script, **times(wanted)) as cells:
        await each(cells, check)


@pytest.mark.parametrize("what", NO_ANSWERS)
@EVERY
async def test_a_success_that_is_none_is_asked_for_once_more_unless_streamed(name: str, what: str) -> None:
    upstream = UPSTREAMS[name]

    async def check(cell: Cell) -> None:
        once = cell.streamed or upstream.streams_only
        cell.see_error(await cell.ask(), INVALID._replace(asked=1 if once else 2))

    script = Script((NO_ANSWERS[what](upstream),), "close")
    async with crowd(upstream, script, script) as cells:
        await each(cells, check)


@pytest.mark.parametrize("what", STREAMS)
@EVERY
async def test_a_stream_that_says_nothing_is_an_error_with_its_own_status(name: str, what: str) -> None:
    upstream, (tell, wanted) = UPSTREAMS[name], STREAMS[what]

    async def check(cell: Cell) -> None:
        cell.see_error(await cell.ask(), wanted)

    script = tell(upstream)
    plain = script if upstream.streams_only else None
    async with crowd(upstream, plain, script, **times(wanted)) as cells:
        await each(cells, check)


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, upstream in UPSTREAMS.items() for what in upstream.whole_errors]
)
async def test_an_error_that_comes_as_a_success_is_one(name: str, what: str) -> None:
    upstream = UPSTREAMS[name]
    said, wanted = upstream.whole_errors[what]

    async def check(cell: Cell) -> None:
        cell.see_error(await cell.ask(), wanted)

    script = Script((response(said),))
    async with crowd(upstream, script, script) as cells:
        await each(cells, check)


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, upstream in UPSTREAMS.items() for what in upstream.errors]
)
async def test_an_error_that_comes_first_has_its_own_status(name: str, what: str) -> None:
    upstream = UPSTREAMS[name]
    said, wanted = upstream.errors[what]

    async def check(cell: Cell) -> None:
        cell.see_error(await cell.ask(), wanted)

    script = Script((upstream.stream(upstream.begin, said),))
    plain = script if upstream.streams_only else None
    async with crowd(upstream, plain, script) as cells:
        await each(cells, check)


@EVERY
async def test_an_upstream_that_is_not_there_is_a_502(name: str) -> None:
    upstream = UPSTREAMS[name]
    nobody = Hostile()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody.port = closed.getsockname()[1]
        async with gateway(configure(upstream, nobody)) as running:
            cell = Cell(upstream, upstream.clients[-1], True, running, nobody, "lab")
            answer = await cell.ask()
            assert (answer.status, answer.headers["x-dragoman-attempts"]) == (502, "2")
            assert [line["fault"] for line in cell.log] == ["connect"] * 2


@EVERY
async def test_a_connection_that_takes_too_long_is_a_504(name: str) -> None:
    upstream = UPSTREAMS[name]
    nobody = Hostile()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        nobody.port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", nobody.port)):  # the queue is full now
            async with gateway(configure(upstream, nobody, connect=SHORT)) as running:
                cell = Cell(upstream, upstream.clients[0], False, running, nobody, "lab")
                answer = await cell.ask()
                assert (answer.status, answer.headers["x-dragoman-attempts"]) == (504, "2")
                assert [line["fault"] for line in cell.log] == ["connect_timeout"] * 2


@EVERY
async def test_a_long_wait_is_left_to_the_client(name: str) -> None:
    upstream = UPSTREAMS[name]

    async def check(cell: Cell) -> None:
        for _ in range(2):  # until then it is not asked again
            answer = await cell.ask()
            assert answer.status == cell.dialect.statuses.get(503, 503)
            assert answer.headers["retry-after"] == "60"
        assert len(cell.hostile.requests) == 1

    script = upstream.fault(b"503 Busy", b"retry-after: 60\r\n")
    async with crowd(upstream, script, script) as cells:
        for cell in cells:
            await check(cell)
