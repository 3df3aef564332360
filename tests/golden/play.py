"""Plays the gateway's part in a conversation, without any network."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.core.events import Event, Start
from dragoman.core.loss import carry
from dragoman.core.ports import Inbound, Limits, Outbound, Writer
from dragoman.dialects import inbound, outbound
from tests.golden.wirefile import Conversation

MODEL = "upstream-model"


class Played(Struct, frozen=True):
    """What became of a conversation."""

    asked: bytes
    events: list[Event]
    status: int
    gets: bytes
    error: DragomanError | None = None


def play(conversation: Conversation, cuts: list[int], *, anew: bool = False) -> Played:
    """Return what the upstream is asked and the client gets when the answer arrives in pieces that end at `cuts`.

    `anew`: as if a stage had changed the events, so that no byte of the upstream serves.
    """
    client, upstream = inbound(conversation.dialect), outbound(conversation.upstream or conversation.dialect)
    call = client.read_call(conversation.asks, Limits())
    asked = upstream.patch_request(call, MODEL) if client.name == upstream.name else translate(call, upstream)
    events: list[Event] = []
    written = b""
    writer = client.writer(call)
    try:
        for burst in read(conversation, upstream, call.n, cuts):
            events += burst.events
            changed = Burst(burst.events) if anew else burst
            written += writer.write(changed) if call.stream else client.write_reply(call, changed)
        return Played(asked, events, 200, written + (writer.end() if call.stream else b""))
    except DragomanError as error:
        return _fail(client, writer, Played(asked, events, 200, written, error), error)


def translate(call: Call, upstream: Outbound) -> bytes:
    """Return what an upstream of another dialect is asked; what is lost on the way stands on the call."""
    carried, call.losses = carry(call.request, call.dialect, call.words, upstream.terms)
    return upstream.write_request(carried, MODEL)


def read(conversation: Conversation, upstream: Outbound, n: int, cuts: list[int]) -> Iterator[Burst]:
    """Yield what an upstream says, read in pieces."""
    answer, fallback = conversation.answers, Start(f"{upstream.id_prefix}made", MODEL, 1_763_683_200)
    if answer.status != 200:
        raise upstream.read_error(answer.status, {}, answer.body)
    if not conversation.streams:
        yield upstream.read_reply(answer.body, fallback)
        return
    reader = upstream.reader(fallback, n)
    for piece in cut(answer.body, cuts):
        if (burst := reader.feed(piece)) is not None:
            yield burst
    if (burst := reader.end()) is not None:
        yield burst


def cut(data: bytes, ends: list[int]) -> list[bytes]:
    """Return `data` in pieces that end at `ends`."""
    places = [0, *sorted(set(ends) & set(range(1, len(data)))), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def _fail(client: Inbound, writer: Writer, played: Played, error: DragomanError) -> Played:
    if played.gets:
        return Played(played.asked, played.events, 200, played.gets + (writer.fail(error) or b""), error)
    status, body = client.write_error(error, "request-1")
    return Played(played.asked, played.events, status, body, error)
