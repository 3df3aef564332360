"""Vectors for a client."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Finish, Start, Usage, Vector
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.embed import INBOUND, read_call, write_reply
from dragoman.dialects.ollama.schema import EMBED, JSON_TYPE

SAID: list[Event] = [Start("", ""), Vector(1, Raw(b"[0,2,0]")), Vector(0, Raw(b"[3,4,12]")), Finish("stop")]


def call_for(members: bytes) -> Call:
    call = read_call(b'{"model":"m"%b}' % members, Limits())
    call.clock, call.began, call.asked = Clock(lambda: 3.0, lambda: 0.0), 1.0, 1.5
    return call


def test_the_dialect_reads_json_of_any_type() -> None:
    assert (INBOUND.name, INBOUND.any_type) == (EMBED, True)


@pytest.mark.parametrize(("texts", "inputs"), [(b'"a"', ["a"]), (b'["a","b"]', ["a", "b"])])
def test_a_call_is_its_texts(texts: bytes, inputs: list[str | list[int]]) -> None:
    call = call_for(b',"input":%b,"dimensions":8,"truncate":false' % texts)
    assert (call.task, call.stream, call.reply_type, call.ready) == ("embed", False, JSON_TYPE, None)
    assert call.request == Request("m", [], inputs=inputs, dimensions=8, extra={"truncate": Raw(b"false")})


@pytest.mark.parametrize("texts", [b"[1,2]", b'["a",1]', b"7", b'{"a":1}', b"[[1]]"])
def test_anything_but_text_is_refused(texts: bytes) -> None:
    with pytest.raises(BadRequest, match="invalid input type"):
        call_for(b',"input":%b' % texts)


@pytest.mark.parametrize("dimensions", [b"0", b"-1", b'"8"', b"1.5"])
def test_a_vector_has_a_number_of_dimensions(dimensions: bytes) -> None:
    with pytest.raises(BadRequest, match="invalid 'dimensions'"):
        _ = call_for(b',"input":"a","dimensions":%b' % dimensions).request


def test_there_may_be_only_so_many_texts() -> None:
    with pytest.raises(BadRequest, match="more than 1 entries"):
        read_call(b'{"model":"m","input":["a","b"]}', Limits(messages=1))


@pytest.mark.parametrize("texts", [b"", b',"input":""', b',"input":[]', b',"input":null'])
def test_no_text_is_no_vector_and_needs_nobody(texts: bytes) -> None:
    call = call_for(texts)
    assert call.ready == Burst([])
    assert write_reply(call, Burst([])) == b'{"model":"m","embeddings":[]}'


def test_vectors_are_cut_scaled_and_counted() -> None:
    call = call_for(b',"input":["a","b"],"dimensions":2')
    assert msgspec.json.decode(write_reply(call, Burst([*SAID, Usage(7, 0)]))) == {
        "model": "m",
        "embeddings": [[0.6, 0.8], [0.0, 1.0]],
        "total_duration": 2_000_000_000,
        "load_duration": 500_000_000,
        "prompt_eval_count": 7,
    }


def test_what_nobody_counted_is_estimated_and_marked() -> None:
    written = write_reply(call_for(b',"input":["12345678","1"]'), Burst(SAID))
    assert written.endswith(b'"prompt_eval_count":3,"estimated":true}')


def test_a_vector_that_is_missing_breaks_the_answer() -> None:
    with pytest.raises(UpstreamInvalid):
        write_reply(call_for(b',"input":["a","b","c"]'), Burst(SAID))
