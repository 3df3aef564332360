"""Options, thinking and the form of the answer: how Ollama's clients steer a model, in the hub's words.

Only what a client gives is read; Ollama's own defaults never reach an upstream.
"""

from __future__ import annotations

import math

import msgspec
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_body import check_count
from dragoman.wire.json import Fields, read_fields

MAX_INTEGER = 2**63 - 1
MAX_TOP_LOGPROBS = 20
_FLOATS = ("temperature", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repeat_penalty")
_INTEGERS = ("top_k", "num_predict", "seed")
_KNOWN = frozenset({*_FLOATS, *_INTEGERS, "stop"})
_NULL = Raw(b"null")
_LEVELS = frozenset({"low", "medium", "high", "max"})
_THOUGHT = 'must be "low", "medium", "high", "max", true, or false'
_FORMATS = 'expected "json" or a valid JSON Schema object'
_number = msgspec.json.Decoder(int | float | str).decode
_string = msgspec.json.Decoder(str).decode
_strings = msgspec.json.Decoder(list[str]).decode
_think = msgspec.json.Decoder(bool | str).decode
_flag = msgspec.json.Decoder(bool).decode
_integer = msgspec.json.Decoder(int).decode


def given(fields: Fields, name: str) -> Raw | None:
    """Return a member that is there and not null."""
    raw = fields.get(name, _NULL)
    return None if bytes(raw) == b"null" else raw


def read_options(fields: Fields) -> Fields:
    """Return the options that are given; raises `BadRequest`."""
    raw = given(fields, "options")
    if raw is None:
        return {}
    if bytes(raw)[:1] != b"{":
        raise BadRequest("invalid type for 'options': expected object", param="options", code="invalid_type")
    options = read_fields(raw)
    return {name: value for name, value in options.items() if given(options, name) is not None}


def unknown_options(options: Fields) -> msg.Extra:
    """Return the options the hub has no word for, each under its path."""
    return {f"options.{name}": raw for name, raw in options.items() if name not in _KNOWN}


def read_sampling(fields: Fields, options: Fields, stops: int) -> msg.Sampling:
    """Return how tokens are chosen and where to end, after at most `stops` sequences; raises `BadRequest`."""
    floats = {name: _read_float(name, options[name]) for name in _FLOATS if name in options}
    counts = {name: _read_integer(name, options[name]) for name in _INTEGERS if name in options}
    seed = counts.get("seed")
    return msg.Sampling(
        temperature=floats.get("temperature"),
        top_p=floats.get("top_p"),
        top_k=_positive(counts.get("top_k")),
        min_p=floats.get("min_p"),
        max_tokens=_positive(counts.get("num_predict")),
        stop=_read_stop(options["stop"], stops) if "stop" in options else [],
        seed=None if seed == -1 else seed,
        presence_penalty=floats.get("presence_penalty"),
        frequency_penalty=floats.get("frequency_penalty"),
        repeat_penalty=floats.get("repeat_penalty"),
        logprobs=_read_logprobs(fields),
    )


def read_reasoning(fields: Fields) -> msg.Reasoning:
    """Return how much to think; raises `BadRequest`."""
    raw = given(fields, "think")
    if raw is None:
        return msg.Reasoning()
    try:
        think = _think(raw)
    except msgspec.DecodeError:
        think = ""
    if think is True:
        return msg.Reasoning("medium")
    if think is False:
        return msg.Reasoning("none")
    if think not in _LEVELS:
        shown = bytes(raw)[:40].decode("utf-8", "replace")
        raise BadRequest(f"invalid think value: {shown} ({_THOUGHT})", param="think", code="invalid_value")
    return msg.Reasoning(think)


def read_format(fields: Fields) -> msg.Format:
    """Return the form the answer must have; raises `BadRequest`."""
    raw = given(fields, "format")
    if raw is None or bytes(raw) == b'""':
        return msg.Format()
    if bytes(raw) == b'"json"':
        return msg.Format("json")
    if bytes(raw)[:1] == b"{":
        return msg.Format("schema", "response", schema=raw)
    shown = bytes(raw)[:40].decode("utf-8", "replace")
    raise BadRequest(f"invalid format: {shown}; {_FORMATS}", param="format", code="invalid_value")


def _read_float(name: str, raw: Raw) -> float:
    try:
        value = float(_number(raw))
    except (msgspec.DecodeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(name, "float32")
    return value


def _read_integer(name: str, raw: Raw) -> int:
    try:
        number = _number(raw)
        value = int(number)
    except (msgspec.DecodeError, ValueError):
        raise _wrong(name, "integer") from None
    if abs(value) > MAX_INTEGER or (isinstance(number, float) and not number.is_integer()):
        raise _wrong(name, "integer")
    return value


def _read_stop(raw: Raw, limit: int) -> list[str]:
    try:
        stop = [_string(raw)] if bytes(raw)[:1] == b'"' else _strings(raw)
    except msgspec.DecodeError:
        raise _wrong("stop", "array") from None
    check_count("options.stop", len(stop), limit)
    return stop


def _wrong(name: str, kind: str) -> BadRequest:
    path = f"options.{name}"
    return BadRequest(f'option "{name}" must be of type {kind}', param=path, code="invalid_type")


def _positive(value: int | None) -> int | None:
    """Ollama's -1 and 0 mean: no limit."""
    return value if value is not None and value > 0 else None


def _read_logprobs(fields: Fields) -> int | None:
    logprobs, top = given(fields, "logprobs"), given(fields, "top_logprobs")
    try:
        told, count = logprobs is not None and _flag(logprobs), 0 if top is None else _integer(top)
    except msgspec.DecodeError:
        reason = "invalid type: expected a boolean 'logprobs' and an integer 'top_logprobs'"
        raise BadRequest(reason, param="logprobs", code="invalid_type") from None
    if not 0 <= count <= MAX_TOP_LOGPROBS:
        reason = f"top_logprobs must be between 0 and {MAX_TOP_LOGPROBS}"
        raise BadRequest(reason, param="top_logprobs", code="invalid_value")
    return count if told else None
