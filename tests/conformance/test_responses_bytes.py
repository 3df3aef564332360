"""Clients of Responses in front of an upstream of Responses: the bytes pass, and what was said is kept here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import msgspec
import pytest

from dragoman.core.ask import Ask
from dragoman.core.call import Call, Clock
from dragoman.core.errors import DragomanError
from dragoman.dialects import inbound, outbound
from dragoman.server.responses import CUSTOM
from dragoman.stages.session import session
from dragoman.stores.sqlite import MEMORY, SqliteStore
from dragoman.upstreams.http import HttpUpstream, Manners
from tests.golden.wirefile import Conversation, read_translations
from tests.unit.server.desk import Bench
from tests.unit.server.link import Response
from tests.unit.upstreams.wire import JSON, SSE, Wire, Written

NAME = "openai_responses"
DONE = b"data: [DONE]\n\n"
OWN = [
    conversation
    for conversation in read_translations(NAME)
    if conversation.upstream == NAME and conversation.answers.status == 200
]
WHOLE = [one for one in OWN if one.name not in ("own_cut", "own_error_in_stream", "own_odd_frames")]
CLOCK = Clock(lambda: 7.0, lambda: 1_763_683_200.0)
ASK = b'{"model":"m","input":%b,"stream":%b%b}'


class Gateway:
    """An endpoint that keeps what it answers, in front of an upstream that says what was written down."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.asked: list[dict[str, msgspec.Raw]] = []

    async def ask(self, body: bytes, answer: bytes, cuts: list[int], *, streams: bool) -> Response:
        """Ask, and have the upstream answer in pieces that end at `cuts`."""
        places = [0, *sorted(cuts), len(answer)]
        pieces = [answer[start:end] for start, end in pairwise(places) if end > start]
        wire = Wire(Written(pieces if streams else [answer], headers=SSE if streams else JSON))
        ask = HttpUpstream("lab", wire, Manners([outbound(NAME)]), CLOCK).ask_model("m")
        reply = await Bench(self._remember(ask), side=inbound(NAME)).run(body)
        self.asked += [msgspec.json.decode(asked.body, type=dict[str, msgspec.Raw]) for asked in wire.asked]
        return reply

    def _remember(self, ask: Ask) -> Ask:
        def note(call: Call, error: DragomanError) -> None:
            raise AssertionError(error)

        return session(self._store, CUSTOM, note)(ask)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with closing(SqliteStore(MEMORY)) as store:
        yield Gateway(store)


def ask_body(conversation: Conversation) -> bytes:
    return conversation.asks.replace(b'"fast"', b'"m"')


@pytest.mark.parametrize("conversation", WHOLE, ids=lambda one: one.name)
async def test_an_answer_passes_byte_for_byte_wherever_it_is_cut(gateway: Gateway, conversation: Conversation) -> None:
    body, answer = ask_body(conversation), conversation.answers.body
    chance = random.Random(conversation.name)
    for _ in range(10):
        cuts = chance.sample(range(len(answer)), 7)
        got = await gateway.ask(body, answer, cuts, streams=conversation.streams)
        assert got.status == 200
        assert got.body == (answer + DONE if conversation.streams else answer)


@pytest.mark.parametrize("conversation", WHOLE, ids=lambda one: one.name)
async def test_the_upstream_is_asked_in_the_clients_own_bytes(gateway: Gateway, conversation: Conversation) -> None:
    await gateway.ask(ask_body(conversation), conversation.answers.body, [], streams=conversation.streams)
    (asked,) = gateway.asked
    assert bytes(asked["store"]) == b"false"
    fields = msgspec.json.decode(ask_body(conversation), type=dict[str, msgspec.Raw])
    if conversation.name not in ("own_items_of_others", "own_kept_here"):
        assert asked == fields


def find(name: str) -> Conversation:
    return next(one for one in OWN if one.name == name)


@pytest.mark.parametrize("name", ["own_text", "own_reasoning", "own_server_tools"])
async def test_a_turn_is_continued_by_the_id_that_its_client_was_told(gateway: Gateway, name: str) -> None:
    first = find(name)
    streams = b"true" if first.streams else b"false"
    await gateway.ask(ASK % (b'"One"', streams, b""), first.answers.body, [], streams=first.streams)
    more = b',"previous_response_id":"resp_68a1"'
    got = await gateway.ask(ASK % (b'"Two"', streams, more), first.answers.body, [], streams=first.streams)
    assert got.status == 200
    asked = gateway.asked[-1]
    assert "previous_response_id" not in asked
    items = msgspec.json.decode(asked["input"], type=list[dict[str, object]])
    assert [item.get("content") for item in items if item.get("role") == "user"] == [
        [{"type": "input_text", "text": "One"}],
        "Two",
    ]
    assert [item["type"] for item in items[1:-1]] == {
        "own_text": ["message"],
        "own_reasoning": ["reasoning", "message"],
        "own_server_tools": ["web_search_call", "message"],
    }[name]


async def test_items_can_be_referred_to_by_the_ids_that_the_upstream_gave(gateway: Gateway) -> None:
    first = find("own_text")
    await gateway.ask(ASK % (b'"One"', b"false", b""), first.answers.body, [], streams=False)
    reference = b'[{"type":"item_reference","id":"msg_0"},{"role":"user","content":"Two"}]'
    await gateway.ask(ASK % (reference, b"false", b""), first.answers.body, [], streams=False)
    items = msgspec.json.decode(gateway.asked[-1]["input"], type=list[dict[str, object]])
    assert [item["role"] for item in items] == ["assistant", "user"]
    assert "id" not in items[0]
    unknown = reference.replace(b"msg_0", b"msg_9")
    got = await gateway.ask(ASK % (unknown, b"false", b""), first.answers.body, [], streams=False)
    assert (got.status, len(gateway.asked)) == (400, 2)


async def test_an_answer_that_breaks_is_told_as_that_and_not_kept(gateway: Gateway) -> None:
    broken = find("own_cut").answers.body
    got = await gateway.ask(ASK % (b'"One"', b"true", b""), broken, [], streams=True)
    assert got.body.startswith(broken)
    assert b"event: response.failed\n" in got.body[len(broken) :]
    assert DONE not in got.body
    more = b',"previous_response_id":"resp_68a1"'
    got = await gateway.ask(ASK % (b'"Two"', b"true", more), broken, [], streams=True)
    assert (got.status, len(gateway.asked)) == (400, 1)
