"""What an upstream does wrong before it has said anything: each fault is one exact error, and nothing is left of it."""

import asyncio
import gzip
import socket
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from tests.faults.gateway import LONGER, SHORT, Gateway, Response, Times, gateway, lab, see_no_leak, see_well
from tests.faults.hostile import (
    DONE,
    FINISH,
    JSON,
    PLAIN_OK,
    ROLE,
    RUMOUR,
    SECRET,
    SSE,
    STREAM_OK,
    WHOLE,
    Hostile,
    Script,
    chunk,
    event,
    fault,
    head,
    hostile,
    response,
    stream,
    text,
)


class Wanted(NamedTuple):
    """What the client is to read, how often the upstream is asked (of two times), and what the log says."""

    status: int
    kind: str
    code: str | None
    asked: int
    fault: str
    level: str = "WARN"


UNAVAILABLE = Wanted(502, "upstream_error", "upstream_unavailable", 2, "reset")
TIMEOUT = Wanted(504, "timeout_error", "upstream_timeout", 2, "timeout")
LATE = Wanted(504, "timeout_error", "upstream_timeout", 1, "first_byte_timeout")
FAILED = Wanted(502, "upstream_error", "upstream_error", 2, "5xx")
OVERLOADED = Wanted(503, "overloaded_error", "upstream_overloaded", 2, "overloaded")
LIMITED = Wanted(429, "rate_limit_error", "rate_limit_exceeded", 2, "rate_limited")
AUTH = Wanted(502, "upstream_error", "upstream_auth", 1, "auth", "ERROR")
UNKNOWN = Wanted(404, "invalid_request_error", "model_not_found", 1, "rejected")
STRANGE = Wanted(502, "upstream_error", "upstream_invalid", 1, "protocol")
INVALID = Wanted(502, "upstream_error", "upstream_invalid", 1, "invalid")
INCOMPLETE = Wanted(502, "upstream_error", "upstream_incomplete", 2, "incomplete")
TOO_LARGE = Wanted(502, "upstream_error", "upstream_too_large", 1, "too_large")


def rejected(status: int) -> Wanted:
    return Wanted(status, "invalid_request_error", None, 1, "rejected")


SOON_AGAIN = b"retry-after-ms: 20\r\nset-cookie: a=b\r\nserver: " + RUMOUR.encode() + b"\r\n"
REDIRECT = b"location: http://169.254.169.254/\r\n"
IN_BAND = b'{"error":{"message":"' + RUMOUR.encode() + b'","code":%b}}'

# Whatever the client asked for, a stream or a whole answer.
FAULTS: Mapping[str, tuple[Script, Wanted]] = {
    "reset": (Script((), "reset"), UNAVAILABLE),
    "fin": (Script((), "close"), UNAVAILABLE),
    "silence": (Script((), "wait"), LATE),
    "half_a_head": (Script((b"HTTP/1.1 200 OK\r\ncontent-ty",), "wait"), LATE),
    **{str(status): (fault(b"%d Bad" % status), rejected(status)) for status in (400, 409, 413, 422)},
    "405": (fault(b"405 Method Not Allowed"), rejected(400)),
    "404": (fault(b"404 Not Found"), UNKNOWN),
    "401": (fault(b"401 Unauthorized"), AUTH),
    "403": (fault(b"403 Forbidden"), AUTH),
    "402": (fault(b"402 Payment Required"), AUTH._replace(code="upstream_quota")),
    "408": (fault(b"408 Request Timeout"), TIMEOUT),
    "504": (fault(b"504 Gateway Timeout"), TIMEOUT),
    "429": (fault(b"429 Too Many Requests", SOON_AGAIN), LIMITED),
    **{str(status): (fault(b"%d Bad" % status), FAILED) for status in (500, 502, 520)},
    "503": (fault(b"503 Service Unavailable", SOON_AGAIN), OVERLOADED),
    "529": (fault(b"529 Overloaded", SOON_AGAIN), OVERLOADED),
    **{str(status): (fault(b"%d Moved" % status, REDIRECT), STRANGE) for status in (301, 302, 307, 308)},
    "206": (Script((response(WHOLE, status=b"206 Partial Content"),)), STRANGE),
    "201": (Script((response(WHOLE, status=b"201 Created"),)), STRANGE),
    "204": (Script((b"HTTP/1.1 204 No Content\r\n\r\n",)), STRANGE),
    "304": (Script((b"HTTP/1.1 304 Not Modified\r\n\r\n",)), STRANGE),
    "error_without_json": (Script((response(RUMOUR.encode(), b"", b"500 Oops"),)), FAILED),
    "error_that_stops": (
        Script((b"HTTP/1.1 500 Oops\r\ncontent-length: 999\r\n\r\n{" + RUMOUR.encode(),), "close"),
        FAILED,
    ),
    "error_without_end": (Script((head(JSON, b"400 Bad"), chunk(b'"' * 8192)), "flood"), rejected(400)),
    "no_http": (Script((RUMOUR.encode() + b"\r\n\r\n",), "wait"), INVALID),
    "two_lengths": (
        Script((b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",)),
        INVALID,
    ),
    "large_head": (Script((b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"y" * 8000 + b"\r\n"), "flood"), TOO_LARGE),
    "slow_head": (Script((b"HTTP/1.1 200 OK\r\n", b"x-a: y\r\n"), "drip"), LATE),
    "large_body": (Script((head(JSON), chunk(b'"' * 65536) * 4), "flood"), TOO_LARGE),
    "bomb": (
        Script((response(gzip.compress(b'"' * (66 << 20), 1), JSON + b"content-encoding: gzip\r\n"),)),
        TOO_LARGE,
    ),
    "unknown_coding": (Script((response(WHOLE, JSON + b"content-encoding: br\r\n"),)), INVALID),
    "in_band": (Script((response(IN_BAND % b"null"),)), FAILED),
    "in_band_429": (Script((response(IN_BAND % b"429"),)), LIMITED),
    "in_band_401": (Script((response(IN_BAND % b"401"),)), AUTH),
    "in_band_400": (Script((response(IN_BAND % b'"400"'),)), rejected(400)),
}

# A status of 200 with a body that is no answer: a plain call is asked once more, a stream is not.
NO_ANSWERS: Mapping[str, bytes] = {
    "html": response(b"<html>" + RUMOUR.encode() + b"</html>"),
    "empty": response(b""),
    "truncated": response(WHOLE[:-9]),
    "no_json": response(RUMOUR.encode()),
    "list": response(b"[]"),
    "null": response(b"null"),
    "no_choices": response(b'{"id":"x"}'),
    "wrong_types": response(b'{"choices":[{"index":0,"message":{"content":{}}}]}'),
    "too_deep": response(b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b',"choices":[]}'),
    "huge_integer": response(b'{"created":' + b"9" * 5000 + b',"choices":[]}'),
    "bad_gzip": response(WHOLE, JSON + b"content-encoding: gzip\r\n"),
    "half_gzip": response(gzip.compress(WHOLE)[:-9], JSON + b"content-encoding: gzip\r\n"),
    "bad_chunk": head(JSON) + b"zz\r\n" + WHOLE,
    "short": b"HTTP/1.1 200 OK\r\n" + JSON + b"content-length: 999\r\n\r\n" + WHOLE,
    "nan": response(b'{"choices":[{"index":NaN}]}'),
}

# Streams that begin well, and say nothing.
STREAMS: Mapping[str, tuple[Script, Wanted]] = {
    "html": (Script((response(b"<html>", b"content-type: text/html\r\n"),)), INVALID),
    "no_content_type": (Script((stream(ROLE, text("Hello"), FINISH, DONE, headers=b""),)), INVALID),
    "ndjson": (Script((response(WHOLE, b"content-type: application/x-ndjson\r\n"),)), INVALID),
    "events_called_json": (Script((stream(ROLE, text("Hello"), FINISH, DONE, headers=JSON),)), INVALID),
    "nothing": (Script((stream(),)), INCOMPLETE),
    "comments": (Script((stream(b": ping\n\n", b": ping\n\n"),)), INCOMPLETE),
    "role_only": (Script((stream(ROLE),)), INCOMPLETE),
    "done_only": (Script((stream(DONE),)), INCOMPLETE),
    "cut": (Script((head() + chunk(ROLE),), "close"), INCOMPLETE),
    "cut_by_reset": (Script((head(), chunk(ROLE)), "reset"), INCOMPLETE),
    "cut_in_an_event": (Script((head() + chunk(text("Hello")[:-9]),), "close"), INCOMPLETE),
    "bad_json": (Script((stream(b"data: {oops}\n\n"),)), INVALID),
    "no_events": (Script((stream(b"<html>\n\n"),)), INVALID),
    "no_events_unfinished": (Script((stream(b"<html>"),)), INVALID),
    "a_whole_answer_as_events": (Script((stream(b'{"choices": []}'),)), INVALID),
    "bad_gzip": (Script((stream(ROLE, headers=SSE + b"content-encoding: gzip\r\n"),)), INVALID),
    "bad_chunk": (Script((head() + chunk(ROLE) + b"zz\r\n",)), INVALID),
    "too_deep": (Script((stream(b'data: {"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"),)), INVALID),
    "bomb": (
        Script((stream(gzip.compress(b"data: " + b"x" * (9 << 20)), headers=SSE + b"content-encoding: gzip\r\n"),)),
        TOO_LARGE,
    ),
    "error_first": (Script((stream(b"data: " + IN_BAND % b"null" + b"\n\n"),)), FAILED),
    "error_after_role": (Script((stream(ROLE, b"event: error\ndata: " + IN_BAND % b"503" + b"\n\n"),)), OVERLOADED),
    "finish_error": (Script((stream(ROLE, event("{}", '"error"')),)), FAILED),
    "pings_for_ever": (Script((head(), chunk(b": ping\n\n")), "drip"), LATE),
    "role_then_silence": (Script((head() + chunk(ROLE),), "wait"), LATE),
    "empty_for_ever": (Script((head() + chunk(ROLE), chunk(event('{"content":""}') * 100)), "flood"), TOO_LARGE),
    "large_event": (Script((head() + chunk(b"data: "), chunk(b"x" * 65536)), "flood"), TOO_LARGE),
}


def times(wanted: Wanted) -> Times:
    """Return what has to run out."""
    return {"first": SHORT} if wanted is LATE else {}


def see_error(answer: Response, wanted: Wanted, running: Gateway, upstream: Hostile) -> None:
    """See that an error is exactly what is wanted, and that the log has a line for every attempt."""
    error = answer.error
    assert (answer.status, error.type, error.code) == (wanted.status, wanted.kind, wanted.code)
    assert len(upstream.requests) == wanted.asked
    assert answer.headers["x-dragoman-attempts"] == str(wanted.asked)
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers.get("x-should-retry") == (None if wanted.status == 429 else "false")
    assert "connection" not in answer.headers, "the client's connection goes on"
    see_no_leak(answer)
    assert [(line["level"], line["upstream"], line["fault"], line["request"]) for line in running.log] == [
        (wanted.level, "lab", wanted.fault, answer.headers["x-request-id"])
    ] * wanted.asked
    assert not [line for line in running.lines if SECRET in line]


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_one_exact_error(name: str, wants_stream: bool) -> None:
    script, wanted = FAULTS[name]
    async with hostile(script) as upstream, gateway(lab(upstream, **times(wanted))) as running:
        see_error(await running.ask(stream=wants_stream), wanted, running, upstream)
        await see_well(running, upstream)


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", NO_ANSWERS)
async def test_a_success_that_is_none_is_asked_for_once_more_unless_streamed(name: str, wants_stream: bool) -> None:
    script = Script((NO_ANSWERS[name],), "close")
    wanted = INVALID._replace(asked=1 if wants_stream else 2)
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        see_error(await running.ask(stream=wants_stream), wanted, running, upstream)
        await see_well(running, upstream)


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_that_says_nothing_is_an_error_with_its_own_status(name: str) -> None:
    script, wanted = STREAMS[name]
    async with hostile(script) as upstream, gateway(lab(upstream, **times(wanted))) as running:
        see_error(await running.ask(stream=True), wanted, running, upstream)
        await see_well(running, upstream)


@pytest.mark.parametrize(("wants_stream", "ok"), [(False, PLAIN_OK), (True, STREAM_OK)], ids=["plain", "stream"])
async def test_a_fault_that_passes_is_not_seen(wants_stream: bool, ok: Script) -> None:
    async with hostile(Script((), "reset"), fault(b"503 Busy", SOON_AGAIN), ok) as upstream:
        toml = lab(upstream).replace("attempts = 2", "attempts = 3")
        async with gateway(toml) as running:
            answer = await running.ask(stream=wants_stream)
            assert answer.status == 200
            assert answer.headers["x-dragoman-attempts"] == "3"
            assert [line["fault"] for line in running.log] == ["reset", "overloaded"]


async def test_there_are_three_attempts_by_default() -> None:
    async with (
        hostile(fault(b"503 Busy", SOON_AGAIN)) as upstream,
        gateway(lab(upstream).replace("retry = { attempts = 2 }", "")) as running,
    ):
        see_error(await running.ask(), OVERLOADED._replace(asked=3), running, upstream)


@pytest.mark.parametrize(
    ("status", "header", "told"),
    [
        (b"429 Too Many", b"retry-after: 11", "11"),
        (b"429 Too Many", b"retry-after: 10.5", "11"),
        (b"503 Busy", b"retry-after-ms: 12500", "13"),
        (b"503 Busy", b"retry-after: 999999", "86400"),
        (b"429 Too Many", b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:07 GMT", "30"),
    ],
)
async def test_a_long_wait_is_left_to_the_client(status: bytes, header: bytes, told: str) -> None:
    async with hostile(fault(status, header + b"\r\n")) as upstream, gateway(lab(upstream)) as running:
        answer = await running.ask()
        assert (answer.status, answer.headers["retry-after"]) == (int(status[:3]), told)
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("header", [b"-1", b"nan", b"inf", b"soon", b""])
async def test_a_wait_that_makes_no_sense_is_no_wait(header: bytes) -> None:
    async with (
        hostile(fault(b"429 Too Many", b"retry-after: %b\r\n" % header)) as upstream,
        gateway(lab(upstream)) as running,
    ):
        answer = await running.ask()
        assert (answer.status, answer.headers.get("retry-after"), len(upstream.requests)) == (429, None, 2)


async def test_a_wait_that_does_not_fit_the_total_is_left_to_the_client() -> None:
    async with (
        hostile(fault(b"503 Busy", b"retry-after: 10\r\n")) as upstream,  # so long it would be waited
        gateway(lab(upstream, total=10)) as running,
    ):
        answer = await running.ask()
        assert (answer.status, answer.headers["retry-after"], len(upstream.requests)) == (503, "10", 1)


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
async def test_all_attempts_share_one_total(wants_stream: bool) -> None:
    faults: list[str | float] = []
    for total in LONGER:
        async with (
            hostile(fault(b"503 Busy", b"retry-after-ms: 20\r\n"), Script((), "wait")) as upstream,
            gateway(lab(upstream, total=total)) as running,
        ):
            answer = await running.ask(stream=wants_stream)
            assert (answer.status, answer.error.code) == (504, "upstream_timeout")
            faults = [line["fault"] for line in running.log]
            if len(upstream.requests) == 2:
                break
    assert faults == ["overloaded", "timeout"]


async def test_a_plain_answer_that_comes_too_slowly_ends_at_its_total() -> None:
    asked, script = 0, Script((head(JSON), chunk(b" ")), "drip")
    for total in LONGER:
        async with hostile(script) as upstream, gateway(lab(upstream, total=total)) as running:
            answer = await running.ask()
            assert (answer.status, answer.error.code) == (504, "upstream_timeout")
            if asked := len(upstream.requests):
                break
    assert asked == 1


async def test_interim_responses_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nset-cookie: a=b\r\n\r\n"
    async with hostile(Script((interim, response(WHOLE)))) as upstream, gateway(lab(upstream)) as running:
        answer = await running.ask()
        assert (answer.status, answer.body) == (200, WHOLE)
        see_no_leak(answer)


@pytest.mark.parametrize("status", [b"101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade", b"102 Processing"])
async def test_no_other_interim_response_is(status: bytes) -> None:
    script = Script((b"HTTP/1.1 %b\r\n\r\n" % status + response(WHOLE),))
    async with hostile(script) as upstream, gateway(lab(upstream)) as running:
        answer = await running.ask()
        assert (answer.status, answer.error.code, len(upstream.requests)) == (502, "upstream_invalid", 1)
        await see_well(running, upstream)


@pytest.mark.parametrize(
    "surplus", [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nevil!", b"garbage", response(WHOLE)], ids=len
)
async def test_surplus_bytes_answer_nobody(surplus: bytes) -> None:
    async with hostile(Script((response(WHOLE) + surplus,))) as upstream, gateway(lab(upstream)) as running:
        for _ in range(2):
            assert (await running.ask()).body == WHOLE
        assert upstream.connections == 2
        await see_well(running, upstream)


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
async def test_a_refused_connection_is_tried_again(wants_stream: bool) -> None:
    upstream = Hostile()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        upstream.port = closed.getsockname()[1]
        async with gateway(lab(upstream)) as running:
            answer = await running.ask(stream=wants_stream)
            error = answer.error
            assert (answer.status, error.type, error.code) == (502, "upstream_error", "upstream_unavailable")
            assert answer.headers["x-dragoman-attempts"] == "2"
            assert [line["fault"] for line in running.log] == ["connect"] * 2
            see_no_leak(answer)


async def test_a_connection_that_takes_too_long_is_tried_again() -> None:
    upstream = Hostile()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        upstream.port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", upstream.port)):  # the queue is full now
            async with gateway(lab(upstream, connect=SHORT)) as running:
                answer = await running.ask()
                assert (answer.status, answer.error.code) == (504, "upstream_timeout")
                assert [line["fault"] for line in running.log] == ["connect_timeout"] * 2


async def test_tls_that_fails_is_told_without_its_reason() -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        writer.close()

    upstream = Hostile()
    async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as server:
        upstream.port = server.sockets[0].getsockname()[1]
        async with gateway(lab(upstream).replace("http:", "https:")) as running:
            answer = await running.ask()
            assert (answer.status, answer.error.code) == (502, "upstream_unavailable")
            assert [line["fault"] for line in running.log] == ["connect"] * 2
            see_no_leak(answer)


async def test_a_word_of_the_upstream_is_kept_and_its_sentences_are_not() -> None:
    body = b'{"error":{"message":"' + RUMOUR.encode() + b'","code":"context_length_exceeded","param":"messages"}}'
    async with hostile(Script((response(body, status=b"400 Bad"),))) as upstream, gateway(lab(upstream)) as running:
        answer = await running.ask()
        assert (answer.error.code, answer.error.param) == ("context_length_exceeded", "messages")
        see_no_leak(answer)
        assert RUMOUR in str(running.log[0]["detail"])


async def test_a_word_that_is_a_key_is_not_kept() -> None:
    body = b'{"error":{"message":"x","code":"%b","param":"%b"}}' % (SECRET.encode(), SECRET.encode())
    async with hostile(Script((response(body, status=b"400 Bad"),))) as upstream, gateway(lab(upstream)) as running:
        see_no_leak(await running.ask())


async def test_many_calls_meet_the_same_fault_and_leave_nothing() -> None:
    async with hostile(fault(b"500 Oops")) as upstream, gateway(lab(upstream)) as running:
        answers: list[Response] = []

        async def call() -> None:
            answers.append(await running.ask())

        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(call())
        assert {answer.status for answer in answers} == {502}
        assert 50 < len(upstream.requests) <= 75  # some are made again, not all of them: it would not help
        upstream.play(PLAIN_OK)
        assert (await running.ask()).status == 200
        assert await running.in_flight() == 0
