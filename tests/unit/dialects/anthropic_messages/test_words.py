"""What a client is told of its losses."""

from __future__ import annotations

from dragoman.core.loss import NO_COUNTERPART, Terms, carry
from dragoman.dialects.anthropic_messages.schema import UNSIGNED
from dragoman.dialects.anthropic_messages.words import WORDS
from tests.unit.dialects.anthropic_messages.asking import ask

SAMPLING = ("temperature", "top_p", "top_k", "max_tokens", "signature", "image")
NOWHERE = Terms(dict.fromkeys((*WORDS.names, *SAMPLING), "not here"))
MARK = {"type": "ephemeral"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def losses(terms: Terms, **members: object) -> dict[str, str]:
    call = ask(**members)
    return carry(call.request, call.dialect, call.words, terms)[1]


def thought(signature: str) -> list[object]:
    block = {"type": "thinking", "thinking": "hm", "signature": signature}
    return [{"role": "user", "content": "a"}, {"role": "assistant", "content": [block]}]


def test_a_loss_is_named_as_the_client_named_it() -> None:
    result = {"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": True}
    pdf = {"type": "document", "source": {"type": "base64", "data": "AA"}}
    picture = {"type": "image", "source": {"type": "url", "url": "u"}}
    told = losses(
        NOWHERE,
        messages=[{"role": "user", "content": [result, pdf, picture]}],
        temperature=1,
        top_p=0.5,
        top_k=3,
        stop_sequences=["x"],
        metadata={"user_id": "u"},
        tools=[TOOL | {"strict": True}],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 1024},
        output_config={"format": {"type": "json_schema", "schema": TOOL}},
    )
    assert told.keys() == {
        "temperature", "top_p", "top_k", "max_tokens", "stop_sequences", "metadata.user_id", "tools.strict",
        "tool_choice.disable_parallel_tool_use", "thinking.budget_tokens", "output_config.effort",
        "output_config.format", "is_error", "document", "image",
    }  # fmt: skip
    assert set(told.values()) == {"not here"}


def test_a_mark_for_the_cache_is_told_wherever_it_stands() -> None:
    text = {"type": "text", "text": "a", "cache_control": MARK}
    result = {"type": "tool_result", "tool_use_id": "c", "content": [text]}
    places: list[dict[str, object]] = [
        {"cache_control": MARK},
        {"system": [text]},
        {"messages": [{"role": "user", "content": [text]}]},
        {"messages": [{"role": "user", "content": [result]}]},
        {"messages": [{"role": "user", "content": [result | {"cache_control": MARK}]}]},
        {"tools": [TOOL | {"cache_control": MARK}]},
    ]
    assert [losses(Terms(), **members) for members in places] == [
        {"cache_control": "the upstream caches on its own or not at all"}
    ] * len(places)


def test_fields_of_anthropics_own_have_their_reasons_and_unknown_ones_are_told_too() -> None:
    told = losses(
        Terms(),
        tools=[TOOL | {"defer_loading": True, "eager_input_streaming": True, "input_examples": [{"a": 1}]}],
        context_management={"edits": []},
        service_tier="auto",
        betas=["new"],
        anthropic_version="bedrock",
        something_new=1,
    )
    assert told.keys() == {"defer_loading", "input_examples", "context_management", "service_tier", "something_new"}
    assert [name for name, reason in told.items() if reason == NO_COUNTERPART] == ["something_new"]


def test_a_foreign_signature_is_a_loss_and_ours_is_none() -> None:
    assert losses(NOWHERE, messages=thought("S")).keys() == {"signature", "max_tokens"}
    assert losses(NOWHERE, messages=thought(UNSIGNED)).keys() == {"max_tokens"}


def test_thinking_that_cannot_be_asked_for_as_such_is_told() -> None:
    assert losses(Terms(), thinking={"type": "between_tools"}).keys() == {"thinking.between_tools"}
    assert losses(Terms(), thinking={"type": "adaptive"}) == {}
    told = losses(Terms(), thinking={"type": "disabled"}, output_config={"effort": "high"})
    assert told == {"output_config.effort": "an answer without thinking takes no effort"}
