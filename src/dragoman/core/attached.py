"""What comes along in a request: its parts in order, each with its place, and whether it is what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from dragoman.core.errors import BadRequest
from dragoman.core.message import Audio, File, Image, Part, Request, Thinking, ToolCall, ToolResult, Video

Attached = Image | Audio | Video | File
_KINDS: tuple[tuple[type[Attached], str], ...] = ((Image, "image/"), (Audio, "audio/"), (Video, "video/"))
"""How the media type of each begins; a file may be anything."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MAX_HEAD = 512
"""Characters before the comma of a ``data:`` URL."""


def find_attached(request: Request) -> Iterator[tuple[str, Attached]]:
    """Yield every attachment with its path, such as ``messages[0].content[1]``, those of tools' results included."""
    for number, message in enumerate(request.messages):
        yield from _find(message.parts, f"messages[{number}].content")


def replace_attached(request: Request, placed: Mapping[int, Part]) -> Request:
    """Return the request with other parts in the place of those that it found: `placed` has them by the old one's id.

    The id is Python's `id`, for two equal parts stand in two places.
    """
    messages = [structs.replace(message, parts=_replace(message.parts, placed)) for message in request.messages]
    return structs.replace(request, messages=messages)


def check_attached(request: Request) -> None:
    """Refuse what came along and is not what it says; raises `BadRequest` naming the part.

    What is somewhere else, or an upload, is for others to judge.
    """
    for path, part in find_attached(request):
        match part:
            case Audio():
                if part.data:
                    _check_base64(part.data, path)
            case Image() | Video():
                _check_url(part, part.url, path)
            case File():
                _check_url(part, part.data, path)


def _find(parts: list[Part], path: str) -> Iterator[tuple[str, Attached]]:
    number = 0
    for part in parts:
        if isinstance(part, ToolResult):
            yield from _find(part.content, path)
        elif isinstance(part, Attached):
            yield f"{path}[{number}]", part
        number += not isinstance(part, Thinking | ToolCall)  # what the client did not say among its content


def _replace(parts: Sequence[Part], placed: Mapping[int, Part]) -> list[Part]:
    return [
        structs.replace(part, content=_replace(part.content, placed))
        if isinstance(part, ToolResult)
        else placed.get(id(part), part)
        for part in parts
    ]


def _check_url(part: Attached, url: str, path: str) -> None:
    if url[:5].lower() != "data:":
        return
    head, comma, _ = url[5 : _MAX_HEAD + 5].partition(",")
    if not comma:
        raise _refusal(path, "a data: URL without data")
    media_type, *rest = head.lower().split(";")
    wanted = next((start for kind, start in _KINDS if isinstance(part, kind)), "")
    if not media_type.startswith(wanted):
        raise _refusal(path, f"expected a media type that begins with {wanted}")
    if "base64" in rest:
        _check_base64(url[len(head) + 6 :], path)


def _check_base64(data: str, path: str) -> None:
    """Base64 is letters of one alphabet, up to two ``=`` behind them, four characters for three bytes."""
    text = data.rstrip("=")
    padded = len(data) - len(text)
    if not data or padded > 2 or len(data) % 4 or not text.isascii() or text.encode().translate(None, _ALPHABET):
        raise _refusal(path, "its base64 is invalid")


def _refusal(path: str, reason: str) -> BadRequest:
    return BadRequest(f"invalid '{path}': {reason}", param=path, code="invalid_attachment")
