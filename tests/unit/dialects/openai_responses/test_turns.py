"""Responses that are stored, continued, shown and referred to."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Clock, Thread
from dragoman.core.ports import Limits, Record
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.turns import (
    find_parts,
    find_turns,
    list_items,
    recall,
    show_response,
    write_turn,
)
from dragoman.dialects.openai_responses.writer import write_whole
from tests.schema import mismatches
from tests.unit.dialects.openai_responses.said_words import completed, message, whole

SERIAL, OTHER = "ab" * 16, "cd" * 16
EVENTS: list[ev.Event] = [
    ev.Start("c", "m", 5),
    ev.Thinking("hm", signature="S"),
    ev.Text("Hello"),
    ev.Finish("stop"),
    ev.Usage(1, 2),
]


def make_call(given: bytes = b'"Hi"', serial: str = SERIAL, members: bytes = b"") -> Call:
    call = read_call(b'{"model":"m","input":%b%b}' % (given, members), Limits())
    call.serial, call.clock, call.caller = serial, Clock(lambda: 1.0, lambda: 9.0), Caller("app")
    return call


class Items(msgspec.Struct):
    data: list[dict[str, Raw]]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @property
    def ids(self) -> list[str]:
        return [msgspec.json.decode(item["id"], type=str) for item in self.data]


def page(record: Record, limit: int = 20, after: str = "", *, newest: bool = False) -> Items:
    written = list_items(record, limit, after, newest=newest)
    items = msgspec.json.decode(written, type=Items)
    if items.data:
        assert mismatches("ResponseItemList", written) == []
    return items


def test_a_stored_response_is_what_its_client_was_told_and_its_proofs() -> None:
    call = make_call(members=b',"previous_response_id":"resp_1"')
    record = write_turn(call, Burst(EVENTS))
    assert (record.kind, record.owner, record.id, record.previous) == (wire.KIND, "app", f"resp_{SERIAL}", "resp_1")
    shown = show_response(record)
    assert mismatches("Response", shown) == []
    assert shown == msgspec.json.encode(write_whole(call, EVENTS, encrypted=True))
    assert b'"encrypted_content":"S"' in shown


def test_a_text_is_listed_as_an_item() -> None:
    items = page(write_turn(make_call(), Burst(EVENTS)))
    assert [{name: bytes(raw) for name, raw in item.items()} for item in items.data] == [
        {
            "id": b'"msg_%bi0"' % SERIAL.encode(),
            "type": b'"message"',
            "status": b'"completed"',
            "role": b'"user"',
            "content": b'[{"type":"input_text","text":"Hi"}]',
        }
    ]


def test_items_are_listed_with_all_that_they_lacked() -> None:
    given = b"""[{"role":"assistant","content":"Yes"},{"type":"reasoning","summary":[],"id":null},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c","output":"1"},
    {"type":"custom_tool_call","call_id":"d","name":"g","input":"x","id":"mine"},
    {"type":"custom_tool_call_output","call_id":"d","output":"1","status":"incomplete"},
    {"role":"user","content":[{"type":"input_text","text":"And?"}]},
    {"type":"odd","x":1}]"""
    record = write_turn(make_call(given), Burst(EVENTS))
    items = msgspec.json.decode(list_items(record, 20, "", newest=False), type=Items)
    names = [name.replace(SERIAL, "") for name in items.ids]
    assert names == ["msg_i0", "rs_i1", "fc_i2", "fco_i3", "mine", "ctco_i5", "msg_i6", "item_i7"]
    assert bytes(items.data[0]["content"]) == b'[{"type":"output_text","text":"Yes","annotations":[],"logprobs":[]}]'
    assert bytes(items.data[5]["status"]) == b'"incomplete"'
    assert "status" not in items.data[7]
    for item in items.data[:7]:
        assert mismatches("ItemResource", msgspec.json.encode(item)) == []


def test_items_are_listed_page_by_page() -> None:
    record = write_turn(
        make_call(b'[{"role":"user","content":"a","id":"a"},{"role":"user","content":"b","id":"b"}]'), Burst(EVENTS)
    )
    assert (page(record).ids, page(record, newest=True).ids) == (["a", "b"], ["b", "a"])
    first = page(record, 1, newest=True)
    assert (first.ids, first.first_id, first.last_id, first.has_more) == (["b"], "b", "b", True)
    assert (page(record, 1, "b", newest=True).ids, page(record, 1, "b", newest=True).has_more) == (["a"], False)
    empty = page(record, 1, "b")
    assert (empty.ids, empty.first_id, empty.last_id) == ([], None, None)


def test_a_call_that_goes_on_knows_all_that_was_said() -> None:
    first = write_turn(make_call(), Burst(EVENTS))
    second = write_turn(make_call(b'"More"', OTHER), Burst(EVENTS))
    call = make_call(b'"And?"', "ef" * 16)
    recall(call, [first, second], [])
    answered = msg.Message("assistant", [msg.Thinking("hm", "S"), msg.Text("Hello")])
    assert call.request.messages == [
        msg.Message("user", [msg.Text("Hi")]),
        answered,
        msg.Message("user", [msg.Text("More")]),
        answered,
        msg.Message("user", [msg.Text("And?")]),
    ]


def test_items_of_other_responses_are_found_by_their_ids_and_stored_as_they_are() -> None:
    made = write_turn(make_call(), Burst(EVENTS))
    said = wire.name_item("msg", f"resp_{SERIAL}", 1)
    given = b'[{"type":"item_reference","id":"%b"},{"type":"item_reference","id":"theirs"}]'
    call = make_call(given % said.encode(), OTHER)
    assert find_turns(call) == [f"resp_{SERIAL}", "theirs"]
    assert find_turns(make_call()) == []
    recall(call, [], [made])
    items = page(write_turn(call, Burst(EVENTS)), 1)
    assert items.ids == [said]
    assert bytes(items.data[0]["role"]) == b'"assistant"'


def test_a_call_without_a_conversation_is_left_alone() -> None:
    call = make_call()
    call.thread = Thread(keep=False)
    recall(call, [], [])
    assert call.thread.history == []
    call.thread = None
    assert write_turn(call, Burst(EVENTS)).previous == ""


STOP = ev.Finish("stop")


def passed(raw: bytes) -> Burst:
    return Burst([ev.Start("resp_up", "m", 5), ev.Text("Hello"), STOP], raw, wire.NAME)


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_client_was_told_in_the_upstreams_bytes_is_stored_so(stream: bool) -> None:
    told = whole(message(b"data: Hello") + b',{"type":"web_search_call","id":"ws_1"}')
    raw = completed(message(b"data: Hello") + b',{"type":"web_search_call","id":"ws_1"}') if stream else told
    members = b',"previous_response_id":"resp_0"%b' % (b',"stream":true' if stream else b"")
    record = write_turn(make_call(members=members), passed(raw))
    assert (record.id, record.previous) == ("resp_1", "resp_0")
    shown = show_response(record)
    assert shown == told[:-1] + b',"store":true,"previous_response_id":"resp_0"}'
    assert find_parts(record) == ["msg_1", "ws_1"]
    assert page(record).ids == ["msg_1i0"]


@pytest.mark.parametrize(
    "answer",
    [
        passed(b"event: x\n\n"),
        passed(b'{"output":[]}'),
        passed(b'{"id":"resp_1"}'),
        Burst([ev.Start("c", "m", 5), STOP], whole(), "openai_chat"),
        Burst(EVENTS),
    ],
)
def test_what_was_written_anew_is_stored_under_our_own_id(answer: Burst) -> None:
    record = write_turn(make_call(), answer)
    assert record.id == f"resp_{SERIAL}"
    assert find_parts(record) == []
