"""The words of an upstream's answers, and what they mean."""

from __future__ import annotations

import pytest
from msgspec import UNSET, Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.dialects.anthropic_messages import heard
from dragoman.dialects.anthropic_messages.heard import Counts
from dragoman.dialects.anthropic_messages.schema import UNSIGNED


def test_the_three_kinds_of_input_make_the_prompt() -> None:
    told = (
        b'{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":4,"output_tokens":8,'
        b'"output_tokens_details":{"thinking_tokens":5},"total_tokens":15,"service_tier":"standard"}'
    )
    counts = heard.read_counts(Raw(told))
    assert counts is not None
    assert heard.says_something(counts)
    assert heard.usage_of(counts) == ev.Usage(7, 8, 4, 5, cache_write=2)


def test_what_is_estimated_says_so() -> None:
    assert heard.usage_of(Counts(1, None, None, 2, estimated=True)) == ev.Usage(1, 2, estimated=True)


@pytest.mark.parametrize(
    "told",
    [
        b'{"output_tokens":-1}',
        b'{"output_tokens":"1"}',
        b'{"input_tokens":9007199254740993}',
        b'{"output_tokens_details":{"thinking_tokens":-5}}',
        b"[]",
        b"7",
    ],
)
def test_nonsense_is_no_count(told: bytes) -> None:
    assert heard.read_counts(Raw(told)) is None


def test_the_last_numbers_hold_and_what_is_not_said_again_stays() -> None:
    first = Counts(9, 1, 2, 1)
    assert heard.merge_counts(None, first) is first
    assert heard.merge_counts(first, Counts(output_tokens=5)) == Counts(9, 1, 2, 5)
    assert heard.merge_counts(first, Counts(8, 0, 0, 5)) == Counts(8, 0, 0, 5)


def test_an_answer_for_which_nothing_was_taken_was_not_counted() -> None:
    assert not heard.says_something(Counts())
    assert not heard.says_something(Counts(0, 0, 0, 0))
    assert heard.says_something(Counts(cache_read_input_tokens=1))
    assert heard.says_something(Counts(output_tokens=1))


@pytest.mark.parametrize(
    ("reason", "called", "finish"),
    [
        ("end_turn", False, ev.Finish("stop")),
        ("stop_sequence", False, ev.Finish("stop", stop="END")),
        ("max_tokens", True, ev.Finish("length")),
        ("model_context_window_exceeded", False, ev.Finish("length")),
        ("refusal", False, ev.Finish("content_filter")),
        ("pause_turn", False, ev.Finish("stop")),
        ("tool_use", True, ev.Finish("tool_calls")),
        ("tool_use", False, ev.Finish("stop")),
        ("end_turn", True, ev.Finish("tool_calls")),
        ("new", False, ev.Finish("stop")),
    ],
)
def test_every_reason_has_its_finish(reason: str, called: bool, finish: ev.Finish) -> None:
    assert heard.finish_of(reason, "END", called=called) == finish


def test_a_stop_sequence_that_is_not_named_is_empty() -> None:
    assert heard.finish_of("stop_sequence", None, called=False) == ev.Finish("stop")


def test_a_reason_that_tells_of_an_error_is_one() -> None:
    with pytest.raises(UpstreamError):
        heard.finish_of("error", None, called=False)


def test_our_own_signature_proves_nothing() -> None:
    assert heard.signature_of(UNSIGNED) is UNSET
    assert heard.signature_of("") is UNSET
    assert heard.signature_of(None) is UNSET
    assert heard.signature_of("U0lH") == "U0lH"


def test_a_block_is_read_and_its_text_repaired() -> None:
    raw = Raw(b'{"type":"text","text":"a"}')
    assert heard.read_block(raw) == (heard.Block("text", "a"), raw)
    block, repaired = heard.read_block(Raw(b'{"type":"text","text":"\\ud800"}'))
    assert (block.text, bytes(repaired)) == ("\ufffd", rb'{"type":"text","text":"\ufffd"}')
    with pytest.raises(UpstreamInvalid):
        heard.read_block(Raw(b'{"type":7}'))


def test_an_object_is_read_or_refused() -> None:
    assert heard.read_object(b'{"a":"\xff"}') == {"a": Raw('"\ufffd"'.encode())}
    assert heard.is_object(Raw(b"{}"))
    assert not heard.is_object(Raw(b"[]"))
    for data in (b"[]", b"", b"{"):
        with pytest.raises(UpstreamInvalid):
            heard.read_object(data)


@pytest.mark.parametrize(("raw", "told"), [(b"null", False), (b"{}", False), (b'""', False), (b'{"a":1}', True)])
def test_an_error_that_says_nothing_is_none(raw: bytes, told: bool) -> None:
    assert heard.is_told(Raw(raw)) == told
