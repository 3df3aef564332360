"""Items as an upstream takes them back that keeps nothing."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.errors import BadRequest
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_responses.clean import UNKNOWN, UNSEALED, clean_input, fit_items, list_items
from dragoman.dialects.openai_responses.request import Session

OURS = b"_" + b"ab" * 16 + b"o3"
SEALED = b'{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"S"}'
SAID = b'{"type":"message","role":"assistant","id":"msg_1","content":[]}'


def clean(given: bytes, *history: bytes, known: dict[str, bytes] | None = None) -> tuple[bytes, dict[str, str]]:
    kept = {name: Raw(item) for name, item in (known or {}).items()}
    session = Session(keep=True, known=kept, history=[Raw(item) for item in history])
    losses: dict[str, str] = {}
    return bytes(clean_input(Raw(given), session, losses)), losses


@pytest.mark.parametrize(
    "given",
    [
        b'"Hi, \\"id\\""',
        b'[ {"role":"user", "content":"Hi"} ]',
        b"[ %b , %b ]" % (SEALED, SAID),
        b'[{"type":"web_search_call","id":"ws_1"}]',
        b'[7,{"type":7,"id":1},{"type":"reasoning","id":"a","encrypted_content":7},{"id":7,"type":"message"}]',
    ],
)
def test_what_an_upstream_can_know_stays_byte_for_byte(given: bytes) -> None:
    assert clean(given) == (given, {})


def test_what_is_kept_here_is_told_first_and_without_its_ids() -> None:
    history = [b'{"id":"msg_0","type":"message","role":"user","content":"One"}', SEALED, SAID]
    told, losses = clean(b'"Two"', *history)
    assert told == (
        b'[{"type":"message","role":"user","content":"One"},%b,{"type":"message","role":"assistant","content":[]},'
        b'{"role":"user","content":"Two"}]' % SEALED
    )
    assert losses == {}


def test_ids_of_our_making_are_taken_away() -> None:
    call = b'{"type":"function_call",%b"call_id":"c","name":"f","arguments":"{}"}'
    assert clean(b"[%b]" % (call % (b'"id":"fc%b",' % OURS))) == (b"[%b]" % (call % b""), {})


@pytest.mark.parametrize(
    "item",
    [
        b'{"type":"reasoning","id":"rs_1","summary":[]}',
        b'{"type":"reasoning","summary":[],"encrypted_content":null}',
        b'{"type":"reasoning","summary":[],"encrypted_content":"redacted:X"}',
        b'{"type":"reasoning","id":"rs%b","summary":[],"encrypted_content":"SIGNED"}' % OURS,
    ],
)
def test_reasoning_that_openai_has_not_sealed_is_taken_away_and_told(item: bytes) -> None:
    assert clean(b'[{"role":"user","content":"Hi"},%b]' % item) == (
        b'[{"role":"user","content":"Hi"}]',
        {"reasoning": UNSEALED},
    )


def test_other_items_of_our_making_are_taken_away_and_told() -> None:
    item = b'{"type":"image_generation_call","id":"ig%b","result":"AA"}' % OURS
    assert clean(b"[%b,%b]" % (item, SAID)) == (b"[%b]" % SAID, {"input.image_generation_call": UNKNOWN})


def test_a_reference_becomes_what_it_refers_to() -> None:
    for reference in (b'{"type":"item_reference","id":"msg_1"}', b'{"id":"msg_1"}'):
        told, _ = clean(b"[%b]" % reference, known={"msg_1": SAID})
        assert told == b'[{"type":"message","role":"assistant","content":[]}]'
    with pytest.raises(BadRequest) as refused:
        clean(b'[{"type":"item_reference","id":"msg_2"}]')
    assert (refused.value.param, refused.value.code) == ("input[0].id", "item_not_found")


def test_roles_are_those_that_the_server_knows() -> None:
    given = b'[{"role":"developer","content":"d"}, {"role":"user","content":"u"},7]'
    assert bytes(fit_items(Raw(given), Quirks(developer_role=False))) == (
        b'[{"role":"system","content":"d"},{"role":"user","content":"u"},7]'
    )
    for same in (b'"developer"', b'[ {"role":"user","content":"u"} ]'):
        assert bytes(fit_items(Raw(same), Quirks(developer_role=False))) == same
    assert list_items(Raw(b'"a"')) == [Raw(b'{"role":"user","content":"a"}')]


def test_a_text_that_an_upstream_left_out_is_empty() -> None:
    item = b'{"type":"message","role":"assistant","id":"msg_1","content":[{"type":"output_text","annotations":[]}]}'
    filled = item.replace(b'"annotations":[]', b'"annotations":[],"text":""')
    assert clean(b"[%b]" % item) == (b"[%b]" % filled, {})
    for content in (b'["output_text"]', b'"output_text"', b"7"):
        odd = b'[{"type":"message","id":"msg_1","content":%b}]' % content
        assert clean(odd) == (odd, {})
    assert clean(b"[%b]" % filled) == (b"[%b]" % filled, {})
