"""What becomes of one call, from its key to the last byte; the ask behind the endpoint does what the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import NamedTuple

import msgspec
import pytest

from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.errors import (
    DragomanError,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamIncomplete,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.events import Event, Finish, Start, Text
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from tests.unit.server.link import JSON, KEY, Link, Response, make_exchange, response

START, HELLO, FINISH = Start("chatcmpl-1", "m", 1), Text("Hello"), Finish("stop")
PLAIN = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
STREAM = PLAIN[:-1] + b',"stream":true}'
TRACE = {"x-request-id": "id-1", "x-dragoman-model": "lab/m", "x-dragoman-attempts": "1"}


class Ending(NamedTuple):
    """How a stream ends after its bursts."""

    error: BaseException | None = None
    waits: bool = False


class Bench:
    """An endpoint for one model, `m`."""

    def __init__(self, ask: Ask | None = None, gate: Gate | None = None, limits: Limits | None = None) -> None:
        self.lines: list[str] = []
        self.calls: list[Call] = []
        self.seen: list[Burst] = []
        self.closed = 0
        self.link = Link()
        self.gate = gate or Gate(5, 5)
        self.bursts: list[Burst] = [Burst([START, HELLO, FINISH])]
        self.ending = Ending()
        self.failure: BaseException | None = None
        keys = Keys({sha256(b"dg-app-key").digest(): Caller("app", ("m",))})
        directory = Directory({"m": ask or self._ask, "other": self._ask}, [])
        desk = Desk(keys, self.gate, directory, Log((), self.lines.append), limits or Limits())
        self.endpoint = Endpoint(inbound("openai_chat"), desk)

    async def run(self, body: bytes = PLAIN, *headers: str) -> Response:
        """Answer one call and return the response."""
        await self.endpoint(make_exchange(self.link, "POST /x", *(headers or (KEY, JSON)), body=body))
        assert self.gate.count == 0
        return response(self.link)

    @property
    def log(self) -> list[dict[str, str | float]]:
        return [msgspec.json.decode(line, type=dict[str, str | float]) for line in self.lines]

    async def _ask(self, call: Call) -> Answer:
        self.calls.append(call)
        call.attempts += 1
        call.served_by = "lab/m"
        call.observe(self.seen.append)
        assert self.gate.count == 1
        if self.failure is not None:
            raise self.failure
        rest = self._rest() if len(self.bursts) > 1 or self.ending != Ending() else None
        return Answer(self.bursts[0], rest, self._close)

    async def _rest(self) -> AsyncIterator[Burst]:
        for burst in self.bursts[1:]:
            yield burst
        if self.ending.waits:
            await asyncio.get_running_loop().create_future()
        if self.ending.error is not None:
            raise self.ending.error

    def _close(self) -> None:
        self.closed += 1


def error_of(answer: Response) -> dict[str, str | None]:
    assert answer.headers["content-type"] == "application/json"
    return msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]


def frames_of(answer: Response) -> list[bytes]:
    assert answer.body.endswith(b"\n\n")
    return [frame.removeprefix(b"data: ") for frame in answer.body[:-2].split(b"\n\n")]


def pieces(*events: Event) -> list[Burst]:
    return [Burst([event]) for event in events]


# What goes well


async def test_the_bytes_of_a_plain_answer_are_the_upstreams() -> None:
    bench = Bench()
    bench.bursts = [Burst([START, HELLO, FINISH], b'{"id": "odd"}', "openai_chat")]
    answer = await bench.run()
    assert (answer.status, answer.body) == (200, b'{"id": "odd"}')
    assert {name: answer.headers[name] for name in TRACE} == TRACE
    assert answer.headers["content-type"] == "application/json"
    assert (bench.closed, bench.seen, bench.lines) == (1, bench.bursts, [])


async def test_the_call_knows_who_calls_and_by_what_name() -> None:
    bench = Bench()
    await bench.run()
    (call,) = bench.calls
    assert (call.id, call.caller.name, call.model, call.stream, call.body) == ("id-1", "app", "m", False, PLAIN)


async def test_the_bytes_of_a_stream_are_the_upstreams() -> None:
    bench = Bench()
    raw = [b'data: {"odd": %d}\n\n' % number for number in range(3)]
    events: list[Event] = [START, HELLO, FINISH]
    bench.bursts = [Burst([event], frame, "openai_chat") for event, frame in zip(events, raw, strict=True)]
    answer = await bench.run(STREAM)
    assert answer.body == b"".join(raw) + b"data: [DONE]\n\n"
    assert answer.ended
    assert {name: answer.headers[name] for name in TRACE} == TRACE
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"
    assert (bench.closed, bench.seen) == (1, bench.bursts)


async def test_a_stream_of_one_burst_is_whole() -> None:
    assert frames_of(await Bench().run(STREAM))[-1] == b"[DONE]"


async def test_a_streamed_answer_to_a_plain_call_is_joined() -> None:
    bench = Bench()
    bench.bursts = pieces(START, Text("Hel"), Text("lo"), FINISH)
    answer = await bench.run()
    assert b'"content":"Hello"' in answer.body
    assert len(bench.seen) == 1


async def test_a_client_that_takes_little_is_waited_for() -> None:
    bench = Bench()
    bench.bursts = pieces(START, HELLO, FINISH)
    bench.link.paused = True
    await bench.run(STREAM)
    assert bench.link.drained == 2


async def test_losses_are_named() -> None:
    async def lossy(call: Call) -> Answer:
        call.losses = {"seed": "not known there", "logprobs": "not known there"}
        return Answer(Burst([START, HELLO, FINISH]), None, lambda: None)

    assert (await Bench(lossy).run()).headers["x-dragoman-loss"] == "seed, logprobs"


# What is refused before anything is asked


@pytest.mark.parametrize("headers", [(JSON,), (JSON, "x-api-key: wrong"), (JSON, KEY, "x-api-key: other")])
async def test_without_a_key_nothing_is_read(headers: tuple[str, ...]) -> None:
    bench = Bench()
    answer = await bench.run(b"no JSON", *headers)
    assert (answer.status, error_of(answer)["code"]) == (401, "invalid_api_key")
    assert not bench.calls
    assert not bench.lines


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_a_body_must_say_that_it_is_json(media_type: str) -> None:
    answer = await Bench().run(PLAIN, KEY, f"content-type: {media_type}")
    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_content_type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"])
async def test_it_may_say_so_in_many_ways(media_type: str) -> None:
    assert (await Bench().run(PLAIN, KEY, f"content-type: {media_type}")).status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b'{"messages":[]}', 400, "missing_required_parameter"),
        (PLAIN.replace(b'"m"', b'"other"'), 403, "model_not_allowed"),
        (PLAIN.replace(b'"m"', b'"m:latest"'), 200, None),
    ],
)
async def test_what_is_wrong_with_a_body_is_told(body: bytes, status: int, code: str | None) -> None:
    bench = Bench()
    answer = await bench.run(body)
    assert answer.status == status
    if code is not None:
        assert error_of(answer)["code"] == code
        assert answer.headers["x-request-id"] == "id-1"
        assert "x-dragoman-attempts" not in answer.headers
    assert not bench.lines, "what a client does wrong is not our operator's business"


async def test_the_limits_of_a_body_are_the_desks() -> None:
    answer = await Bench(limits=Limits(messages=1)).run(PLAIN.replace(b"}]", b"},{}]"))
    assert error_of(answer)["param"] == "messages"


async def test_over_the_limit_a_call_is_turned_away_unread() -> None:
    bench = Bench(gate=Gate(1, 1))
    bench.gate.enter(Caller("x"))
    await bench.endpoint(make_exchange(bench.link, "POST /x", KEY, JSON, body=b"no JSON"))
    answer = response(bench.link)
    assert (answer.status, error_of(answer)["code"]) == (503, "server_overloaded")
    assert answer.headers["retry-after"] == "1"
    assert "x-should-retry" not in answer.headers, "it may come again: nothing was tried"
    assert bench.gate.count == 1


# What fails before there is an answer


@pytest.mark.parametrize("body", [PLAIN, STREAM])
async def test_a_failure_has_its_own_status(body: bytes) -> None:
    bench = Bench()
    bench.failure = UpstreamIncomplete(detail="said nothing")
    answer = await bench.run(body)
    assert answer.status == 502
    assert error_of(answer) == {
        "message": "the upstream stopped before its answer was complete",
        "type": "upstream_error",
        "param": None,
        "code": "upstream_incomplete",
    }
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["x-dragoman-attempts"] == "1"
    (line,) = bench.log
    assert {name: line[name] for name in line if name != "time"} == {
        "level": "WARN",
        "event": "upstream_error",
        "request": "id-1",
        "upstream": "lab",
        "fault": "incomplete",
        "detail": "said nothing",
    }
    assert bench.closed == 0


@pytest.mark.parametrize(
    ("error", "level"),
    [(UpstreamAuth(), "ERROR"), (UpstreamRejected(), "WARN"), (RateLimited(), "WARN"), (UpstreamTimeout(), "WARN")],
)
async def test_whatever_an_upstream_does_is_in_the_log(error: DragomanError, level: str) -> None:
    bench = Bench()
    bench.failure = error
    await bench.run()
    assert [(line["level"], line["fault"]) for line in bench.log] == [(level, error.fault)]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RateLimited(retry_after=0.2), "1"),
        (RateLimited(retry_after=11.01), "12"),
        (Overloaded(retry_after=1e300), "86400"),
        (Overloaded(retry_after=0), "1"),
        (Overloaded(), None),
    ],
)
async def test_the_wait_is_told_in_whole_seconds(error: DragomanError, told: str | None) -> None:
    bench = Bench()
    bench.failure = error
    answer = await bench.run()
    assert answer.headers.get("retry-after") == told
    assert answer.headers.get("x-should-retry") == (None if isinstance(error, RateLimited) else "false")


async def test_a_bug_is_a_500_that_tells_nothing() -> None:
    bench = Bench()
    bench.failure = ZeroDivisionError("secret/path.py")
    answer = await bench.run()
    assert answer.status == 500
    assert error_of(answer) == {
        "message": "an internal error occurred",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }
    assert [(line["level"], line["event"]) for line in bench.log] == [("ERROR", "bug")]
    assert bench.log[0]["error"] == "ZeroDivisionError('secret/path.py')"


# What fails in a stream


@pytest.mark.parametrize(
    ("error", "code", "fault"),
    [
        (UpstreamIncomplete(), "upstream_incomplete", "midstream"),
        (RateLimited(), "rate_limit_exceeded", "midstream"),
        (UpstreamTimeout(fault="idle_timeout"), "upstream_timeout", "idle_timeout"),
        (UpstreamTooLarge(), "upstream_too_large", "too_large"),
    ],
)
async def test_a_stream_that_breaks_ends_with_an_error_and_no_success(
    error: DragomanError, code: str, fault: str
) -> None:
    bench = Bench()
    bench.bursts, bench.ending = pieces(START, HELLO), Ending(error)
    answer = await bench.run(STREAM)
    assert (answer.status, answer.ended) == (200, True)
    last = msgspec.json.decode(frames_of(answer)[-1], type=dict[str, dict[str, str | None]])
    assert last["error"]["code"] == code
    assert b"[DONE]" not in answer.body
    assert b'"finish_reason":"' not in answer.body
    assert (bench.closed, bench.link.cuts) == (1, 0)
    assert [(line["level"], line["fault"]) for line in bench.log] == [("WARN", fault)]


async def test_a_bug_in_a_stream_cuts_it() -> None:
    bench = Bench()
    bench.bursts, bench.ending = pieces(START, HELLO), Ending(ZeroDivisionError())
    assert not (await bench.run(STREAM)).ended
    assert (bench.closed, bench.link.cuts) == (1, 1)
    assert [line["event"] for line in bench.log] == ["bug"]


async def test_a_broken_stream_is_an_error_to_a_plain_call() -> None:
    bench = Bench()
    bench.bursts, bench.ending = pieces(START, HELLO), Ending(UpstreamIncomplete())
    assert (await bench.run(PLAIN)).status == 502
    assert bench.closed == 1


# What is stopped


async def stopped(bench: Bench, body: bytes, begun: Callable[[], bool]) -> Response:
    """Cancel a call once it has `begun`, as the server does when it stops."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.endpoint(make_exchange(bench.link, "POST /x", KEY, JSON, body=body)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert begun()
        task.cancel()
    assert task.cancelled()
    assert bench.gate.count == 0
    return response(bench.link)


async def test_a_stream_that_is_stopped_says_so() -> None:
    bench = Bench()
    bench.bursts, bench.ending = pieces(START, HELLO), Ending(waits=True)
    answer = await stopped(bench, STREAM, lambda: b"Hello" in bench.link.written)
    last = msgspec.json.decode(frames_of(answer)[-1], type=dict[str, dict[str, str | None]])
    assert (last["error"]["type"], last["error"]["code"]) == ("overloaded_error", "server_shutdown")
    assert answer.ended
    assert bench.closed == 1


@pytest.mark.parametrize("body", [PLAIN, STREAM])
async def test_a_call_that_is_stopped_before_its_answer_says_so(body: bytes) -> None:
    async def never(call: Call) -> Answer:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    bench = Bench(never)
    answer = await stopped(bench, body, lambda: bench.gate.count == 1)
    assert (answer.status, error_of(answer)["code"]) == (503, "server_shutdown")
    assert "x-should-retry" not in answer.headers
    assert not bench.lines
