"""Take the media out of an answer that names them in its text, as Poe's bots do, so that every dialect can tell them.

A picture is told twice, in Markdown and by its bare address; sounds and videos by the address alone. What is no address
of a file, by the word of whoever knows them, stays text. A client whose dialect tells media in the same way gets the
answer untouched. Source: recorded answers of Poe, 2026.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from typing import Protocol

from msgspec import structs

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Task
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.events import Event, Media, Text

MAX_FILES = 10
"""Media of one answer; further addresses stay text."""
MAX_TOLD = 300
"""Characters of what a model says instead of what was asked for that the client is told."""
_MEDIA = frozenset({"image", "audio", "video"})
_WANTED: dict[Task, str] = {"image": "image", "speech": "audio"}
"""What is asked for that is nothing but a medium."""
_ADDRESS = re.compile(r"!\[[^\[\]\n]{0,2000}\]\((https?://[^\s()<>]{1,2048})\)|(https?://[^\s()<>\[\]\"'`]{1,2048})")


class Files(Protocol):
    """Knows the files that answers name."""

    def find_kind(self, url: str) -> str | None:
        """Return ``image``, ``audio`` or ``video``, empty where the address does not say; None: it is no file."""
        ...

    def fetch(self, url: str, kind: str) -> Awaitable[tuple[str, bytes]]:
        """Return media type and bytes; raises `UpstreamError`."""
        ...


def lift(look_up: Callable[[], Capabilities], files: Files, as_is: Container[str] = ()) -> Stage:
    """Make media of what whole answers name; `as_is` are the dialects whose clients want the text.

    `look_up` tells what is known of the model now. A call for a picture or for speech gets that or an `UpstreamError`.
    """

    def stage(ask: Ask) -> Ask:
        async def lifting(call: Call) -> Answer:
            answer = await ask(call)
            try:
                return await _lift(call, answer, look_up(), files, as_is)
            except BaseException:
                answer.close()
                raise

        return lifting

    return stage


async def _lift(call: Call, answer: Answer, can: Capabilities, files: Files, as_is: Container[str]) -> Answer:
    wanted = _WANTED.get(call.task)
    if wanted is None and (answer.rest is not None or call.dialect in as_is or not (can.gives or frozenset()) & _MEDIA):
        return answer
    events = list(answer.first.events)
    if answer.rest is not None:
        async for burst in answer.rest:
            events += burst.events
    lifted = find_media(events, files, wanted or _only_medium(can))
    media = [event for event in lifted if isinstance(event, Media)]
    if wanted is not None:
        lifted = _keep_wanted(lifted, wanted)
        if not any(isinstance(event, Media) for event in lifted):
            raise _nothing_made(wanted, events)
    elif not media:
        return answer
    if call.by_value:
        lifted = [await _fetch(call, event, files) if isinstance(event, Media) else event for event in lifted]
    return Answer(Burst(lifted), None, answer.close)


def find_media(events: Iterable[Event], files: Files, usual: str) -> list[Event]:
    """Return the events with every file that the text names as media, each told once.

    `usual` is what a file is whose address does not say it; empty: it stays text.
    """
    found: list[Event] = []
    seen: set[str] = set()
    for event in _join_texts(events):
        found += _split(event, files, usual, seen) if isinstance(event, Text) else [event]
    return found


def _join_texts(events: Iterable[Event]) -> list[Event]:
    """An address may be cut between two pieces of text."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, Text) and isinstance(last, Text) and last.choice == event.choice:
            joined[-1] = Text(last.text + event.text, event.choice)
        else:
            joined.append(event)
    return joined


def _split(text: Text, files: Files, usual: str, seen: set[str]) -> list[Event]:
    pieces: list[Event] = []
    start = 0
    for match in _ADDRESS.finditer(text.text):
        url = match[1] or match[2]
        kind = files.find_kind(url)
        kind = usual if kind == "" else kind
        if not kind or (url not in seen and len(seen) >= MAX_FILES):
            continue
        pieces.append(Text(text.text[start : match.start()], text.choice))
        start = match.end()
        if url not in seen:
            seen.add(url)
            pieces.append(Media(f"{kind}/*", url=url, choice=text.choice))
    if not start:
        return [text]
    pieces.append(Text(text.text[start:], text.choice))
    return [piece for piece in pieces if not isinstance(piece, Text) or piece.text.strip()]


def _only_medium(can: Capabilities) -> str:
    """Return the only medium that a model gives, empty where it gives several."""
    media = (can.gives or frozenset()) & _MEDIA
    return next(iter(media)) if len(media) == 1 else ""


def _keep_wanted(events: Sequence[Event], wanted: str) -> list[Event]:
    """Leave out what is said beside it, which the endpoints for pictures and for speech have no words for."""
    kept = [event for event in events if not isinstance(event, Text)]
    return [event for event in kept if not isinstance(event, Media) or event.media_type == f"{wanted}/*"]


def _nothing_made(wanted: str, events: Iterable[Event]) -> UpstreamInvalid:
    said = " ".join("".join([event.text for event in events if isinstance(event, Text)]).split())[:MAX_TOLD]
    return UpstreamInvalid(f"the model made no {wanted}" + (f"; it said: {said}" if said else ""))


async def _fetch(call: Call, media: Media, files: Files) -> Media:
    """Return media that come along; an answer that is nothing but their bytes is of their type."""
    kind = media.media_type.partition("/")[0]
    media_type, data = await files.fetch(media.url, kind)
    if call.reply_type:
        call.reply_type = media_type
    return structs.replace(media, media_type=media_type, data=b64encode(data).decode())
