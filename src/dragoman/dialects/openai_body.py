"""What the bodies of all OpenAI endpoints have in common: a model, a stream, counts, fields that are not passed on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.events import Start, Usage
from dragoman.wire.json import Fields, encode, has_more_items, read_fields, set_members

Kinds = Mapping[str, tuple[str, Callable[[Raw], object]]]
"""Field → the name of its type, and what decodes a value of that type, or null."""
NUMBER = msgspec.json.Decoder(float | None).decode
TEXT = msgspec.json.Decoder(str | None).decode
TEXTS = msgspec.json.Decoder(str | list[str] | None).decode
FLAG = msgspec.json.Decoder(bool | None).decode
LIST = msgspec.json.Decoder(list[Raw] | None).decode
OBJECT = msgspec.json.Decoder(Fields | None).decode
DESTINATION = frozenset({"api_base", "base_url", "api_key", "extra_headers", "extra_body", "proxy", "user_config"})
"""Fields by which some gateways let a client choose where its request goes; never ours to pass on."""
_NO_USAGE = re.compile(rb',\s?"usage":\s?null(?=(?:,\s?"obfuscation":\s?"[^"\\]*")?\}\n)')
_USAGE = Raw(b'{"include_usage":true}')
_NOBODY = Start("", "")
_string = msgspec.json.Decoder(str)
_integer = msgspec.json.Decoder(int | None)


def missing(name: str) -> BadRequest:
    """Return the error for a field that is not there."""
    return BadRequest(f"missing required parameter: '{name}'", param=name, code="missing_required_parameter")


def check_kinds(fields: Fields, kinds: Kinds) -> None:
    """Refuse a wrong type by name, even in a body that is passed on as it is; ranges are the upstream's to judge.

    Raises `BadRequest`.
    """
    for name, raw in fields.items():
        kind = kinds.get(name)
        if kind is not None:
            try:
                kind[1](raw)
            except msgspec.DecodeError:
                reason = f"invalid type for '{name}': expected {kind[0]}"
                raise BadRequest(reason, param=name, code="invalid_type") from None


def check_count(name: str, count: int, limit: int) -> None:
    """Refuse more than `limit` entries of `name`."""
    if count > limit:
        raise BadRequest(f"invalid '{name}': more than {limit} entries", param=name, code="invalid_value")


def check_list(fields: Fields, name: str, limit: int) -> None:
    """Refuse a list `name` of more than `limit` items."""
    raw = fields.get(name)
    # Two bytes are the least an item can take: a short list needs no count.
    if raw is not None and memoryview(raw).nbytes > 2 * limit and bytes(raw)[:1] == b"[" and has_more_items(raw, limit):
        raise BadRequest(f"invalid '{name}': more than {limit} entries", param=name, code="invalid_value")


def read_model(fields: Fields) -> str:
    """Return the model's name; raises `BadRequest` when it is missing or could be no model's name."""
    raw = fields.get("model")
    if raw is None:
        raise missing("model")
    try:
        model = _string.decode(raw)
    except msgspec.DecodeError:
        raise BadRequest("invalid type for 'model': expected string", param="model", code="invalid_type") from None
    if not (0 < len(model) <= 256 and model.isascii() and model.isprintable()) or " " in model:
        reason = "expected 1 to 256 printable ASCII characters without spaces"
        raise BadRequest(f"invalid 'model': {reason}", param="model", code="invalid_value")
    return model


def read_n(fields: Fields, limit: int) -> int:
    """Return how many choices are asked for; raises `BadRequest`."""
    if "n" not in fields:
        return 1
    try:
        n = _integer.decode(fields["n"])
    except msgspec.DecodeError:
        raise BadRequest("invalid type for 'n': expected integer", param="n", code="invalid_type") from None
    if n is not None and not 1 <= n <= limit:
        raise BadRequest(f"invalid 'n': expected 1 to {limit}", param="n", code="invalid_value")
    return n or 1


def is_true(fields: Fields, name: str) -> bool:
    """Tell whether `name` is there and true."""
    raw = fields.get(name)
    return raw is not None and bytes(raw) == b"true"


def shows_usage(fields: Fields) -> bool:
    """Tell whether the client of a stream asks for usage; raises `BadRequest`."""
    options = fields.get("stream_options")
    if options is None or bytes(options) == b"null":
        return False
    asked = read_fields(options)
    if bytes(asked.get("include_usage", b"null")) not in (b"true", b"false", b"null"):
        name = "stream_options.include_usage"
        raise BadRequest(f"invalid type for '{name}': expected boolean", param=name, code="invalid_type")
    return is_true(asked, "include_usage")


def patch_body(call: Call, model: str) -> bytes:
    """Return the client's own body with the upstream's model name, asking for usage when it streams.

    When neither changes anything, these are the very bytes that came, unless a member was there twice.
    """
    body, fields = call.body, call.fields
    if not DESTINATION.isdisjoint(fields):
        fields = {name: raw for name, raw in fields.items() if name not in DESTINATION}
        body = encode(fields)
    values: Fields = {}
    if call.model != model:
        values["model"] = Raw(encode(model))
    if call.stream and not call.show_usage:
        values["stream_options"] = _with_usage(fields)
    return set_members(body, fields, values)


def find_start(burst: Burst) -> Start:
    """Return how an answer begins that passes in its own bytes, in case that a frame of ours follows them."""
    return next((event for event in burst.events if isinstance(event, Start)), _NOBODY)


def hide_usage(burst: Burst) -> bytes:
    """Return the frames of a burst for a client that did not ask for usage: we did, so the upstream told it.

    It is in the last frame of its burst, and null in all others.
    """
    raw = burst.raw or b""
    if burst.events and isinstance(burst.events[-1], Usage):
        head, blank, _ = raw[:-2].rpartition(b"\n\n")
        raw = head + blank
    raw = raw.replace(b',"usage":null}\n\n', b"}\n\n")
    return _NO_USAGE.sub(b"", raw) if raw.find(b'"usage":') >= 0 else raw  # twice as fast as `in`


def _with_usage(fields: Fields) -> Raw:
    options = fields.get("stream_options")
    if options is None or bytes(options) == b"null":
        return _USAGE
    return Raw(encode(read_fields(options) | {"include_usage": Raw(b"true")}))
