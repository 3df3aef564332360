"""The rules of Ollama's chat: good answers pass, and each way to break one is told by its field."""

import pytest

from dragoman.testing.conform.field import Field, read_json
from dragoman.testing.conform.ollama import WIRE, write
from dragoman.testing.conform.question import Question, Said, Use
from dragoman.testing.conform.verdict import Broken
from tests.unit.testing.conform.spoil import STREAM, expect_mismatch, read_plain, read_stream, spoil

LINES = "application/x-ndjson"
HEAD = '"model":"m","created_at":"2026-01-01T00:00:00.5Z"'
TAIL = '"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":9,"eval_count":2'
REPLY = f'{{{HEAD},"message":{{"role":"assistant","content":"Hello","thinking":"Hm"}},{TAIL}}}'


def line(message: str) -> str:
    return f'{{{HEAD},"message":{{"role":"assistant",{message}}},"done":false}}\n'


THOUGHT, HEL, LO = line('"content":"","thinking":"Hm"'), line('"content":"Hel"'), line('"content":"lo"')
CALL = '{"id":"call_a","function":{"index":0,"name":"f","arguments":{"a":1}}}'
CALLS = line(f'"content":"","tool_calls":[{CALL}]')
END = f'{{{HEAD},"message":{{"role":"assistant","content":""}},{TAIL}}}\n'
TEXT = THOUGHT + HEL + LO + END


def read(body: str) -> Said:
    return read_stream(WIRE, body, STREAM, LINES)


def test_good_answers_pass() -> None:
    assert read_plain(WIRE, REPLY) == Said("Hello", "Hm", finish="stop", tokens=(9, 2), pieces=1)
    assert read_plain(WIRE, spoil(REPLY, '"stop"', '"length"')).finish == "length"
    assert read(TEXT) == Said("Hello", "Hm", finish="stop", tokens=(9, 2), pieces=2)
    assert read(CALLS + END) == Said(uses=[Use("call_a", "f", '{"a":1}')], finish="tools", tokens=(9, 2))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"Hello"', "null", "message.content: expected a string"),
        ('"model":"m"', '"model":"m:latest"', 'model: expected "m"'),
        ('"2026-01-01T00:00:00.5Z"', "1", "created_at: expected a string"),
        ("2026-01-01T", "2026-01-01 ", "created_at: expected a time as in RFC 3339"),
        ('"done":true', '"done":true,"error":null', "error: expected nothing, got null"),
        ('"stop"', '"tool_calls"', 'done_reason: expected "stop" or "length"'),
        ('"total_duration":9', '"total_duration":9.5', "total_duration: expected an integer"),
        ('"eval_count":2', '"eval_count":null', "eval_count: expected an integer"),
    ],
)
def test_a_plain_answer_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read_plain(WIRE, spoil(REPLY, old, new)), told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (HEL, HEL + "\n", "lines[2]: expected an object, got a blank line"),
        (HEL, spoil(HEL, '"done":false', '"done":false,"done_reason":null'), "lines[1].done_reason: expected nothing"),
        (HEL, spoil(HEL, ',"done":false', ""), "lines[1].done: expected false"),
        (HEL, spoil(HEL, "00.5Z", "00.5"), "lines[1].created_at: expected a time"),
        (LO, THOUGHT, "lines[2].message: expected thoughts before the text"),
        (THOUGHT, line('"content":"Hi","thinking":"Hm"'), "lines[0].message: expected thoughts"),
        (THOUGHT, line('"content":"","thinking":null'), "lines[0].message.thinking: expected a string"),
        (LO, CALLS + CALLS, "lines[3].message.tool_calls: expected all calls on one line"),
        (LO, spoil(CALLS, '{"a":1}', '"{}"'), "lines[2].message.tool_calls[0].function.arguments: expected an object"),
        (LO, spoil(CALLS, '"id":"call_a",', ""), "lines[2].message.tool_calls[0].id: expected a string"),
        (END, "", "lines[2].message.content: expected"),
        (END, spoil(END, '"content":""', '"content":"!"'), 'lines[3].message.content: expected "", got "!"'),
        (
            END,
            spoil(END, '"content":""', '"content":"","tool_calls":[]'),
            "lines[3].message.tool_calls: expected nothing",
        ),
        (END, END + END, "lines[3].done: expected false"),
        (TEXT, "", "stream: expected a line end"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_told(old: str, new: str, told: str) -> None:
    expect_mismatch(lambda: read(spoil(TEXT, old, new)), told)


def test_an_error_in_a_stream_is_told() -> None:
    with pytest.raises(Broken, match="broken"):
        read(THOUGHT + '{"error":"broken"}\n')
    expect_mismatch(lambda: read('{"error":"broken"}\n' + END), "lines[0].error: expected nothing")


def test_an_error_is_a_string() -> None:
    assert WIRE.read_error(read_json(b'{"error":"no"}'), 404) == "no"
    expect_mismatch(lambda: WIRE.read_error(read_json(b'{"error":{"message":"no"}}'), 404), "error: expected a string")


def test_embeddings_have_length_1() -> None:
    assert WIRE.read_vectors is not None
    read_vectors = WIRE.read_vectors
    assert read_vectors(read_json(b'{"model":"m","embeddings":[[0.6,0.8]]}')) == [[0.6, 0.8]]
    bad = read_json(b'{"model":"m","embeddings":[[1,0],[3,4]]}')
    expect_mismatch(lambda: read_vectors(bad), "embeddings[1]: expected a vector of length 1, got 5")


def test_a_request_says_what_is_asked() -> None:
    assert write(Question(model="m", prompt="Hi")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }
    body = write(Question(model="m", stream=True, tools=True, form=True, image=True, think=True, stop="x", limit=5))
    assert body.keys() == {"model", "messages", "stream", "tools", "format", "think", "options"}
    assert body["options"] == {"stop": ["x"], "num_predict": 5}
    assert Field("", body)["messages"].only()["images"].only().text()
