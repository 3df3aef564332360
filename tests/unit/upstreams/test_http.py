"""One exchange with an upstream: what is asked, what becomes an answer, and when the connection is given back."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec import structs

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    RateLimited,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from dragoman.core.events import Event, Finish, Start, Text, Usage
from dragoman.core.message import Message, Request
from dragoman.core.message import Text as TextPart
from dragoman.core.ports import Limits
from dragoman.dialects import inbound, outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners
from dragoman.upstreams.reading import MAX_SILENCE, join
from tests.unit.upstreams.wire import SSE, Wire, Written

PATIENCE = Patience(connect=1, first=2, idle=3, total=100)


def call(stream: str = "") -> Call:
    """Return a call in the chat dialect; `stream` says what follows the messages."""
    body = b'{"model":"mine","messages":[{"role":"user","content":"Hi"}]%b}' % stream.encode()
    made = inbound("openai_chat").read_call(body, Limits())
    made.id = "id-1"
    return made


def upstream(wire: Wire, plain_first: float | None = None, now: float = 1000) -> HttpUpstream:
    manners = Manners([outbound("openai_chat")], b"x-key: k\r\n", PATIENCE, plain_first)
    return HttpUpstream("lab", wire, manners, Clock(lambda: now, lambda: 1234.5))


async def ask(wire: Wire, made: Call) -> Answer:
    return await upstream(wire).ask_model("org/m")(made)


async def failure(wire: Wire, made: Call) -> DragomanError:
    with pytest.raises(DragomanError) as caught:
        await ask(wire, made)
    return caught.value


def frame(delta: str, finish: str = "null") -> bytes:
    top = '"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m"'
    return f'data: {{{top},"choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}\n\n'.encode()


ROLE, HELLO, FINISH = frame('{"role":"assistant","content":""}'), frame('{"content":"Hello"}'), frame("{}", '"stop"')
DONE = b"data: [DONE]\n\n"
JSON_TYPE = b"content-type: application/json\r\n"
USAGE = (
    b'data: {"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'
)
WHOLE = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
START = Start("c-1", "m", 1)
STREAM = ',"stream":true'


async def events_of(answer: Answer) -> list[Event]:
    events = list(answer.first.events)
    if answer.rest is not None:
        async for burst in answer.rest:
            events += burst.events
    return events


async def bytes_of(answer: Answer) -> bytes:
    raw = [answer.first.raw or b""]
    if answer.rest is not None:
        raw += [burst.raw or b"" async for burst in answer.rest]
    return b"".join(raw)


# What is asked


async def test_the_clients_body_is_sent_with_the_upstreams_name_for_the_model() -> None:
    wire, made = Wire(Written([WHOLE])), call()
    await ask(wire, made)
    (asked,) = wire.asked
    assert (asked.method, asked.path, asked.headers) == (b"POST", b"/chat/completions", JSON_TYPE + b"x-key: k\r\n")
    assert asked.body == made.body.replace(b"mine", b"org/m")
    assert (made.attempts, made.served_by) == (1, "lab/org/m")


@pytest.mark.parametrize(
    ("stream", "plain_first", "first"), [(STREAM, None, 2), ("", None, 100), ("", 7, 7), (STREAM, 7, 2)]
)
async def test_a_plain_answer_may_begin_when_all_is_said(stream: str, plain_first: float | None, first: float) -> None:
    wire = Wire(Written([ROLE + HELLO + FINISH + DONE], headers=SSE) if stream else Written([WHOLE]))
    made = call(stream)
    await upstream(wire, plain_first).ask_model("m")(made)
    assert wire.asked[0].patience == Patience(connect=1, first=first, idle=3, total=100)
    assert made.deadline == 1100


async def test_all_attempts_share_one_total() -> None:
    wire, made = Wire(*[UpstreamUnavailable()] * 3), call()
    for now in (1000, 1060, 1200):
        with pytest.raises(UpstreamUnavailable):
            await upstream(wire, now=now).ask_model("m")(made)
    assert [asked.patience.total for asked in wire.asked] == [100, 40, 0.001]
    assert made.attempts == 3


async def test_a_call_in_another_dialect_is_written_anew() -> None:
    request = Request("mine", [Message("user", [TextPart("Hi")])])
    made = Call(b"other", "other", "mine", lambda: [request], stream=False)
    wire = Wire(Written([WHOLE]))
    assert (await ask(wire, made)).first.raw == WHOLE
    assert b'"model":"org/m"' in wire.asked[0].body
    assert b'"Hi"' in wire.asked[0].body


async def test_several_prompts_are_asked_one_by_one() -> None:
    requests = [Request("mine", [Message("user", [TextPart(text)])]) for text in ("one", "two")]
    made = Call(b"other", "other", "mine", lambda: requests, stream=False)
    wire = Wire(Written([WHOLE]), Written([WHOLE]))
    answer = await ask(wire, made)
    assert answer.first.events == [START, Text("Hello"), Text("Hello", 1), Finish("stop"), Finish("stop", 1)]
    assert [text in asked.body for text, asked in zip((b"one", b"two"), wire.asked, strict=True)] == [True, True]
    assert made.attempts == 1


async def test_what_the_client_did_wrong_is_no_attempt() -> None:
    def wrong() -> Sequence[Request]:
        raise BadRequest

    made = Call(b"other", "other", "mine", wrong, stream=False)
    wire = Wire()
    assert isinstance(await failure(wire, made), BadRequest)
    assert (made.attempts, made.served_by, wire.asked) == (0, "", [])


# Plain answers


async def test_a_plain_answer_keeps_its_bytes() -> None:
    reply = Written([WHOLE[:9], WHOLE[9:]])
    answer = await ask(Wire(reply), call())
    assert answer.first == Burst([START, Text("Hello"), Finish("stop")], WHOLE, "openai_chat")
    assert answer.rest is None
    assert reply.done == []
    answer.close()
    assert reply.done == ["close"]


@pytest.mark.parametrize(
    "pieces", [[b"<html>"], [b""], [WHOLE[:9], UpstreamIncomplete(detail="cut")], [UpstreamInvalid()]]
)
async def test_a_broken_plain_answer_may_come_whole_the_second_time(pieces: Sequence[bytes | Exception]) -> None:
    reply = Written(pieces)
    error = await failure(Wire(reply), call())
    assert isinstance(error, UpstreamInvalid)
    assert (error.retry, error.fault, reply.done) == ("once", "invalid", ["close"])


async def test_other_failures_of_a_plain_answer_are_what_they_are() -> None:
    for told in (UpstreamTimeout(), UpstreamTooLarge()):
        reply = Written([told])
        assert await failure(Wire(reply), call()) is told
        assert reply.done == ["close"]
    assert isinstance(await failure(Wire(Written([b'{"error":{"message":"x","code":429}}'])), call()), RateLimited)


# Errors


async def test_an_error_says_what_its_status_means() -> None:
    reply = Written([b'{"error":{"mess', b'age":"busy"}}'], 429, {"retry-after": "7"})
    error = await failure(Wire(reply), call())
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.detail) == (7, "429 busy")
    assert reply.done == ["give 5", "close"]


async def test_of_an_endless_error_only_the_beginning_is_read() -> None:
    reply = Written([b"x" * 60_000] * 9, 500)
    error = await failure(Wire(reply), call())
    assert isinstance(error, UpstreamError)
    assert error.detail == "500 " + "x" * 496
    assert len(await reply.read_all(1_000_000)) == 7 * 60_000, "the rest was left"


async def test_of_an_error_that_breaks_off_the_beginning_counts() -> None:
    error = await failure(Wire(Written([b"half a sen", UpstreamIncomplete()], 503)), call())
    assert (error.status, error.detail) == (503, "503 half a sen")


async def test_a_connection_that_fails_fails_the_ask() -> None:
    told = UpstreamUnavailable()
    assert await failure(Wire(told), call()) is told


# Streams


async def test_a_stream_begins_with_the_first_thing_said() -> None:
    reply = Written([b": hi\n\n", ROLE, HELLO, FINISH + USAGE + DONE], headers=SSE)
    answer = await ask(Wire(reply), call(STREAM))
    assert answer.first == Burst([START, Text("Hello")], ROLE + HELLO, "openai_chat")
    assert reply.done == ["began"]
    assert answer.rest is not None
    bursts = [burst async for burst in answer.rest]
    assert bursts == [Burst([Finish("stop"), Usage(3, 2)], FINISH + USAGE, "openai_chat")]
    answer.close()
    assert reply.done == ["began", "finish"]


async def test_a_stream_in_one_read_is_one_burst() -> None:
    reply = Written([ROLE + HELLO + FINISH + USAGE + DONE], headers=SSE)
    answer = await ask(Wire(reply), call(STREAM))
    assert answer.rest is None
    assert answer.first == Burst(
        [START, Text("Hello"), Finish("stop"), Usage(3, 2)], ROLE + HELLO + FINISH + USAGE, "openai_chat"
    )
    answer.close()
    assert reply.done == ["finish"], "it never waits for more, so no idle time counts"


async def test_a_stream_that_is_left_is_cut() -> None:
    reply = Written([ROLE + HELLO, FINISH + DONE], headers=SSE)
    (await ask(Wire(reply), call(STREAM))).close()
    assert reply.done == ["began", "close"]


@pytest.mark.parametrize("end", [[], [UpstreamIncomplete()], [UpstreamTimeout()]])
async def test_usage_after_the_finish_is_waited_for_a_while(end: Sequence[Exception]) -> None:
    reply = Written([ROLE + HELLO, FINISH, USAGE, *end], headers=SSE)
    answer = await ask(Wire(reply), call(STREAM))
    assert (await events_of(answer))[2:] == [Finish("stop"), Usage(3, 2)]
    assert reply.done == ["began", "give 2"]
    answer.close()
    assert reply.done == ["began", "give 2", "close"]


async def test_a_stream_that_is_finished_at_once_is_not_waited_for_longer() -> None:
    reply = Written([ROLE + HELLO + FINISH, USAGE + DONE], headers=SSE)
    answer = await ask(Wire(reply), call(STREAM))
    assert await bytes_of(answer) == ROLE + HELLO + FINISH + USAGE
    assert reply.done == ["give 2"]


@pytest.mark.parametrize("pieces", [[], [b": ping\n\n"], [ROLE], [DONE], [ROLE, UpstreamIncomplete()]])
async def test_a_stream_that_says_nothing_is_no_answer(pieces: Sequence[bytes | Exception]) -> None:
    reply = Written(pieces, headers=SSE)
    error = await failure(Wire(reply), call(STREAM))
    assert isinstance(error, UpstreamIncomplete)
    assert (error.retry, reply.done) == ("again", ["close"])


class Mute:
    """A reader that is content with anything."""

    finished = done = False

    def feed(self, data: bytes) -> Burst | None:
        return Burst([START], data)

    def end(self) -> Burst | None:
        return None


@pytest.mark.parametrize("pieces", [[], [b"x"]])
async def test_a_stream_that_says_nothing_is_no_answer_even_if_its_reader_is_content(pieces: Sequence[bytes]) -> None:
    def mute(fallback: Start, n: int) -> Mute:
        return Mute()

    dialect = structs.replace(outbound("openai_chat"), reader=mute)
    manners = Manners([dialect], b"", PATIENCE)
    deaf = HttpUpstream("lab", Wire(Written(pieces, headers=SSE)), manners, Clock(lambda: 0, lambda: 0))
    with pytest.raises(UpstreamIncomplete):
        await deaf.ask_model("m")(call(STREAM))


async def test_a_stream_that_says_nothing_at_length_is_too_large() -> None:
    reply = Written([ROLE, *[frame('{"content":""}') * 100] * 99], headers=SSE)
    error = await failure(Wire(reply), call(STREAM))
    assert isinstance(error, UpstreamTooLarge)
    assert reply.done == ["close"]
    assert len(await reply.read_all(10_000_000)) > 4 * MAX_SILENCE, "most of it was not read"


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ([], UpstreamIncomplete),
        ([UpstreamIncomplete()], UpstreamIncomplete),
        ([UpstreamTimeout()], UpstreamTimeout),
        ([b"data: {oops\n\n"], UpstreamInvalid),
        ([b'data: {"error":{"message":"x"}}\n\n'], UpstreamError),
    ],
)
async def test_a_stream_that_breaks_raises_from_its_rest(
    last: Sequence[bytes | Exception], kind: type[DragomanError]
) -> None:
    reply = Written([ROLE + HELLO, *last], headers=SSE)
    answer = await ask(Wire(reply), call(STREAM))
    with pytest.raises(kind):
        await events_of(answer)
    answer.close()
    assert reply.done == ["began", "close"]


@pytest.mark.parametrize(
    "media_type", ["text/event-stream; charset=utf-8", "Text/Event-Stream", "text/event-stream ;a=b"]
)
async def test_a_stream_may_call_itself_so_in_many_ways(media_type: str) -> None:
    reply = Written([ROLE + HELLO + FINISH + DONE], headers={"content-type": media_type})
    assert (await events_of(await ask(Wire(reply), call(STREAM))))[1] == Text("Hello")


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/html"}, {"content-type": "application/x-ndjson"}])
async def test_what_does_not_call_itself_a_stream_is_none(headers: Mapping[str, str]) -> None:
    reply = Written([ROLE + HELLO + FINISH + DONE], headers=headers)
    error = await failure(Wire(reply), call(STREAM))
    assert isinstance(error, UpstreamInvalid)
    assert (error.retry, reply.done) == ("elsewhere", ["close"])


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
async def test_a_whole_answer_to_a_call_for_a_stream_is_told_as_events(media_type: str) -> None:
    reply = Written([WHOLE], headers={"content-type": media_type})
    answer = await ask(Wire(reply), call(STREAM))
    assert answer.first == Burst([START, Text("Hello"), Finish("stop")])
    assert answer.rest is None
    answer.close()
    assert reply.done == ["close"]


async def test_a_broken_answer_to_a_call_for_a_stream_is_not_asked_for_again() -> None:
    error = await failure(Wire(Written([b"<html>"])), call(STREAM))
    assert isinstance(error, UpstreamInvalid)
    assert error.retry == "elsewhere"


async def test_a_fault_that_nobody_foresaw_gives_the_connection_back_too() -> None:
    for stream in ("", STREAM):
        reply = Written([ZeroDivisionError()], headers=SSE)
        with pytest.raises(ZeroDivisionError):
            await ask(Wire(reply), call(stream))
        assert reply.done == ["close"]


def test_two_bursts_become_one() -> None:
    one, two = Burst([START], b"a", "d"), Burst([Text("x")], b"b", "d")
    assert join(one, None) is one
    assert join(one, two) == Burst([START, Text("x")], b"ab", "d")
    assert join(one, Burst([Text("x")])) == Burst([START, Text("x")])
    assert join(Burst([START]), two) == Burst([START, Text("x")], None, "d")


async def test_a_client_that_leaves_while_an_error_is_read_leaves_no_connection() -> None:
    class Left(Exception):
        """Stands for a cancellation."""

    reply = Written([Left()], 500)
    with pytest.raises(Left):
        await ask(Wire(reply), call())
    assert reply.done[-1] == "close"
