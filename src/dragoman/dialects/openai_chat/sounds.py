"""Sounds and videos that come along, told as files, for servers that take no other parts.

Source: Poe's documentation, 2026: all that is no picture is a part ``file``, and a part ``input_audio`` is stripped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw, Struct, structs

from dragoman.core.message import Audio, File, Message, Part, ToolResult, Video
from dragoman.wire.json import Fields, encode

_SUBTYPES = {"mp3": "mpeg"}
"""A format whose media type is called otherwise."""
_MARK = b'"input_audio"'


class _Sound(Struct):
    data: str
    format: str = "wav"


_sound = msgspec.json.Decoder(_Sound)
_turns = msgspec.json.Decoder(list[Fields])
_parts = msgspec.json.Decoder(list[Fields])


def file_turns(turns: Iterable[Message]) -> Sequence[Message]:
    """Return the turns with every sound and video that comes along as a file; what is linked stays as it is."""
    return [structs.replace(turn, parts=[_file(part) for part in turn.parts]) for turn in turns]


def file_messages(messages: Raw) -> Raw:
    """Return a client's own messages with every ``input_audio`` as a file; the same bytes where there is none."""
    if _MARK not in bytes(messages):
        return messages
    try:
        return Raw(encode([_file_turn(turn) for turn in _turns.decode(messages)]))
    except (msgspec.DecodeError, RecursionError):
        return messages  # for the server to refuse


def _file(part: Part) -> Part:
    match part:
        case Audio() if part.data:
            return File(_write_url(part.data, part.format), name=f"audio.{part.format}")
        case Video() if part.url.startswith("data:"):
            return File(part.url, name="video")
        case ToolResult():
            return structs.replace(part, content=[_file(each) for each in part.content])
        case _:
            return part


def _file_turn(turn: Fields) -> Fields:
    content = turn.get("content")
    if content is None or _MARK not in bytes(content) or bytes(content)[:1] != b"[":
        return turn
    return {**turn, "content": Raw(encode([_file_part(part) for part in _parts.decode(content)]))}


def _file_part(part: Fields) -> Fields:
    if bytes(part.get("type", b"")) != _MARK or "input_audio" not in part:
        return part
    sound = _sound.decode(part["input_audio"])
    file = {"filename": f"audio.{sound.format}", "file_data": _write_url(sound.data, sound.format)}
    rest = {name: raw for name, raw in part.items() if name not in ("type", "input_audio")}
    return {"type": Raw(b'"file"'), "file": Raw(encode(file)), **rest}


def _write_url(data: str, form: str) -> str:
    return f"data:audio/{_SUBTYPES.get(form, form)};base64,{data}"
