"""A conversation whose answer arrives in pieces: the pieces, and what holds wherever they end."""

from __future__ import annotations

import random
from collections.abc import Iterator

from dragoman.core.legal import breaches
from tests.golden.play import play
from tests.golden.wirefile import Conversation


def name_of(conversation: Conversation) -> str:
    """Return what a test of a conversation is called."""
    return f"{conversation.dialect}/{conversation.name}"


def one_by_one(conversation: Conversation) -> list[int]:
    """Return the cuts by which every byte comes alone."""
    return list(range(len(conversation.answers.body)))


def see_the_same_at_every_cut(conversation: Conversation) -> None:
    """Fail if what is read or written depends on where the network cuts."""
    whole = play(conversation, one_by_one(conversation))
    for cuts in ways_to_cut(len(conversation.answers.body)):
        played = play(conversation, cuts)
        if whole.error is None:
            assert (played.events, played.gets) == (whole.events, whole.gets)
        else:  # what breaks takes with it what came in the same read
            assert played.events == whole.events[: len(played.events)]
            assert type(played.error) is type(whole.error)


def see_it_legal(conversation: Conversation) -> None:
    """Fail if the events of an answer are no legal sequence."""
    played = play(conversation, one_by_one(conversation))
    if played.events or played.error is None:
        assert not breaches(played.events, complete=played.error is None)


def ways_to_cut(size: int) -> Iterator[list[int]]:
    """Yield cuts of `size` bytes: none, regular ones, and twenty sets at random."""
    yield []
    for step in (2, 7, 1000):
        yield list(range(step, size, step))
    chance = random.Random(size)
    for _ in range(20):
        yield sorted(chance.sample(range(size), min(size, chance.randint(1, 12))))
