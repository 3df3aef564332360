"""Streams that go wrong once something was said, streams that are right in odd ways, and clients that do not read."""

import asyncio
import gzip
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from tests.faults.gateway import (
    LONGER,
    SHORT,
    Client,
    Error,
    Gateway,
    Response,
    Times,
    gateway,
    lab,
    see_no_leak,
    see_well,
)
from tests.faults.hostile import (
    DONE,
    END,
    FINISH,
    PLAIN_OK,
    ROLE,
    RUMOUR,
    SECRET,
    SOON,
    SSE,
    STREAM_OK,
    USAGE,
    Script,
    chunk,
    event,
    head,
    hostile,
    response,
    stream,
    text,
    until,
)
from tests.faults.process import running

BEGIN = head() + chunk(ROLE) + chunk(text("Hello"))
IN_BAND = b'data: {"error":{"message":"' + RUMOUR.encode() + b'","code":%b}}\n\n'
CUT = ("upstream_error", "upstream_incomplete", "midstream")
BAD = ("upstream_error", "upstream_invalid", "midstream")
LATE = ("timeout_error", "upstream_timeout", "idle_timeout")

# After "Hello": what follows, and the error that ends the stream.
BREAKS: Mapping[str, tuple[Script, tuple[str, str, str]]] = {
    "eof_of_chunks": (Script((BEGIN, END)), CUT),
    "fin": (Script((BEGIN, b""), "close"), CUT),
    "reset": (Script((BEGIN, b""), "reset"), CUT),
    "fin_in_a_chunk": (Script((BEGIN, chunk(text("x"))[:-20]), "close"), CUT),
    "half_an_event": (Script((BEGIN, chunk(text("x")[:-20]) + END)), CUT),
    "length_too_short": (
        Script((b"HTTP/1.1 200 OK\r\n" + SSE + b"content-length: 9999\r\n\r\n" + text("Hello"), b""), "close"),
        CUT,
    ),
    "until_close": (Script((b"HTTP/1.1 200 OK\r\n" + SSE + b"\r\n" + text("Hello"), b""), "close"), CUT),
    "bad_json": (Script((BEGIN, chunk(b"data: {oops}\n\n") + chunk(FINISH) + chunk(DONE) + END)), BAD),
    "wrong_types": (Script((BEGIN, chunk(b'data: {"choices":7}\n\n') + chunk(FINISH) + END)), BAD),
    "html": (Script((BEGIN, chunk(b"<html>" + RUMOUR.encode() + b"\n\n") + END)), BAD),
    "bad_chunk": (Script((BEGIN, b"zz\r\n")), BAD),
    "nan": (Script((BEGIN, chunk(b'data: {"choices":[{"index":NaN}]}\n\n') + END)), BAD),
    "too_deep": (Script((BEGIN, chunk(b'data: {"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n") + END)), BAD),
    "tool_index": (Script((BEGIN, chunk(event('{"tool_calls":[{"index":128,"id":"a"}]}')) + END)), BAD),
    "error": (
        Script((BEGIN, chunk(IN_BAND % b"null") + chunk(FINISH) + chunk(DONE) + END)),
        ("upstream_error", "upstream_error", "midstream"),
    ),
    "error_event": (
        Script((BEGIN, chunk(b"event: error\n" + IN_BAND % b"503") + END)),
        ("overloaded_error", "upstream_overloaded", "midstream"),
    ),
    "error_429": (
        Script((BEGIN, chunk(IN_BAND % b"429") + END)),
        ("rate_limit_error", "rate_limit_exceeded", "midstream"),
    ),
    "silence": (Script((BEGIN,), "wait"), LATE),
    "half_an_event_then_silence": (Script((BEGIN, chunk(text("x")[:-20])), "wait"), LATE),
    "comments_without_end": (
        Script((BEGIN, chunk(b": " + b"x" * 65530 + b"\n\n") * 8), "flood"),
        ("upstream_error", "upstream_too_large", "too_large"),
    ),
    "huge_event": (
        Script((BEGIN, chunk(b"data: "), chunk(b"x" * 65536)), "flood"),
        ("upstream_error", "upstream_too_large", "too_large"),
    ),
}


def see_break(answer: Response, wanted: tuple[str, str, str], running: Gateway) -> Error:
    """See that a stream that began well ends as a broken one, and return its error."""
    assert answer.status == 200
    assert b"Hello" in answer.body
    error = answer.broken
    assert (error.type, error.code) == wanted[:2]
    assert [(line["level"], line["fault"], line["upstream"]) for line in running.log] == [("WARN", wanted[2], "lab")]
    see_no_leak(answer)
    assert not [line for line in running.lines if SECRET in line]
    return error


@pytest.mark.parametrize("name", BREAKS)
async def test_a_stream_that_breaks_ends_with_an_error_and_no_success(name: str) -> None:
    script, wanted = BREAKS[name]
    times: Times = {"idle": SHORT} if wanted is LATE else {}
    async with hostile(script) as upstream, gateway(lab(upstream, **times)) as running:
        client = await running.connect()
        see_break(await client.ask(stream=True), wanted, running)
        assert len(upstream.requests) == 1, "what was begun is never asked for again"
        running.deadlines.waived = True
        upstream.play(STREAM_OK)
        assert (await client.ask(stream=True)).frames[-1] == b"[DONE]", "the connection can be used again"
        await see_well(running, upstream)


async def test_broken_gzip_ends_a_stream_that_has_begun() -> None:
    packed = gzip.compress(b"".join([ROLE, text("Hello"), b": " + b"x" * 70_000 + b"\n\n", FINISH, DONE]), 0)
    whole = head(SSE + b"content-encoding: gzip\r\n")
    async with (
        hostile(Script((whole + chunk(packed[:60_000]), chunk(b"\xff" * 9000) + END))) as upstream,
        gateway(lab(upstream)) as running,
    ):
        see_break(await running.ask(stream=True), BAD, running)


async def test_a_long_stream_ends_at_its_total() -> None:
    for total in LONGER:
        async with (
            hostile(Script((BEGIN, chunk(text("x"))), "drip")) as upstream,
            gateway(lab(upstream, total=total)) as running,
        ):
            answer = await running.ask(stream=True)
            if total == LONGER[-1] or answer.status == 200:
                see_break(answer, ("timeout_error", "upstream_timeout", "timeout"), running)
                break


async def test_pings_keep_a_stream_that_has_begun() -> None:
    pings = [chunk(b": ping\n\n")] * 8
    async with (
        hostile(Script((BEGIN, *pings, chunk(FINISH) + chunk(DONE) + END))) as upstream,
        gateway(lab(upstream)) as running,
    ):
        assert (await running.ask(stream=True)).frames[-1] == b"[DONE]"


# Streams that are right


WHOLE_STREAM = ROLE + text("Hel") + text("lo \\u00e4\U0001f642") + FINISH + DONE
LAST = b"data: [DONE]\n\n"


def said(answer: Response) -> str:
    """Return the words of a stream that is whole, and see that it is ended once and once only."""
    assert answer.status == 200
    *frames, last = answer.frames
    assert last == b"[DONE]"
    assert answer.body.count(b"[DONE]") == 1
    assert answer.body.count(b'"finish_reason":"') == 1

    class Delta(msgspec.Struct):
        content: str | None = None

    class Choice(msgspec.Struct):
        delta: Delta

    class Chunk(msgspec.Struct):
        choices: list[Choice]

    chunks = [msgspec.json.decode(frame, type=Chunk) for frame in frames]
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


RIGHT: Mapping[str, Script] = {
    "whole": Script((stream(WHOLE_STREAM),)),
    "crlf": Script((stream(WHOLE_STREAM.replace(b"\n", b"\r\n")),)),
    "cr": Script((stream(WHOLE_STREAM.replace(b"\n", b"\r")),)),
    "bom": Script((stream(b"\xef\xbb\xbf" + WHOLE_STREAM),)),
    "no_space": Script((stream(WHOLE_STREAM.replace(b"data: ", b"data:")),)),
    "names": Script((stream(WHOLE_STREAM.replace(b"data: ", b": hi\nid: 1\nretry: 5\nevent: message\ndata: ")),)),
    "several_data_lines": Script((stream(WHOLE_STREAM.replace(b',"choices"', b',\ndata: "choices"')),)),
    "no_blank_line_at_the_end": Script((stream(WHOLE_STREAM[:-2]),)),
    "bad_utf8": Script((stream(WHOLE_STREAM.replace(b"\\u00e4", b"\xff").replace(b"Hel", b"Hel")),)),
    "finish_then_eof": Script((stream(ROLE, text("Hello \\u00e4\U0001f642"), FINISH),)),
    "finish_then_fin": Script((head() + chunk(ROLE + text("Hello \\u00e4\U0001f642") + FINISH),), "close"),
    "finish_then_reset": Script((head() + chunk(ROLE + text("Hello \\u00e4\U0001f642") + FINISH), b""), "reset"),
    "done_without_finish": Script((stream(ROLE, text("Hello \\u00e4\U0001f642"), DONE),)),
    "finish_twice": Script((stream(ROLE, text("Hello \\u00e4\U0001f642"), FINISH, FINISH, DONE, DONE),)),
    "more_after_done": Script((stream(WHOLE_STREAM, text("more"), DONE),)),
    "no_end_after_done": Script((head() + chunk(WHOLE_STREAM),), "wait"),
    "until_close": Script((b"HTTP/1.1 200 OK\r\n" + SSE + b"\r\n" + WHOLE_STREAM,), "close"),
    "with_length": Script((response(WHOLE_STREAM, SSE),)),
    "loud_header": Script((stream(WHOLE_STREAM, headers=b"Content-Type: Text/Event-Stream;charset=utf-8\r\n"),)),
    "gzip": Script((stream(gzip.compress(WHOLE_STREAM), headers=SSE + b"content-encoding: gzip\r\n"),)),
    "bad_usage": Script((stream(ROLE, text("Hello \\u00e4\U0001f642"), FINISH, USAGE.replace(b":3", b":-3"), DONE),)),
}


@pytest.mark.parametrize("name", RIGHT)
async def test_a_stream_that_is_right_in_its_own_way_is_told_in_ours(name: str) -> None:
    async with hostile(RIGHT[name]) as upstream, gateway(lab(upstream)) as running:
        expected = "Hello ä🙂".replace("ä", "\ufffd" if name == "bad_utf8" else "ä")
        assert said(await running.ask(stream=True)) == expected
        assert not running.lines
        await see_well(running, upstream)


async def test_a_stream_may_be_cut_at_any_byte() -> None:
    whole = stream(WHOLE_STREAM.replace(b"\n", b"\r\n"))
    async with hostile(Script()) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        for cut in range(1, len(whole), 7):
            upstream.play(Script((whole[:cut], whole[cut:])))
            assert said(await client.ask(stream=True)) == "Hello ä🙂"


async def test_a_lone_surrogate_is_replaced() -> None:
    async with (
        hostile(Script((stream(ROLE, text("Hello \\ud800!"), FINISH, DONE),))) as upstream,
        gateway(lab(upstream)) as running,
    ):
        answer = await running.ask(stream=True)
        assert said(answer) == "Hello \ufffd!"


@pytest.mark.parametrize(("ends", "usage"), [(FINISH + USAGE + DONE, True), (FINISH + USAGE, True), (FINISH, False)])
async def test_usage_after_the_finish_is_waited_for(ends: bytes, usage: bool) -> None:
    """The last has neither usage nor end: what was said is whole, and told so after two seconds."""
    async with (
        hostile(Script((head() + chunk(ROLE + text("Hello")), chunk(ends)), "wait")) as upstream,
        gateway(lab(upstream)) as running,
    ):
        answer = await running.ask(stream=True, extra='"stream_options":{"include_usage":true},')
        assert answer.frames[-1] == b"[DONE]"
        assert (b'"total_tokens":5' in answer.body) is usage
        assert not running.lines


async def test_a_whole_answer_to_a_call_for_a_stream_is_streamed() -> None:
    async with hostile(PLAIN_OK) as upstream, gateway(lab(upstream)) as running:
        assert said(await running.ask(stream=True)) == "Hello"
        await see_well(running, upstream)


async def test_every_event_is_sent_at_once() -> None:
    """The second event is sent only when the client has read the first."""
    script = Script((BEGIN,), "wait", chunk(text("x")))
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        client = await running.connect()
        await client.send(stream=True)
        async with asyncio.timeout(SOON):
            assert (await client.read_head()).status == 200
            assert b"Hello" in await client.read_chunk()
            upstream.go.set()
            assert b'"x"' in await client.read_chunk()


async def test_what_comes_in_one_read_leaves_in_one_piece() -> None:
    async with (
        hostile(Script((head() + b"".join(chunk(text(str(n))) for n in range(50)),), "wait")) as upstream,
        gateway(lab(upstream)) as running,
    ):
        client = await running.connect()
        await client.send(stream=True)
        await client.read_head()
        assert (await client.read_chunk()).count(b"data: ") == 50


# Back-pressure


async def test_a_client_that_stops_reading_stops_the_upstream() -> None:
    frame = text("x" * 4000)
    async with (
        hostile(Script((head() + chunk(ROLE), chunk(frame) * 4), "flood")) as upstream,
        gateway(lab(upstream)) as running,
    ):
        client = await running.connect()
        await client.send(stream=True)
        await asyncio.wait_for(upstream.stalled.wait(), SOON)
        taken = upstream.sent
        assert taken < 40 << 20, "only the kernel's buffers were filled"
        await read_past(client, taken)
        await asyncio.wait_for(upstream.flowing.wait(), SOON)
        client.leave()
        await asyncio.wait_for(upstream.left.acquire(), SOON)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells the memory of another process")
async def test_what_nobody_reads_is_not_kept(tmp_path: Path) -> None:
    flood = Script((head() + chunk(ROLE), chunk(text("x" * 4000)) * 4), "flood")
    async with hostile(STREAM_OK) as upstream, running(upstream, tmp_path, drain=0.1) as server:
        assert (await (await server.connect()).ask(stream=True)).status == 200
        before = server.resident()
        upstream.play(flood)
        for _ in range(5):
            await (await server.connect()).send(stream=True)
        await asyncio.wait_for(upstream.stalled.wait(), SOON)
        assert server.resident() - before < 16 << 20
        server.signal(signal.SIGINT)
        assert await server.end() == 0


async def test_a_client_that_never_reads_on_is_cut_and_so_is_the_upstream() -> None:
    toml = f"[server.timeout]\nwrite = {SHORT}\n"
    async with (
        hostile(Script((head() + chunk(ROLE), chunk(text("x" * 4000)) * 4), "flood")) as upstream,
        gateway(toml + lab(upstream)) as running,
    ):
        client = await running.connect()
        await client.send(stream=True)
        await asyncio.wait_for(upstream.left.acquire(), SOON)
        await until(lambda: running.edge.connections.count == 0)
        assert await running.in_flight() == 0


async def read_past(client: Client, size: int) -> None:
    """Read a stream on, whole chunks only, until `size` bytes of it have come."""
    async with asyncio.timeout(SOON):
        await client.read_head()
        while size > 0:
            piece = await client.read_chunk()
            assert piece.startswith(b"data: ")
            assert piece.endswith(b"\n\n")
            size -= len(piece)
