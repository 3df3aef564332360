"""Files that belong to a message: where each is, what it is, and a name with an ending; all three must be told."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import msgspec

from dragoman.core import message as msg
from dragoman.dialects.poe_bot.schema import Attachment

TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "flac": "audio/flac", "m4a": "audio/mp4",
    "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime", "pdf": "application/pdf",
    "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
"""The ending of a name → the media type."""
KINDS: dict[type[msg.Part], str] = {msg.Image: "image", msg.Audio: "audio", msg.Video: "video"}
"""What a part must be; a file may be anything."""
_ENDINGS = {kind: ending for ending, kind in reversed(TYPES.items())}
_USUAL = {"image": "image/png", "audio": "audio/mpeg", "video": "video/mp4"}
_string = msgspec.json.Decoder(str)


def find_attachments(parts: Sequence[msg.Part]) -> list[Attachment]:
    """Return the files among the parts of a message; no file twice."""
    files = [_attach(part) for part in parts if isinstance(part, msg.Image | msg.Audio | msg.Video | msg.File)]
    return list({file.url: file for file in files if file.url}.values())


def describe(part: msg.Part, media_type: str = "", name: str = "") -> tuple[str, str]:
    """Return media type and name of a part as far as `media_type` and `name` do not tell them, both never empty."""
    path = unquote(urlsplit(find_url(part)).path) if not find_url(part).startswith("data:") else ""
    kind = KINDS.get(type(part), "")
    name = name or (part.name if isinstance(part, msg.File) else "") or path.rpartition("/")[2]
    media_type = media_type or TYPES.get(name.rpartition(".")[2].lower(), "")
    if not media_type.startswith(kind) or not media_type:
        media_type = _USUAL.get(kind, "application/octet-stream")
    if "." not in name:
        name = f"{name or kind or 'file'}.{_ENDINGS.get(media_type, 'bin')}"
    return media_type, name


def find_url(part: msg.Part) -> str:
    """Return where a part is, or its bytes in a ``data:`` URL; empty where neither is known."""
    match part:
        case msg.Image() | msg.Video():
            return part.url
        case msg.Audio():
            return part.url or (f"data:{TYPES.get(part.format, f'audio/{part.format}')};base64,{part.data}")
        case msg.File():
            return part.data
        case _:
            return ""


def _attach(part: msg.Image | msg.Audio | msg.Video | msg.File) -> Attachment:
    """What was uploaded says itself what it is and is called."""
    told = {name: _string.decode(raw) for name, raw in part.extra.items() if name in ("content_type", "name")}
    url = find_url(part)
    said = url[5:].partition(";")[0] if url.startswith("data:") else ""
    return Attachment(url, *describe(part, told.get("content_type", said), told.get("name", "")))
