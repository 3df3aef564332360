"""JSON at the door: limits, errors that name the field, and edits that leave every other byte alone.

msgspec does the decoding; this module adds what it leaves open. It skips unread values without looking at their UTF-8,
their numbers or how deep (up to a thousand levels) they nest, so the limits are checked here, on the bytes.
"""

from __future__ import annotations

import re
from itertools import takewhile
from operator import itemgetter
from typing import TypeVar

import msgspec
from msgspec import Raw

from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits

T = TypeVar("T")
Fields = dict[str, Raw]
"""The members of a JSON object, their values untouched."""

encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_BOM = b"\xef\xbb\xbf"
_KEY = re.compile(rb'[ \t\r\n]*[{,][ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_END = re.compile(rb"[ \t\r\n]*\}[ \t\r\n]*")
_items = msgspec.json.Decoder(list[Raw])
_DIGIT = re.compile(rb"[0-9]")
_RARE = 64
_LONG = 4096
"""Bytes from which on it is worth the while to look for a mark before counting."""
_KEY_SIZE = 5
"""Bytes that a member of an object takes at least: two quotes, a colon, a digit, a comma."""
_MISSING = re.compile(r"Object missing required field `(.*)`")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""One escape in a JSON string; the group is a surrogate without its other half."""
_HUGE = 1 << 20
"""Bytes of an array that can hold more items than we care to make."""
_SLICE = 1 << 18
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_NO_MARK = bytes(set(range(256)) - set(b"[]{}:"))
_NO_ITEM = bytes(set(range(256)) - set(b"[]{},"))
_SHOWN = 200
"""Characters of a client's own words that an error repeats."""


def read_json(decoder: msgspec.json.Decoder[T], body: bytes | Raw) -> T:
    """Decode a client's JSON; raises `BadRequest` naming the first wrong field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("the body is not valid JSON", code="invalid_json") from None


def wrong_field(text: str) -> BadRequest:
    """Turn msgspec's words into an error whose `param` is the path of the field."""
    reason, found, path = text.rpartition(" - at `")
    if not found:
        reason, path = text, ""
    path = path.rstrip("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
    if missing := _MISSING.fullmatch(reason):
        param = f"{path}.{missing[1]}" if path else missing[1]
        return BadRequest(f"missing required parameter: '{param}'", param=param, code="missing_required_parameter")
    code = "invalid_type" if reason.startswith("Expected") and ", got" in reason else "invalid_value"
    reason = reason[:1].lower() + reason[1:_SHOWN]
    if not path:
        return BadRequest(f"the body is wrong: {reason}", code=code)
    return BadRequest(f"invalid '{path}': {reason}", param=path, code=code)


def read_fields(data: bytes | Raw) -> Fields:
    """Return the members of a JSON object; raises `BadRequest`."""
    return read_json(_fields, data)


def read_body(body: bytes, limits: Limits) -> tuple[bytes, Fields]:
    """Return a client's body without a BOM, and its members, checked against `limits`; raises `BadRequest`.

    A long conversation costs little: what a count can prove is not looked at more closely (100 kB of conversation:
    70 µs, where one regular expression takes 400).
    """
    body = body.removeprefix(_BOM)
    fields = read_json(_fields, body)
    if not is_utf8(body):
        raise BadRequest("the body is not valid UTF-8", code="invalid_json")
    if _may_nest(body, limits.depth) and _nests(_skeleton(body), limits.depth):
        raise BadRequest(f"the body nests deeper than {limits.depth} levels", code="invalid_json")
    if (
        len(body) > _KEY_SIZE * limits.keys
        and has_more(body, b":", limits.keys)
        and _too_wide(_skeleton(body), limits.keys)
    ):
        raise BadRequest(f"an object in the body has more than {limits.keys} keys", code="invalid_json")
    if _may_hold_digits(body, limits.digits) and re.search(rb"[0-9]{%d}" % (limits.digits + 1), _skeleton(body)):
        raise BadRequest(f"a number in the body has more than {limits.digits} digits", code="invalid_json")
    return body, fields


def set_members(body: bytes, fields: Fields, values: Fields) -> bytes:
    """Return the object `body`, whose members are `fields`, with `values` set and every other byte as it was.

    An object that says a member twice is written anew with the last of each, so that no two readers can differ.
    """
    if _is_compact(body, fields):
        spans = {name: _compact_span(fields, name) for name in values if name in fields}
    elif not (spans := _spans(body, fields)):
        return encode(fields | values)
    if not values:
        return body
    end = body.rindex(b"}")
    edits = [
        (spans[name], raw) if name in spans else ((end, end), Raw(b",%b:%b" % (encode(name), raw)))
        for name, raw in values.items()
    ]
    edits.sort(key=itemgetter(0))
    whole, at = memoryview(body), 0
    pieces: list[memoryview | Raw] = []
    for (start, stop), raw in edits:
        pieces += (whole[at:start], raw)
        at = stop
    return b"".join([*pieces, whole[at:]])


def is_utf8(data: bytes) -> bool:
    """Tell whether `data` is valid UTF-8; msgspec does not look at what it skips."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_more(data: bytes, mark: bytes, limit: int) -> bool:
    """Tell whether `mark` is there more than `limit` times; hardly dearer than one search where it is rare."""
    at = -1
    for _ in range(min(limit + 1, _RARE)):
        at = data.find(mark, at + 1)
        if at < 0:
            return False
    return limit < _RARE or _count(data, mark) > limit


def has_more_items(array: Raw, limit: int) -> bool:
    """Tell whether an array has more than `limit` items, at least one; of a huge one it makes none."""
    if memoryview(array).nbytes < _HUGE:
        return len(_items.decode(array)) > limit
    depth = commas = 0
    for mark in _skeleton(bytes(array)).translate(None, _NO_ITEM):
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        elif depth == 1:
            commas += 1
            if commas == limit:
                return True
    return False


def repair_text(data: bytes) -> bytes:
    """Return an upstream's JSON with invalid UTF-8 and lone surrogates replaced by U+FFFD."""
    if not data.isascii():
        data = data.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_repair_escape, data) if b"\\u" in data else data


def _repair_escape(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape[1] else escape[0]


def _skeleton(body: bytes) -> bytes:
    """What is outside of strings; exact for well-formed JSON, and much shorter than the text of a conversation."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    bones: list[bytes] = []
    inside = 0
    for at in range(0, len(body), _SLICE):  # so that no body makes millions of pieces at a time
        pieces = body[at : at + _SLICE].split(b'"')
        bones.append(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return b"".join(bones)


def _count(data: bytes, mark: bytes) -> int:
    return len(data) - len(data.replace(mark, b""))  # three times as fast as `data.count(mark)`


def _may_nest(data: bytes, depth: int) -> bool:
    """Tell whether `data` has more than `depth` opening brackets, strings and all, siblings counted once."""
    if len(data) > _LONG and not (has_more(data, b"{", depth // 2) or has_more(data, b"[", depth // 2)):
        return False
    opened = _count(data, b"{") + _count(data, b"[")
    return opened > depth and opened - data.count(b"},{") > depth


def _nests(bones: bytes, depth: int) -> bool:
    """Tell whether something nests deeper than `depth`."""
    brackets = bones.translate(_SQUARE, _NO_BRACKET)
    for _ in range(depth):  # peel off the innermost, level by level
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _too_wide(bones: bytes, keys: int) -> bool:
    """Tell whether an object has more than `keys` keys."""
    counts: list[int] = []
    for mark in bones.translate(None, _NO_MARK):
        if mark in b"{[":
            counts.append(0)
        elif mark in b"}]":
            counts.pop()
        else:
            counts[-1] += 1
            if counts[-1] > keys:
                return True
    return False


def _may_hold_digits(data: bytes, digits: int) -> bool:
    """Tell whether `data` may hold more than `digits` digits in a row.

    One in every `digits` + 1 bytes would be one of them, with half of the others before or behind it.
    """
    half = digits // 2
    sample = data[digits :: digits + 1]
    found = _DIGIT.search(sample)
    while found:
        at = digits + found.start() * (digits + 1)
        if data[at - half : at].isdigit() or data[at : at + half].isdigit():
            return True
        found = _DIGIT.search(sample, found.end())
    return False


def _is_compact(body: bytes, fields: Fields) -> bool:
    """Tell whether the parts add up to the whole: no white space, no escape in a name, no member twice."""
    return len(body) == len(b"".join(fields.values())) + len("".join(fields)) + 4 * len(fields) + 1


def _compact_span(fields: Fields, name: str) -> tuple[int, int]:
    """Where the value of `name` stands in a compact object."""
    start = 4 + len(name)
    for other in takewhile(name.__ne__, fields):
        start += len(other) + 4 + memoryview(fields[other]).nbytes
    return start, start + memoryview(fields[name]).nbytes


def _spans(body: bytes, fields: Fields) -> dict[str, tuple[int, int]]:
    """Where each member's value stands in `body`; empty when a member is there twice.

    Every name and every value is compared, up to the very end: a walk that trusts lengths can be led astray by a member
    whose two values differ in length.
    """
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    for name, raw in fields.items():
        key, value = _KEY.match(body, at), bytes(raw)
        if key is None or msgspec.json.decode(key[1]) != name or not body.startswith(value, key.end()):
            return {}
        at = key.end() + len(value)
        spans[name] = key.end(), at
    return spans if _END.fullmatch(body, at) else {}
