"""Vectors for a client."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Finish, Start, Usage, Vector
from dragoman.core.legal import breaches
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.embed import INBOUND, OUTBOUND, read_call, write_reply
from dragoman.dialects.ollama.schema import EMBED, JSON_TYPE
from tests.ollama_examples import Example, examples_of

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


def test_the_upstreams_own_bytes_go_out_as_they_are() -> None:
    raw = b'{ "embeddings" : [[3, 4.0]] }'
    assert write_reply(call_for(b',"input":"a"'), Burst(SAID, raw, EMBED)) == raw
    assert write_reply(call_for(b',"input":["a","b"]'), Burst(SAID, raw, "openai_embeddings")) != raw


def test_texts_are_asked_for_with_what_only_ollama_knows() -> None:
    extra = {"truncate": Raw(b"false"), "options.num_ctx": Raw(b"9")}
    request = Request("fast", [], inputs=["a", "b"], dimensions=8, extra=extra)
    assert OUTBOUND.write_request(request, "m") == (
        b'{"truncate":false,"options":{"num_ctx":9},"model":"m","input":["a","b"],"dimensions":8}'
    )
    assert OUTBOUND.write_request(Request("fast", [], inputs=["a"]), "m") == b'{"model":"m","input":["a"]}'


def test_what_no_server_would_take_is_refused() -> None:
    with pytest.raises(BadRequest, match="no tokens"):
        OUTBOUND.write_request(Request("fast", [], inputs=[[1, 2]]), "m")
    with pytest.raises(BadRequest, match="dimensions"):
        OUTBOUND.write_request(Request("fast", [], inputs=["a"], dimensions=0), "m")


@pytest.mark.parametrize(
    ("count", "usage"), [(b',"prompt_eval_count":3', [Usage(3, 0)]), (b',"prompt_eval_count":-3', []), (b"", [])]
)
def test_an_answer_is_its_vectors(count: bytes, usage: list[Event]) -> None:
    body = b'{"model":"up","embeddings":[[0.5, 1],[2,3]],"total_duration":5%b}' % count
    vectors: list[Event] = [Vector(0, Raw(b"[0.5, 1]")), Vector(1, Raw(b"[2,3]"))]
    start = Start("", "up", 7)
    assert OUTBOUND.read_reply(body, Start("x", "m", 7)) == Burst(
        [start, *vectors, Finish("stop"), *usage], body, EMBED
    )


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings":[]}', b'{"embeddings":[5]}', b"[]", b"<html>"])
def test_an_answer_without_vectors_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        OUTBOUND.read_reply(body, Start("", "m"))


@pytest.mark.parametrize("example", examples_of("POST /api/embed", "json"), ids=lambda example: example.id)
def test_every_answer_of_the_examples_is_read_and_passed_on(example: Example) -> None:
    (body,) = example.response.objects
    if body == b'{"model":"text-embedding-v4:latest","embeddings":[]}':
        return  # to no text; nobody is asked for that
    burst = OUTBOUND.read_reply(body, Start("", "m"))
    assert breaches(burst.events) == []
    assert write_reply(read_call(example.request.data, Limits()), burst) == body
