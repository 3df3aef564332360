"""A response as it is stored, continued, shown again and referred to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.call import Call
from dragoman.core.ports import Record
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.items import find_references, kind_of
from dragoman.dialects.openai_responses.request import Session
from dragoman.dialects.openai_responses.writer import write_whole
from dragoman.wire.json import Fields, encode

_turn = msgspec.json.Decoder(wire.Turn)
_input = msgspec.json.Decoder(str | list[Raw])
_fields = msgspec.json.Decoder(Fields)
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
_WITH_STATUS = frozenset(_PREFIXES) - {"reasoning"}
_COMPLETED = Raw(b'"completed"')


class _Output(msgspec.Struct):
    output: list[Raw]


class _Id(msgspec.Struct):
    id: str | None = None


_output = msgspec.json.Decoder(_Output)
_id = msgspec.json.Decoder(_Id)


def find_turns(call: Call) -> list[str]:
    """Return the ids of the responses whose items the call refers to by their ids; raises `BadRequest`."""
    turns = [wire.find_response(item_id) for item_id in find_references(_own_items(call))]
    return list(dict.fromkeys(filter(None, turns)))


def recall(call: Call, trail: Sequence[Record], referred: Sequence[Record]) -> None:
    """Give a call the turns it continues, the oldest first, and those that it refers to."""
    session = call.thread
    if isinstance(session, Session):
        session.history = [item for record in trail for item in _all_items(record)]
        known = [item for record in referred for item in _all_items(record)]
        session.known = {_id.decode(item).id or "": item for item in [*session.history, *known]}


def write_turn(call: Call, events: Iterable[ev.Event]) -> Record:
    """Return what is stored of a call that was answered."""
    response = write_whole(call, events, encrypted=True)
    session = call.thread
    known = session.known if isinstance(session, Session) else {}
    items = [known.get(_id.decode(item).id or "", item) if _refers(item) else item for item in _own_items(call)]
    own = [_complete(item, response.id, number) for number, item in enumerate(items)]
    body = encode(wire.Turn(Raw(encode(response)), own))
    return Record(wire.KIND, call.caller.name, response.id, body, session.previous if session else "")


def show_response(record: Record) -> bytes:
    """Return a stored response as it was answered."""
    return bytes(_turn.decode(record.body).response)


def list_items(record: Record, limit: int, after: str, *, newest: bool) -> bytes:
    """Return a page of the items that a stored response answered."""
    items = _turn.decode(record.body).input
    if newest:
        items.reverse()
    ids = [_id.decode(item).id for item in items]
    first = ids.index(after) + 1 if after in ids else 0
    page, names = items[first : first + limit], ids[first : first + limit]
    return encode(
        wire.ItemList(page, names[0] if names else None, names[-1] if names else None, len(items) > first + limit)
    )


def _own_items(call: Call) -> list[Raw]:
    said = _input.decode(call.fields["input"])
    return [Raw(encode({"role": "user", "content": said}))] if isinstance(said, str) else said


def _refers(item: Raw) -> bool:
    return kind_of(item) == "item_reference"


def _all_items(record: Record) -> list[Raw]:
    turn = _turn.decode(record.body)
    return turn.input + _output.decode(turn.response).output


def _complete(item: Raw, response_id: str, number: int) -> Raw:
    """Return an item with all that it has when it is shown: an id, a type, a status, and content in parts."""
    fields, kind = _fields.decode(item), kind_of(item)
    prefix = _PREFIXES.get(kind, "item")
    made: Fields = {"id": Raw(encode(wire.name_item(prefix, response_id, number, "i"))), "type": Raw(encode(kind))}
    if kind in _WITH_STATUS:
        made["status"] = _COMPLETED
    given = {name: raw for name, raw in fields.items() if bytes(raw) != b"null" or name not in made}
    content = given.get("content")
    if kind == "message" and content is not None and bytes(content)[:1] == b'"':
        given["content"] = _one_part(content, given.get("role"))
    return Raw(encode({**made, **given}))


def _one_part(text: Raw, role: Raw | None) -> Raw:
    if role is not None and bytes(role) == b'"assistant"':
        return Raw(b'[{"type":"output_text","text":%b,"annotations":[],"logprobs":[]}]' % bytes(text))
    return Raw(b'[{"type":"input_text","text":%b}]' % bytes(text))
