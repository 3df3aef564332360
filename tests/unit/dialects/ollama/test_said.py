"""Calls, media and likelihoods."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.ollama.said import read_logprobs, write_calls
from dragoman.dialects.ollama.schema import Logprob


def test_arguments_become_objects_that_keep_their_order_and_their_numbers() -> None:
    call = msg.ToolCall("c", "f", '{ "b": 1.0,\n "a": 12345678901234567890123 }')
    assert msgspec.json.encode(write_calls([msg.Text("x"), call], cut=False)) == (
        b'[{"id":"c","function":{"index":0,"name":"f","arguments":{"b":1.0,"a":12345678901234567890123}}}]'
    )


def test_every_call_has_an_id_and_a_place() -> None:
    calls = write_calls([msg.ToolCall("", "f", "{}"), msg.ToolCall("", "g", "{}")], cut=False)
    assert [(call.id, call.function.index, call.function.name) for call in calls] == [
        ("call_00000000", 0, "f"),
        ("call_00000001", 1, "g"),
    ]


@pytest.mark.parametrize("arguments", ["", "{", '{"a":', "[]", "null", '"{}"', "{} {}"])
def test_arguments_are_never_invented(arguments: str) -> None:
    call = msg.ToolCall("c", "f", arguments)
    with pytest.raises(UpstreamInvalid, match="arguments of a tool call"):
        write_calls([call], cut=False)
    whole = msg.ToolCall("d", "g", "{}")
    assert [call.id for call in write_calls([whole, call], cut=True)] == ["d"]


def test_likelihoods_of_all_pieces_are_one_list() -> None:
    pieces = [
        Raw(b'{"content":[{"token":"a","logprob":-1,"bytes":null,"top_logprobs":[]}],"refusal":null}'),
        Raw(b'{"content":null}'),
        Raw(b'["not what it should be"]'),
        Raw(b'{"content":[{"token":"b","logprob":-2}]}'),
    ]
    assert read_logprobs(pieces) == [Logprob("a", -1.0), Logprob("b", -2.0)]
