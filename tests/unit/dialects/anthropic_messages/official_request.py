"""What the official SDK's types say of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeGuard

import msgspec
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

Body = dict[str, object]
_params: TypeAdapter[MessageCreateParamsNonStreaming] = TypeAdapter(MessageCreateParamsNonStreaming)
_OLDER = frozenset({"temperature", "top_p", "top_k", "stream"})
"""Members that the types of this version lack, or have in another place."""


def read_body(data: bytes) -> Body:
    """Return a body that the SDK's types allow; raises where they do not."""
    body = msgspec.json.decode(data, type=Body)
    _validate({name: value for name, value in body.items() if name not in _OLDER})
    return body


def refuses(body: Body) -> bool:
    """Tell whether the types notice that a body is wrong."""
    try:
        _validate(body)
    except ValidationError:
        return True
    return False


def _validate(body: Body) -> None:
    _walk(_params.validate_python(body))


def _walk(value: object) -> None:
    """Look at everything: what may be any iterable is not checked before it is read."""
    if _is_mapping(value):
        _walk(list(value.values()))
    elif _is_iterable(value):
        for item in value:
            _walk(item)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_iterable(value: object) -> TypeGuard[Iterable[object]]:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)
