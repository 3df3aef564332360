"""A server of Ollama's: how it is asked, and what its catalogue tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest

from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import UpstreamInvalid, UpstreamUnavailable
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.net.reply import Patience
from dragoman.upstreams import ollama
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import CATALOGUE_PATIENCE, Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.ollama import ACCEPT, AT_ONCE, MAX_LOOKS, Shelf, build
from dragoman.upstreams.reading import Reply
from tests.ollama_examples import read_examples
from tests.unit.upstreams.wire import Wire, Written

JSON = b"content-type: application/json\r\n"
BEARER = b"authorization: Bearer k1\r\n"
CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":false}'
WHOLE = b'{"model":"m","message":{"role":"assistant","content":"Hello"},"done":true}'
SHOWN = b'{"capabilities":["completion","tools"],"model_info":{"general.architecture":"a","a.context_length":9}}'
CAN = Capabilities(tools=True, vision=False, audio=False, thinking=False, embedding=None, insert=False, context=9)


def wiring(transport: Wire, *keys: str, headers: bytes = b"") -> Wiring:
    clock = Clock(lambda: 0, lambda: 0)
    return Wiring("lab", transport, clock, Catalogue([], any_name=True), keys, headers, Patience(total=9), 3)


@pytest.mark.parametrize(
    ("client", "body", "path", "answer"),
    [
        ("ollama_chat", CHAT, b"/api/chat", WHOLE),
        ("openai_chat", b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}', b"/api/chat", WHOLE),
        ("openai_completions", b'{"model":"m","prompt":"Hi"}', b"/api/chat", WHOLE),
        ("ollama_generate", b'{"model":"m","prompt":"Hi","stream":false}', b"/api/generate", WHOLE),
        ("ollama_embed", b'{"model":"m","input":"a"}', b"/api/embed", b'{"embeddings":[[1]]}'),
        ("openai_embeddings", b'{"model":"m","input":"a"}', b"/api/embed", b'{"embeddings":[[1]]}'),
        ("ollama_embeddings", b'{"model":"m","prompt":"a"}', b"/api/embeddings", b'{"embedding":[1]}'),
    ],
)
async def test_each_client_is_served_by_its_own_endpoint_or_the_newest(
    client: str, body: bytes, path: bytes, answer: bytes
) -> None:
    wire = Wire(Written([answer]))
    connector = build(wiring(wire, "k1", headers=b"x-team: a\r\n"))
    (await connector.ask_model("m")(inbound(client).read_call(body, Limits()))).close()
    (asked,) = wire.asked
    assert (asked.method, asked.path, asked.headers) == (b"POST", path, JSON + ACCEPT + b"x-team: a\r\n" + BEARER)
    assert asked.patience == Patience(first=3, total=9)


async def test_a_server_of_ones_own_needs_no_key() -> None:
    wire = Wire(Written([WHOLE]), Written([b'{"models":[]}']))
    connector = build(wiring(wire))
    (await connector.ask_model("m")(inbound("ollama_chat").read_call(CHAT, Limits()))).close()
    assert connector.read_models is not None
    assert await connector.read_models() == []
    assert [asked.headers for asked in wire.asked] == [JSON + ACCEPT, ACCEPT]


# The catalogue


class Server:
    """Answers with a list of models and what each shows; counts how many are looked at together."""

    def __init__(self, models: Sequence[Mapping[str, object]], shown: Callable[[str], Reply | Exception]) -> None:
        self.models = models
        self.looked: list[str] = []
        self.together = self.most = 0
        self.gate = asyncio.Event()
        self._shown = shown

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        assert patience == CATALOGUE_PATIENCE
        if path == b"/api/tags":
            assert (method, headers, body) == (b"GET", BEARER, b"")
            return Written([msgspec.json.encode({"models": self.models})])
        assert (method, path, headers) == (b"POST", b"/api/show", JSON + BEARER)
        name = msgspec.json.decode(body, type=dict[str, str])["model"]
        self.looked.append(name)
        self.together += 1
        self.most = max(self.most, self.together)
        if self.together == AT_ONCE:
            self.gate.set()
        await self.gate.wait()
        self.together -= 1
        reply = self._shown(name)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None: ...


def server(*names: str, shown: Callable[[str], Reply | Exception] | None = None, wait: bool = False) -> Server:
    models: list[Mapping[str, object]] = [
        {"name": f"old {name}", "model": name, "digest": f"d-{name}"} for name in names
    ]
    made = Server(models, shown or (lambda _: Written([SHOWN])))
    if not wait:
        made.gate.set()
    return made


async def test_every_model_is_looked_at_once_for_each_digest() -> None:
    lab = server("a:latest", "b:8b")
    shelf = Shelf(lab, BEARER)
    assert await shelf.read_models() == [Model("a", can=CAN), Model("b:8b", can=CAN)]
    assert lab.looked == ["a", "b:8b"]
    lab.models = [{"model": "b:8b", "digest": "new"}, lab.models[0]]
    assert await shelf.read_models() == [Model("b:8b", can=CAN), Model("a", can=CAN)]
    assert lab.looked == ["a", "b:8b", "b:8b"]


async def test_what_is_no_longer_listed_is_forgotten() -> None:
    lab = server("a")
    shelf = Shelf(lab, BEARER)
    await shelf.read_models()
    models, lab.models = lab.models, []
    assert await shelf.read_models() == []
    lab.models = models
    assert await shelf.read_models() == [Model("a", can=CAN)]
    assert lab.looked == ["a", "a"]


async def test_one_digest_under_two_names_is_looked_at_once() -> None:
    lab = server("a", "b")
    lab.models = [{"model": name, "digest": "same"} for name in ("a", "b")]
    assert await Shelf(lab, BEARER).read_models() == [Model("a", can=CAN), Model("b", can=CAN)]
    assert len(lab.looked) == 1


async def test_a_list_that_tells_all_needs_no_look() -> None:
    lab = server()
    details = {"context_length": 4096, "embedding_length": 8, "family": "f"}
    stamp = "2026-11-20T01:30:12.706015396-08:00"
    lab.models = [{"name": "e:latest", "capabilities": ["embedding"], "details": details, "modified_at": stamp}]
    (model,) = await Shelf(lab, BEARER).read_models()
    assert (model.id, model.created, lab.looked) == ("e", 1_795_167_012, [])
    assert (model.can.embedding, model.can.tools, model.can.context, model.can.embedding_length) == (
        True,
        False,
        4096,
        8,
    )


@pytest.mark.parametrize(
    "reply",
    [
        lambda: UpstreamUnavailable(),
        lambda: Written([b'{"error":"no"}'], 404),
        lambda: Written([b"<html>"]),
        lambda: Written([b"[]"]),
    ],
)
async def test_a_model_that_cannot_be_looked_at_is_listed_all_the_same(
    reply: Callable[[], Reply | Exception],
) -> None:
    lab = server("a", "b", shown=lambda name: reply() if name == "a" else Written([SHOWN]))
    shelf = Shelf(lab, BEARER)
    for _ in range(2):
        assert await shelf.read_models() == [Model("a"), Model("b", can=CAN)]
    assert sorted(lab.looked) == ["a", "a", "b"], "it is looked at again the next time"


async def test_only_some_are_looked_at_together() -> None:
    lab = server(*(f"m{number}" for number in range(3 * AT_ONCE)), wait=True)
    await Shelf(lab, BEARER).read_models()
    assert (len(lab.looked), lab.most) == (3 * AT_ONCE, AT_ONCE)


async def test_one_refresh_looks_at_so_many_and_the_next_at_the_others() -> None:
    lab = server(*(f"m{number}" for number in range(MAX_LOOKS + 3)))
    shelf = Shelf(lab, BEARER)
    assert sum(model.can == CAN for model in await shelf.read_models()) == MAX_LOOKS
    assert all(model.can == CAN for model in await shelf.read_models())
    assert len(lab.looked) == MAX_LOOKS + 3


async def test_looking_takes_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama, "LOOKING", 0.01)
    lab = server("a", wait=True)
    assert await Shelf(lab, BEARER).read_models() == [Model("a")]


@pytest.mark.parametrize(
    ("shown", "can"),
    [
        (b"{}", Capabilities()),
        (b'{"capabilities":null,"model_info":null}', Capabilities()),
        (b'{"model_info":{"a.context_length":9,"a.embedding_length":3}}', Capabilities(context=9, embedding_length=3)),
        (b'{"model_info":{"a.context_length":"9","b.context_length":0}}', Capabilities()),
    ],
)
async def test_what_is_not_told_is_not_known(shown: bytes, can: Capabilities) -> None:
    lab = server("a", shown=lambda _: Written([shown]))
    assert await Shelf(lab, BEARER).read_models() == [Model("a", can=can)]


@pytest.mark.parametrize(
    ("name", "can"),
    [
        ("show-gpt-4.1", {"tools": True, "vision": True, "embedding": None}),
        ("show-deepseek-r1", {"tools": True, "thinking": True, "vision": False}),
        ("show-text-embedding-v4", {"embedding": True, "tools": False}),
    ],
)
async def test_what_ollama_shows_is_understood(name: str, can: Mapping[str, bool | None]) -> None:
    (body,) = read_examples()[name].response.objects
    lab = server("a", shown=lambda _: Written([body]))
    ((model),) = await Shelf(lab, BEARER).read_models()
    assert {word: getattr(model.can, word) for word in can} == can
    assert model.can.context
    assert model.can.embedding_length


async def test_what_is_no_model_is_left_out() -> None:
    lab = server()
    lab.models = [{"model": 5}, {"digest": "d"}, {"model": "a", "capabilities": []}]
    assert await Shelf(lab, BEARER).read_models() == [Model("a")]


@pytest.mark.parametrize("reply", [Written([b"no"], 404), Written([b"[]"]), Written([b"{}"])])
async def test_a_list_that_cannot_be_read_gives_the_connection_back(reply: Written) -> None:
    with pytest.raises(UpstreamInvalid):
        await Shelf(Wire(reply), BEARER).read_models()
    assert reply.done == ["close"]
