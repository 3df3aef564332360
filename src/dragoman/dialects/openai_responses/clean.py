"""The items of a conversation as an upstream takes them back that keeps nothing (`store` is false).

What the gateway keeps for its client is told in full, what is referred to is put in its place, and what an upstream
cannot know is taken away: ids that only the gateway gave, and reasoning that is not sealed, or not by OpenAI. Every
other item stays as it is, byte for byte. Source: OpenAI API reference, 2026 (an item that is not kept is not found by
its id; reasoning is brought back by its `encrypted_content`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Raw

from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_responses.conversation import fit_role
from dragoman.dialects.openai_responses.items import kind_of, not_found
from dragoman.dialects.openai_responses.request import Session
from dragoman.dialects.openai_responses.schema import NULL, REDACTED, is_made_here
from dragoman.wire.json import Fields, encode

UNSEALED = "OpenAI takes back no reasoning that it has not sealed"
UNKNOWN = "the upstream does not know this item"
_SUSPECT = re.compile(rb'"(?:reasoning|id)"')
"""What is in every item that may have to be changed."""
_PLAIN = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"},
)
"""Items that need no id."""
_SYSTEM = frozenset({"system", "developer"})
_fields = msgspec.json.Decoder(Fields)
_items = msgspec.json.Decoder(list[Raw])
_parts = msgspec.json.Decoder(list[Fields])
_OUTPUT, _NOTHING = b'"output_text"', Raw(b'""')
_id = msgspec.json.Decoder(str | None)


class _Seal(msgspec.Struct):
    encrypted_content: str | None = None


_seal = msgspec.json.Decoder(_Seal)


def clean_input(given: Raw, session: Session, losses: dict[str, str]) -> Raw:
    """Return the whole conversation: `given` itself if it is all, and nothing in it has to be changed.

    What is taken away is noted in `losses`. Raises `BadRequest` for a reference to what nobody keeps.
    """
    if not (session.history or _SUSPECT.search(given)):
        return given
    items, kept = list_items(given), [_clean(item, losses, stored=True) for item in session.history]
    for number, item in enumerate(items):
        found = _refer(item, session.known, f"input[{number}]")
        kept.append(_clean(item if found is None else found, losses, stored=found is not None))
    if len(kept) == len(items) and all(new is old for new, old in zip(kept, items, strict=True)):
        return given
    return Raw(encode([item for item in kept if item is not None]))


def list_items(given: Raw) -> list[Raw]:
    """Return the items of an input; a mere text is what the user says."""
    if bytes(given)[:1] == b"[":
        return _items.decode(given)
    return [Raw(b'{"role":"user","content":%b}' % bytes(given))]


def fit_items(given: Raw, quirks: Quirks) -> Raw:
    """Return an input with the roles that the server knows; the same bytes where nothing has to change."""
    text = bytes(given)
    if text[:1] != b"[" or not any(b'"%b"' % role.encode() in text for role in _SYSTEM):
        return given
    return Raw(encode([_rename(item, quirks) for item in _items.decode(given)]))


def _rename(item: Raw, quirks: Quirks) -> Raw:
    fields = _read(item) or {}
    for role in _SYSTEM:
        if bytes(fields.get("role", NULL)) == encode(role) and (told := fit_role(role, quirks)) != role:
            return Raw(encode({**fields, "role": told}))
    return item


def _refer(item: Raw, known: Mapping[str, Raw], path: str) -> Raw | None:
    """Return what an item refers to, None for one that does not."""
    if _kind(item) != "item_reference":
        return None
    name = _read_id(_read(item) or {})
    found = known.get(name)
    if found is None:
        raise not_found(name, path)
    return found


def _clean(item: Raw, losses: dict[str, str], *, stored: bool) -> Raw | None:
    """Return an item as it can be told again, None for one that cannot."""
    fields, kind = _read(item), _kind(item)
    if fields is None:
        return item  # for the upstream to refuse
    ours = is_made_here(_read_id(fields))
    if kind == "reasoning":
        if ours or not _is_sealed(item):
            losses["reasoning"] = UNSEALED
            return None
        return item
    if kind not in _PLAIN:
        if ours:
            losses[f"input.{kind}"[:64]] = UNKNOWN
        return None if ours else item
    content = _fill_texts(fields["content"]) if kind == "message" and "content" in fields else None
    if content is not None:
        fields["content"] = content
    if "id" in fields and (ours or stored):
        del fields["id"]
    elif content is None:
        return item
    return Raw(encode(fields))


def _fill_texts(content: Raw) -> Raw | None:
    """Return the parts of a message, with a text for those that lack one (Gemini at Poe); None where none does."""
    if _OUTPUT not in bytes(content):
        return None
    try:
        parts = _parts.decode(content)
    except msgspec.DecodeError:
        return None  # for the upstream to refuse
    filled = [{**part, "text": _NOTHING} if _lacks_text(part) else part for part in parts]
    return None if filled == parts else Raw(encode(filled))


def _lacks_text(part: Fields) -> bool:
    return "text" not in part and bytes(part.get("type", NULL)) == _OUTPUT


def _is_sealed(item: Raw) -> bool:
    try:
        proof = _seal.decode(item).encrypted_content
    except msgspec.DecodeError:
        return True  # for the upstream to refuse
    return bool(proof) and not (proof or "").startswith(REDACTED)


def _read(item: Raw) -> Fields | None:
    try:
        return _fields.decode(item)
    except msgspec.DecodeError:
        return None


def _kind(item: Raw) -> str:
    try:
        return kind_of(item)
    except msgspec.DecodeError:
        return ""


def _read_id(fields: Fields) -> str:
    try:
        return _id.decode(fields.get("id", NULL)) or ""
    except msgspec.DecodeError:
        return ""
