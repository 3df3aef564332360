"""The simulator as an upstream, asked in the dialects it is reached by."""

import asyncio
import time

import pytest

from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import ModelNotFound, RateLimited
from dragoman.core.fold import fold
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.testing.simulator.models import MODELS
from dragoman.upstreams.http import HttpUpstream
from dragoman.upstreams.simulator import BESIDE, build, list_models, make_simulator
from tests.form import TYPE, form

CHAT = b'{"model":"any","stream":%b,"messages":[{"role":"user","content":"Say: one two"}]}'
TEXT = b'{"model":"any","stream":%b,"prompt":"Say: one two"}'
EACH = pytest.mark.parametrize(("dialect", "body"), [("openai_chat", CHAT), ("openai_completions", TEXT)])


def upstream(seed: int = 0) -> HttpUpstream:
    """Return a simulator that takes no time."""
    clock = Clock(asyncio.get_running_loop().time, time.time)
    return build("sim", make_simulator(seed, first=0.0, rate=0.0), clock)


async def ask(source: HttpUpstream, call: Call, model: str = "chat") -> Burst:
    """Return the whole answer."""
    answer = await source.ask_model(model)(call)
    try:
        events = list(answer.first.events)
        if answer.rest is not None:
            async for burst in answer.rest:
                events += burst.events
    finally:
        answer.close()
    return Burst(events)


@EACH
@pytest.mark.parametrize("stream", [b"true", b"false"])
async def test_it_answers_in_the_clients_own_dialect(dialect: str, body: bytes, stream: bytes) -> None:
    call = inbound(dialect).read_call(body % stream, Limits())
    source = upstream()
    assert said(await ask(source, call)) == "one two"
    assert call.served_by == "sim/chat"
    source.transport.close()


@pytest.mark.parametrize(("model", "error"), [("error-429", RateLimited), ("nothing", ModelNotFound)])
async def test_its_errors_are_those_of_an_upstream(model: str, error: type[Exception]) -> None:
    call = inbound("openai_chat").read_call(CHAT % b"true", Limits())
    with pytest.raises(error):
        await ask(upstream(), call, model)


@pytest.mark.parametrize("same", [True, False])
async def test_the_seed_decides_what_it_says(same: bool) -> None:
    body = CHAT.replace(b"Say: one two", b"Tell me about owls") % b"false"
    calls = [inbound("openai_chat").read_call(body, Limits()) for _ in range(2)]
    texts = [said(await ask(upstream(seed), call)) for seed, call in zip((1, 1 if same else 2), calls, strict=True)]
    assert (texts[0] == texts[1]) is same


@pytest.mark.parametrize(
    ("client", "body", "dialect"),
    [
        ("openai_responses", b'{"model":"m","input":"a"}', "openai_chat"),
        ("ollama_chat", b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false}', "openai_chat"),
        ("ollama_generate", b'{"model":"m","prompt":"a","stream":false}', "openai_chat"),
        ("openai_embeddings", b'{"model":"m","input":"a"}', "openai_embeddings"),
        ("ollama_embed", b'{"model":"m","input":"a"}', "openai_embeddings"),
    ],
)
async def test_it_serves_each_client_in_its_own_dialect_or_in_openais(client: str, body: bytes, dialect: str) -> None:
    model = "instant" if b"input" not in body or client == "openai_responses" else "embed"
    answer = await upstream().ask_model(model)(inbound(client).read_call(body, Limits()))
    assert answer.first.dialect == dialect
    answer.close()


SPOKEN = b'{"model":"m","input":"a","response_format":"wav","stream_format":"sse"}'
RECORDED = form(model="m", file=("a.wav", b""), response_format="text")


@pytest.mark.parametrize(
    ("client", "body", "dialect"),
    [
        ("openai_speech", SPOKEN, "openai_speech_events"),
        ("openai_transcriptions", RECORDED, "openai_transcription_text"),
        ("openai_translations", RECORDED, "openai_translation_text"),
        ("openai_videos", b'{"model":"m","prompt":"a"}', "openai_videos"),
    ],
)
async def test_it_speaks_what_has_no_route_of_its_own(client: str, body: bytes, dialect: str) -> None:
    side = inbound(client)
    form_of = side.read_form if body is RECORDED else None
    call = side.read_call(body, Limits()) if form_of is None else form_of(body, TYPE, Limits())
    answer = await upstream().ask_model("instant")(call)
    assert answer.first.dialect == dialect
    assert dialect in BESIDE
    answer.close()


def test_its_catalogue_lists_its_models() -> None:
    catalogue = list_models()
    assert [model.id for model in catalogue.models()] == list(MODELS)
    assert catalogue.known
    assert not catalogue.any_name


def said(burst: Burst) -> str:
    """Return the text of the first choice."""
    parts = fold(burst.events).choices[0].parts
    return "".join(part.text for part in parts if isinstance(part, msg.Text))
