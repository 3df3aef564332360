"""A good answer, and the same with one thing spoilt."""

from collections.abc import Callable

import pytest

from dragoman.testing.conform.field import read_json
from dragoman.testing.conform.question import Question, Said
from dragoman.testing.conform.raw import Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import Mismatch

PLAIN = Question(model="m")
STREAM = Question(model="m", stream=True)


def read_stream(wire: Wire, body: str, question: Question = STREAM, kind: str = "text/event-stream") -> Said:
    return wire.read_stream(Reply(200, kind, body.encode()), question)


def read_plain(wire: Wire, body: str, question: Question = PLAIN) -> Said:
    return wire.read(read_json(body.encode()), question)


def spoil(good: str, old: str, new: str) -> str:
    """Exchange one thing, which has to be there."""
    assert old in good, old
    return good.replace(old, new, 1)


def expect_mismatch(read: Callable[[], object], told: str) -> None:
    """Fail unless a reader's verdict begins with `told`."""
    with pytest.raises(Mismatch) as caught:
        read()
    assert str(caught.value).startswith(told), str(caught.value)
