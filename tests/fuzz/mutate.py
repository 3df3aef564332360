"""Ways to make right bytes wrong, all of them decided by the numbers of a `Random`."""

from __future__ import annotations

from random import Random

import msgspec

ODD = [
    b"null", b"true", b"0", b"-1", b"1.5", b"1e400", b"NaN", b"[]", b"{}", b'""', b'"x"', b"[null]", b"[{}]",
    b"9" * 400, b"1" * 30, b'"\\ud800"', b'"\\udc00x"', b'"\xff"', b'"\x00"', b"{", b"[" * 2000,
    b"[" * 990 + b"]" * 990,
    b'{"a":' * 500 + b"1" + b"}" * 500, b'{"name":"f","arguments":{"a":1}}', b'[{"index":0,"id":"a"}]', b'"stop"',
    b'"length"', b'"error"', b'"\\\\\\ud83d\\udc00"', b'"data: [DONE]"', b"128", b"127", b"-0", b"1" + b"0" * 5000,
]  # fmt: skip
"""Values that stand where others are due."""
PLAUSIBLE: list[object] = [
    None, True, False, 0, 1, -1, 1.5, 2**53, 2**63, 2**64, 1e308, -1e-9, "", "x", " ", "\u2028\u0000é\U0001f642", "[]",
    "{", "{}", '{"a":1}', "m" * 300, "1", "text", "tool", "image", "function", "assistant", "data:image/png;base64,AA",
    [], [None], [[]], [{}], ["a", 1], {}, {"type": "text", "text": "x"}, {"type": "tool_use"}, {"": None},
    {"a": {"b": 1}}, [{"type": "text"}], {"type": "function", "name": "f"}, {"role": "tool", "content": "r"}, "none",
]  # fmt: skip
"""JSON that is well formed, but hardly what is due."""
_SOME = b'\x00\xff\xed\xa0\x80"\\{}[],:\r\n -0eE9'


def spoil_bytes(data: bytes, chance: Random, mark: bytes = b"\n\n") -> bytes:
    """Return `data` with some bytes wrong; `mark` ends its frames."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        start = chance.randint(0, len(data))
        match chance.choice(["value", "cut", "byte", "twice", "swap"]):
            case "value":
                data = replace_value(data, start, chance.choice(ODD))
            case "cut":
                data = data[:start] + data[start + chance.randint(0, 80) :]
            case "byte":
                at = chance.randint(0, len(_SOME) - 1)
                data = data[:start] + _SOME[at : at + chance.randint(1, 3)] + data[start + 1 :]
            case kind:
                frames = data.split(mark)
                at, other = chance.randint(0, len(frames) - 1), chance.randint(0, len(frames) - 1)
                data = mark.join([*frames[:at], frames[other], *frames[at + (kind == "swap") :]])
    return data


def replace_value(data: bytes, start: int, value: bytes) -> bytes:
    """Put `value` where the next member's value stands."""
    colon = data.find(b'":', start)
    if colon < 0:
        return data + value
    end = min((at for mark in (b",", b"}", b"]") if (at := data.find(mark, colon + 2)) >= 0), default=len(data))
    return data[: colon + 2] + value + data[end:]


def spoil_json(data: bytes, chance: Random) -> bytes:
    """Return a JSON text that is as well formed as `data`, with some values, members or items wrong."""
    try:
        whole: object = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        whole = _spoil(whole, chance)
    return msgspec.json.encode(whole)


def _spoil(value: object, chance: Random) -> object:
    """Go down some steps, and change what is there."""
    if isinstance(value, dict) and value and chance.randint(0, 30):
        return _spoil_members(msgspec.convert(value, dict[str, object]), chance)
    if isinstance(value, list) and value and chance.randint(0, 30):
        return _spoil_items(msgspec.convert(value, list[object]), chance)
    return chance.choice(PLAUSIBLE)


def _spoil_members(members: dict[str, object], chance: Random) -> object:
    name = chance.choice([name for name, value in members.items() for _ in range(_weight(value))])
    match chance.choice(["down"] * 9 + ["less", "more", "rename"]):
        case "less":
            del members[name]
        case "more":
            members[chance.choice(["x", "", "extra_body", "name", "id", "type", "n"])] = chance.choice(PLAUSIBLE)
        case "rename":
            other = chance.choice(list(members))
            members[other] = members.pop(name)
        case _:
            members[name] = _spoil(members[name], chance)
    return members


def _spoil_items(items: list[object], chance: Random) -> object:
    at = chance.choice([at for at, value in enumerate(items) for _ in range(_weight(value))])
    match chance.choice(["down"] * 9 + ["less", "twice", "more"]):
        case "less":
            del items[at]
        case "twice":
            items.insert(chance.randint(0, len(items)), items[at])
        case "more":
            items.insert(at, chance.choice(PLAUSIBLE))
        case _:
            items[at] = _spoil(items[at], chance)
    return items


def _weight(value: object) -> int:
    """How many values are in it: all of them are to have the same chance."""
    if isinstance(value, dict):
        return 1 + sum(map(_weight, msgspec.convert(value, dict[str, object]).values()))
    return 1 + sum(map(_weight, msgspec.convert(value, list[object]))) if isinstance(value, list) else 1
