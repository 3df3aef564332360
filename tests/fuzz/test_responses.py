"""Anything a model may say, as a stream of Responses: always as specified, always what the plain answer says."""

from __future__ import annotations

import random

import msgspec
import pytest
from msgspec import UNSET
from openai import omit
from openai.lib.streaming.responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.ports import Limits
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.writer import DONE, Writer, write_reply
from tests.schema import mismatches

BODY = b"""{"model":"m","input":"Hi","stream":true,"reasoning":{"summary":"auto"},"tools":[{"type":"custom","name":"c"},
{"type":"namespace","name":"n","description":"","tools":[{"type":"function","name":"g"}]}],
"include":["reasoning.encrypted_content"]}"""
_event: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


def make_call() -> Call:
    call = read_call(BODY, Limits())
    call.serial = "ab" * 16
    return call


def say(chance: random.Random, tools: int) -> ev.Event:
    """Return anything a model may say that has called so many tools."""
    said: list[ev.Event] = [
        ev.Text(chance.choice(["a", "é\n", "😀"])),
        ev.Refusal("n"),
        ev.Thinking(chance.choice(["", "t"]), signature="S" if chance.random() < 0.5 else UNSET),
        ev.Thinking("", signature="R", redacted=True),
        ev.ToolDelta(tools, chance.choice(["", "{", '{"input":"x']), f"c{tools}", chance.choice(["f", "c", "n__g"])),
        ev.Media("image/png", chance.choice(["", "AAAA"]), chance.choice(["", "https://x.test"])),
        ev.Replace(chance.choice(["", "a", "ab"])),
        ev.Note("suggestion", "x"),
    ]
    if tools:
        said.append(ev.ToolDelta(chance.randrange(tools), chance.choice(["", '"', "\\", 'x"}'])))
    return chance.choice(said)


def answer(chance: random.Random) -> list[ev.Event]:
    events: list[ev.Event] = [ev.Start("c", "m", 5)]
    tools = 0
    for _ in range(chance.randint(0, 12)):
        event = say(chance, tools)
        tools += isinstance(event, ev.ToolDelta) and event.index == tools
        events.append(event)
    return [*events, ev.Finish(chance.choice(["stop", "length", "tool_calls", "content_filter"])), ev.Usage(1, 2)]


@pytest.mark.parametrize("seed", range(60))
def test_every_stream_is_as_specified_and_ends_in_the_plain_answer(seed: int) -> None:
    events = answer(random.Random(seed))
    writer = Writer(make_call())
    written = b"".join([writer.write(Burst([event])) for event in events]) + writer.end()
    told = [frame.partition(b"\ndata: ")[2] for frame in written.removesuffix(DONE).split(b"\n\n")[:-1]]
    state = ResponseStreamState(input_tools=[], text_format=omit)
    for number, data in enumerate(told):
        assert mismatches("ResponseStreamEvent", data) == []
        assert msgspec.json.decode(data, type=dict[str, msgspec.Raw])["sequence_number"] == msgspec.Raw(b"%d" % number)
        state.handle_event(_event.validate_json(data))  # raises for an item whose identity changes, and much more
    plain = write_reply(make_call(), Burst(events))
    assert mismatches("Response", plain) == []
    assert b'"response":%b,' % plain in told[-1]
