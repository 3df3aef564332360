"""One vector for an older client."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Finish, Start, Vector
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.embeddings import INBOUND, read_call, write_reply
from dragoman.dialects.ollama.schema import EMBEDDINGS


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
