"""Reading what an upstream answers."""

from collections.abc import Sequence

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.errors import (
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from dragoman.core.events import Event, Finish, Start, Text
from dragoman.dialects import outbound
from dragoman.upstreams.reading import (
    MAX_ERROR_BODY,
    MAX_SILENCE,
    join,
    read_at_once,
    read_error_body,
    read_own_type,
    read_plain,
    read_stream,
    read_to_end,
)
from tests.unit.upstreams.wire import Written

START, FINISH = Start("1", "m", 1), Finish("stop")
WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
CHAT = outbound("openai_chat")


class Letters:
    """Reads a stream of which every letter is a text, but ``.`` a finish, ``!`` the end mark and blank nothing."""

    def __init__(self) -> None:
        self.finished = self.done = self.begun = False

    def feed(self, data: bytes) -> Burst | None:
        events: list[Event] = [] if self.begun else [START]
        self.begun = True
        for letter in data.decode().strip():
            if letter == "!":
                self.done = True
            elif letter == ".":
                self.finished = True
                events.append(FINISH)
            else:
                events.append(Text(letter))
        return Burst(events, data) if data.strip() or events else None

    def end(self) -> Burst | None:
        if not (self.done or self.finished):
            raise UpstreamIncomplete
        return Burst([Text("end")], b"end")


async def all_of(answer: Answer) -> str:
    """Return the texts of an answer, read to its end and closed."""
    said = list(answer.first.events)
    if answer.rest is not None:
        async for burst in answer.rest:
            said += burst.events
    answer.close()
    return "".join(event.text for event in said if isinstance(event, Text))


async def test_a_plain_answer_is_one_burst_and_may_come_whole_the_second_time() -> None:
    reply = Written([WHOLE])
    answer = await read_plain(reply, CHAT, START)
    assert (answer.first.raw, answer.rest) == (WHOLE, None)
    answer.close()
    assert reply.done == ["close"]
    for broken in (b"<html>", WHOLE[:40], b'{"choices":[]}'):
        with pytest.raises(UpstreamInvalid) as caught:
            await read_plain(Written([broken]), CHAT, START)
        assert caught.value.retry == "once"


async def test_a_whole_answer_in_the_place_of_a_stream_has_no_bytes_that_could_pass_for_frames() -> None:
    answer = await read_at_once(Written([WHOLE]), CHAT, START)
    assert (answer.first.raw, await all_of(answer)) == (None, "Hello")


async def test_a_stream_is_an_answer_once_it_has_said_something() -> None:
    reply = Written([b" ", b"a", b"b.", b"!"])
    answer = await read_stream(reply, Letters())
    assert answer.first == Burst([START, Text("a")], b" a")
    assert reply.done == ["began"]
    assert await all_of(answer) == "abend"
    assert reply.done == ["began", "give 2", "finish"], "with its end mark, the connection is good for more"


@pytest.mark.parametrize(
    ("pieces", "closed"), [([b"a."], "close"), ([b"a.", UpstreamTimeout()], "close"), ([b"a.", b"!"], "finish")]
)
async def test_what_has_its_finish_is_complete(pieces: Sequence[bytes | Exception], closed: str) -> None:
    reply = Written(pieces)
    assert await all_of(await read_stream(reply, Letters())) == "aend"
    assert reply.done[-1] == closed


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ([], UpstreamIncomplete),
        ([b" "], UpstreamIncomplete),
        ([UpstreamTimeout()], UpstreamTimeout),
        ([b" " * MAX_SILENCE, b" "], UpstreamTooLarge),
    ],
)
async def test_a_stream_that_says_nothing_is_no_answer(
    pieces: Sequence[bytes | Exception], error: type[UpstreamError]
) -> None:
    class Mute(Letters):
        def feed(self, data: bytes) -> Burst | None:
            return Burst([], data)

    with pytest.raises(error):
        await read_stream(Written(pieces), Mute())


async def test_a_stream_that_breaks_off_raises_where_it_does() -> None:
    answer = await read_stream(Written([b"a", b"b"]), Letters())
    with pytest.raises(UpstreamIncomplete):
        await all_of(answer)


async def test_a_stream_for_a_client_that_wants_it_whole_is_promised_at_its_end() -> None:
    reply = Written([b"a", b"b", b"c.", b"!"])
    answer = await read_to_end(reply, Letters())
    assert (answer.rest, answer.first.raw) == (None, None)
    assert await all_of(answer) == "abcend"
    reply = Written([b"a."])
    assert await all_of(await read_to_end(reply, Letters())) == "aend"
    reply = Written([b"a", b"b"])
    with pytest.raises(UpstreamIncomplete):
        await read_to_end(reply, Letters())
    assert reply.done[-1] == "close"


def test_bursts_are_joined_with_their_bytes_if_both_have_them() -> None:
    one, other = Burst([Text("a")], b"a", "x"), Burst([Text("b")], b"b", "x")
    assert join(one, None) is one
    assert join(one, other) == Burst([Text("a"), Text("b")], b"ab", "x")
    assert join(one, Burst([Text("b")])).raw is None


def test_an_answer_of_bytes_has_its_own_type_but_is_no_web_page() -> None:
    assert read_own_type(Written([], headers={"content-type": "audio/wav; rate=1"}), "audio/wav") == "audio/wav; rate=1"
    with pytest.raises(UpstreamInvalid):
        read_own_type(Written([], headers={"content-type": "text/html"}), "text/html")


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ([b"a", b"b"], b"ab"),
        ([b"a", UpstreamTimeout()], b"a"),
        ([b"x" * MAX_ERROR_BODY, b"y"], b"x" * MAX_ERROR_BODY),
        ([b"x" * (MAX_ERROR_BODY + 1)], b"x" * MAX_ERROR_BODY),
    ],
)
async def test_of_an_error_its_beginning_is_read(pieces: Sequence[bytes | Exception], body: bytes) -> None:
    reply = Written(pieces)
    assert await read_error_body(reply) == body
    assert reply.done == ["give 5"]
