"""Poe's bots as an upstream."""

import pytest

from dragoman.core import events as ev
from dragoman.core.call import Call, Clock
from dragoman.core.errors import UpstreamAuth, UpstreamError
from dragoman.core.ports import Limits as BodyLimits
from dragoman.dialects import inbound
from dragoman.net.reply import Patience
from dragoman.upstreams.attachments import Limits
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.poe_bot import build
from tests.unit.dialects.poe_bot.hear import DONE, event, text
from tests.unit.upstreams.wire import SSE, Wire, Written

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":%b}'
LOOK = (
    b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":'
    b'"data:image/png;base64,AAAA"}}]}]}'
)


def connect(wire: Wire, uploads: Wire | None = None, catalogue: Catalogue | None = None) -> Connector:
    clock = Clock(lambda: 0, lambda: 7)
    known = catalogue or Catalogue([], any_name=True)
    wiring = Wiring("poe_bot", wire, clock, known, ["k", "l"], patience=Patience(first=9, total=99))
    return build(wiring, uploads or Wire(), Limits())


def call_for(body: bytes) -> Call:
    return inbound("openai_chat").read_call(body, BodyLimits())


def said(*pieces: bytes) -> Written:
    return Written([*pieces, DONE], headers=SSE)


async def ask(upstream: Connector, bot: str = "Bot", body: bytes = CHAT % b"true") -> list[ev.Event]:
    answer = await upstream.ask_model(bot)(call_for(body))
    events = list(answer.first.events)
    if answer.rest is not None:
        async for burst in answer.rest:
            events += burst.events
    answer.close()
    return events


async def test_a_bot_is_asked_at_its_own_address() -> None:
    wire = Wire(said(text("Hello")), said(text("Hello")))
    upstream = connect(wire)
    assert await ask(upstream, "My Bot/\u00e9") == [
        ev.Start("poe-", "My Bot/\u00e9", 7),
        ev.Text("Hello"),
        ev.Finish("stop"),
    ]
    assert await ask(upstream, body=CHAT % b"false") == [
        ev.Start("poe-", "Bot", 7),
        ev.Text("Hello"),
        ev.Finish("stop"),
    ]
    first, second = wire.asked
    assert (first.path, second.path) == (b"/My%20Bot%2F%C3%A9", b"/Bot")
    assert b"authorization: Bearer k\r\n" in first.headers
    assert b"authorization: Bearer l\r\n" in second.headers
    assert b"accept: text/event-stream\r\ncache-control: no-store\r\n" in first.headers
    assert b'"version":"1.2"' in first.body
    assert upstream.read_models is None


async def test_what_comes_along_is_uploaded_before_the_bot_is_asked() -> None:
    wire = Wire(said(text("A hat")))
    uploads = Wire(Written([b'{"attachment_url":"https://p/1","mime_type":"image/png"}']))
    await ask(connect(wire, uploads), body=LOOK)
    assert b"authorization: k\r\n" in uploads.asked[0].headers
    attachment = b'{"url":"https://p/1","content_type":"image/png","name":"image.png","inline_ref":null'
    assert attachment in wire.asked[0].body


async def test_a_bot_that_takes_back_what_it_said_is_held_back_from_then_on() -> None:
    takes_back = [text("1 s"), event("replace_response", text="2 s"), event("replace_response", text="!")]
    wire = Wire(said(*takes_back), said(*takes_back), said(text("Hello")))
    catalogue = Catalogue([], any_name=True)
    upstream = connect(wire, catalogue=catalogue)
    start, stop = ev.Start("poe-", "Bot", 7), ev.Finish("stop")
    assert await ask(upstream) == [start, ev.Text("1 s"), ev.Replace("2 s"), ev.Replace("!"), stop]
    assert catalogue.quirks("Bot").replaces
    assert await ask(upstream) == [start, ev.Text("!"), stop]
    assert not catalogue.quirks("Other").replaces
    assert [asked.patience.first for asked in wire.asked] == [9, 99]


async def test_an_error_is_told_before_anything_is_promised() -> None:
    refused = Written([event("error", error_type="insufficient_fund", text="secret"), DONE], headers=SSE)
    with pytest.raises(UpstreamAuth):
        await ask(connect(Wire(refused)))
    failed = Written([event("error", allow_retry=True), DONE], headers=SSE)
    with pytest.raises(UpstreamError) as raised:
        await ask(connect(Wire(failed)))
    assert raised.value.retry == "again"


async def test_a_catalogue_of_bots_may_be_given() -> None:
    async def read() -> list[Model]:
        return [Model("Bot")]

    wiring = Wiring("poe_bot", Wire(), Clock(lambda: 0, lambda: 7), Catalogue(), ["k"])
    upstream = build(wiring, Wire(), Limits(), read)
    assert upstream.read_models is not None
    assert [model.id for model in await upstream.read_models()] == ["Bot"]
