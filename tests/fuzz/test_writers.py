"""Whatever a model says: every dialect of chat tells it by its own rules, in the same bytes however it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, UpstreamError, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.ports import Limits
from dragoman.dialects import inbound, outbound
from tests.conformance.test_matrix import CLIENTS, SPEAKERS
from tests.fuzz.answers import answer, bursts
from tests.fuzz.asking import CLOCK
from tests.fuzz.seeds import STREAMS
from tests.fuzz.test_readers import inventions, mutations, read_stream
from tests.schema import mismatches

RESPONSES = "openai_responses"
CHANCE = st.randoms(use_true_random=False)
ASKS: Mapping[str, bytes] = {
    "anthropic_messages": b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"stream":%b}',
    "ollama_chat": b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":%b}',
    "ollama_generate": b'{"model":"m","prompt":"Hi","stream":%b}',
    "openai_chat": b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"n":2,"stream":%b,'
    b'"stream_options":{"include_usage":true}}',
    "openai_completions": b'{"model":"m","prompt":"Hi","n":2,"stream":%b,"stream_options":{"include_usage":true}}',
    "openai_responses": b'{"model":"m","input":"Hi","stream":%b,"include":["reasoning.encrypted_content"],"tools":'
    b'[{"type":"custom","name":"x"},{"type":"namespace","name":"n","description":"","tools":[{"type":"function","name":"g"}'
    b"]}]}",
}
CHUNKS = {
    "openai_chat": "CreateChatCompletionStreamResponse",
    "openai_completions": "CompletionStreamChunk",
    "openai_responses": "ResponseStreamEvent",
}
WHOLES = {
    "openai_chat": "CreateChatCompletionResponse",
    "openai_completions": "CreateCompletionResponse",
    "openai_responses": "Response",
}
MARKERS = {
    "anthropic_messages": b"event: message_stop\n",
    "ollama_chat": b'"done":true',
    "ollama_generate": b'"done":true',
    "openai_chat": b"\n\ndata: [DONE]",
    "openai_completions": b"\n\ndata: [DONE]",
    "openai_responses": b"event: response.completed\n",
}
"""What says that an answer is whole."""


class Told(Struct, frozen=True):
    """What a client was sent."""

    data: bytes
    error: DragomanError | None


def ask(dialect: str, *, stream: bool) -> Call:
    call = inbound(dialect).read_call(ASKS[dialect] % (b"true" if stream else b"false"), Limits())
    call.id, call.serial, call.clock = "request-1", "ab" * 16, CLOCK
    return call


def tell(dialect: str, groups: list[list[ev.Event]]) -> Told:
    """Write a stream as the endpoint does; an answer that cannot be told is one that broke."""
    writer = inbound(dialect).writer(ask(dialect, stream=True))
    data = b""
    try:
        for group in groups:
            data += writer.write(Burst(group))
        return Told(data + writer.end(), None)
    except UpstreamInvalid as error:
        return Told(data + (writer.fail(error) or b""), error)


def tell_whole(dialect: str, events: list[ev.Event]) -> bytes | None:
    """Write a plain answer, None for one that cannot be told."""
    try:
        return inbound(dialect).write_reply(ask(dialect, stream=False), Burst(events))
    except UpstreamInvalid:
        return None


def see_valid(dialect: str, told: Told) -> None:
    """See that every frame is as OpenAI specifies it."""
    if (definition := CHUNKS.get(dialect)) is None:
        return
    frames = [frame.partition(b"data: ")[2] for frame in told.data.split(b"\n\n")[:-1]]
    assert told.error is not None or frames[-1] == b"[DONE]"
    for frame in frames:
        if frame != b"[DONE]" and not frame.startswith(b'{"error":'):
            assert mismatches(definition, frame) == []


def test_every_dialect_of_chat_is_asked() -> None:
    assert set(ASKS) == set(CLIENTS)


@pytest.mark.parametrize("dialect", ASKS)
@settings(max_examples=120)
@given(chance=CHANCE)
def test_whatever_is_said_is_told_the_same_at_every_cut(dialect: str, chance: Random) -> None:
    events = answer(chance, choices=chance.choice([1, 1, 1, 2]), broken=chance.choice([False, True]))
    one_by_one = tell(dialect, [[event] for event in events])
    see_valid(dialect, one_by_one)
    for told in (tell(dialect, [events]), tell(dialect, bursts(events, chance))):
        assert type(told.error) is type(one_by_one.error)
        if told.error is None:
            assert told.data == one_by_one.data
    if one_by_one.error is not None:
        assert SPEAKERS[dialect].hear_stream(one_by_one.data).broken


@pytest.mark.parametrize("dialect", ASKS)
@settings(max_examples=120)
@given(chance=CHANCE)
def test_a_stream_says_what_the_plain_answer_says(dialect: str, chance: Random) -> None:
    events = answer(chance, choices=chance.choice([1, 1, 1, 2]), back=False)
    if not isinstance(events[-1], ev.Usage):
        events.append(ev.Usage(9, 7))
    assert breaches(events) == []
    told, whole = tell(dialect, [[event] for event in events]), tell_whole(dialect, events)
    assert told.error is None
    assert whole is not None
    if dialect in WHOLES:
        assert mismatches(WHOLES[dialect], whole) == []
    if dialect == RESPONSES:  # the last event holds the plain answer
        assert b'"response":%b,' % whole in told.data.split(b"\n\n")[-3]
        return
    heard = SPEAKERS[dialect].hear_stream(told.data)
    assert not heard.broken
    assert heard == SPEAKERS[dialect].hear(whole)


@pytest.mark.parametrize("dialect", ASKS)
@settings(max_examples=60)
@given(chance=CHANCE)
def test_what_is_taken_back_is_told_in_every_stream(dialect: str, chance: Random) -> None:
    events = answer(chance)
    whole = tell_whole(dialect, events)
    assert whole is not None
    if dialect in WHOLES:
        assert mismatches(WHOLES[dialect], whole) == []
    told = tell(dialect, [[event] for event in events])
    assert told.error is None


@pytest.mark.parametrize("dialect", ASKS)
@settings(max_examples=60)
@given(chance=CHANCE)
def test_an_answer_that_breaks_anywhere_is_told_as_broken(dialect: str, chance: Random) -> None:
    events = answer(chance)
    kept = events[: chance.randint(0, len(events) - 1)]
    side = inbound(dialect)
    writer = side.writer(ask(dialect, stream=True))
    data = b""
    try:
        for event in kept:
            data += writer.write(Burst([event]))
    except UpstreamInvalid:
        pass
    data += writer.fail(UpstreamError("it broke")) or b""
    assert SPEAKERS[dialect].hear_stream(data).broken
    assert MARKERS[dialect] not in data


@pytest.mark.parametrize("dialect", ASKS)
@settings(max_examples=60)
@given(stream=mutations([seed for seed in STREAMS if seed.dialect == "openai_chat"]) | inventions())
def test_what_was_read_of_a_hostile_stream_can_be_written(dialect: str, stream: tuple[str, bytes]) -> None:
    upstream, data = stream
    heard = read_stream(outbound(upstream), data, [])
    told = tell(dialect, [heard.events])
    lines = told.data.split(b"\n" if dialect.startswith("ollama_") else b"\n\n")
    assert lines.pop() == b""
    for line in lines:
        payload = line if line.startswith(b"{") else line.partition(b"data: ")[2]
        assert payload == b"[DONE]" or msgspec.json.decode(payload)
    if heard.error is None and any(isinstance(event, ev.Finish) for event in heard.events):
        whole = tell_whole(dialect, heard.events)
        assert whole is None or msgspec.json.decode(whole)
