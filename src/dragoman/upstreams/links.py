"""Attachments that are only linked, for upstreams that take none but those that come along: fetched, if we may.

Off unless the operator allows it: what a client links is fetched from where this machine stands.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Set
from typing import Protocol

from msgspec import structs

from dragoman.core.attached import Attached, find_attached, replace_attached
from dragoman.core.errors import BadRequest
from dragoman.core.loss import LINKED
from dragoman.core.message import Audio, File, Image, Part, Request, Video

FetchLinks = Callable[[Request, Set[str]], Awaitable[Request]]
"""Puts the bytes of linked parts in their place: of the kinds that a dialect does not take, in the words of `Terms`."""
WORDS: Mapping[type[Attached], str] = {
    Image: f"{LINKED}image",
    Audio: f"{LINKED}audio",
    Video: f"{LINKED}video",
    File: f"{LINKED}file",
}
MAX_LINKS = 20
"""Links of one request that are fetched; more are an error of the client's."""


class Fetched(Protocol):
    """What is at an address."""

    @property
    def media_type(self) -> str:
        """What its bytes say that it is."""
        ...

    @property
    def data(self) -> bytes:
        """The bytes."""
        ...


class Fetch(Protocol):
    """Fetches what is at an address that a client gave; see `dragoman.net.fetch.Fetcher`."""

    async def fetch(self, url: str, *, kinds: frozenset[str], param: str | None = None) -> Fetched:
        """Return what is there; raises `BadRequest` for what must not be fetched or is none of `kinds`."""
        ...


def fetch_links(fetcher: Fetch, kinds: Mapping[type[Attached], frozenset[str]]) -> FetchLinks:
    """Return what puts the bytes of linked parts in their place, each of a media type that `kinds` names for it."""

    async def fetch(request: Request, words: Set[str]) -> Request:
        wanted = [(path, part) for path, part in find_attached(request) if WORDS[type(part)] in words and _link(part)]
        if not wanted:
            return request
        if len(wanted) > MAX_LINKS:
            path = wanted[MAX_LINKS][0]
            raise BadRequest(f"invalid '{path}': more than {MAX_LINKS} links", param=path, code="invalid_value")
        placed: dict[int, Part] = {}
        for path, part in wanted:
            placed[id(part)] = _place(part, await fetcher.fetch(_link(part), kinds=kinds[type(part)], param=path))
        return replace_attached(request, placed)

    return fetch


def _link(part: Attached) -> str:
    """Return the address of a part, empty when it has none."""
    url = part.data if isinstance(part, File) else part.url
    return url if url.startswith(("https://", "http://")) else ""


def _place(part: Attached, fetched: Fetched) -> Part:
    data = b64encode(fetched.data).decode()
    match part:
        case Audio():
            return structs.replace(part, url="", data=data, format=fetched.media_type.partition("/")[2])
        case File():
            return structs.replace(part, data=f"data:{fetched.media_type};base64,{data}")
        case Image() | Video():
            return structs.replace(part, url=f"data:{fetched.media_type};base64,{data}")
