"""Vectors as lists of numbers."""

from __future__ import annotations

import base64
import struct

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Finish, Start, Usage, Vector
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.embed import read_call
from dragoman.dialects.ollama.vectors import never_streams, normalise, read_texts, read_vectors


def packed(*values: float) -> Raw:
    return Raw(msgspec.json.encode(base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()))


def test_vectors_come_in_the_order_of_their_inputs_however_they_are_written() -> None:
    said: list[Event] = [
        Start("", ""),
        Vector(1, packed(0.5, -2.0)),
        Vector(0, Raw(b"[1, 2.5]")),
        Finish("stop"),
        Usage(2, 0),
    ]
    assert read_vectors(said, 2) == [[1.0, 2.5], [0.5, -2.0]]


@pytest.mark.parametrize(
    "values",
    [
        Raw(b'["a"]'), Raw(b"7"), Raw(b"null"), Raw(b'"no base64!"'), Raw(b'"AAAA"'), packed(float("nan")),
        packed(float("inf")),
    ],
)  # fmt: skip
def test_what_is_no_vector_is_refused(values: Raw) -> None:
    with pytest.raises(UpstreamInvalid):
        read_vectors([Vector(0, values)], 1)


@pytest.mark.parametrize("indexes", [[], [0], [0, 2], [0, 1, 2]])
def test_a_vector_too_few_or_too_many_is_refused(indexes: list[int]) -> None:
    with pytest.raises(UpstreamInvalid):
        read_vectors([Vector(index, Raw(b"[1]")) for index in indexes], 2)


def test_a_vector_is_cut_and_then_scaled() -> None:
    assert normalise([3.0, 4.0], None) == [0.6, 0.8]
    assert normalise([3.0, 4.0, 12.0], 2) == [0.6, 0.8]
    assert normalise([0.0, 0.0], 5) == [0.0, 0.0]


def test_a_vector_of_length_one_keeps_its_digits() -> None:
    vector = [0.60000001, 0.80000001]
    assert normalise(vector, None) == vector


def test_vectors_are_never_streamed() -> None:
    with pytest.raises(BadRequest, match="'m' are never streamed"):
        never_streams(read_call(b'{"model":"m","input":"x"}', Limits()))


def test_vectors_are_asked_of_texts_alone() -> None:
    assert read_texts(Request("m", [], inputs=["a", "b"])) == ["a", "b"]
    with pytest.raises(BadRequest, match="no tokens") as caught:
        read_texts(Request("m", [], inputs=["a", [1]]))
    assert caught.value.retry == "elsewhere"
