"""The page about losses, held against the tables it describes."""

from pathlib import Path

import pytest

from dragoman.core.call import Words
from dragoman.dialects import OUTBOUND, outbound
from dragoman.dialects.anthropic_messages.narrow import REASONS
from dragoman.dialects.openai_chat.inbound import WORDS as CHAT
from dragoman.dialects.openai_completions.inbound import WORDS as COMPLETIONS
from dragoman.dialects.openai_responses.clean import UNKNOWN, UNSEALED
from dragoman.dialects.openai_responses.terms import REASONS as RESPONSES

PAGE = (Path(__file__).parents[2] / "docs" / "loss.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", [name for name in OUTBOUND if outbound(name).task == "chat"])
def test_the_page_tells_what_a_dialect_of_upstreams_has_no_place_for(dialect: str) -> None:
    terms = outbound(dialect).terms
    fields = [name for names in terms.kin.values() if names is not None for name in names]
    assert [text for text in (*terms.cannot.values(), *fields) if text not in PAGE] == []


@pytest.mark.parametrize("words", [CHAT, COMPLETIONS], ids=["openai_chat", "openai_completions"])
def test_the_page_tells_why_a_clients_own_fields_are_lost(words: Words) -> None:
    assert [name for name in words.reasons if f"`{name}`" not in PAGE] == []
    assert [reason for reason in words.reasons.values() if reason not in PAGE] == []


def test_the_page_tells_what_messages_cannot_say_with_every_value() -> None:
    assert [reason for reason in REASONS.values() if reason not in PAGE] == []


def test_the_page_tells_what_responses_cannot_say_with_every_value() -> None:
    assert [reason for reason in (*RESPONSES.values(), UNKNOWN, UNSEALED) if reason not in PAGE] == []
