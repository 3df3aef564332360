"""Pictures as Ollama has them: bare base64, whose first bytes tell what it is."""

from __future__ import annotations

import binascii

from dragoman.core.errors import BadRequest

_SNIFFED = 16
"""Characters of base64 that tell what a picture is."""
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def read_image(data: str, path: str) -> str:
    """Return a picture, bare or in a ``data:`` URL, as a ``data:`` URL; raises `BadRequest` for what is no picture."""
    if data.startswith("data:"):
        data = data.partition(",")[2]
    media_type = sniff_image(data)
    if not media_type:
        reason = f"invalid image in '{path}': expected a PNG, JPEG, WebP or GIF in base64"
        raise BadRequest(reason, param=path, code="invalid_value")
    return f"data:{media_type};base64,{data}"


def sniff_image(data: str) -> str:
    """Return the media type of base64; empty when it is no picture."""
    try:
        head = binascii.a2b_base64(data[:_SNIFFED], strict_mode=True)
    except (binascii.Error, ValueError):
        return ""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
