"""What a model signs its tool calls with comes back to it, although the client has not kept it."""

from msgspec import Raw

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.events import Event, Finish, Text, ToolDelta
from dragoman.core.message import Message, Request, ToolCall, ToolResult
from dragoman.core.message import Text as Said
from dragoman.stages.signatures import MAX_SIZE, Signatures, keep_signatures

SIGNED = Raw(b'{"google":{"thought_signature":"s1"}}')
OTHER = Raw(b'{"google":{"thought_signature":"s2"}}')


def call_with(*parts: ToolCall, caller: str = "app", model: str = "m") -> Call:
    turns = [
        Message("user", [Said("Hi")]),
        Message("assistant", [Said("Wait."), *parts]),
        Message("tool", [ToolResult("t1", [Said("4")])]),
    ]
    call = Call(b"", "ollama_chat", model, lambda: [Request(model, turns)], stream=True, observers=[])
    call.caller = Caller(caller)
    return call


async def extras_of(signatures: Signatures, call: Call) -> list[dict[str, Raw]]:
    """Return what the upstream is told beside each tool call."""
    seen: list[Request] = []

    async def ask(call: Call) -> Answer:
        seen.append(call.request)
        return Answer(Burst([]), None, lambda: None)

    await keep_signatures(signatures)(ask)(call)
    return [part.extra for turn in seen[0].messages for part in turn.parts if isinstance(part, ToolCall)]


async def say(signatures: Signatures, *events: Event, caller: str = "app") -> None:
    """Let a model answer a call with these events."""
    call = call_with(caller=caller)
    await extras_of(signatures, call)
    for observe in call.observers:
        observe(Burst(list(events)))


async def test_a_signature_comes_back_with_its_call_and_no_other() -> None:
    signatures = Signatures()
    await say(signatures, Text("Hm"), ToolDelta(0, "", "t1", "f", extra=SIGNED), ToolDelta(0, "{}"))
    called = [ToolCall("t1", "f", "{}"), ToolCall("t2", "f", "{}")]
    assert await extras_of(signatures, call_with(*called)) == [{"extra": SIGNED}, {}]


async def test_one_caller_is_never_told_of_another() -> None:
    signatures = Signatures()
    await say(signatures, ToolDelta(0, "", "t1", "f", extra=SIGNED))
    assert await extras_of(signatures, call_with(ToolCall("t1", "f", "{}"), caller="guest")) == [{}]


async def test_a_call_that_has_lost_its_id_is_known_by_its_words() -> None:
    signatures = Signatures()
    pieces = [ToolDelta(0, '{"x":1,', "t1", "f", extra=SIGNED), ToolDelta(0, '"y":[2]}'), ToolDelta(1, "{}", "t2", "g")]
    await say(signatures, Text("Hm"), *pieces, Finish("tool_calls"))
    called = [ToolCall("call_1_0", "f", '{"y": [2], "x": 1}'), ToolCall("call_1_1", "g", "{}")]
    assert await extras_of(signatures, call_with(*called)) == [{"extra": SIGNED}, {}]
    assert await extras_of(signatures, call_with(*called, caller="guest")) == [{}, {}]
    assert await extras_of(signatures, call_with(*called, model="other")) == [{}, {}]
    for other in (ToolCall("call_1_0", "f", '{"x":1,"y":[3]}'), ToolCall("call_1_0", "g", '{"x":1,"y":[2]}')):
        assert await extras_of(signatures, call_with(other)) == [{}]


async def test_only_the_first_call_is_known_by_its_words_and_only_where_none_is_by_its_id() -> None:
    signatures = Signatures()
    await say(signatures, ToolDelta(0, "{}", "t1", "f", extra=SIGNED), Finish("tool_calls"))
    await say(signatures, ToolDelta(0, "", "t2", "g", extra=OTHER), Finish("tool_calls"))
    f, g = ToolCall("call_1_0", "f", "{}"), ToolCall("call_1_1", "g", "{}")
    assert await extras_of(signatures, call_with(g, f)) == [{"extra": OTHER}, {}]
    assert await extras_of(signatures, call_with(g, ToolCall("t1", "f", "{}"))) == [{}, {"extra": SIGNED}]


async def test_arguments_that_are_no_json_are_words_as_they_are() -> None:
    signatures = Signatures()
    await say(signatures, ToolDelta(0, '{"x":', "t1", "f", extra=SIGNED), Finish("length"))
    for arguments, extra in (('{"x":', {"extra": SIGNED}), ('{"x":1', {})):
        assert await extras_of(signatures, call_with(ToolCall("call_1_0", "f", arguments))) == [extra]


async def test_what_the_client_hands_back_itself_stays() -> None:
    signatures = Signatures()
    await say(signatures, ToolDelta(0, "", "t1", "f", extra=SIGNED))
    call = ToolCall("t1", "f", "{}", {"extra": OTHER, "more": OTHER})
    assert await extras_of(signatures, call_with(call)) == [call.extra]


async def test_of_calls_with_one_id_the_last_counts() -> None:
    signatures = Signatures()
    await say(signatures, ToolDelta(0, "", "t1", "f", extra=SIGNED), ToolDelta(1, "", "t1", "f", extra=OTHER))
    assert await extras_of(signatures, call_with(ToolCall("t1", "f", "{}"))) == [{"extra": OTHER}]


async def test_only_so_many_are_kept_and_none_that_is_too_large() -> None:
    signatures = Signatures(2)
    large = Raw(b'"%b"' % (b"a" * MAX_SIZE))
    await say(signatures, ToolDelta(0, "", "large", "f", extra=large), ToolDelta(1, "", "unsigned", "f"))
    assert len(signatures) == 0
    await say(signatures, *(ToolDelta(number, "", f"t{number}", "f", extra=SIGNED) for number in range(3)))
    calls = [ToolCall(f"t{number}", "f", "{}") for number in range(3)]
    assert await extras_of(signatures, call_with(*calls)) == [{}, {"extra": SIGNED}, {"extra": SIGNED}]


async def test_as_long_as_nothing_is_kept_no_body_is_decoded_for_it() -> None:
    decoded: list[str] = []

    def read() -> list[Request]:
        decoded.append("read")
        return []

    async def ask(call: Call) -> Answer:
        return Answer(Burst([]), None, lambda: None)

    await keep_signatures(Signatures())(ask)(Call(b"", "openai_chat", "m", read, stream=False, observers=[]))
    assert decoded == []
