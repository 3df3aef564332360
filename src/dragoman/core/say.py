"""What an answer is to a reader of plain text: media become links in Markdown, and what is said stays said."""

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


def say_instead(said: str, text: str) -> str:
    """Return what a stream says next when `text` takes the place of all that it has `said`: it can only go on.

    More of the same is told as that; anything else stands on a new line.
    """
    if text.startswith(said):
        return text[len(said) :]
    return f"\n{text}" if text else ""
