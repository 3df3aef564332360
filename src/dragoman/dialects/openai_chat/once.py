"""Reasoning that a server tells twice, in two fields, told once. Source: recorded answers of Poe, 2026."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dragoman.wire.json import Fields, encode

_KEPT, _REPEATED = "reasoning_content", "reasoning"
_MARK = b'"reasoning"'
_fields = msgspec.json.Decoder(Fields)
_choices = msgspec.json.Decoder(list[Fields])


def say_once(data: bytes) -> bytes:
    """Return a chunk or a whole answer without `reasoning` where it says the same as `reasoning_content`.

    All else keeps its bytes, and what is no answer is left to whoever reads it.
    """
    if _MARK not in data:
        return data
    try:
        fields = _fields.decode(data)
        choices = _choices.decode(fields["choices"])
        changed = [_drop(choice, name) for choice in choices for name in ("delta", "message") if name in choice]
    except (KeyError, msgspec.DecodeError, RecursionError):
        return data
    return encode({**fields, "choices": choices}) if any(changed) else data


def _drop(choice: Fields, name: str) -> bool:
    said = _fields.decode(choice[name])
    if _REPEATED not in said or bytes(said[_REPEATED]) != bytes(said.get(_KEPT, b"")):
        return False
    del said[_REPEATED]
    choice[name] = Raw(encode(said))
    return True
