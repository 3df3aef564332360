"""The wire form of chat completions: what is counted, and what is complete when we write it."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.dialects.openai_chat.schema import (
    CHUNK,
    DONE,
    MAX_COUNT,
    WHOLE,
    Choice,
    Chunk,
    Delta,
    Function,
    ToolCall,
    Usage,
    Whole,
    WholeChoice,
    custom_arguments,
    read_extra,
    read_usage,
    write_usage,
)
from tests.schema import mismatches


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (b'{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}', ev.Usage(9, 2)),
        (b'{"prompt_tokens":9,"completion_tokens":2}', ev.Usage(9, 2)),
        (b'{"prompt_tokens":9,"total_tokens":11}', ev.Usage(9, 2)),
        (b'{"prompt_tokens":0,"completion_tokens":0}', ev.Usage(0, 0)),
        (
            b'{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},'
            b'"completion_tokens_details":{"reasoning_tokens":3}}',
            ev.Usage(9, 5, 4, 3),
        ),
        (
            b'{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cache_write_tokens":2}}',
            ev.Usage(9, 5, cache_write=2),
        ),
        (b'{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":6}', ev.Usage(9, 5, 6)),
        (
            b'{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":6,'
            b'"prompt_tokens_details":{"cached_tokens":0}}',
            ev.Usage(9, 5, 6),
        ),
        (
            b'{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":null,"prompt_tokens_details":null,'
            b'"completion_tokens_details":{"reasoning_tokens":null}}',
            ev.Usage(9, 5),
        ),
        (b'{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":null}}', ev.Usage(9, 5)),
        (b'{"prompt_tokens":9,"completion_tokens":%d}' % MAX_COUNT, ev.Usage(9, MAX_COUNT)),
    ],
)
def test_what_an_upstream_counted_is_read(wire: bytes, usage: ev.Usage) -> None:
    assert read_usage(msgspec.json.decode(wire, type=Usage)) == usage


@pytest.mark.parametrize(
    "wire",
    [
        b"{}",
        b'{"prompt_tokens":null,"completion_tokens":2}',
        b'{"prompt_tokens":9}',
        b'{"prompt_tokens":-1,"completion_tokens":2}',
        b'{"prompt_tokens":9,"total_tokens":3}',
        b'{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":-1}',
        b'{"prompt_tokens":9,"completion_tokens":%d}' % (MAX_COUNT + 1),
        b'{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cache_write_tokens":-2}}',
    ],
)
def test_counts_that_make_no_sense_are_none(wire: bytes) -> None:
    assert read_usage(msgspec.json.decode(wire, type=Usage)) is None


def test_what_is_not_there_is_not_counted() -> None:
    assert read_usage(None) is None
    assert read_usage(UNSET) is None


def test_written_totals_hold_the_cached_and_the_reasoning_tokens() -> None:
    usage = ev.Usage(9, 5, 4, 3)
    assert msgspec.json.encode(write_usage(usage)) == (
        b'{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,'
        b'"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}'
    )
    assert read_usage(write_usage(usage)) == usage
    written = ev.Usage(9, 5, cache_write=2)
    assert read_usage(write_usage(written)) == written


def test_an_estimate_is_one_for_whoever_reads_it() -> None:
    usage = ev.Usage(9, 5, estimated=True)
    written = msgspec.json.encode(write_usage(usage))
    assert written.endswith(b',"estimated":true}')
    assert read_usage(msgspec.json.decode(written, type=Usage)) == usage
    foreign = msgspec.json.decode(b'{"prompt_tokens":9,"completion_tokens":5,"estimated":{"by":[1]}}', type=Usage)
    assert read_usage(foreign) == ev.Usage(9, 5)


@pytest.mark.parametrize("pieces", [["hello"], ['say "', 'hi"\n', "ö\\"], [""], ["", "late"]])
def test_free_text_in_pieces_is_the_input_of_one_object(pieces: list[str]) -> None:
    arguments = [custom_arguments(piece, first=number == 0) for number, piece in enumerate(pieces)]
    assert msgspec.json.decode("".join(arguments) + '"}') == {"input": "".join(pieces)}


def test_a_chunk_is_written_with_every_field_the_sdk_reads() -> None:
    delta = Delta(content="a", tool_calls=[ToolCall(0, "c1", "function", Function("f", ""))])
    body = msgspec.json.encode(Chunk("c", CHUNK, 1, "m", UNSET, [Choice(0, delta)], None))
    assert body == (
        b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
        b'{"content":"a","tool_calls":[{"index":0,"id":"c1","type":"function","function":'
        b'{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}'
    )
    assert mismatches("CreateChatCompletionStreamResponse", body) == []


def test_a_plain_answer_is_written_with_every_field_the_sdk_reads() -> None:
    message = Delta("assistant", "a", refusal=None, annotations=msgspec.Raw(b"[]"))
    choice = WholeChoice(0, message, finish_reason="stop")
    body = msgspec.json.encode(Whole("c", WHOLE, 1, "m", choices=[choice], usage=write_usage(ev.Usage(1, 2))))
    assert mismatches("CreateChatCompletionResponse", body) == []
    assert b"system_fingerprint" not in body


@pytest.mark.parametrize("kind", [Chunk, Whole])
def test_nothing_is_required_of_an_upstream(kind: type[Chunk | Whole]) -> None:
    told = msgspec.json.decode(b'{"unknown":[1],"choices":[{}]}', type=kind)
    assert (told.id, told.object, told.created, told.model, told.usage, told.error) == ("", "", 0, "", UNSET, UNSET)
    (choice,) = told.choices
    assert (choice.index, choice.finish_reason) == (-1, None)
    assert bytes(choice.logprobs) == b"null"


def test_the_success_marker_is_a_frame() -> None:
    assert DONE == b"data: [DONE]\n\n"


def test_what_came_along_is_kept_where_it_can_be_read() -> None:
    fine = Raw(b'{"google":{"thought_signature":"abc"}}')
    assert read_extra(fine) is fine
    assert read_extra(UNSET) is UNSET
    assert read_extra(Raw(b'{"a":%b}' % (b"1" * 5_000))) is UNSET
