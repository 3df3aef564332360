"""Every scenario, asked in every client dialect of an upstream of every dialect, streamed and plain.

The upstream's words are written by the gateway's inbound side of that dialect, as the simulator's are; what the client
asks and hears is written and read by the speakers, which know nothing of the gateway. A new dialect joins by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock, Words
from dragoman.core.legal import breaches
from dragoman.core.loss import carry
from dragoman.core.message import Request
from dragoman.core.ports import Limits
from dragoman.dialects import INBOUND, OUTBOUND, inbound, outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners
from dragoman.upstreams.reading import Reply
from tests.conformance import speak_anthropic, speak_ollama, speak_openai, speak_poe_bot_upstream, speak_responses
from tests.conformance.meaning import meaning
from tests.conformance.scenarios import SCENARIOS, UPSTREAM, Scenario
from tests.conformance.speaker import Heard, Speaker, expected
from tests.unit.server.desk import Bench
from tests.unit.server.link import Response
from tests.unit.upstreams.wire import Written

SPEAKERS: Mapping[str, Speaker] = {
    "anthropic_messages": speak_anthropic.MESSAGES,
    "ollama_chat": speak_ollama.CHAT,
    "ollama_generate": speak_ollama.GENERATE,
    "openai_chat": speak_openai.CHAT,
    "openai_completions": speak_openai.COMPLETIONS,
    "openai_responses": speak_responses.RESPONSES,
}
VOICES = {"poe_bot": speak_poe_bot_upstream.VOICE}
"""How an upstream speaks whose dialect has no clients."""
NO_CHAT = {
    "anthropic_tokens": "it counts, and asks nobody",
    "ollama_embed": "it gives vectors",
    "ollama_embeddings": "it gives vectors",
}
"""Client dialects that neither chat nor have an upstream side that tells what they do instead."""
CLIENTS = [name for name in INBOUND if name not in NO_CHAT and (name not in OUTBOUND or outbound(name).task == "chat")]
UPSTREAMS = [name for name in OUTBOUND if outbound(name).task == "chat"]
ALONE = {"ollama_generate": "serves single prompts only", "openai_completions": "serves text completions only"}
"""An upstream that can be asked in its own dialect alone → what other clients are told."""
_OLLAMA = ("refusal", "content_filter", "cached", "reasoning", "choices")
UNTOLD: Mapping[str, Collection[str]] = {
    "anthropic_messages": ("refusal", "refused", "choices"),
    "ollama_chat": _OLLAMA,
    "ollama_generate": _OLLAMA,
    "openai_responses": ("choices",),
    "poe_bot": ("choices",),
}
"""What of an answer an upstream's dialect has no words for, so that no client hears it (see `Speaker.lacks`)."""
CUT = 23
"""Bytes of one read."""
CELLS = [
    pytest.param(name, client, upstream, stream, id=f"{name}-{client}-{upstream}-{'stream' if stream else 'plain'}")
    for client in CLIENTS
    for name, scenario in SCENARIOS.items()
    if client not in SPEAKERS or name not in SPEAKERS[client].unasked
    for upstream in UPSTREAMS
    if upstream not in ALONE or client == upstream
    for stream in (True, False)
    if stream or scenario.error is None or not scenario.events
]


class Upstream:
    """Says what the scenario has it say, in its own dialect."""

    def __init__(self, dialect: str, scenario: Scenario) -> None:
        self.asked: list[Request] = []
        self._side = VOICES.get(dialect) or inbound(dialect)
        self._scenario = scenario

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        side, scenario = self._side, self._scenario
        call = side.read_call(body, Limits())
        self.asked.append(call.request)
        if scenario.error is not None and not scenario.events:
            status, said = side.write_error(scenario.error, "")
            return Written([said], status)
        if not call.stream:
            return Written([side.write_reply(call, Burst(scenario.events))])
        writer = side.writer(call)
        said = b"".join([writer.write(Burst([event])) for event in scenario.events])
        said += writer.end() if scenario.error is None else (writer.fail(scenario.error) or b"")
        pieces = [said[at : at + CUT] for at in range(0, len(said), CUT)]
        return Written(pieces, headers={"content-type": side.stream_type.decode()})

    def close(self) -> None:
        """No connection to close."""


class Played(msgspec.Struct):
    """What became of a cell of the matrix."""

    answer: Response
    asked: list[Request]
    calls: list[Call]
    bursts: list[Burst]


async def play(scenario: Scenario, client: str, upstream: str, *, stream: bool) -> Played:
    """Ask in the client's dialect, through the endpoint and the upstream's exchange, and return what happened."""
    wire = Upstream(upstream, scenario)
    manners, clock = Manners([outbound(upstream)]), Clock(lambda: 7.0, lambda: 1_763_683_200.0)
    ask_upstream = HttpUpstream("lab", wire, manners, clock).ask_model(UPSTREAM)
    calls: list[Call] = []
    bursts: list[Burst] = []

    async def ask(call: Call) -> Answer:
        calls.append(call)
        call.observe(bursts.append)
        return await ask_upstream(call)

    body = msgspec.json.encode(SPEAKERS[client].ask(scenario.request, stream))
    answer = await Bench(ask, side=inbound(client)).run(body)
    return Played(answer, wire.asked, calls, bursts)


def test_every_client_dialect_has_a_speaker() -> None:
    missing = [name for name in CLIENTS if name not in SPEAKERS]
    assert not missing, f"write tests/conformance/speak_….py for {missing}, or say in NO_CHAT what they do instead"


def test_what_a_dialect_has_no_words_for_is_a_scenario() -> None:
    for name, speaker in SPEAKERS.items():
        assert speaker.unasked.keys() <= SCENARIOS.keys(), name


@pytest.mark.parametrize(("name", "client", "upstream", "stream"), CELLS)
async def test_what_is_asked_and_answered_survives(name: str, client: str, upstream: str, *, stream: bool) -> None:
    scenario, speaker = SCENARIOS[name], SPEAKERS[client]
    played = await play(scenario, client, upstream, stream=stream)
    answer = played.answer
    see_asked(scenario, client, upstream, played)
    told = [event for burst in played.bursts for event in burst.events]
    if told:
        assert breaches(told, complete=scenario.error is None) == []
    assert b"upstream.internal" not in answer.body
    if scenario.error is not None and not scenario.events:
        assert answer.status == scenario.error.status
        assert speaker.hear_error(answer.body)
        return
    assert (answer.status, answer.ended) == (200, True)
    heard = speaker.hear_stream(answer.body) if stream else speaker.hear(answer.body)
    assert heard == (
        Heard([], broken=True) if scenario.error else expected(scenario.events, speaker, UNTOLD.get(upstream, ()))
    )


def see_asked(scenario: Scenario, client: str, upstream: str, played: Played) -> None:
    """See that the upstream was asked what the scenario asks, and that the client was told of everything else."""
    (asked,) = played.asked
    (call,) = played.calls
    if client == upstream:
        assert meaning(asked) == meaning(scenario.request)
        assert call.losses == {}
        return
    carried, lost = carry(scenario.request, "", Words(), outbound(upstream).terms)
    assert meaning(asked) == meaning(carried)
    assert set(call.losses) == {call.words.names.get(word, word) for word in lost}
    assert played.answer.headers.get("x-dragoman-loss", "") == (
        ", ".join(call.losses) if played.answer.status == 200 else ""
    )


@pytest.mark.parametrize(("client", "upstream"), [(one, other) for one in CLIENTS for other in ALONE if one != other])
async def test_an_upstream_of_one_dialect_alone_is_not_asked_in_others(client: str, upstream: str) -> None:
    played = await play(SCENARIOS["text"], client, upstream, stream=True)
    assert (played.answer.status, played.asked) == (400, [])
    assert ALONE[upstream] in SPEAKERS[client].hear_error(played.answer.body)
