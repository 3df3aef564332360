"""How messages and blocks begin: as they came, or as the official SDK can read them."""

from __future__ import annotations

import msgspec
import pytest
from anthropic.types import RawContentBlockStartEvent, RawMessageStartEvent
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.beginning import mend_block, mend_message, mend_usage, read_message
from dragoman.dialects.anthropic_messages.heard import Counts, Message

FALLBACK = ev.Start("msg_made", "asked", 9)
WELL = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,'
    b'"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1},"more":1}'
)


def test_a_message_that_begins_well_is_left_as_it_is() -> None:
    assert mend_message(Raw(WELL), FALLBACK) == (None, ev.Start("msg_1", "m", 9), Counts(9, None, None, 1))


@pytest.mark.parametrize(
    ("raw", "start"),
    [
        (b"null", FALLBACK),
        (b"{}", FALLBACK),
        (b'{"id":7,"model":"m"}', FALLBACK),
        (WELL.replace(b'"msg_1"', b"null"), ev.Start("msg_made", "m", 9)),
        (WELL.replace(b'"m"', b'""'), ev.Start("msg_1", "asked", 9)),
        (WELL.replace(b'"assistant"', b'"model"'), ev.Start("msg_1", "m", 9)),
        (WELL.replace(b'"type":"message",', b""), ev.Start("msg_1", "m", 9)),
        (WELL.replace(b'"content":[]', b'"content":[{"type":"text","text":"a"}]'), ev.Start("msg_1", "m", 9)),
        (WELL.replace(b'"output_tokens":1', b'"output_tokens":"1"'), ev.Start("msg_1", "m", 9)),
        (WELL.replace(b',"output_tokens":1', b""), ev.Start("msg_1", "m", 9)),
    ],
)
def test_a_message_that_begins_badly_is_mended(raw: bytes, start: ev.Start) -> None:
    mended, told, counts = mend_message(Raw(raw), FALLBACK)
    assert mended is not None
    assert told == start
    RawMessageStartEvent.model_validate_json(b'{"type":"message_start","message":%b}' % bytes(mended))
    assert mend_message(mended, FALLBACK) == (None, start, counts)


def test_what_was_counted_well_is_kept() -> None:
    told = Raw(b'{"input_tokens":9,"service_tier":"standard"}')
    counts, mended = mend_usage(told, ("input_tokens", "output_tokens"))
    assert counts == Counts(input_tokens=9, output_tokens=0)
    assert mended is not None
    assert msgspec.json.decode(mended) == {"input_tokens": 9, "service_tier": "standard", "output_tokens": 0}
    assert mend_usage(Raw(b'{"output_tokens":7}'), ("output_tokens",)) == (Counts(output_tokens=7), None)
    assert mend_usage(Raw(b"[]"), ()) == (Counts(), Raw(b"{}"))


def test_what_is_no_message_says_nothing() -> None:
    assert read_message(b"{") == Message()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"text","text":"a"}',
        b'{"type":"thinking","thinking":"","signature":""}',
        b'{"type":"redacted_thinking","data":"x"}',
        b'{"type":"tool_use","id":"a","name":"f","input":{}}',
        b'{"type":"web_search_tool_result","content":[]}',
    ],
)
def test_a_block_that_begins_well_is_left_as_it_is(raw: bytes) -> None:
    assert mend_block(Raw(raw), FALLBACK, 0)[1] is None


@pytest.mark.parametrize(
    ("raw", "mended"),
    [
        (b'{"type":"text"}', b'{"type":"text","text":""}'),
        (b'{"type":"text","text":null}', b'{"type":"text","text":""}'),
        (b'{"type":"text","text":"\\ud800"}', rb'{"type":"text","text":"\ufffd"}'),
        (b'{"type":"thinking","thinking":"a"}', b'{"type":"thinking","thinking":"a","signature":""}'),
        (
            b'{"type":"tool_use","name":"f"}',
            b'{"type":"tool_use","name":"f","id":"toolu_msg_made_2","input":{}}',
        ),
        (b'{"type":"tool_use","id":"a","name":"f","input":""}', b'{"type":"tool_use","id":"a","name":"f","input":{}}'),
    ],
)
def test_a_block_that_begins_badly_is_mended(raw: bytes, mended: bytes) -> None:
    assert mend_block(Raw(raw), FALLBACK, 2)[1] == Raw(mended)
    event = b'{"type":"content_block_start","index":0,"content_block":%b}'
    RawContentBlockStartEvent.model_validate_json(event % mended)
    assert mend_block(Raw(mended), FALLBACK, 2)[1] is None


@pytest.mark.parametrize("raw", [b"null", b'"text"', b'{"type":"tool_use","id":"a"}', b'{"type":"text","text":7}'])
def test_what_is_no_block_is_refused(raw: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        mend_block(Raw(raw), FALLBACK, 0)
