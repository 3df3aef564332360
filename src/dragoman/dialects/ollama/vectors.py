"""Vectors as Ollama gives them: lists of numbers, of length one where nothing else is asked for."""

from __future__ import annotations

import binascii
import math
import struct
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamInvalid
from dragoman.core.events import Event, Vector
from dragoman.core.message import Request

_NEAR = 1e-6
"""How near to one a length is good enough: single precision knows no better."""
_single = struct.Struct("<f")
_text = msgspec.json.Decoder(str).decode
_numbers = msgspec.json.Decoder(list[float]).decode


def read_vectors(events: Sequence[Event], count: int) -> list[list[float]]:
    """Return the vectors of `count` inputs in their order; raises `UpstreamInvalid`."""
    vectors = {event.index: event for event in events if isinstance(event, Vector)}
    if sorted(vectors) != list(range(count)):
        raise UpstreamInvalid(detail=f"{len(vectors)} vectors for {count} inputs")
    return [_read_values(vectors[index]) for index in range(count)]


def read_texts(request: Request) -> list[str]:
    """Return what vectors are asked of; raises `BadRequest` where it is tokens, which Ollama does not take."""
    texts = [entry for entry in request.inputs if isinstance(entry, str)]
    if len(texts) != len(request.inputs):
        reason = "invalid 'input': this upstream takes texts, and no tokens"
        error = BadRequest(reason, param="input", code="invalid_value")
        error.retry = "elsewhere"
        raise error
    return texts


def normalise(vector: list[float], dimensions: int | None) -> list[float]:
    """Return the first `dimensions` numbers of a vector, scaled to length one; a vector of zeros stays as it is."""
    vector = vector[:dimensions]
    length = math.hypot(*vector)
    if length == 0 or math.isclose(length, 1, rel_tol=_NEAR):
        return vector
    return [value / length for value in vector]


def never_streams(call: Call) -> NoReturn:
    """Refuse to write a stream: vectors come whole, and no call for them asks for a stream."""
    raise BadRequest(f"the vectors of '{call.model}' are never streamed", param="stream")


def _read_values(vector: Vector) -> list[float]:
    try:
        packed = bytes(vector.values)[:1] == b'"'
        values = _unpack(_text(vector.values)) if packed else _numbers(vector.values)
    except (msgspec.DecodeError, binascii.Error, struct.error):
        raise UpstreamInvalid(detail="a vector is no list of numbers") from None
    if not all(map(math.isfinite, values)):
        raise UpstreamInvalid(detail="a vector with a number that is none")
    return values


def _unpack(text: str) -> list[float]:
    """Single precision, little end first."""
    return [value for (value,) in _single.iter_unpack(binascii.a2b_base64(text, strict_mode=True))]
