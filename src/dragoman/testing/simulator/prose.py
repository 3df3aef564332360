"""What a simulated model says in words: sensible, in English, about what it was asked, and the same every time."""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64

from dragoman.core import message as msg
from dragoman.testing.simulator.chance import draw, pick

_OPENINGS = (
    "You asked about",
    "Let me take up your message:",
    "Here is what I make of",
    "Thank you for asking about",
    "To answer your message about",
    "This is my view of",
)
_SENTENCES = (
    "It helps to look at the parts one by one before putting them together again.",
    "In most cases the simplest explanation turns out to be the right one.",
    "There are good reasons on both sides, and the details decide between them.",
    "A short example often says more than a long description.",
    "What matters most is that the result can be checked by somebody else.",
    "Some care is needed at the edges, where the usual rules no longer hold.",
    "You can begin with the first step today and leave the rest for later.",
    "The numbers only become useful once they are compared with something.",
    "People have tried this before, and their mistakes are worth knowing.",
    "It is easy to change your mind later, because nothing here is final.",
    "The order of the steps matters less than doing all of them.",
    "If one thing is unclear, ask again and I will go into it more deeply.",
)
_THOUGHTS = (
    "First I read the question again to see what is really being asked.",
    "The last message is what counts, and the earlier turns give the context.",
    "I should keep the answer short and leave out what nobody asked for.",
    "One way would be to list everything I know, but that would be too long.",
    "Let me check the idea against a simple example before I say it.",
    "That seems to hold, so I can write the answer down.",
    "There may be an exception, though it would not change the result.",
    "I will say it in plain words and offer to explain more.",
)
_EFFORTS = {"none": 0, "minimal": 1, "low": 2, "medium": 3, "high": 6, "xhigh": 7, "max": 8}
_ECHO = re.compile(
    r"(?:^|[.!?:,\n]\s{0,3})(?:please\s+|only\s+|always\s+|just\s+|now\s+)*"
    r"(?:(?:say|repeat|echo)\b|(?:reply|respond|answer)\s+(?:only\s+|just\s+|exactly\s+)?with\b)"
    r"(?:\s+(?:exactly|only|just|after me|back|verbatim|this(?=:)|the following(?=:)|the (?:single |one )?words?)\b)*"
    r"\s*:?\s+(?!(?:an?|your|about|that|if|to)\s)(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile("[\"'\u201c\u2018\u00ab`](.+?)[\"'\u201d\u2019\u00bb`](?:[\\s.!]|$)", re.DOTALL)
_ROLE = re.compile(r"\byou are (an? [^.,;:!\n]{1,60})", re.IGNORECASE)
_GREETING = re.compile(r"\W*(?:hello|hi|hey|good (?:morning|day|evening))\b[^?]{0,20}$", re.IGNORECASE)
_LONG = re.compile(r"\b(?:story|essay|article|poem|long|detail\w*|explain|describe)\b", re.IGNORECASE)
_LONGEST = 4000
"""Characters of a text that are looked at."""


def last_words(request: msg.Request) -> str:
    """Return the text of the last thing a user said."""
    turns = (turn for turn in reversed(request.messages) if turn.role == "user")
    return _text(next(turns).parts) if any(turn.role == "user" for turn in request.messages) else ""


def conversation(request: msg.Request) -> list[msg.Message]:
    """Return the turns without those of system and developer, which may stand anywhere."""
    return [turn for turn in request.messages if turn.role not in ("system", "developer")]


def say(request: msg.Request, seed: int, choice: int) -> str:
    """Return the text of an answer, another one for each `choice`."""
    system = "\n".join(_text(turn.parts) for turn in request.messages if turn.role in ("system", "developer"))
    asked = last_words(request)
    order = _echo(asked) or _echo(system)
    text = order if order and not _results(request) else _compose(request, seed, choice, asked, system)
    if re.search(r"\b(?:upper ?case|capitals|capital letters)\b", system, re.IGNORECASE):
        return text.upper()
    return text.lower() if re.search(r"\blower ?case\b", system, re.IGNORECASE) else text


def think_aloud(request: msg.Request, seed: int, choice: int) -> str:
    """Return the reasoning before an answer: longer the more effort is asked for, nothing for no effort."""
    sentences = _EFFORTS.get(request.reasoning.effort or "medium", 3)
    if request.reasoning.budget is not None and request.reasoning.budget <= 0:
        sentences = 0
    return _sentences(_THOUGHTS, sentences, seed, last_words(request), choice)


def refuse(request: msg.Request, seed: int) -> str:
    """Return a refusal."""
    reason = pick(seed, "refuse", last_words(request), among=("I'm sorry, but", "I'm afraid", "Unfortunately,"))
    return f"{reason} I can't help with that."


def _compose(request: msg.Request, seed: int, choice: int, asked: str, system: str) -> str:
    role = _ROLE.search(system)
    said = [f"Speaking as {role[1]}:"] if role else []
    said += _results(request)
    said += _media(request)
    if not said or asked:
        said.append(_open(seed + choice, asked))
    length = 12 if _LONG.search(asked[:_LONGEST]) else 2 + draw(seed, "length", asked, str(choice), below=3)
    return " ".join([*said, _sentences(_SENTENCES, length, seed, asked, choice)])


def _open(seed: int, asked: str) -> str:
    if not asked or _GREETING.match(asked):
        return "Hello! How can I help you today?"
    return f"{pick(seed, 'opening', asked, among=_OPENINGS)} “{_short(asked)}”."


def _sentences(among: tuple[str, ...], length: int, seed: int, asked: str, choice: int) -> str:
    """Consecutive sentences, begun anywhere: none is said twice in a row."""
    first = draw(seed, "sentences", asked, below=len(among)) + choice
    return " ".join(among[(first + number) % len(among)] for number in range(length))


def _echo(text: str) -> str:
    """What the text orders to be said word for word."""
    found = _ECHO.search(text[:_LONGEST])
    if found is None:
        return ""
    words = found[1].strip()
    quoted = _QUOTED.match(words)
    return quoted[1] if quoted else words


def _results(request: msg.Request) -> list[str]:
    """What the tools answered, when they spoke last."""
    names = {part.id: part.name for turn in request.messages for part in turn.parts if isinstance(part, msg.ToolCall)}
    said: list[str] = []
    for turn in reversed(conversation(request)):
        results = [part for part in turn.parts if isinstance(part, msg.ToolResult)]
        if not results:
            break
        for part in reversed(results):
            name, verb = part.name or names.get(part.id) or part.id, "failed with" if part.failed else "says"
            said.insert(0, f"The tool {name} {verb}: {_short(_text(part.content))}.")
    return said


def _media(request: msg.Request) -> list[str]:
    """What came along with the last turn besides text."""
    parts = [part for turn in conversation(request)[-1:] for part in turn.parts]
    held = [inner for part in parts for inner in (part.content if isinstance(part, msg.ToolResult) else [part])]
    said: list[str] = []
    kinds = (("image", msg.Image), ("sound", msg.Audio), ("video", msg.Video), ("file", msg.File))
    for word, kind in kinds:
        found = [_describe(part) for part in held if isinstance(part, kind)]
        if found:
            said.append(f"I received {len(found)} {word}{'s' if len(found) > 1 else ''}: {', '.join(found)}.")
    return said


def _describe(part: msg.Image | msg.Audio | msg.Video | msg.File) -> str:
    match part:
        case msg.Audio():
            return f"audio/{part.format} of {_size(part.data)} bytes"
        case msg.File():
            name = f"{part.name}, " if part.name else ""
            return f"{name}{_kind(part.data)}" if part.data else f"{name}upload {part.id}"
        case msg.Image() | msg.Video():
            return _kind(part.url)


def _kind(url: str) -> str:
    """Media type and size of a ``data:`` URL; of any other, where it points."""
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not comma:
        return url[:200]
    return f"{head[5:].partition(';')[0] or 'text/plain'} of {_size(data)} bytes"


def _size(data: str) -> int:
    try:
        return len(a2b_base64(data))
    except (NotBase64, ValueError):
        return len(data)


def _text(parts: list[msg.Part]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, msg.Text))


def _short(text: str) -> str:
    """One line of at most 200 characters, without the full stop at its end."""
    line = " ".join(text[:_LONGEST].split())
    return line.rstrip(".") if len(line) <= 200 else line[:199].rstrip() + "…"
