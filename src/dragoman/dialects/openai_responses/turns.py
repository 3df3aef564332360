"""A response as it is stored, continued, shown again and referred to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.ports import Record
from dragoman.dialects.openai_responses import schema as wire
from dragoman.dialects.openai_responses.items import find_references, kind_of
from dragoman.dialects.openai_responses.request import Session
from dragoman.dialects.openai_responses.writer import write_whole
from dragoman.wire.json import Fields, encode, set_members

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


class _Last(msgspec.Struct):
    response: Raw = wire.NULL


_output = msgspec.json.Decoder(_Output)
_id = msgspec.json.Decoder(_Id)
_last = msgspec.json.Decoder(_Last)
_TRUE = Raw(b"true")
_DATA = b"\ndata: "


def find_turns(call: Call) -> list[str]:
    """Return the ids of the responses whose items the call refers to by their ids, or the ids of the items themselves
    where those do not tell; raises `BadRequest`.
    """
    turns = [
        wire.find_response(item_id) if wire.is_made_here(item_id) else item_id
        for item_id in find_references(_own_items(call))
    ]
    return list(dict.fromkeys(filter(None, turns)))


def recall(call: Call, trail: Sequence[Record], referred: Sequence[Record]) -> None:
    """Give a call the turns it continues, the oldest first, and those that it refers to."""
    session = call.thread
    if isinstance(session, Session):
        session.history = [item for record in trail for item in _all_items(record)]
        known = [item for record in referred for item in _all_items(record)]
        session.known = {_id.decode(item).id or "": item for item in [*session.history, *known]}


def write_turn(call: Call, answer: Burst) -> Record:
    """Return what is stored of a call that was answered: where its client was told the upstream's bytes, those.

    `answer` holds all events, and the bytes of the last burst.
    """
    name, response = _find_told(call, answer) or _write_anew(call, answer)
    session = call.thread
    known = session.known if isinstance(session, Session) else {}
    items = [known.get(_id.decode(item).id or "", item) if _refers(item) else item for item in _own_items(call)]
    own = [_complete(item, name, number) for number, item in enumerate(items)]
    body = encode(wire.Turn(response, own))
    return Record(wire.KIND, call.caller.name, name, body, session.previous if session else "")


def find_parts(record: Record) -> list[str]:
    """Return the ids of the items that a stored response answered and that do not tell its own id."""
    items = _output.decode(_turn.decode(record.body).response).output
    names = [_id.decode(item).id or "" for item in items]
    return [name for name in names if name and not wire.is_made_here(name)]


def _write_anew(call: Call, answer: Burst) -> tuple[str, Raw]:
    response = write_whole(call, answer.events, encrypted=True)
    return response.id, Raw(encode(response))


def _find_told(call: Call, answer: Burst) -> tuple[str, Raw] | None:
    """Return the upstream's own response and its id, if that is what the client was told: its bytes pass as they came.

    It says that the upstream keeps nothing, and knows of no turn before it; here both are otherwise.
    """
    if answer.raw is None or answer.dialect != wire.NAME:
        return None
    raw = answer.raw if not call.stream else answer.raw.rpartition(_DATA)[2]
    try:
        response = Raw(raw.strip()) if not call.stream else _last.decode(raw).response
        fields, name = _fields.decode(response), _id.decode(response).id
        _output.decode(response)
    except msgspec.DecodeError:
        return None
    values: Fields = {"store": _TRUE}
    if call.thread is not None and call.thread.previous:
        values["previous_response_id"] = Raw(encode(call.thread.previous))
    return (name, Raw(set_members(bytes(response), fields, values))) if name else None


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
