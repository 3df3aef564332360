"""Every conversation whose upstream speaks another dialect than the client, cut in many ways."""

from __future__ import annotations

import pytest

from dragoman.dialects import INBOUND
from tests.golden.cutting import name_of, one_by_one, see_it_legal, see_the_same_at_every_cut
from tests.golden.play import play
from tests.golden.wirefile import Conversation, read_event, read_translations

ALL = [conversation for dialect in INBOUND for conversation in read_translations(dialect)]
STREAMS = [conversation for conversation in ALL if conversation.streams]


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_a_translated_conversation_goes_as_it_is_written_down(conversation: Conversation) -> None:
    played = play(conversation, one_by_one(conversation))
    assert conversation.gets is not None
    assert played.asked == conversation.asked
    assert played.events == [read_event(line) for line in conversation.events]
    assert (played.status, played.gets) == (conversation.gets.status, conversation.gets.body)


@pytest.mark.parametrize("conversation", STREAMS, ids=name_of)
def test_a_translated_stream_is_the_same_at_every_cut(conversation: Conversation) -> None:
    see_the_same_at_every_cut(conversation)


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_what_is_read_for_a_translation_is_legal(conversation: Conversation) -> None:
    see_it_legal(conversation)
