"""Upstreams whose list of models is down, broken or very long: what is served, and what `/health` says of it."""

import asyncio
from collections.abc import Callable

import msgspec

from tests.faults.gateway import Gateway, gateway, table
from tests.faults.hostile import PLAIN_OK, SECRET, SOON, Hostile, Script, fault, hostile, response


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One upstream in `/health`."""

    models: int | None
    catalogue: str
    reachable: bool | None
    read_at: int | None
    credentials: bool | None


class Health(msgspec.Struct):
    upstreams: dict[str, Line]


class Listed(msgspec.Struct):
    id: str


class List(msgspec.Struct):
    data: list[Listed]


DOWN = Script((), "close")


def listing(upstream: Hostile, more: str = "") -> str:
    """Return the configuration of an upstream whose list is read at start, and then hardly ever."""
    return table("lab", upstream).replace('models = ["*"]\n', "refresh = 1000\n") + more


def models(*names: str) -> Script:
    """Return a list of models."""
    return Script((response(msgspec.json.encode({"data": [{"id": name} for name in names]})),))


async def health(running: Gateway) -> Line:
    """Return what is said of the upstream."""
    answer = await (await running.connect()).get("/health")
    assert answer.status == 200
    assert SECRET not in answer.body.decode()
    return msgspec.json.decode(answer.body, type=Health).upstreams["lab"]


async def names(running: Gateway) -> list[str]:
    """Return the models that are listed."""
    answer = await (await running.connect()).get("/v1/models")
    return [model.id for model in msgspec.json.decode(answer.body, type=List).data]


async def when(running: Gateway, met: Callable[[Line], bool]) -> Line:
    """Return what is said of the upstream as soon as the condition is met."""
    async with asyncio.timeout(SOON):
        while not met(line := await health(running)):
            pass
    return line


def failed(line: Line) -> bool:
    """Tell whether the list could not be read."""
    return line.catalogue not in ("ok", "unknown")


def read(line: Line) -> bool:
    """Tell whether the list has been read."""
    return line.catalogue == "ok"


async def test_a_list_that_is_down_at_start_stops_nobody_who_knows_what_to_ask_for() -> None:
    async with hostile(DOWN) as upstream, gateway(listing(upstream)) as running:
        line = await when(running, failed)
        assert (line.models, line.read_at, line.credentials) == (None, None, True)
        assert await names(running) == []
        upstream.play(PLAIN_OK)
        answer = await running.ask("lab/anything")
        assert (answer.status, answer.headers["x-dragoman-model"]) == (200, "lab/anything")
        assert (await running.ask("anything")).error.code == "model_not_found"


async def test_a_list_that_is_refused_says_so() -> None:
    async with hostile(fault(b"401 No")) as upstream, gateway(listing(upstream)) as running:
        assert await when(running, failed) == Line(None, "auth", True, None, True)


async def test_a_list_that_is_none_says_so() -> None:
    async with hostile(Script((response(b'{"models":[]}'),))) as upstream, gateway(listing(upstream)) as running:
        assert await when(running, failed) == Line(None, "invalid", True, None, True)


async def test_a_list_that_goes_down_later_is_served_as_it_was_last_known() -> None:
    async with hostile(models("a", "b")) as upstream:
        toml = listing(upstream).replace("refresh = 1000", "refresh = 0.05")
        async with gateway(toml) as running:
            await when(running, read)
            upstream.play(fault(b"500 Oops"))
            line = await when(running, failed)
            assert (line.models, line.catalogue, line.reachable) == (2, "invalid", True)
            assert (line.read_at or 0) > 1_700_000_000
            assert await names(running) == ["lab/a", "lab/b"]
            assert (await running.ask("lab/c")).error.code == "model_not_found"


async def test_ten_thousand_models_are_listed_and_found() -> None:
    many = [f"org-{number % 50}/model-{number}" for number in range(10_000)]
    async with hostile(models(*many)) as upstream, gateway(listing(upstream)) as running:
        assert (await when(running, read)).models == 10_000
        assert await names(running) == [f"lab/{name}" for name in many]
        upstream.play(PLAIN_OK)
        assert (await running.ask("ORG-7/Model-57")).headers["x-dragoman-model"] == "lab/org-7/model-57"
        assert "did you mean 'lab/org-7/model-57'?" in (await running.ask("lab/org-7/modle-57")).error.message


async def test_what_the_operator_says_of_a_model_counts_before_what_is_shipped() -> None:
    more = '[upstreams.lab.about."gpt-4o*"]\nvision = false\ncontext = 7\n[models]\nfast = ["lab/gpt-4o", "lab/o3"]\n'
    async with hostile(models("gpt-4o", "o3")) as upstream, gateway(listing(upstream, more)) as running:
        await when(running, read)
        told = (await (await running.connect()).get("/v1/models/lab/gpt-4o")).body
        assert b'"context_length":7' in told
        assert b'"input_modalities":["text"]' in told
        upstream.play(PLAIN_OK)
        picture = b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}'
        body = b'{"model":"%b","messages":[{"role":"user","content":[' + picture + b"]}]}"
        client = await running.connect()
        await client.post(body % b"lab/gpt-4o")
        assert (await client.read()).error.code == "unsupported_by_model"
        await client.post(body % b"fast")
        assert (await client.read()).headers["x-dragoman-model"] == "lab/o3"
