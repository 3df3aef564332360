"""Poe's bots, asked in the bot protocol: those, and those parameters, that Poe's other API does not reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import structs

from dragoman.dialects.poe_bot.outbound import speak
from dragoman.upstreams.attachments import Attachments, Limits
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.http import Transport
from dragoman.upstreams.listing import Model
from dragoman.upstreams.openai_compatible import write_bearer

HEADERS = b"accept: text/event-stream\r\ncache-control: no-store\r\n"


def build(
    wiring: Wiring,
    uploads: Transport,
    limits: Limits,
    read_models: Callable[[], Awaitable[list[Model]]] | None = None,
) -> Connector:
    """Return an upstream whose transport carries requests to the address below which the bots are.

    `uploads` carries them to where attachments go, which is another host; `read_models` reads a catalogue that names
    the bots: the protocol itself has none. A bot that takes back what it said is held back from then on.
    """

    def took_back(bot: str) -> None:
        wiring.catalogue.learn(bot, _hold)

    attachments = Attachments(uploads, wiring.keys, wiring.clock.now, limits)
    dialects = [speak(took_back=took_back)]
    http = wiring.speak(dialects, headers=HEADERS, keys=write_bearer(wiring.keys), prepare=attachments.place)
    return Connector(http, http.ask_model, read_models)


def _hold(known: Model) -> Model:
    return structs.replace(known, quirks=structs.replace(known.quirks, replaces=True))
