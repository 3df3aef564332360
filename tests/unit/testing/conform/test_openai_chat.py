"""The rules of chat completions: good answers pass, and each way to break one is told by its field."""

import pytest

from dragoman.testing.conform.field import read_json
from dragoman.testing.conform.openai_chat import WIRE, read_error, read_vectors, write
from dragoman.testing.conform.question import Question, Said, Use
from dragoman.testing.conform.verdict import Broken
from tests.unit.testing.conform.spoil import STREAM, expect_mismatch, read_plain, read_stream, spoil

USAGE = '"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}'
MESSAGE = '"message":{"role":"assistant","content":"Hello","reasoning_content":"Hm"}'
CALL = '{"id":"call_a","type":"function","function":{"name":"f","arguments":"{}"}}'
REPLY = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m",'
    f'"choices":[{{"index":0,{MESSAGE},"finish_reason":"stop"}}],{USAGE}}}'
)
HEAD = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m"'


def chunk(delta: str, finish: str = "null") -> str:
    return f'data: {{{HEAD},"choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}]}}\n\n'


ROLE, HEL, LO, END = chunk('"role":"assistant"'), chunk('"content":"Hel"'), chunk('"content":"lo"'), chunk("", '"stop"')
TEXT = f"{ROLE}{HEL}{LO}{END}data: [DONE]\n\n"
TOTAL = f'data: {{{HEAD},"choices":[],{USAGE}}}\n\n'
FIRST = chunk('"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]')
SECOND = chunk('"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]')
PIECE = chunk('"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]')
TOOLS = f"{ROLE}{FIRST}{PIECE}{SECOND}{chunk('', chr(34) + 'tool_calls' + chr(34))}data: [DONE]\n\n"
ERROR = '{"error":{"message":"m","type":"t","param":null,"code":"c"}}'
FAULT = 'data: {"error":{"message":"broken","type":"server_error","param":null,"code":null}}\n\n'


def test_a_plain_answer_passes() -> None:
    assert read_plain(WIRE, REPLY) == Said("Hello", "Hm", finish="stop", tokens=(9, 2))
    tools = spoil(REPLY, MESSAGE, f'"message":{{"role":"assistant","content":null,"tool_calls":[{CALL}]}}')
    said = read_plain(WIRE, spoil(tools, '"stop"', '"tool_calls"'))
    assert said == Said(uses=[Use("call_a", "f", "{}")], finish="tools", tokens=(9, 2))


def test_what_was_put_together_of_a_stream_needs_no_usage() -> None:
    assert read_plain(WIRE, spoil(REPLY, f",{USAGE}", ""), STREAM).tokens == (0, 0)


def test_a_stream_passes() -> None:
    assert read_stream(WIRE, TEXT) == Said("Hello", finish="stop", pieces=2)
    assert read_stream(WIRE, TOOLS) == Said(uses=[Use("a", "f", "{}"), Use("b", "g", "{}")], finish="tools")
    usage = Question(model="m", stream=True, usage=True)
    assert read_stream(WIRE, spoil(TEXT, "data: [D", f"{TOTAL}data: [D"), usage).tokens == (9, 2)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("chat.completion", "text_completion", "object: expected"),
        ('"chatcmpl-1"', '""', "id: expected"),
        ('"created":1', '"created":"1"', "created: expected an integer"),
        ('"index":0', '"index":1', "choices[0].index: expected 0"),
        ('"assistant"', '"model"', "choices[0].message.role: expected"),
        ('"Hello"', "null", "choices[0].message.content: expected a string, got null"),
        ('"Hello"', '"", "tool_calls":null', "choices[0].message.tool_calls: expected an array"),
        ('"stop"', '"end"', "choices[0].finish_reason: expected"),
        ('"total_tokens":11', '"total_tokens":12', "usage.total_tokens: expected 11, got 12"),
        (USAGE, '"usage":null', "usage: expected an object"),
    ],
)
def test_a_plain_answer_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_plain(WIRE, spoil(REPLY, old, new)), told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"content":"lo"', '"content":"lo","role":"assistant"', "events[2].choices[0].delta.role: expected nothing"),
        (ROLE, "", 'events[0].choices[0].delta.role: expected "assistant", got nothing'),
        ("data: [DONE]\n\n", "", "stream: expected [DONE] once, at the end"),
        (TEXT, "", "stream: expected a blank line"),
        (TEXT, ": nothing\n\n", "stream: expected [DONE] once, at the end, got no event"),
        ("data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n", "stream: expected [DONE] once, at the end"),
        (END, "", "stream: expected a finish_reason"),
        (END, END + LO, "events[4]: expected nothing but usage after finish_reason"),
        (END, END + TOTAL, "events[4].usage: expected nothing"),
        (END, f'{END}data: {{{HEAD},"choices":[]}}\n\n', "events[4].choices: expected one item"),
        (HEL, "event: chunk\n" + HEL, "events[1]: expected no event line, got chunk"),
        (HEL, spoil(HEL, "chatcmpl-1", "chatcmpl-2"), 'events[1].id: expected "chatcmpl-1", got "chatcmpl-2"'),
        (HEL, spoil(HEL, ".chunk", ""), "events[1].object: expected"),
        ('"content":"lo"', '"reasoning":"lo"', "events[2].choices[0].delta: expected thoughts before the text"),
        (END, FAULT + END, "events[3]: expected nothing after an error"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_stream(WIRE, spoil(TEXT, old, new)), told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"index":0,"function"', '"index":0,"id":"a","function"', "events[2].choices[0].delta.tool_calls[0].id"),
        ('"index":0,"function"', '"index":2,"function"', "events[2].choices[0].delta.tool_calls[0].index: expected 1"),
        ('"index":1,"id"', '"id"', "events[3].choices[0].delta.tool_calls[0].index: expected an integer"),
        ('"id":"b"', '"id":null', "events[3].choices[0].delta.tool_calls[0].id: expected a string"),
    ],
)
def test_calls_that_break_a_rule_are_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_stream(WIRE, spoil(TOOLS, old, new)), told)


def test_a_stream_that_was_asked_for_its_usage_has_to_tell_it() -> None:
    usage = Question(model="m", stream=True, usage=True)
    expect_mismatch(lambda: read_stream(WIRE, TEXT, usage), "events[3].choices: expected []")
    expect_mismatch(lambda: read_stream(WIRE, "data: [DONE]\n\n", usage), "events: expected an object")


def test_an_error_in_a_stream_is_told() -> None:
    with pytest.raises(Broken, match="broken"):
        read_stream(WIRE, ROLE + HEL + FAULT)
    expect_mismatch(lambda: read_stream(WIRE, ROLE + 'data: {"error":"broken"}\n\n'), "events[1].error: expected")


def test_an_error_has_its_four_members() -> None:
    assert read_error(read_json(ERROR.encode()), 400) == "m"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"param":null,', "", "error.param: expected a value, or null"),
        ('"c"', "404", "error.code: expected a string"),
        ('"m"', "null", "error.message: expected"),
    ],
)
def test_an_error_that_lacks_one_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_error(read_json(spoil(ERROR, old, new).encode()), 400), told)


def test_embeddings_stand_in_their_order() -> None:
    good = '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0.5]}],"usage":{"prompt_tokens":1}}'
    assert read_vectors(read_json(good.encode())) == [[1, 0.5]]
    bad = spoil(good, '"index":0', '"index":1').encode()
    expect_mismatch(lambda: read_vectors(read_json(bad)), "data[0].index: expected 0")


def test_a_request_says_what_is_asked() -> None:
    assert write(Question(model="m", prompt="Hi")) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    everything = write(
        Question(model="m", stream=True, usage=True, tools=True, form=True, image=True, think=True, stop="x", limit=5)
    )
    assert everything.keys() == {
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice"),
        *("response_format", "reasoning_effort", "stop", "max_completion_tokens"),
    }
    assert "stream_options" not in write(STREAM)
