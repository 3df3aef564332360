"""One vector for an older client."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Finish, Start, Vector
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.embeddings import INBOUND, OUTBOUND, read_call, write_reply
from dragoman.dialects.ollama.schema import EMBEDDINGS
from tests.ollama_examples import examples_of


def test_the_dialect_reads_json_of_any_type() -> None:
    assert (INBOUND.name, INBOUND.any_type) == (EMBEDDINGS, True)


def test_a_call_is_its_prompt() -> None:
    call = read_call(b'{"model":"m","prompt":"a","options":{"num_ctx":1}}', Limits())
    assert (call.task, call.stream, call.ready) == ("embed", False, None)
    assert call.request == Request("m", [], inputs=["a"], extra={"options.num_ctx": Raw(b"1")})


def test_the_vector_is_as_long_as_the_model_made_it() -> None:
    call = read_call(b'{"model":"m","prompt":"a"}', Limits())
    said = Burst([Start("", ""), Vector(0, Raw(b"[3,4]")), Finish("stop")])
    assert write_reply(call, said) == b'{"embedding":[3.0,4.0]}'
    with pytest.raises(UpstreamInvalid):
        write_reply(call, Burst([Start("", ""), Finish("stop")]))


@pytest.mark.parametrize("prompt", [b"", b',"prompt":""', b',"prompt":null'])
def test_no_prompt_is_no_vector(prompt: bytes) -> None:
    call = read_call(b'{"model":"m"%b}' % prompt, Limits())
    assert call.ready == Burst([])
    assert write_reply(call, Burst([])) == b'{"embedding":[]}'


def test_a_prompt_is_one_text() -> None:
    with pytest.raises(BadRequest, match="invalid type for 'prompt'"):
        read_call(b'{"model":"m","prompt":["a"]}', Limits())


def test_the_upstreams_own_bytes_go_out_as_they_are() -> None:
    call = read_call(b'{"model":"m","prompt":"a"}', Limits())
    said: list[Event] = [Start("", ""), Vector(0, Raw(b"[3,4]")), Finish("stop")]
    raw = b'{ "embedding" : [3, 4.0] }'
    assert write_reply(call, Burst(said, raw, EMBEDDINGS)) == raw
    assert write_reply(call, Burst(said, raw, "ollama_embed")) == b'{"embedding":[3.0,4.0]}'


def test_one_text_is_asked_for_at_a_time() -> None:
    extra = {"keep_alive": Raw(b"0")}
    told = OUTBOUND.write_request(Request("fast", [], inputs=["a"], extra=extra), "m")
    assert told == b'{"keep_alive":0,"model":"m","prompt":"a"}'
    with pytest.raises(BadRequest, match="one text at a time"):
        OUTBOUND.write_request(Request("fast", [], inputs=["a", "b"]), "m")


def test_an_answer_is_its_vector() -> None:
    (example,) = examples_of("POST /api/embeddings", "json")
    (body,) = example.response.objects
    start = Start("", "m", 7)
    said: list[Event] = [start, Vector(0, Raw(b"[0.6,0.8,0.0]")), Finish("stop")]
    assert OUTBOUND.read_reply(body, start) == Burst(said, body, EMBEDDINGS)


@pytest.mark.parametrize("body", [b"{}", b'{"embedding":5}', b"[]"])
def test_an_answer_without_a_vector_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        OUTBOUND.read_reply(body, Start("", "m"))
