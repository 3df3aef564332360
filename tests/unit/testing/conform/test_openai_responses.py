"""The rules of Responses: good answers pass, and each way to break one is told by its field."""

import pytest

from dragoman.testing.conform.openai_responses import WIRE, write
from dragoman.testing.conform.question import Question, Said, Use
from dragoman.testing.conform.verdict import Broken, NotApplicable
from tests.unit.testing.conform.spoil import PLAIN, expect_mismatch, read_plain, read_stream, spoil

USAGE = '"usage":{"input_tokens":9,"output_tokens":2,"total_tokens":11}'
REST = (
    '"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"parallel_tool_calls":true,'
    '"previous_response_id":null,"temperature":null,"tool_choice":"auto","tools":[],"top_p":null'
)
THOUGHT = '"summary":[{"type":"summary_text","text":"Hm"}]'
THINKING = f'{{"id":"rs_1","type":"reasoning",{THOUGHT},"content":[]}}'
TEXT = '{"type":"output_text","text":"Hello","annotations":[]}'
MESSAGE = f'{{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{TEXT}]}}'
CALL = '{"id":"fc_1","type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}'


def response(status: str, output: str, usage: str = USAGE) -> str:
    head = '"id":"resp_1","object":"response","created_at":1,"model":"m"'
    return f'{{{head},"status":"{status}",{REST},"output":[{output}],{usage}}}'


REPLY = response("completed", f"{THINKING},{MESSAGE},{CALL}")
SAID = Said("Hello", "Hm", [Use("call_1", "f", "{}")], "tools", (9, 2))
ITEM = '"output_index":1,"item_id":"msg_1"'
PART = f'{ITEM},"content_index":0'
OPEN = '"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]'
EVENTS = (
    ("created", f'"response":{response("in_progress", "", chr(34) + "usage" + chr(34) + ":null")}'),
    ("output_item.added", '"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}'),
    ("reasoning_summary_text.delta", '"output_index":0,"item_id":"rs_1","summary_index":0,"delta":"Hm"'),
    ("output_item.done", f'"output_index":0,"item":{THINKING}'),
    ("output_item.added", f'"output_index":1,"item":{{{OPEN}}}'),
    ("content_part.added", f'{PART},"part":{spoil(TEXT, "Hello", "")}'),
    ("output_text.delta", f'{PART},"delta":"Hel"'),
    ("output_text.delta", f'{PART},"delta":"lo"'),
    ("output_text.done", f'{PART},"text":"Hello"'),
    ("output_item.done", f'"output_index":1,"item":{MESSAGE}'),
    ("output_item.added", f'"output_index":2,"item":{spoil(CALL, "{}", "")}'),
    ("function_call_arguments.delta", '"output_index":2,"item_id":"fc_1","delta":"{}"'),
    ("output_item.done", f'"output_index":2,"item":{CALL}'),
    ("completed", f'"response":{REPLY}'),
)


def event(number: int, kind: str, members: str) -> str:
    kind = f"response.{kind}"
    return f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{number},{members}}}\n\n'


LINES = [event(number, *item) for number, item in enumerate(EVENTS)]
STREAM = "".join(LINES) + "data: [DONE]\n\n"


def test_good_answers_pass() -> None:
    assert read_plain(WIRE, REPLY) == SAID
    assert read_plain(WIRE, response("completed", MESSAGE)).finish == "stop"
    cut = spoil(response("incomplete", MESSAGE), '_details":null', '_details":{"reason":"max_output_tokens"}')
    assert read_plain(WIRE, cut).finish == "length"
    bare = '{"id":"rs_1","type":"reasoning","summary":[]}'
    assert read_plain(WIRE, response("completed", bare)).thinking == ""


def test_a_stream_passes_with_and_without_an_end_mark() -> None:
    SAID.pieces = 2
    assert read_stream(WIRE, STREAM) == read_stream(WIRE, "".join(LINES)) == SAID


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"object":"response"', '"object":"reply"', "object: expected"),
        ('"resp_1"', "1", "id: expected a string"),
        ('"completed"', '"done"', "status: expected"),
        ('"top_p":null', '"top":null', "top_p: expected a value, or null"),
        ('"annotations":[]', '"annotations":null', "output[1].content[0].annotations: expected an array"),
        ('"type":"function_call"', '"type":"call"', "output[2].type: expected"),
        ('"call_id":"call_1",', "", "output[2].call_id: expected a string"),
        ('"total_tokens":11', '"total_tokens":9', "usage.total_tokens: expected 11"),
    ],
)
def test_a_plain_answer_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_plain(WIRE, spoil(REPLY, old, new)), told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("event: response.created\n", "", 'events[0].event: expected "response.created", got ""'),
        ('"sequence_number":6', '"sequence_number":7', "events[6].sequence_number: expected 6, got 7"),
        (LINES[0] + LINES[1], event(0, *EVENTS[1]), "events[1].sequence_number: expected 1"),
        (LINES[13], "", "events[12]: expected a terminal event, at the end"),
        (LINES[13], LINES[13] + event(14, "queued", '"a":1'), "events[13]: expected a terminal event, at the end"),
        (STREAM, "data: [DONE]\n\n", "stream: expected an object"),
        ('"id":"resp_1"', '"id":"resp_2"', 'events[0].response.id: expected "resp_1", got "resp_2"'),
        ('"output_index":2,"item":', '"output_index":3,"item":', "events[10].output_index: expected 2"),
        (LINES[6], spoil(LINES[6], '_index":1', '_index":2'), "events[6]: expected response.output_item.added"),
        (LINES[6], spoil(LINES[6], "msg_1", "rs_1"), 'events[6].item_id: expected "msg_1"'),
        (LINES[6], event(6, "function_call_arguments.delta", EVENTS[6][1]), "events[4].item.type: expected"),
        (LINES[5], event(5, "queued", '"a":1'), "events[6]: expected response.content_part.added before it"),
        (LINES[5], spoil(LINES[5], '"content_index":0', '"content_index":1'), "events[5].content_index: expected 0"),
        ('"delta":"Hel"', '"delta":"Hal"', 'events[13].response.output[1]: expected what its deltas said: "Hallo"'),
        (f"{THINKING},{MESSAGE},{CALL}", MESSAGE, "response.output: expected 3 items, as announced, got 1 items"),
        (LINES[12], spoil(LINES[12], "call_1", "call_2"), 'events[12].item.call_id: expected "call_1"'),
        (EVENTS[13][1], spoil(EVENTS[13][1], "completed", "incomplete"), "events[13].response.status: expected"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_stream(WIRE, spoil(STREAM, old, new)), told)


def test_a_stream_has_to_begin_with_its_creation() -> None:
    late = event(0, "in_progress", '"response":{"id":"resp_1"}') + event(1, *EVENTS[13])
    expect_mismatch(lambda: read_stream(WIRE, late), 'events[0].type: expected "response.created"')


def test_an_error_in_a_stream_is_told() -> None:
    failed = spoil(response("failed", ""), '"error":null', '"error":{"code":"server_error","message":"broken"}')
    with pytest.raises(Broken, match="broken"):
        read_stream(WIRE, LINES[0] + event(1, "failed", f'"response":{failed}'))


def test_a_request_says_what_is_asked() -> None:
    assert write(PLAIN).keys() == {"model", "input"}
    body = write(Question(model="m", stream=True, tools=True, form=True, image=True, think=True, limit=16))
    assert body.keys() == {
        *("model", "input", "stream", "tools", "tool_choice", "text", "reasoning", "max_output_tokens"),
    }
    with pytest.raises(NotApplicable, match="stop"):
        write(Question(model="m", stop="x"))
