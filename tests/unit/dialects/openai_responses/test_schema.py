"""The Structs that are written, and the names that things get."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.dialects.openai_responses import schema as wire
from tests.schema import mismatches

SERIAL = "0123456789abcdef" * 2


def test_a_response_has_every_field_from_the_beginning() -> None:
    written = msgspec.json.encode(wire.Response("resp_1", model="m"))
    assert mismatches("Response", written) == []
    fields = msgspec.json.decode(written, type=dict[str, Raw])
    assert {name for name, raw in fields.items() if bytes(raw) == b"null"} == {
        "completed_at", "conversation", "error", "incomplete_details", "instructions", "max_output_tokens",
        "max_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
        "usage", "user",
    }  # fmt: skip


def test_the_totals_of_usage_hold_its_parts() -> None:
    usage = wire.write_usage(ev.Usage(10, 5, cached=4, reasoning=2, cache_write=3))
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (10, 5, 15)
    assert usage.input_tokens_details == wire.InputDetails(4, 3)
    assert usage.output_tokens_details == wire.OutputDetails(2)
    assert b"estimated" not in msgspec.json.encode(usage)


def test_an_estimate_says_so() -> None:
    written = msgspec.json.encode(wire.write_usage(ev.Usage(10, 5, estimated=True)))
    assert mismatches("ResponseUsage", written) == []
    assert written.endswith(b'"total_tokens":15,"estimated":true}')
    assert msgspec.json.encode(wire.Counted(7)).endswith(b',"estimated":true}')


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("ResponseItemList", wire.ItemList([], "", "", has_more=False)),
        ("TokenCountsResource", wire.Counted(7)),
    ],
)
def test_what_is_not_an_event_is_as_specified_too(kind: str, events: msgspec.Struct) -> None:
    assert mismatches(kind, msgspec.json.encode(events)) == []


def test_an_items_id_tells_its_response() -> None:
    response_id = wire.RESPONSE + SERIAL
    for name in (wire.name_item("msg", response_id, 12), wire.name_item("fco", response_id, 3, "i")):
        assert wire.find_response(name) == response_id
    assert wire.name_item("msg", response_id, 12) == f"msg_{SERIAL}o12"
    assert wire.name_item("msg", response_id, 12, "i") == f"msg_{SERIAL}i12"


@pytest.mark.parametrize("item_id", ["", "msg_1", "msg", f"msg_{SERIAL}", "rs_" + "x" * 32])
def test_an_id_of_somebody_elses_making_tells_nothing(item_id: str) -> None:
    assert wire.find_response(item_id) == ""


def test_known_members_are_dropped() -> None:
    one, two = Raw(b"1"), Raw(b"2")
    assert wire.drop({"a": one, "b": two}, frozenset({"a"})) == {"b": two}


def test_an_id_tells_whether_it_was_made_here() -> None:
    assert wire.is_made_here(wire.name_item("msg", f"resp_{SERIAL}", 3))
    for theirs in ("msg_68a1", "rs_" + SERIAL, "", f"msg_{SERIAL}o3x"):
        assert not wire.is_made_here(theirs)
