"""What a simulated model answers, as events."""

from __future__ import annotations

from itertools import product

import jsonschema_rs
import msgspec
import pytest
from msgspec import Raw, structs

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.fold import fold
from dragoman.core.legal import breaches
from dragoman.testing.simulator.brain import think, think_each
from dragoman.testing.simulator.models import MODELS
from dragoman.testing.simulator.tokens import count, count_request

FORM = b'{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}'
TOOLS = [msg.Tool("get_weather", "Get the weather", Raw(FORM)), msg.Tool("get_time")]
ASKED = ["Hello", "", "Say OK", "What is the weather in Paris for 3 days and the time?", "Write a story about cats"]
FORMATS = [msg.Format(), msg.Format("json"), msg.Format("schema", schema=Raw(FORM))]
SAMPLINGS = [
    msg.Sampling(),
    msg.Sampling(max_tokens=0),
    msg.Sampling(max_tokens=9, logprobs=0),
    msg.Sampling(stop=["o", ""], logprobs=3),
]


def ask(text: str, model: str = "chat") -> msg.Request:
    return msg.Request(model, [msg.Message("user", [msg.Text(text)] if text else [])])


def text_of(events: list[ev.Event], choice: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, ev.Text) and event.choice == choice)


def finishes(events: list[ev.Event]) -> list[ev.Finish]:
    return [event for event in events if isinstance(event, ev.Finish)]


def usage_of(events: list[ev.Event]) -> ev.Usage:
    last = events[-1]
    assert isinstance(last, ev.Usage)
    return last


@pytest.mark.parametrize("model", MODELS)
def test_every_answer_is_legal_the_same_again_and_within_its_limit(model: str) -> None:
    for asked, form, sampling, tools, n in product(ASKED, FORMATS, SAMPLINGS, ([], TOOLS), (1, 3)):
        request = structs.replace(ask(asked, model), format=form, sampling=sampling, tools=tools, n=n)
        events = think(request, 7)
        assert breaches(events) == [], request
        assert events == think(request, 7)
        assert len(finishes(events)) == n
        if sampling.max_tokens is not None:
            assert usage_of(events).completion <= sampling.max_tokens * n


def test_usage_counts_what_was_asked_and_said() -> None:
    request = ask("Say one two three")
    events = think(request, 0)
    assert events[0] == ev.Start("", "chat")
    assert events[-1] == ev.Usage(count_request(request), 3)
    assert text_of(events) == "one two three"


def test_thoughts_come_first_and_are_part_of_the_answers_tokens() -> None:
    events = think(ask("Say OK", "reasoning"), 0)
    thoughts = [event for event in events if isinstance(event, ev.Thinking)]
    assert events[1 : 1 + len(thoughts)] == thoughts
    assert usage_of(events).reasoning == len(thoughts) > 10
    assert usage_of(events).completion == len(thoughts) + 1


def test_a_limit_cuts_thoughts_too() -> None:
    events = think(structs.replace(ask("Hello", "reasoning"), sampling=msg.Sampling(max_tokens=5)), 0)
    assert usage_of(events) == ev.Usage(4, 5, reasoning=5)
    assert finishes(events) == [ev.Finish("length")]
    assert text_of(events) == ""


def test_exactly_enough_tokens_is_no_cut() -> None:
    request = structs.replace(ask("Say one two"), sampling=msg.Sampling(max_tokens=2))
    assert finishes(think(request, 0)) == [ev.Finish("stop")]


def test_a_stop_sequence_is_not_said_and_finishes_with_stop() -> None:
    request = structs.replace(ask("Say one two three"), sampling=msg.Sampling(stop=["three", "two"]))
    events = think(request, 0)
    assert text_of(events) == "one "
    assert finishes(events) == [ev.Finish("stop")]


def test_choices_differ_and_are_told_interleaved() -> None:
    events = think(structs.replace(ask("What is a dragoman?"), n=3), 0)
    assert len({text_of(events, choice) for choice in range(3)}) == 3
    assert [event.choice for event in events[1:7] if isinstance(event, ev.Text)] == [0, 1, 2, 0, 1, 2]


def test_several_prompts_of_one_call_are_answered_in_choices_of_one_answer() -> None:
    requests = [structs.replace(ask("Say one"), n=2), ask("Say two")]
    events = think_each(requests, 0)
    assert breaches(events) == []
    assert [text_of(events, choice) for choice in range(3)] == ["one", "one", "two"]
    assert usage_of(events) == ev.Usage(sum(count_request(request) for request in requests), 3)


def test_tools_are_called_in_pieces_and_finish_so() -> None:
    events = think(structs.replace(ask("What is the weather in Paris for 3 days, and get_time?"), tools=TOOLS), 0)
    deltas = [event for event in events if isinstance(event, ev.ToolDelta)]
    assert [delta.name for delta in deltas if delta.name] == ["get_time"]
    events = think(structs.replace(ask("The weather in Paris for 3 days"), tools=TOOLS), 0)
    deltas = [event for event in events if isinstance(event, ev.ToolDelta)]
    assert len(deltas) > 3
    assert "".join(delta.arguments for delta in deltas) == '{"city":"Paris","days":3}'
    assert finishes(events) == [ev.Finish("tool_calls")]


def test_calls_have_ids_of_their_own() -> None:
    request = structs.replace(ask("the weather in Paris and Rome"), tools=TOOLS, n=2)
    ids = [event.id for event in think(request, 0) if isinstance(event, ev.ToolDelta) and event.id]
    assert len(set(ids)) == len(ids) == 4
    assert ids[0].startswith("call_")


def test_json_follows_its_schema() -> None:
    request = structs.replace(ask("Oslo"), format=msg.Format("schema", schema=Raw(FORM)))
    jsonschema_rs.validate(msgspec.json.decode(FORM), msgspec.json.decode(text_of(think(request, 0))))


def test_json_without_schema_has_the_keys_the_user_names() -> None:
    request = structs.replace(ask("A JSON with 'setup' and 'punchline' keys"), format=msg.Format("json"))
    assert set(msgspec.json.decode(text_of(think(request, 0)), type=dict[str, str])) == {"setup", "punchline"}
    request = structs.replace(ask("Say OK"), format=msg.Format("json"))
    assert text_of(think(request, 0)) == '{"answer":"OK"}'


def test_logprobs_are_told_for_every_piece_with_as_many_alternatives_as_asked() -> None:
    told = msgspec.json.Decoder(dict[str, list[dict[str, Raw]] | None])
    for wanted in (0, 1, 3):
        events = think(structs.replace(ask("Say one two"), sampling=msg.Sampling(logprobs=wanted)), 0)
        for piece in fold(events).choices[0].logprobs:
            content = told.decode(piece)["content"]
            assert content is not None
            assert len(msgspec.json.decode(content[0]["top_logprobs"], type=list[Raw])) == wanted
    assert fold(think(ask("Say one"), 0)).choices[0].logprobs == []


def test_the_refusing_model_refuses() -> None:
    reply = fold(think(ask("Hello", "refuse"), 0))
    [part] = reply.choices[0].parts
    assert isinstance(part, msg.Refusal)
    assert usage_of(think(ask("Hello", "refuse"), 0)).completion == count(part.text)


def test_an_unknown_model_is_a_plain_one() -> None:
    assert text_of(think(ask("Say OK", "unheard-of"), 0)) == "OK"
