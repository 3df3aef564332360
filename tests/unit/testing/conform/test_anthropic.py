"""The rules of Messages: good answers pass, and each way to break one is told by its field."""

import pytest

from dragoman.testing.conform.anthropic import WIRE, write
from dragoman.testing.conform.field import read_json
from dragoman.testing.conform.question import Question, Said, Use
from dragoman.testing.conform.verdict import Broken
from tests.unit.testing.conform.spoil import PLAIN, expect_mismatch, read_plain, read_stream, spoil

HEAD = '"id":"msg_1","type":"message","role":"assistant","model":"m"'
USAGE = '"usage":{"input_tokens":6,"cache_read_input_tokens":3,"cache_creation_input_tokens":null,"output_tokens":2}'
THINKING = '{"type":"thinking","thinking":"Hm","signature":"s"}'
CALL = '{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}'
REPLY = (
    f'{{{HEAD},"content":[{THINKING},{{"type":"text","text":"Hello"}},{CALL}],'
    f'"stop_reason":"tool_use","stop_sequence":null,{USAGE}}}'
)
SAID = Said("Hello", "Hm", [Use("toolu_1", "f", '{"a":1}')], "tools", (9, 2))


def event(kind: str, members: str = "") -> str:
    return f'event: {kind}\ndata: {{"type":"{kind}"{"," if members else ""}{members}}}\n\n'


def block(index: int, opening: str, *deltas: str) -> str:
    pieces = [event("content_block_delta", f'"index":{index},"delta":{{{delta}}}') for delta in deltas]
    start = event("content_block_start", f'"index":{index},"content_block":{{{opening}}}')
    return "".join([start, *pieces, event("content_block_stop", f'"index":{index}')])


MESSAGE = f'"message":{{{HEAD},"content":[],"stop_reason":null,"usage":{{"input_tokens":0,"output_tokens":1}}}}'
START = event("message_start", MESSAGE)
THOUGHT = block(
    0,
    '"type":"thinking","thinking":"","signature":""',
    '"type":"thinking_delta","thinking":"Hm"',
    '"type":"signature_delta","signature":"s"',
)
TEXT = block(1, '"type":"text","text":""', '"type":"text_delta","text":"Hel"', '"type":"text_delta","text":"lo"')
PIECES = ('"type":"input_json_delta","partial_json":"{\\"a\\""', '"type":"input_json_delta","partial_json":":1}"')
USE = block(2, '"type":"tool_use","id":"toolu_1","name":"f","input":{}', *PIECES)
DELTA = event("message_delta", f'"delta":{{"stop_reason":"tool_use","stop_sequence":null}},{USAGE}')
STOP = event("message_stop")
STREAM = START + event("ping") + THOUGHT + TEXT + USE + DELTA + STOP
FAULT = '{"type":"error","error":{"type":"overloaded_error","message":"broken"},"request_id":"req_1"}'


def test_good_answers_pass() -> None:
    assert read_plain(WIRE, REPLY) == SAID
    SAID.pieces = 2
    assert read_stream(WIRE, STREAM) == SAID
    silent = START + block(0, '"type":"tool_use","id":"t","name":"f","input":{}') + DELTA + STOP
    assert read_stream(WIRE, silent).uses == [Use("t", "f", "{}")]


def test_a_stop_sequence_is_told_when_it_was_the_reason() -> None:
    stopped = spoil(REPLY, '"tool_use","stop_sequence":null', '"stop_sequence","stop_sequence":"x"')
    assert read_plain(WIRE, stopped, Question(model="m", stop="x")).finish == "stop"
    expect_mismatch(lambda: read_plain(WIRE, stopped, Question(model="m", stop="y")), 'stop_sequence: expected "y"')


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"type":"message"', '"type":"reply"', "type: expected"),
        ('"role":"assistant",', "", "role: expected"),
        (',"signature":"s"', "", "content[0].signature: expected a string"),
        ('"Hello"', "null", "content[1].text: expected a string"),
        ('{"a":1}', '"{}"', "content[2].input: expected an object"),
        ('"type":"text"', '"type":"words"', "content[1].type: expected"),
        ('"tool_use","stop_sequence"', '"stop","stop_sequence"', "stop_reason: expected"),
        ('"stop_sequence":null', '"stop_sequence":"x"', "stop_sequence: expected null"),
        ('"output_tokens":2', '"output_tokens":null', "usage.output_tokens: expected an integer"),
    ],
)
def test_a_plain_answer_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_plain(WIRE, spoil(REPLY, old, new)), told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (STOP, "", 'events[14].type: expected "message_stop", got "message_delta"'),
        (DELTA, "", 'events[13].type: expected "message_delta", got "content_block_stop"'),
        (START, "", 'events[0].type: expected "message_start", got "ping"'),
        (THOUGHT + TEXT + USE + DELTA + STOP, "", "stream: expected message_start, message_delta, message_stop"),
        (STOP, STOP + "data: [DONE]\n\n", "events[16]: expected JSON"),
        ("event: content_block_stop\n", "", 'events[5].event: expected "content_block_stop", got ""'),
        (event("content_block_stop", '"index":0'), "", "events[5].type: expected"),
        (event("content_block_stop", '"index":2'), "", "stream: expected content_block_stop"),
        ('"index":1', '"index":2', "events[6].index: expected 1, got 2"),
        ('"text":""', '"text":"He"', "events[6].content_block.text: expected"),
        ("text_delta", "thinking_delta", 'events[7].delta.type: expected "text_delta"'),
        ("{}", '{"a":1}', "events[10].content_block.input: expected {}"),
        (':1}"', ':1"', "events[10].content_block.input: expected JSON"),
        (STOP, f"event: error\ndata: {FAULT}\n\n{STOP}", "events[15]: expected nothing after an error"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_stream(WIRE, spoil(STREAM, old, new)), told)


def test_an_error_in_a_stream_is_told() -> None:
    with pytest.raises(Broken, match="broken"):
        read_stream(WIRE, f"{START}event: error\ndata: {FAULT}\n\n")


def test_the_type_of_an_error_fits_its_status() -> None:
    error = read_json(FAULT.encode())
    assert WIRE.read_error(error, 529) == "broken"
    expect_mismatch(lambda: WIRE.read_error(error, 404), 'error.type: expected "not_found_error"')


def test_a_request_says_what_is_asked() -> None:
    assert write(PLAIN).keys() == {"model", "max_tokens", "messages"}
    body = write(Question(model="m", stream=True, tools=True, form=True, image=True, think=True, stop="x", limit=5))
    assert body["max_tokens"] == 5
    assert body.keys() == {
        *("model", "max_tokens", "messages", "stream", "tools"),
        *("tool_choice", "output_config", "thinking", "stop_sequences"),
    }
