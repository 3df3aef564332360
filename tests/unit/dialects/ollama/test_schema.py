"""The wire Structs."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.dialects.ollama.schema import (
    Alternative,
    Called,
    ChatBody,
    Function,
    GenerateBody,
    Line,
    Logprob,
    SingleVector,
    Turn,
    Vectors,
)


def test_a_turn_needs_no_more_than_its_role() -> None:
    body = msgspec.json.decode(b'{"messages":[{"role":"assistant"}]}', type=ChatBody)
    assert body == ChatBody([Turn("assistant")])


def test_a_call_needs_no_more_than_a_name() -> None:
    assert msgspec.json.decode(b'{"function":{"name":"f"}}', type=Called) == Called(Function("f"))


def test_every_field_may_be_null() -> None:
    nulls = b",".join(b'"%b":null' % name.encode() for name in GenerateBody.__struct_fields__)
    assert msgspec.json.decode(b"{%b}" % nulls, type=GenerateBody) == GenerateBody()


def test_a_likelihood_is_written_without_what_it_lacks() -> None:
    token = Logprob("a", -0.5, None, [Alternative("b", -1.0, [98])])
    written = b'{"token":"a","logprob":-0.5,"top_logprobs":[{"token":"b","logprob":-1.0,"bytes":[98]}]}'
    assert msgspec.json.encode(token) == written
    assert msgspec.json.decode(written, type=Logprob) == token


def test_a_line_may_lack_anything_and_have_nulls() -> None:
    raw = ("logprobs", "error", "prompt_eval_count", "eval_count", "estimated")
    names = [name for name in Line.__struct_fields__ if name not in raw]
    nulls = b",".join(b'"%b":null' % name.encode() for name in names)
    assert msgspec.json.decode(b"{%b}" % nulls, type=Line) == msgspec.json.decode(b"{}", type=Line) == Line()


def test_an_answer_of_vectors_has_vectors() -> None:
    assert msgspec.json.decode(b'{"embeddings":[[1]]}', type=Vectors) == Vectors([Raw(b"[1]")])
    assert msgspec.json.decode(b'{"embedding":[1]}', type=SingleVector) == SingleVector(Raw(b"[1]"))
    for kind in (Vectors, SingleVector):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(b"{}", type=kind)
