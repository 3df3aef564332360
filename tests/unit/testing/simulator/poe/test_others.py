"""Responses and Messages in Poe's words."""

import re

import pytest

from dragoman.testing.simulator.schema import Json
from tests.unit.testing.simulator.poe.client import WEATHER, Client, Reply, at

ASKED = "weather in Paris and Oslo"


def respond(model: str, text: str = "Say: hi", **fields: Json) -> Reply:
    return Client().post("v1/responses", {"model": model, "input": text, **fields})


def converse(model: str = "claude-haiku-4.5", **fields: Json) -> Reply:
    turns: Json = [{"role": "user", "content": "Say: hi"}]
    return Client().post("v1/messages", {"model": model, "max_tokens": 2000, "messages": turns, **fields})


def function() -> Json:
    assert isinstance(WEATHER, dict)
    return [{"type": "function", **WEATHER}]


def test_a_response_is_the_makers_and_kept_nowhere() -> None:
    reply = respond("GPT-5.4-Mini", store=True)
    assert re.fullmatch(r"resp_[A-Za-z0-9_-]+", str(reply.at("id")))
    assert reply.at("model") == "gpt-5.4-mini-2026-03-17"
    assert (reply.at("store"), reply.at("billing", "payer")) == (False, "developer")
    body = reply.at()
    assert isinstance(body, dict)
    assert "output_text" not in body
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


def test_messages_of_a_response_have_a_phase() -> None:
    output = respond("GPT-4o-Mini").at("output", 0)
    assert (at(output, "phase"), at(output, "content", 0, "text")) == ("final_answer", "hi")


def test_a_response_counts_for_real() -> None:
    usage = respond("GPT-5.4-Mini").at("usage")
    assert at(usage, "input_tokens_details", "cached_tokens") == 0
    assert at(usage, "output_tokens_details", "reasoning_tokens") != 0


@pytest.mark.parametrize("stream", [True, False])
def test_gemini_leaves_the_text_out_when_it_only_calls(stream: bool) -> None:
    empty = b'"content":[{"type":"output_text","annotations":[]}]'
    assert respond("Gemini-3.1-Pro", ASKED, tools=function(), stream=stream).data.count(empty) == 1
    assert empty not in respond("GPT-4o-Mini", ASKED, tools=function(), stream=stream).data
    assert empty not in respond("Gemini-3.1-Pro", stream=stream).data


def test_a_message_has_an_id_of_poe_and_a_total() -> None:
    reply = converse()
    assert re.fullmatch(r"req_poe_[0-9a-f]{32}", str(reply.at("id")))
    assert reply.at("model") == "claude-haiku-4-5-20251001"
    assert reply.at("usage", "total_tokens") == 7
    assert reply.at("usage", "cache_read_input_tokens") == 0


def test_a_streamed_message_has_them_too() -> None:
    events = dict(converse(stream=True).events)
    assert re.fullmatch(r"req_poe_[0-9a-f]{32}", str(at(events["message_start"], "message", "id")))
    assert at(events["message_delta"], "usage", "total_tokens") == 7
