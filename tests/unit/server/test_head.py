"""The header lines that tell what became of a call."""

import pytest

from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, DragomanError, Overloaded, RateLimited
from dragoman.server.head import write_error_head, write_id, write_names, write_trace
from tests.unit.server.link import Link, make_exchange


def call(**losses: str) -> Call:
    made = Call(b"", "openai_chat", "m", list, stream=False)
    made.served_by, made.attempts, made.losses = "lab/m", 2, losses
    return made


def test_the_request_id_stands_where_the_clients_sdk_looks_for_it() -> None:
    exchange = make_exchange(Link())
    assert write_id(exchange) == b"x-request-id: id-1\r\n"
    assert write_id(exchange, b"request-id") == b"x-request-id: id-1\r\nrequest-id: id-1\r\n"


def test_an_answer_tells_who_gave_it_and_what_was_lost() -> None:
    exchange = make_exchange(Link())
    trace = b"x-request-id: id-1\r\nx-dragoman-model: lab/m\r\nx-dragoman-attempts: 2\r\n"
    assert write_trace(exchange, call()) == trace
    assert write_trace(exchange, call(top_k="no", seed="no")) == trace + b"x-dragoman-loss: top_k, seed\r\n"


def test_where_no_upstream_was_asked_none_is_named() -> None:
    made = call()
    made.served_by, made.attempts = "", 0
    assert write_trace(make_exchange(Link()), made) == b"x-request-id: id-1\r\nx-dragoman-attempts: 0\r\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("options.num_ctx", "options.num_ctx"),
        ("tools[0].x", "tools[0].x"),
        ("a\r\nset-cookie: b", "a??set-cookie:?b"),
        ("a, b", "a??b"),
        ("\u00e9\u2028\ud800\x00\x7f", "?????"),
        ("", ""),
    ],
)
def test_a_field_may_be_called_anything_and_splits_no_header(name: str, told: str) -> None:
    assert write_names([name]) == told
    lines = write_trace(make_exchange(Link()), call(**{name: "no"}))
    assert lines.count(b"\r\n") == 4
    assert lines.endswith(b"x-dragoman-loss: %b\r\n" % told.encode())


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (BadRequest(), b"x-should-retry: false\r\n"),
        (RateLimited(retry_after=0.2), b"retry-after: 1\r\n"),
        (Overloaded(retry_after=1.5), b"retry-after: 2\r\nx-should-retry: false\r\n"),
        (Overloaded(code="server_overloaded"), b""),
        (Overloaded(code="server_shutdown"), b""),
    ],
)
def test_an_error_tells_whether_to_come_again(error: DragomanError, lines: bytes) -> None:
    exchange = make_exchange(Link())
    start = b"content-type: application/json\r\nx-request-id: id-1\r\n"
    assert write_error_head(exchange, error) == start + lines
    assert write_error_head(exchange, error, call()) == start + lines + b"x-dragoman-attempts: 2\r\n"
