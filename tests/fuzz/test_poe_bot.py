"""Whatever a bot says, in whatever order: it is read lawfully and the same at every cut, or refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.core import events as ev
from dragoman.core.errors import Overloaded, RateLimited, UpstreamError
from dragoman.core.fold import fold
from dragoman.core.legal import breaches
from dragoman.core.message import Text
from dragoman.core.quirks import Quirks
from dragoman.dialects.poe_bot.outbound import speak
from tests.fuzz.test_readers import CHUNK, read_stream, unlawful

TEXT = st.sampled_from(["", "a", "b\n", "*Thin", "king...*\n", "> so", "\n\n", "![t][r]", "https://p/1", "ab"])
INDEX = st.sampled_from([None, 0, 0, 1, "x"])
SAID = st.fixed_dictionaries({"text": TEXT | st.just(5)}, optional={"index": INDEX})
FILE = st.fixed_dictionaries(
    {
        "url": st.sampled_from(["https://p/1", "https://p/2", "odd"]),
        "content_type": st.sampled_from(["image/png", "a/b"]),
    },
    optional={"inline_ref": st.sampled_from([None, "r", ""]), "name": st.none()},
)
ERROR = st.fixed_dictionaries(
    {}, optional={"allow_retry": st.booleans(), "error_type": st.sampled_from(["odd", "insufficient_fund"])}
)
EMPTY: dict[str, object] = {}
DONE: list[tuple[str, object]] = [("done", EMPTY)]
EVENT: st.SearchStrategy[tuple[str, object]] = st.one_of(
    st.tuples(st.sampled_from(["text", "text", "text", "replace_response", "suggested_reply"]), SAID),
    st.tuples(st.just("json"), CHUNK),
    st.tuples(st.just("file"), FILE),
    st.tuples(st.sampled_from(["meta", "ping", "data", "done", "odd"]), st.just(EMPTY)),
    st.tuples(st.just("error"), ERROR),
)
"""Name and data."""
PLAIN: st.SearchStrategy[tuple[str, object]] = st.tuples(
    st.sampled_from(["text", "text", "text", "replace_response"]), st.fixed_dictionaries({"text": TEXT})
)
"""Of a bot that only says and takes back."""


def write(events: list[tuple[str, object]]) -> bytes:
    return b"".join(
        b"event: %b\r\ndata: %b\r\n\r\n" % (name.encode(), msgspec.json.encode(data)) for name, data in events
    )


@pytest.mark.parametrize("replaces", [True, False])
@given(
    st.lists(EVENT, max_size=12), st.sampled_from([[("done", EMPTY)], []]), st.lists(st.integers(1, 900), max_size=8)
)
def test_a_bot_is_read_lawfully_or_refused(
    replaces: bool, events: list[tuple[str, object]], end: list[tuple[str, object]], ends: list[int]
) -> None:
    side, data = speak(Quirks(replaces=replaces)), write(events + end)
    whole = read_stream(side, data, list(range(len(data))))
    pieces = read_stream(side, data, ends)
    for heard in (whole, pieces):
        assert not unlawful(heard)
        assert heard.error is None or isinstance(heard.error, UpstreamError | RateLimited | Overloaded)
    if whole.error is None:
        assert pieces == whole
    else:
        assert type(pieces.error) is type(whole.error)
        assert pieces.events == whole.events[: len(pieces.events)]


@given(st.lists(PLAIN, max_size=12))
def test_what_is_held_back_says_what_is_told_at_once(events: list[tuple[str, object]]) -> None:
    data = write(events + DONE)
    at_once, held = (read_stream(speak(Quirks(replaces=replaces)), data, []) for replaces in (False, True))
    assert breaches(held.events) == []
    assert not any(isinstance(event, ev.Replace) for event in held.events)
    assert said(at_once.events) == said(held.events)


def said(events: list[ev.Event]) -> str:
    """Return the text that stands in the end."""
    return "".join(part.text for part in fold(events).choices[0].parts if isinstance(part, Text))
