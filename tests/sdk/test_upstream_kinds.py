"""Every kind of upstream behind the gateway, asked by every official SDK: what is said, and what is told about it."""

import json
from collections.abc import Generator
from urllib.request import Request, urlopen

import pytest
from msgspec import Struct

from dragoman.testing.conform.run import WIRES, Result, conform
from dragoman.testing.conform.scenarios import Subject
from dragoman.testing.conform.server import open_server
from tests.sdk.four_clients import CLIENTS, TOOL, Client, FailedError, Said, Wish, open_client
from tests.sdk.process import Served
from tests.sdk.upstream_kinds import serving

WEATHER = f"What is the weather in Oslo and in Rome? Use {TOOL}."
ECHO = "Say: alpha beta gamma delta"
LONG = "Explain in detail why the sky is blue."
CITY = 'Tell me about the city "Oslo" with its population of 717710, as JSON.'
NOTHING: frozenset[str] = frozenset()
MESSAGES_ON_CHAT = frozenset({"chat", "responses"})
"""Clients whose own endpoint Poe has for Claude too, and where it tells none of Claude's thoughts."""


class Kind(Struct, frozen=True):
    """A model of one kind of upstream, and what that kind cannot be told."""

    model: str
    thinker: str
    lost: frozenset[str] = NOTHING
    """Wishes that are told as lost."""
    counts: bool = True
    """Whether the upstream tells what a call of a tool took."""
    mute: frozenset[str] = NOTHING
    """Clients that hear no thoughts of the thinker."""


KINDS = {
    "openai": Kind("openai/instant", "openai/reasoning"),
    "anthropic": Kind("anthropic/instant", "anthropic/reasoning"),
    "ollama": Kind("ollama/instant", "ollama/reasoning"),
    "poe by chat": Kind("poe/grok-4", "poe/gemini-2.5-flash", counts=False),
    "poe by Messages": Kind("poe/claude-sonnet-4.6", "poe/claude-haiku-4.5", counts=False, mute=MESSAGES_ON_CHAT),
    "poe by Responses": Kind("poe/gpt-5.3-codex-spark", "poe/gpt-5.4-mini", lost=frozenset({"stop"})),
    "poe, signed calls": Kind("poe/gemini-3.1-pro", "poe/gemini-3.1-pro", counts=False),
    "poe_bot": Kind("poe_bot/Grok-4", "poe_bot/sim-thinking", lost=frozenset({"form", "limit"})),
    "qwen": Kind("qwen/qwen-plus", "qwen/qwen3-max"),
}
FULL = [
    *("openai/error-429", "anthropic/error-429", "ollama/error-429", "poe/sim-error-429"),
    *("poe_rest/sim-error-429", "poe_bot/sim-error-429", "qwen_errors/sim-error-429"),
]
OVERLOADED = [
    *("openai/error-503", "anthropic/error-503", "ollama/error-503", "poe/sim-error-529"),
    *("poe_rest/sim-error-529", "poe_bot/sim-error-529", "qwen_errors/sim-error-503"),
]
BREAKING = [
    *("openai/error-midstream", "anthropic/error-midstream", "ollama/error-midstream"),
    *("poe/sim-error-late", "poe_rest/sim-midstream", "poe_bot/sim-error-late"),
]
_ONLY = {
    "ollama": {("ollama", "model")},
    "poe": {("anthropic", "stop"), ("ollama", "stop")},
    "poe_bot": {(dialect, scenario) for dialect in WIRES for scenario in ("structured output", "length")},
}
"""What does not conform, by its dialect and its scenario, or by its field where that is the same in all of them.

An answer of Ollama's goes to its own clients as it is, with the name that the upstream knows its model by. All others
are told as lost: Responses know no stop sequences, the bot protocol neither forms of answers nor limits.
"""
UNSEALED = ("responses", "poe/gemini-3.1-pro")
"""Its reasoning has no seal, so it cannot go back, and the client is told."""
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
PATHS: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"stream_options": {"include_usage": True}},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"max_tokens": 100},
    "/api/chat": {},
}
"""Where to ask in each dialect → what it wants besides the messages."""


@pytest.fixture(scope="module")
def gateway(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with serving(upstream.address, tmp_path_factory.mktemp("kinds")) as gateway:
        yield gateway


@pytest.fixture(scope="module", params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def client(name: str, gateway: Served) -> Generator[Client]:
    with open_client(name, gateway.address) as client:
        yield client


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def ask(client: Client, model: str, prompt: str, wish: Wish) -> Said:
    return client.ask(model, client.says(prompt), wish)


def losses(client: Client, kind: Kind) -> list[str]:
    """Return what was lost, but for what Messages always say and a kind never hears."""
    return [name for name in client.heads.losses if not (name == "max_tokens" and "limit" in kind.lost)]


@BOTH
def test_words_are_heard_with_their_usage_and_who_said_them(client: Client, kind: Kind, *, stream: bool) -> None:
    said = ask(client, kind.model, ECHO, Wish(stream=stream))
    assert (said.text, said.finish) == ("alpha beta gamma delta", "stop")
    assert min(said.tokens) > 0
    assert client.heads.last["x-dragoman-model"] == kind.model
    assert client.heads.last["x-dragoman-attempts"] == "1"
    assert losses(client, kind) == []


@BOTH
def test_tools_are_called_side_by_side_and_their_results_read(
    client: Client, name: str, kind: Kind, *, stream: bool
) -> None:
    wish = Wish(stream=stream, tools=True)
    asked = client.says(WEATHER)
    called = client.ask(kind.model, asked, wish)
    assert called.finish == "tools"
    assert [(use.name, use.arguments) for use in called.uses] == [(TOOL, {"city": "Oslo"}), (TOOL, {"city": "Rome"})]
    assert min(called.tokens) > 0 or not kind.counts
    told = client.ask(kind.model, [*asked, *called.turns, *client.results(called, ["7 degrees", "21 degrees"])], wish)
    assert told.finish == "stop"
    assert f"The tool {TOOL} says: 7 degrees. The tool {TOOL} says: 21 degrees." in told.text
    assert losses(client, kind) == (["reasoning"] if (name, kind.model) == UNSEALED else [])


@BOTH
def test_thoughts_come_apart_from_the_words(client: Client, name: str, kind: Kind, *, stream: bool) -> None:
    said = ask(client, kind.thinker, LONG, Wish(stream=stream, think=True))
    assert said.text
    assert bool(said.thoughts) == (name not in kind.mute)
    assert not said.thoughts or said.thoughts not in said.text
    # Where no tokens of reasoning are counted, a budget is told as an effort.
    assert set(losses(client, kind)) <= {"thinking.budget_tokens"}


def test_an_answer_has_the_form_that_was_asked_for_or_the_loss_is_told(client: Client, kind: Kind) -> None:
    said = ask(client, kind.model, CITY, Wish(form=True))
    assert len(losses(client, kind)) == ("form" in kind.lost)
    assert "form" in kind.lost or json.loads(said.text) == {"city": "Oslo", "population": 717710}


@BOTH
def test_an_answer_ends_at_its_limit_or_the_loss_is_told(client: Client, kind: Kind, *, stream: bool) -> None:
    said = ask(client, kind.model, LONG, Wish(limit=16, stream=stream))
    assert said.finish == ("stop" if "limit" in kind.lost else "length")
    assert len(client.heads.losses) == ("limit" in kind.lost)


@BOTH
def test_an_answer_ends_before_a_stop_sequence(client: Client, name: str, kind: Kind, *, stream: bool) -> None:
    said = ask(client, kind.model, ECHO, Wish(stop="gamma", stream=stream))
    unheard = "stop" in kind.lost or name == "responses"  # which have no word for it
    assert (said.text.rstrip(), said.finish) == ("alpha beta gamma delta" if unheard else "alpha beta", "stop")
    assert len(losses(client, kind)) == ("stop" in kind.lost and name != "responses")


@BOTH
@pytest.mark.parametrize("model", [*FULL, *OVERLOADED])
def test_an_upstream_without_room_is_told_by_its_status(client: Client, name: str, model: str, *, stream: bool) -> None:
    with pytest.raises(FailedError) as caught:
        ask(client, model, ECHO, Wish(stream=stream))
    overloaded = 529 if name == "messages" else 503
    assert caught.value.status == (429 if model in FULL else overloaded)
    assert client.heads.last.get("x-should-retry", "true") == ("true" if model in FULL else "false")


@BOTH
@pytest.mark.parametrize("model", BREAKING)
def test_an_answer_that_breaks_is_an_error(client: Client, model: str, *, stream: bool) -> None:
    with pytest.raises(FailedError) as caught:
        ask(client, model, LONG, Wish(stream=stream))
    # What breaks in the same network read as it began has a status of its own still; nothing else may look like it.
    assert caught.value.status in ((0, 502) if stream else (502,))


@BOTH
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("opnai/instant", "openai/instant"),
        ("anthropic/reasonng", "anthropic/reasoning"),
        ("ollama/instnt", "ollama/instant"),
        ("poe_bot/Grok4", "poe_bot/Grok-4"),
        ("qwen/qwen3max", "qwen/qwen3-max"),
    ],
)
def test_a_model_that_is_not_there_is_a_404_with_the_one_meant(
    client: Client, wrong: str, right: str, *, stream: bool
) -> None:
    with pytest.raises(FailedError, match=f"did you mean '{right}'") as caught:
        ask(client, wrong, ECHO, Wish(stream=stream))
    assert caught.value.status == 404
    assert "x-dragoman-model" not in client.heads.last


@BOTH
def test_a_bot_that_nobody_lists_is_asked_for_and_is_a_404(client: Client, *, stream: bool) -> None:
    with pytest.raises(FailedError, match="does not know this model") as caught:
        ask(client, "poe/no-such-bot", ECHO, Wish(stream=stream))
    assert caught.value.status == 404
    assert client.heads.last["x-dragoman-attempts"] == "1"


def test_every_kind_lists_its_models_to_every_client(client: Client) -> None:
    listed = {model.removesuffix(":latest") for model in client.models()}
    assert {kind.model for kind in KINDS.values()} | {kind.thinker for kind in KINDS.values()} <= listed


@BOTH
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("model", ["poe_bot/Grok-4", "anthropic/no-usage", "ollama/no-usage"])
def test_usage_that_nobody_told_is_marked_as_estimated(gateway: Served, model: str, path: str, *, stream: bool) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream, **PATHS[path]}
    if "input" in body:
        del body["messages"]
    request = Request(gateway.address + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        assert b'"estimated":true' in answer.read()


def conforms(gateway: Served, subject: Subject) -> list[Result]:
    """Run `dragoman conform` in this process, where the SDKs are loaded already."""
    return conform(open_server(gateway.address, "", 30), subject, list(WIRES)).results


@pytest.mark.parametrize(
    ("model", "thinker"),
    [
        *(("openai/instant", "openai/reasoning"), ("anthropic/instant", "anthropic/reasoning")),
        *(("ollama/instant", "ollama/reasoning"), ("poe/gpt-4o-mini", "poe/gemini-2.5-flash")),
        *(("poe_bot/Grok-4", "poe_bot/sim-thinking"), ("qwen/qwen-plus", "qwen/qwen3-max")),
    ],
)
def test_every_kind_conforms_in_every_dialect_but_for_what_it_cannot_be_told(
    gateway: Served, model: str, thinker: str
) -> None:
    results = conforms(gateway, Subject(model, thinker))
    kind = model.partition("/")[0]
    failed = [result for result in results if result.outcome == "failed"]
    told = {(result.dialect, "model" if result.field.endswith("model") else result.scenario) for result in failed}
    assert told == _ONLY.get(kind, set())
    assert {(result.scenario, result.reason) for result in results if result.outcome == "n/a"} == {
        ("bad JSON", "an SDK cannot send that"),
        ("missing field", "an SDK cannot send that"),
        ("stop", "the dialect has no stop sequences"),
        ("error in a stream", "no --breaking-model is named"),
        ("embeddings", f"{model} is listed without embedding"),
    }
    assert {result.outcome for result in results} <= {"passed", "failed", "n/a"}
