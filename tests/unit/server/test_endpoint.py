"""What becomes of one call, from its key to the last byte; the ask behind the endpoint does what the test says."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from dragoman.core.ask import Answer, Ask, Stage
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
from dragoman.core.events import Event, Text
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.server.gate import Gate
from tests.unit.server.desk import (
    FINISH,
    HELLO,
    PLAIN,
    START,
    STREAM,
    TRACE,
    Bench,
    Ending,
    error_of,
    frames_of,
    pieces,
)
from tests.unit.server.link import JSON, KEY, Response, make_exchange, response

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
    call = bench.calls[0]
    assert (call.id, call.caller.name, call.model, call.stream, call.body) == ("id-1", "app", "m", False, PLAIN)
    assert (call.began, call.clock.epoch(), call.strict) == (7.0, 1234.5, False)
    assert len(call.serial) == 32


@pytest.mark.parametrize(("header", "strict"), [("true", True), ("TRUE", True), ("false", False), ("", False)])
async def test_a_client_may_insist_on_all_or_nothing(header: str, strict: bool) -> None:
    bench = Bench()
    await bench.run(PLAIN, KEY, JSON, f"x-dragoman-strict: {header}")
    assert bench.calls[0].strict is strict


async def test_the_stages_of_a_dialect_are_around_every_ask() -> None:
    seen: list[str] = []

    def stage(name: str) -> Stage:
        def wrap(ask: Ask) -> Ask:
            async def asking(call: Call) -> Answer:
                seen.append(name)
                return await ask(call)

            return asking

        return wrap

    await Bench(None, stage("outer"), stage("inner")).run()
    assert seen == ["outer", "inner"]


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


async def test_a_question_that_needs_no_upstream_is_answered_at_once() -> None:
    def read_ready(body: bytes, limits: Limits) -> Call:
        call = inbound("openai_chat").read_call(body, limits)
        call.ready = Burst([START, Text("loaded"), FINISH])
        return call

    for body in (PLAIN, STREAM):
        bench = Bench(side=replace(inbound("openai_chat"), read_call=read_ready))
        answer = await bench.run(body)
        assert b"loaded" in answer.body
        assert (answer.headers["x-dragoman-attempts"], bench.calls) == ("0", [])
    unknown = await bench.run(PLAIN.replace(b'"m"', b'"nobody"'))
    assert unknown.status == 403, "the name of the model is looked up all the same"


async def test_what_became_of_a_call_is_remembered_for_its_client() -> None:
    bench = Bench()
    await bench.run()
    record = bench.recent.find("id-1", Caller("app"))
    assert (record.served_by, record.attempts, record.error) == ("lab/m", 1, None)
    bench.failure = UpstreamIncomplete()
    await bench.run()
    assert bench.recent.find("id-1", Caller("app")).error == "incomplete"
    bench.failure = None
    bench.bursts, bench.ending = pieces(START, HELLO), Ending(UpstreamIncomplete())
    await bench.run(STREAM)
    assert bench.recent.find("id-1", Caller("app")).error == "midstream"


async def test_a_dialect_may_read_forms_and_answer_with_a_type_of_its_own() -> None:
    def read_form(body: bytes, kind: str, limits: Limits) -> Call:
        call = inbound("openai_chat").read_call(PLAIN, limits)
        call.reply_type = f"text/plain; of={kind.partition('=')[2]}"
        return call

    bench = Bench(side=replace(inbound("openai_chat"), read_form=read_form))
    answer = await bench.run(b"--x", KEY, "content-type: Multipart/Form-Data; boundary=x")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; of=x")
    assert (await bench.run(b"--x", KEY, "content-type: text/plain")).status == 415


async def test_a_dialect_may_read_json_whatever_it_calls_itself() -> None:
    bench = Bench(side=replace(inbound("openai_chat"), any_type=True))
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert (await bench.run(PLAIN, KEY, f"content-type: {kind}")).status == 200


async def test_a_dialect_may_look_for_the_request_id_elsewhere() -> None:
    side = replace(inbound("openai_chat"), id_header=b"request-id")
    for body, status in ((PLAIN, 200), (STREAM, 200), (b"{", 400)):
        answer = await Bench(side=side).run(body)
        assert (answer.status, answer.headers["request-id"], answer.headers["x-request-id"]) == (status, "id-1", "id-1")


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


async def test_headers_that_belong_to_what_is_asked_are_kept_with_the_call() -> None:
    await (bench := Bench(side=replace(inbound("openai_chat"), headers=("x-a",)))).run(PLAIN, KEY, JSON, "x-a: 1")
    assert bench.calls[0].headers == {"x-a": "1"}
