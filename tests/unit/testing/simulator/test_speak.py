"""One answer in a client dialect: read, written, broken."""

import pytest

from dragoman.core import events as ev
from dragoman.core.call import Call
from dragoman.core.errors import UnsupportedMediaType
from dragoman.dialects import inbound
from dragoman.testing.simulator.script import INSTANT, Cadence
from dragoman.testing.simulator.speak import read_call, write_break, write_headers, write_pieces

CHAT = inbound("openai_chat")
JSON = {"content-type": "application/json; charset=utf-8"}
EVENTS: list[ev.Event] = [ev.Start("id", "m"), ev.Text("one"), ev.Text(" two"), ev.Finish("stop")]


def call(*, stream: bool) -> Call:
    flag = b"true" if stream else b"false"
    body = b'{"model":"m","stream":%b,"messages":[{"role":"user","content":"Hi"}]}' % flag
    return read_call(CHAT, JSON, body)


def test_a_request_is_json_unless_it_says_otherwise() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
    assert read_call(CHAT, {}, body).model == "m"
    with pytest.raises(UnsupportedMediaType):
        read_call(CHAT, {"content-type": "text/plain"}, body)
    with pytest.raises(UnsupportedMediaType):
        read_call(CHAT, {"content-type": "multipart/form-data; boundary=b"}, body)


def test_a_form_is_read_where_there_are_forms() -> None:
    fields = {"model": "m", "prompt": "p", "image": "x"}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"{"; filename=a" * (name == "image")}\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert read_call(inbound("openai_image_edits"), headers, f"{parts}--b--\r\n".encode()).model == "m"


def test_a_plain_answer_is_one_piece_after_all_its_time() -> None:
    [(delay, body)] = write_pieces(CHAT, call(stream=False), EVENTS, Cadence(1.0, 2.0))
    assert delay == 2.0
    assert b'"content":"one two"' in body


def test_a_stream_has_a_piece_for_each_event() -> None:
    pieces = write_pieces(CHAT, call(stream=True), EVENTS, Cadence(1.0, 2.0))
    assert [delay for delay, _ in pieces] == [1.0, 0.5, 0.0, 0.0]
    assert pieces[-1] == (0.0, b"data: [DONE]\n\n")


def test_headers_say_what_follows() -> None:
    assert write_headers(CHAT, call(stream=False)) == [("content-type", "application/json")]
    assert write_headers(CHAT, call(stream=True)) == [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache"),
    ]


def test_a_reply_may_have_a_type_of_its_own() -> None:
    asked = call(stream=False)
    asked.reply_type = "text/plain"
    assert write_headers(CHAT, asked) == [("content-type", "text/plain")]


def test_an_answer_breaks_with_an_error_in_its_dialect() -> None:
    error = b'{"error":{"message":"this model fails on purpose"'
    assert write_break(CHAT, call(stream=False), EVENTS, 0).startswith(error)
    for pieces in (1, 99):
        assert write_break(CHAT, call(stream=True), EVENTS, pieces).startswith(b"data: " + error)


def test_what_breaks_goes_on_from_what_was_said() -> None:
    side = inbound("openai_responses")
    body = b'{"model":"m","stream":true,"input":"Hi"}'
    asked = read_call(side, JSON, body)
    pieces = write_pieces(side, asked, EVENTS, INSTANT)
    said = b"".join(data for _, data in pieces[:2]).count(b"event: ")
    assert b'"sequence_number":%d}' % said in write_break(side, asked, EVENTS, 2)
