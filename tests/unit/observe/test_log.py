"""One line for one thing that happened, in which nobody else can write and no secret stands."""

import msgspec
import pytest

from dragoman.core.call import Call
from dragoman.core.errors import DragomanError, Overloaded, UpstreamAuth, UpstreamInvalid, UpstreamRejected
from dragoman.observe.log import Log, write_fault


def lines_of(*secrets: str) -> tuple[Log, list[str]]:
    lines: list[str] = []
    return Log(secrets, lines.append, lambda: 1234.56789), lines


def test_a_line_is_one_json_object() -> None:
    log, lines = lines_of()
    log.write("WARN", "upstream_error", request="id-1", attempts=2, seconds=0.25)
    assert lines == [
        '{"time":1234.568,"level":"WARN","event":"upstream_error","request":"id-1","attempts":2,"seconds":0.25}\n'
    ]


def test_what_is_empty_is_not_told_but_zero_is() -> None:
    log, lines = lines_of()
    log.write("INFO", "x", empty="", none=None, zero=0)
    assert lines == ['{"time":1234.568,"level":"INFO","event":"x","zero":0}\n']


@pytest.mark.parametrize("text", ['a\nb\r\n{"level":"INFO"}', 'quote " and \\', "\x00\x1b[31m\u2028", "ä🙂"])
def test_nobody_can_forge_a_line(text: str) -> None:
    log, lines = lines_of()
    log.write("WARN", "x", detail=text)
    (line,) = lines
    assert line.count("\n") == 1
    assert not any(char < " " for char in line[:-1])
    assert msgspec.json.decode(line, type=dict[str, str | float])["detail"] == text


def test_half_a_surrogate_pair_is_replaced() -> None:
    log, lines = lines_of()
    log.write("WARN", "x", detail="a\ud800b")
    assert '"a?b"' in lines[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key s3cret!x refused", "key *** refused"),
        ("s3cret!xs3cret!x", "******"),
        ("sk-abcdef12 and dg-ABCDEF_1.2", "*** and ***"),
        ("Authorization: Bearer abc.DEF-123=", "Authorization: ***"),
        ("task-force sk-ab risk-averse-people", "task-force sk-ab risk-averse-people"),
        ("abc stays", "abc stays"),
    ],
)
def test_secrets_are_blotted_out(text: str, told: str) -> None:
    log, lines = lines_of("s3cret!x", "abc")
    log.write("ERROR", "x", detail=text)
    assert msgspec.json.decode(lines[0], type=dict[str, str | float])["detail"] == told


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Overloaded(detail="503 busy"), "WARN"),
        (UpstreamRejected(detail="400 no"), "WARN"),
        (UpstreamAuth(detail="401 sk-secret-key"), "ERROR"),
    ],
)
def test_what_an_upstream_does_is_told(error: DragomanError, level: str) -> None:
    log, lines = lines_of()
    call = asked_call(1)
    write_fault(log, call, error)
    line = msgspec.json.decode(lines[0], type=dict[str, str | float])
    assert {name: line[name] for name in ("level", "event", "request", "upstream", "fault")} == {
        "level": level,
        "event": "upstream_error",
        "request": "id-1",
        "upstream": "lab",
        "fault": error.fault,
    }
    assert "sk-secret" not in lines[0]


def test_what_no_upstream_did_is_not() -> None:
    log, lines = lines_of()
    write_fault(log, asked_call(0), UpstreamInvalid())
    write_fault(log, asked_call(1), DragomanError())
    assert not lines


def asked_call(attempts: int) -> Call:
    call = Call(b"", "openai_chat", "m", list, stream=False)
    call.id, call.served_by, call.attempts = "id-1", "lab/org/m", attempts
    return call
