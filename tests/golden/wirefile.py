r"""Reads `.wire` files: whole conversations, as a client, the gateway and an upstream have them.

A file begins with lines that say what it shows. Then come sections, each a head and its content:

    > client                            what the client asks
    > upstream                          what the upstream is asked; left out: the same with the upstream's model
    > upstream openai_chat              the same, and the upstream's dialect, which may be another than the client's
    < upstream 200 text/event-stream    what the upstream answers
    = events                            what that means, one event a line
    < client 200 text/event-stream      what the client gets; left out: the bytes of the upstream

A stream is every byte up to the next head. Of all else the line ends at its end are no part. A head that ends in
`escaped` has content whose line ends count for nothing, with Python's escapes (`\r`, `\xff`, `\\`) for what a text file
cannot show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from dragoman.core.events import Event

FOLDER = Path(__file__).parent
_HEAD = re.compile(rb"^([><=] (?:client|upstream|events)\b.*)\n", re.MULTILINE)
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")
_STREAMS = ("text/event-stream", "application/x-ndjson")
_PLAIN = {b"r": b"\r", b"n": b"\n", b"\\": b"\\"}


class Section(Struct, frozen=True):
    """What one side says."""

    status: int
    media_type: str
    body: bytes
    dialect: str = ""
    """Where it is not the client's."""


class Conversation(Struct, frozen=True):
    """One file."""

    name: str
    dialect: str
    """The client's."""
    about: str
    asks: bytes
    asked: bytes | None
    answers: Section
    events: list[str]
    gets: Section | None
    upstream: str = ""
    """The upstream's dialect where it is named."""

    @property
    def streams(self) -> bool:
        """Whether the upstream answers with a stream."""
        return self.answers.media_type in _STREAMS


def read_file(path: Path) -> Conversation:
    """Return the conversation in a file."""
    about, *rest = _HEAD.split(path.read_bytes())
    sections = {head.split()[0] + head.split()[1]: _section(head, body) for head, body in _pairs(rest)}
    asked = sections.get(b">upstream")
    return Conversation(
        name=path.stem,
        dialect=path.parent.name,
        about=about.decode().strip(),
        asks=sections[b">client"].body,
        asked=None if asked is None else asked.body,
        answers=sections[b"<upstream"],
        events=sections[b"=events"].body.decode().splitlines(),
        gets=sections.get(b"<client"),
        upstream="" if asked is None else asked.dialect,
    )


def read_folder(dialect: str) -> list[Conversation]:
    """Return all conversations of a dialect with an upstream of its own kind, whose bytes serve as they are."""
    return [conversation for conversation in _read_all(dialect) if not conversation.upstream]


def read_translations(dialect: str) -> list[Conversation]:
    """Return all conversations of a dialect with an upstream of another one."""
    return [conversation for conversation in _read_all(dialect) if conversation.upstream]


def read_event(line: str) -> Event:
    """Return the event that a line stands for."""
    event: Event = msgspec.json.decode(line, type=Event)
    return event


def _read_all(dialect: str) -> list[Conversation]:
    return [read_file(path) for path in sorted((FOLDER / dialect).glob("*.wire"))]


def _pairs(parts: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def _section(head: bytes, body: bytes) -> Section:
    words = head.decode().split()
    if words[-1] == "escaped":
        words.pop()
        body = _ESCAPE.sub(_unescape, body.replace(b"\n", b""))
    elif words[-1] not in _STREAMS:
        body = body.rstrip(b"\n")
    if words[0] == ">":
        return Section(0, "", body, "".join(words[2:]))
    status = int(words[2]) if len(words) > 2 else 0
    return Section(status, words[3] if len(words) > 3 else "", body)


def _unescape(escape: re.Match[bytes]) -> bytes:
    return _PLAIN.get(escape[1]) or bytes([int(escape[1][1:], 16)])
