"""What an upstream of every dialect does wrong once it has said something, and streams that are right in odd ways.

A client that wants a whole answer of an upstream that only streams has been promised nothing: it is told a status.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping

import pytest

from tests.faults.asked import Cell, crowd, each
from tests.faults.gateway import SHORT, Times
from tests.faults.hostile import END, RUMOUR, SOON, Script, chunk, head, response
from tests.faults.test_disconnect import WAYS, Way, see_the_end
from tests.faults.test_every_dialect import body, read_some
from tests.faults.test_every_upstream import EVERY, Told
from tests.faults.test_upstream_faults import INCOMPLETE, INVALID, TOO_LARGE, Wanted
from tests.faults.upstreams import COUNT, IDLE, UPSTREAMS, Upstream

HTML = b"<html>" + RUMOUR.encode() + b"</html>\n\n"


def begun(upstream: Upstream) -> bytes:
    """Return a stream up to its first word."""
    return head(upstream.stream_type) + chunk(upstream.begin) + chunk(upstream.say(b"Hello"))


def after(*frames: Callable[[Upstream], bytes]) -> Told:
    """Return a stream that says Hello, then these events, and then ends as if all were well."""

    def tell(upstream: Upstream) -> Script:
        said = b"".join([chunk(frame(upstream)) for frame in frames])
        return Script((begun(upstream), said + chunk(upstream.finish) + END))

    return tell


def more(upstream: Upstream) -> bytes:
    """Return an event that says a little more."""
    return upstream.say(b"xxxxxxxxxxxx")


# After "Hello": what follows, and the error that it is.
BREAKS: Mapping[str, tuple[Told, Wanted]] = {
    "eof_of_chunks": (lambda upstream: Script((begun(upstream), END)), INCOMPLETE),
    "fin": (lambda upstream: Script((begun(upstream), b""), "close"), INCOMPLETE),
    "reset": (lambda upstream: Script((begun(upstream), b""), "reset"), INCOMPLETE),
    "fin_in_a_chunk": (lambda upstream: Script((begun(upstream), chunk(more(upstream))[:-20]), "close"), INCOMPLETE),
    "half_an_event": (lambda upstream: Script((begun(upstream), chunk(more(upstream)[:-12]) + END)), INCOMPLETE),
    "until_close": (
        lambda upstream: Script(
            (b"HTTP/1.1 200 OK\r\n%b\r\n" % upstream.stream_type + upstream.begin + upstream.say(b"Hello"),), "close"
        ),
        INCOMPLETE,
    ),
    "bad_json": (after(lambda upstream: upstream.frame(b"{oops}")), INVALID),
    "a_list": (after(lambda upstream: upstream.frame(b"[]")), INVALID),
    "wrong_types": (after(lambda upstream: upstream.frame(upstream.wrong)), INVALID),
    "too_deep": (
        after(lambda upstream: upstream.frame(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
        INVALID,
    ),
    "nan": (after(lambda upstream: more(upstream).replace(b"{", b'{"x":NaN,', 1)), INVALID),
    "infinite": (after(lambda upstream: more(upstream).replace(b"{", b'{"x":-Infinity,', 1)), INVALID),
    "html": (after(lambda _: HTML), INVALID),
    "bad_chunk": (lambda upstream: Script((begun(upstream), b"zz\r\n")), INVALID),
    "silence": (lambda upstream: Script((begun(upstream),), "wait"), IDLE),
    "half_an_event_then_silence": (
        lambda upstream: Script((begun(upstream), chunk(more(upstream)[:-12])), "wait"),
        IDLE,
    ),
    "huge_event": (
        lambda upstream: Script(
            (begun(upstream), chunk(more(upstream).partition(b"xxx")[0]), chunk(b"x" * 65536)), "flood"
        ),
        TOO_LARGE,
    ),
}


def broken(wanted: Wanted) -> Wanted:
    """Return what an error is called in a stream that has begun."""
    return wanted if wanted.fault in ("idle_timeout", "too_large") else wanted._replace(fault="midstream")


def times(wanted: Wanted) -> Times:
    """Return what has to run out."""
    return {"idle": SHORT} if wanted is IDLE else {}


async def see_break(cell: Cell, wanted: Wanted) -> None:
    """See that what breaks is told: in the stream, or as the status of an answer that was to be whole."""
    answer = await cell.ask()
    if cell.streamed:
        cell.see_broken(answer, broken(wanted))
    else:
        cell.see_error(answer, wanted)


@pytest.mark.parametrize("what", BREAKS)
@EVERY
async def test_a_stream_that_breaks_ends_with_an_error_and_no_success(name: str, what: str) -> None:
    upstream, (tell, wanted) = UPSTREAMS[name], BREAKS[what]
    script = tell(upstream)
    plain = script if upstream.streams_only else None
    async with crowd(upstream, plain, script, **times(wanted)) as cells:
        await each(cells, lambda cell: see_break(cell, wanted))


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, upstream in UPSTREAMS.items() for what in upstream.errors]
)
async def test_an_error_in_a_stream_ends_it_whatever_follows(name: str, what: str) -> None:
    upstream = UPSTREAMS[name]
    said, wanted = upstream.errors[what]
    script = Script((begun(upstream), chunk(said) + chunk(more(upstream)) + chunk(upstream.finish) + END))
    plain = script if upstream.streams_only else None
    async with crowd(upstream, plain, script) as cells:
        await each(cells, lambda cell: see_break(cell, wanted))


@EVERY
async def test_broken_gzip_ends_a_stream_that_has_begun(name: str) -> None:
    upstream = UPSTREAMS[name]
    noise = upstream.ping * (70_000 // len(upstream.ping))
    packed = gzip.compress(upstream.begin + upstream.say(b"Hello") + noise + upstream.finish, 0)
    whole = head(upstream.stream_type + b"content-encoding: gzip\r\n")
    script = Script((whole + chunk(packed[:60_000]), chunk(b"\xff" * 9000) + END))
    async with crowd(upstream, None, script) as cells:
        await each(cells, lambda cell: see_break(cell, INVALID))


# Streams that are right


def whole(*words: bytes) -> Told:
    """Return a stream that says these words."""
    return lambda upstream: Script(
        (upstream.stream(upstream.begin, *[upstream.say(word) for word in words], upstream.finish),)
    )


def all_of(upstream: Upstream, *between: bytes) -> bytes:
    """Return the bytes of a stream that says Hello."""
    return b"".join([upstream.begin, upstream.say(b"Hello"), *between, upstream.finish])


RIGHT: Mapping[str, Told] = {
    "whole": whole(b"Hel", b"lo"),
    "bom": lambda upstream: Script((upstream.stream(b"\xef\xbb\xbf" + all_of(upstream)),)),
    "crlf": lambda upstream: Script((upstream.stream(all_of(upstream).replace(b"\n", b"\r\n")),)),
    "pings": lambda upstream: Script((upstream.stream(upstream.ping, all_of(upstream, upstream.ping * 3)),)),
    "no_end_of_the_last_line": lambda upstream: Script((upstream.stream(all_of(upstream).rstrip()),)),
    "more_after_the_end": lambda upstream: Script((upstream.stream(all_of(upstream), more(upstream), HTML),)),
    "no_end_after_the_end": lambda upstream: Script((head(upstream.stream_type) + chunk(all_of(upstream)),), "wait"),
    "until_close": lambda upstream: Script(
        (b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (upstream.stream_type, all_of(upstream)),), "close"
    ),
    "reset_after_the_end": lambda upstream: Script(
        (head(upstream.stream_type) + chunk(all_of(upstream)), b""), "reset"
    ),
    "with_length": lambda upstream: Script((response(all_of(upstream), upstream.stream_type),)),
    "gzip": lambda upstream: Script(
        (head(upstream.stream_type + b"content-encoding: gzip\r\n") + chunk(gzip.compress(all_of(upstream))) + END,)
    ),
    "unknown_events": lambda upstream: Script((upstream.stream(all_of(upstream, upstream.frame(b'{"type":"new"}'))),)),
}


@pytest.mark.parametrize("what", RIGHT)
@EVERY
async def test_a_stream_that_is_right_in_its_own_way_is_told_in_ours(name: str, what: str) -> None:
    upstream = UPSTREAMS[name]

    async def check(cell: Cell) -> None:
        answer = await cell.ask()
        assert answer.status == 200
        assert b"Hel" in answer.body
        assert b"xxx" not in answer.body
        assert answer.body.count(cell.dialect.success) == 1 or not cell.streamed
        assert not cell.log

    script = RIGHT[what](upstream)
    plain = script if upstream.streams_only else None
    async with crowd(upstream, plain, script) as cells:
        await each(cells, check)


@EVERY
async def test_text_that_is_no_text_is_mended(name: str) -> None:
    upstream, odd = UPSTREAMS[name], rb"Hello \ud800 \udc00x " + b"\xff\xc3"
    plain = Script((response(upstream.whole.replace(b"Hello", odd)),))

    async def check(cell: Cell) -> None:
        answer = await cell.ask()
        cell.see_whole(answer)
        said = answer.body.decode().replace("\\ufffd", "\ufffd")
        assert "Hello \ufffd \ufffdx \ufffd\ufffd" in said
        assert "\\ud8" not in said
        assert "\\udc" not in said

    streamed = whole(odd)(upstream)
    async with crowd(upstream, streamed if upstream.streams_only else plain, streamed) as cells:
        await each(cells, check)


@pytest.mark.parametrize("count", [b"-7", b'"many"', b"99999999999999999999", b"1e300", b"[]", b"null", b"0.5"])
@EVERY
async def test_usage_that_makes_no_sense_costs_no_answer(name: str, count: bytes) -> None:
    upstream = UPSTREAMS[name]
    assert COUNT in upstream.finish
    plain = Script((response(upstream.whole.replace(COUNT, count)),))
    streamed = Script((upstream.stream(upstream.begin, upstream.say(b"Hello"), upstream.finish.replace(COUNT, count)),))

    async def check(cell: Cell) -> None:
        answer = await cell.ask()
        cell.see_whole(answer)
        for told in (b":-7", b'"many"', b"99999999999999999999", b"1e300", b"1e+300"):
            assert told not in answer.body

    async with crowd(upstream, streamed if upstream.streams_only else plain, streamed) as cells:
        await each(cells, check)


@pytest.mark.parametrize("number", [b"-1", b"128", b"4294967296", b"99999999999999999999", b'"first"', b"1.5"])
@pytest.mark.parametrize("name", [name for name, upstream in UPSTREAMS.items() if upstream.numbered])
async def test_a_tool_with_a_number_that_makes_no_sense_costs_nothing(name: str, number: bytes) -> None:
    """It is an error or passed over, and never the size of anything."""
    upstream = UPSTREAMS[name]
    script = after(lambda upstream: upstream.numbered.replace(b"%b", number))(upstream)

    async def check(cell: Cell) -> None:
        answer = await cell.ask()
        if cell.dialect.success in answer.body:
            assert answer.body.count(cell.dialect.success) == 1
        else:
            cell.see_broken(answer, broken(INVALID))

    async with crowd(upstream, None, script) as cells:
        await each(cells, check)


@EVERY
async def test_surplus_bytes_answer_nobody(name: str) -> None:
    upstream = UPSTREAMS[name]
    evil = response(b"evil")
    plain, streamed = (Script((upstream.good(streamed=streamed).pieces[0] + evil,)) for streamed in (False, True))

    async def check(cell: Cell) -> None:
        client = await cell.running.connect()
        for _ in range(2):
            answer = await cell.ask_on(client)
            cell.see_whole(answer)
            assert b"evil" not in answer.body
        assert cell.hostile.connections == 2

    async with crowd(upstream, plain, streamed) as cells:
        await each(cells, check)


# The client leaves


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [False, True], ids=["plain", "stream"])
@EVERY
async def test_a_client_that_leaves_takes_its_call_along(name: str, mode: bool, way: Way) -> None:
    upstream = UPSTREAMS[name]
    script = Script((begun(upstream),), "wait")
    if not mode and not upstream.streams_only:
        script = Script((response(upstream.whole)[:-9],), "wait")
    chosen = (None, script) if mode else (script, None)
    async with crowd(upstream._replace(clients=upstream.clients[-1:]), *chosen) as (cell,):
        client = await cell.running.connect()
        await client.post(body(cell.dialect, streamed=mode), path=cell.dialect.path)
        async with asyncio.timeout(SOON):
            await cell.hostile.told.acquire()
            while mode and b"Hello" not in await read_some(client):
                pass
        client.leave(way)
        await see_the_end(cell.running, cell.hostile)
