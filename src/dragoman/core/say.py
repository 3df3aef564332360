"""What a part of an answer is to a reader of plain text: media become links in Markdown."""

from __future__ import annotations

from dragoman.core.message import Audio, Image, Part, Refusal, Text, Video


def say_part(part: Part) -> str:
    """Return the text of a part; what can only be said in a place of its own (thoughts, calls) is nothing here."""
    match part:
        case Text() | Refusal():
            return part.text
        case Image():
            return f"![image]({part.url})"
        case Video():
            return f"![video]({part.url})"
        case Audio() if part.url or part.data:
            return f"![audio]({part.url or f'data:audio/{part.format};base64,{part.data}'})"
        case _:
            return ""
