"""A part of a request that is read on its own."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw, Struct

from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_responses.read import read_at


class Thing(Struct):
    name: str
    size: int = 0


_thing = msgspec.json.Decoder(Thing)


def test_what_is_right_is_read() -> None:
    assert read_at(_thing, Raw(b'{"name":"x","size":2}'), "input[3]") == Thing("x", 2)


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b'{"name":1}', "input[3].name", "invalid_type"),
        (b"{}", "input[3].name", "missing_required_parameter"),
        (b'{"name":"x","size":"y"}', "input[3].size", "invalid_type"),
        (b"7", "input[3]", "invalid_type"),
        (b'{"name":"\\ud800"}', "input[3]", "invalid_json"),
    ],
)
def test_an_error_names_the_whole_path(raw: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_at(_thing, Raw(raw), "input[3]")
    assert (caught.value.param, caught.value.code) == (param, code)
