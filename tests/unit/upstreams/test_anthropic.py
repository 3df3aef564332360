"""Anthropic as an upstream: how it is asked, and what its list of models tells."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import UpstreamInvalid
from dragoman.core.ports import Limits
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import inbound
from dragoman.upstreams.anthropic import ACCEPT, MAX_PAGES, build
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Wiring
from dragoman.upstreams.listing import Model
from tests.unit.upstreams.wire import Wire, Written

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
MESSAGES = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'
WHOLE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}}'
)
ALWAYS = ACCEPT + b"x-own: 1\r\n"
VERSION = b"anthropic-version: 2023-06-01\r\n"
KEY = b"x-api-key: k\r\n"


def wiring(wire: Wire, catalogue: Catalogue | None = None) -> Wiring:
    clock = Clock(lambda: 0, lambda: 0)
    return Wiring("lab", wire, clock, catalogue or Catalogue(), ["k", "l"], b"x-own: 1\r\n")


@pytest.mark.parametrize(
    ("dialect", "body", "asked"),
    [
        ("anthropic_messages", MESSAGES, MESSAGES.replace(b'"m"', b'"up"')),
        ("openai_chat", CHAT, b'{"model":"up","messages":[{"role":"user","content":"Hi"}],"max_tokens":4096}'),
    ],
)
async def test_every_client_is_served_by_messages(dialect: str, body: bytes, asked: bytes) -> None:
    wire = Wire(Written([WHOLE]))
    upstream = build(wiring(wire))
    (await upstream.ask_model("up")(inbound(dialect).read_call(body, Limits()))).close()
    (sent,) = wire.asked
    assert (sent.path, sent.body) == (b"/messages", asked)
    assert sent.headers == b"content-type: application/json\r\n" + ALWAYS + VERSION + KEY
    assert upstream.http.name == "lab"


async def test_what_the_list_tells_of_a_model_is_how_it_is_asked() -> None:
    catalogue = Catalogue(await models(b'{"id":"up","max_tokens":8192}'))
    wire = Wire(Written([WHOLE]))
    (await build(wiring(wire, catalogue)).ask_model("up")(inbound("openai_chat").read_call(CHAT, Limits()))).close()
    assert b'"max_tokens":8192' in wire.asked[0].body


async def models(*entries: bytes) -> list[Model]:
    """Return what a list of these entries tells."""
    read = build(wiring(Wire(Written([b'{"data":[%b],"has_more":false}' % b",".join(entries)])))).read_models
    assert read is not None
    return await read()


async def test_the_list_is_read_page_by_page() -> None:
    wire = Wire(
        Written([b'{"data":[{"id":"a"},{"id":"b/c"}],"has_more":true,"first_id":"a","last_id":"b/c"}']),
        Written([b'{"data":[{"id":"d"}],"has_more":false,"first_id":"d","last_id":"d"}']),
    )
    read = build(wiring(wire)).read_models
    assert read is not None
    assert [model.id for model in await read()] == ["a", "b/c", "d"]
    assert [asked.path for asked in wire.asked] == [b"/models?limit=1000", b"/models?limit=1000&after_id=b%2Fc"]
    assert {asked.headers for asked in wire.asked} == {ALWAYS + VERSION + KEY}


@pytest.mark.parametrize("names", [["a"] * 200, [str(number) for number in range(200)]])
async def test_a_list_without_end_is_read_only_so_far(names: list[str]) -> None:
    pages = [Written([b'{"data":[],"has_more":true,"last_id":"%b"}' % name.encode()]) for name in names]
    wire = Wire(*pages)
    read = build(wiring(wire)).read_models
    assert read is not None
    assert await read() == []
    assert len(wire.asked) <= MAX_PAGES
    assert all("close" in page.done for page in pages[: len(wire.asked)])


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>", 200), (b"[]", 200), (b'{"data":7}', 200), (b'{"data":[]}', 401), (b'{"data":' + b"[" * 5000, 200)],
)
async def test_what_is_no_list_is_invalid(body: bytes, status: int) -> None:
    reply = Written([body], status)
    read = build(wiring(Wire(reply))).read_models
    assert read is not None
    with pytest.raises(UpstreamInvalid):
        await read()
    assert reply.done == ["close"]


async def test_what_is_no_model_is_left_out_and_nonsense_costs_only_itself() -> None:
    listed = await models(
        b"7",
        b'{"id":""}',
        b'{"id":7}',
        b'{"id":"gone","lifecycle":"retired"}',
        b'{"id":"a","max_tokens":"many"}',
        b'{"id":"b","max_tokens":-1,"max_input_tokens":0,"created_at":"yesterday","lifecycle":"deprecated"}',
    )
    plain = Capabilities(embedding=False, insert=False)
    assert listed == [Model("a", can=plain), Model("b", can=plain)]
    assert all(model.quirks is NO_QUIRKS for model in listed)


async def test_a_model_is_told_with_its_name_its_day_and_its_limits() -> None:
    (model,) = await models(
        b'{"id":"a","type":"model","display_name":"A","created_at":"2026-01-01T00:00:00Z","lifecycle":"active",'
        b'"max_input_tokens":200000,"max_tokens":64000}'
    )
    can = Capabilities(embedding=False, insert=False, context=200_000, output=64_000)
    assert (model.created, model.name, model.can) == (1_767_225_600, "A", can)
    assert model.quirks == Quirks(always={"max_tokens": Raw(b"32000")}), "the prompt needs its part of the context"
    (old,) = await models(b'{"id":"a","created_at":"1970-01-01T00:00:00Z"}')
    assert old.created == 0


def told(thinking: str = "", effort: str = "", **supported: bool) -> bytes:
    members = {name: f'{{"supported":{"true" if yes else "false"}}}' for name, yes in supported.items()}
    if thinking:
        types = ",".join(f'"{name}":{{"supported":true}}' for name in thinking.split())
        members["thinking"] = f'{{"supported":true,"types":{{{types}}}}}'
    if effort:
        levels = ",".join(f'"{name}":{{"supported":true}}' for name in effort.split())
        members["effort"] = f'{{"supported":true,{levels}}}'
    inner = ",".join(f'"{name}":{value}' for name, value in members.items())
    return f'{{"id":"a","capabilities":{{{inner}}}}}'.encode()


ALL = {"image_input": True, "pdf_input": True, "structured_outputs": True}


async def test_a_model_that_can_do_everything_has_no_quirks() -> None:
    (model,) = await models(told("adaptive enabled disabled", "low medium high xhigh max", **ALL))
    assert model.can == Capabilities(vision=True, thinking=True, embedding=False, insert=False)
    assert model.quirks == Quirks(efforts=("low", "medium", "high", "xhigh", "max"))


async def test_a_model_that_can_do_little_says_what() -> None:
    (model,) = await models(told(thinking="", image_input=False))
    assert model.can == Capabilities(vision=False, thinking=False, embedding=False, insert=False)
    assert set(model.quirks.lacks) == {"schema", "strict_tools", "file"}
    assert model.quirks.effort == ""


@pytest.mark.parametrize(
    ("thinking", "effort", "field", "efforts", "lacks"),
    [
        ("adaptive disabled", "low high", "reasoning_effort", ("low", "high"), {"budget"}),
        ("enabled disabled", "low high", "", (), set[str]()),
        ("enabled disabled", "", "", (), set[str]()),
        ("adaptive", "max", "reasoning_effort", ("max",), {"budget", "no_effort"}),
    ],
)
async def test_how_a_model_is_made_to_think_is_its_own(
    thinking: str, effort: str, field: str, efforts: tuple[str, ...], lacks: set[str]
) -> None:
    (model,) = await models(told(thinking, effort, **ALL))
    assert (model.quirks.effort, model.quirks.efforts, set(model.quirks.lacks)) == (field, efforts, lacks)
