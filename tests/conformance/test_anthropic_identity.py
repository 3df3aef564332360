"""A client and an upstream that both speak Messages: through the endpoint, every byte is the upstream's own."""

from __future__ import annotations

import random

import pytest

from dragoman.core.call import Clock
from dragoman.dialects import inbound, outbound
from dragoman.upstreams.http import HttpUpstream, Manners
from tests.golden.cutting import name_of
from tests.golden.play import MODEL, cut
from tests.golden.wirefile import Conversation, read_translations
from tests.unit.server.desk import Bench
from tests.unit.upstreams.wire import JSON, SSE, Wire, Written

NAME = "anthropic_messages"
OTHERS = {"own_odd", "own_no_last_blank_line", "own_cut", "own_error_in_stream", "own_error_before_stream"}
"""What their upstream says is mended or broken."""
WHOLE = [one for one in read_translations(NAME) if one.upstream == NAME and one.name not in OTHERS]


def ways(size: int) -> list[list[int]]:
    """Return cuts of `size` bytes: none, everywhere, and some at random."""
    chance = random.Random(size)
    return [[], list(range(size)), *[sorted(chance.sample(range(size), 7)) for _ in range(8)]]


@pytest.mark.parametrize("one", WHOLE, ids=name_of)
async def test_the_client_gets_the_very_bytes_of_the_upstream(one: Conversation) -> None:
    for ends in ways(len(one.answers.body)):
        wire = Wire(Written(cut(one.answers.body, ends), headers=SSE if one.streams else JSON))
        manners = Manners([outbound(NAME)])
        ask = HttpUpstream("lab", wire, manners, Clock(lambda: 0, lambda: 0)).ask_model(MODEL)
        answer = await Bench(ask, side=inbound(NAME)).run(one.asks.replace(b'"fast"', b'"m"'))
        assert (answer.status, answer.ended) == (200, True)
        assert answer.body == one.answers.body
        assert wire.asked[0].body == one.asked


def test_there_is_something_to_see() -> None:
    assert {"own_text", "own_text_streamed", "own_tool_call", "own_reasoning", "own_server_tools"} <= {
        one.name for one in WHOLE
    }
