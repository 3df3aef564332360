"""The shape of a picture that a model makes in a chat: the size that a client of the picture endpoints asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Raw, structs

from dragoman.core.message import Request
from dragoman.core.quirks import Quirks
from dragoman.wire.json import encode

SIZE = "size"
"""The client's field, the only one that is told in other words: ``1024x1536``, ``auto`` or nothing."""
_ANY = ("", "auto")
_SHAPE = re.compile(r"([1-9][0-9]{0,4})[x:]([1-9][0-9]{0,4})")
_NEAR = 1.1
"""How much wider or higher another shape may be to be told in the place of what was asked for."""
_SAME = 0.01
_text = msgspec.json.Decoder(str | None)


def tell_shape(request: Request, quirks: Quirks) -> tuple[Request, Mapping[str, str]]:
    """Return the request with the size said in the model's own field, and why that is not what was asked for."""
    raw = request.extra.get(SIZE)
    if raw is None:
        return request, {}
    extra = {name: value for name, value in request.extra.items() if name != SIZE}
    try:
        size = _text.decode(raw) or ""
    except msgspec.DecodeError:
        size = "no size"
    if size in _ANY:
        return structs.replace(request, extra=extra), {}
    shape = _find_nearest(size, quirks.shapes)
    if shape:
        extra[quirks.shape] = Raw(encode(shape))
    lost = {} if _is_same(shape, size) else {SIZE: _explain(shape)}
    return structs.replace(request, extra=extra), lost


def _is_same(shape: str, size: str) -> bool:
    """Tell whether nothing is lost: a ratio says nothing of pixels, and the model makes as many as it likes."""
    return shape == size or (":" in shape and abs(_ratio(shape) / _ratio(size) - 1) <= _SAME)


def _explain(shape: str) -> str:
    return f"told as the shape {shape}" if shape else "the model makes no pictures of this shape"


def _find_nearest(size: str, shapes: tuple[str, ...]) -> str:
    """Return the shape that is most like `size`, empty where none is like it."""
    wanted = _ratio(size)
    if size in shapes or not wanted:
        return size if size in shapes else ""
    known = [(shape, ratio) for shape in shapes if (ratio := _ratio(shape))]
    unlike = {shape: max(ratio / wanted, wanted / ratio) for shape, ratio in known}
    nearest = min(unlike, key=lambda shape: unlike[shape], default="")
    return nearest if unlike.get(nearest, _NEAR + 1) <= _NEAR else ""


def _ratio(shape: str) -> float:
    """Return width by height; 0 for what is no shape."""
    found = _SHAPE.fullmatch(shape)
    return int(found[1]) / int(found[2]) if found else 0.0
