"""Embeddings: what is asked, what comes back, and in which form the client has it."""

import base64
import struct

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamError, UpstreamInvalid
from dragoman.core.legal import breaches
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.openai_embeddings import INBOUND, NAME, OUTBOUND, read_reply, write_reply, write_request
from tests.schema import mismatches

START = ev.Start("", "m", 9)
FLOATS = b"[1.0,-0.5]"
PACKED = b'"' + base64.b64encode(struct.pack("<2f", 1, -0.5)) + b'"'
USAGE = b',"usage":{"prompt_tokens":3,"total_tokens":3}'


def call(given: str, more: str = "") -> Call:
    return INBOUND.read_call(f'{{"model":"m","input":{given}{more}}}'.encode(), Limits())


def answer(values: bytes = FLOATS, more: bytes = USAGE) -> bytes:
    return b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":%b}],"model":"up"%b}' % (values, more)


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ('"a"', ["a"]),
        ('["a","b"]', ["a", "b"]),
        ("[1,2]", [[1, 2]]),
        ("[[1,2],[3]]", [[1, 2], [3]]),
        (f"[{'1,' * 2047}1]", [[1] * 2048]),
    ],
)
def test_every_form_of_input_is_read(given: str, inputs: list[str | list[int]]) -> None:
    made = call(given, ',"dimensions":7,"user":"u","odd":1')
    assert (made.task, made.stream, made.model) == ("embed", False, "m")
    request = made.request
    assert (request.inputs, request.dimensions, request.user, list(request.extra)) == (inputs, 7, "u", ["odd"])


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b'{"model":"m"}', "input", "missing_required_parameter"),
        (b'{"input":"a"}', "model", "missing_required_parameter"),
        (b'{"model":"m","input":7}', "input", "invalid_type"),
        (b'{"model":"m","input":[1,"a"]}', "input", "invalid_type"),
        (b'{"model":"m","input":["a",[1]]}', "input", "invalid_type"),
        (b'{"model":"m","input":[[1,"a"]]}', "input", "invalid_type"),
        (b'{"model":"m","input":[]}', "input", "invalid_value"),
        (b'{"model":"m","input":[%b1]}' % (b"1," * 2048), "input", "invalid_value"),
        (b'{"model":"m","input":"a","dimensions":1.5}', "dimensions", "invalid_type"),
        (b'{"model":"m","input":"a","encoding_format":7}', "encoding_format", "invalid_type"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(body: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        INBOUND.read_call(body, Limits())
    assert (caught.value.param, caught.value.code) == (param, code)


def test_the_clients_own_body_goes_on() -> None:
    assert OUTBOUND.patch_request(call('"a"', ',"odd":1'), "up") == b'{"model":"up","input":"a","odd":1}'


def test_a_body_is_made_from_what_another_dialect_asks() -> None:
    body = write_request(Request("m", [], inputs=["a", "b"], dimensions=7, user="u"), "up")
    assert body == b'{"model":"up","input":["a","b"],"dimensions":7,"user":"u"}'
    assert mismatches("CreateEmbeddingRequest", body) == []
    assert write_request(Request("m", [], inputs=[[1]]), "up") == b'{"model":"up","input":[[1]]}'


@pytest.mark.parametrize("inputs", [[], ["a", [1]]])
def test_what_cannot_be_asked_in_one_body_is_refused(inputs: list[str | list[int]]) -> None:
    with pytest.raises(BadRequest) as caught:
        write_request(Request("m", [], inputs=inputs), "up")
    assert caught.value.param == "input"


def test_an_answer_is_read_in_the_order_of_its_inputs() -> None:
    body = b'{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":3}}'
    burst = read_reply(body, START)
    vectors = [ev.Vector(0, Raw(b"[1]")), ev.Vector(1, Raw(b"[2]"))]
    assert burst.events == [START, *vectors, ev.Finish("stop"), ev.Usage(3, 0)]
    assert breaches(burst.events) == []
    assert (burst.raw is body, burst.dialect) == (True, NAME)


def test_an_answer_may_tell_less() -> None:
    assert read_reply(b'{"data":[{"embedding":[1]}]}', START).events[1:] == [
        ev.Vector(0, Raw(b"[1]")),
        ev.Finish("stop"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[]}',
        b'{"data":[{"index":1,"embedding":[1]}]}',
        b'{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}',
        b"{}",
    ],
)
def test_vectors_that_are_missing_make_an_answer_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_reply(body, START)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(UpstreamError):
        read_reply(b'{"error":"no room"}', START)


@pytest.mark.parametrize(
    ("more", "came", "told"),
    [
        ("", FLOATS, FLOATS),
        ("", PACKED, FLOATS),
        (',"encoding_format":"float"', PACKED, FLOATS),
        (',"encoding_format":"base64"', PACKED, PACKED),
        (',"encoding_format":"base64"', FLOATS, PACKED),
    ],
)
def test_the_client_has_its_vectors_in_the_form_it_asked_for(more: str, came: bytes, told: bytes) -> None:
    came_as, told_as = (b'"embedding":%b' % values for values in (came, told))
    body = answer(came, USAGE + b',"odd":1')
    written = write_reply(call('"a"', more), read_reply(body, START))
    if came is told:
        assert written is body
    else:
        own = b'{"object":"embedding","index":0,%b}' % came_as
        assert written == body.replace(own, b'{%b,"index":0,"object":"embedding"}' % told_as)
    if told is FLOATS:
        assert mismatches("CreateEmbeddingResponse", written) == []


@pytest.mark.parametrize(
    ("more", "came"),
    [
        (',"encoding_format":"base64"', b'["a"]'),
        (',"encoding_format":"base64"', b"[1e300]"),
        ("", b'"?"'),
        ("", b'"AAA="'),
        ("", b"7"),
    ],
)
def test_a_vector_that_is_none_cannot_be_turned(more: str, came: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        write_reply(call('"a"', more), read_reply(answer(came), START))


def test_another_dialects_vectors_are_written() -> None:
    events: list[ev.Event] = [ev.Start("", "up"), ev.Vector(0, Raw(FLOATS)), ev.Finish("stop"), ev.Usage(5, 0)]
    written = write_reply(call('"abcdefgh"'), Burst(events))
    assert mismatches("CreateEmbeddingResponse", written) == []
    assert msgspec.json.decode(written) == {
        "object": "list",
        "model": "up",
        "data": [{"object": "embedding", "index": 0, "embedding": [1, -0.5]}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


def test_usage_that_nobody_tells_is_estimated() -> None:
    written = write_reply(call('"abcdefgh"'), Burst([ev.Vector(0, Raw(FLOATS)), ev.Finish("stop")]))
    assert b'"usage":{"prompt_tokens":2,"total_tokens":2,"estimated":true}' in written
    read = read_reply(written, START)
    assert read.events[-1] == ev.Usage(2, 0, estimated=True)
    assert write_reply(call('"abcdefgh"'), Burst(read.events)) == written.replace(b'"model":""', b'"model":"m"')


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name, OUTBOUND.path, OUTBOUND.task) == (NAME, NAME, b"/embeddings", "embed")
    assert "temperature" in OUTBOUND.terms.cannot


def test_vectors_of_both_forms_in_one_answer_become_one() -> None:
    body = b'{"data":[{"embedding":%b},{"embedding":%b}]}' % (FLOATS, PACKED)
    written = write_reply(call('"a"', ',"encoding_format":"base64"'), read_reply(body, START))
    assert (written.count(PACKED), written.count(FLOATS)) == (2, 0)
    written = write_reply(call('"a"'), read_reply(body, START))
    assert (written.count(PACKED), written.count(FLOATS)) == (0, 2)
