"""Streams of Messages that no server would send: read lawfully or refused, and the same wherever they are cut."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dragoman.dialects import outbound
from dragoman.dialects.anthropic_messages.schema import NAME
from tests.fuzz.test_readers import maybe, read_stream, unlawful

TEXT = st.sampled_from(["", "a", None])
COUNT = st.sampled_from([0, 3, None, -1, "x"])
USAGE = maybe(input_tokens=COUNT, output_tokens=COUNT) | st.sampled_from([None, 7])
BLOCK = maybe(
    type=st.sampled_from(["text", "text", "thinking", "tool_use", "redacted_thinking", "server_tool_use"]),
    text=TEXT,
    thinking=TEXT,
    signature=TEXT,
    data=TEXT,
    id=TEXT,
    name=st.sampled_from(["f", "f", "f", ""]),
    input=st.sampled_from([{}, {"a": 1}, None, "x"]),
)
PIECES = ["text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta"]
DELTA = maybe(
    type=st.sampled_from(PIECES),
    text=TEXT,
    thinking=TEXT,
    signature=TEXT,
    partial_json=st.sampled_from(["{}", "", '{"a":', "1}"]),
    stop_reason=st.sampled_from(["end_turn", "tool_use", "max_tokens", "error", "new", None]),
)
MESSAGE = maybe(
    id=TEXT,
    type=st.sampled_from(["message", "x"]),
    role=st.sampled_from(["assistant", None]),
    model=TEXT,
    content=st.sampled_from([[], None]),
    usage=USAGE,
)
KINDS = [
    "message_start", "content_block_start", "content_block_start", "content_block_delta", "content_block_delta",
    "content_block_delta", "content_block_stop", "message_delta", "message_stop", "ping", "new",
]  # fmt: skip
EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "index": st.sampled_from([0, 0, 0, 1, 1, 2, -1, 7]),
        "content_block": BLOCK,
        "delta": DELTA | st.none(),
        "message": MESSAGE | st.none(),
        "usage": USAGE,
    },
)
FORMS = [b"event: %b\ndata: %b\n\n"] * 4 + [b"event: x%b\ndata: %b\n\n", b": %b\ndata:%b\r\n\r\n"]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A stream of any events in any order, most of them in the usual form."""
    events = draw(st.lists(EVENT, max_size=12))
    frames = [
        draw(st.sampled_from(FORMS)) % (str(event["type"]).encode(), msgspec.json.encode(event)) for event in events
    ]
    return b"".join([*frames, draw(st.sampled_from([b"", b"data: [DONE]\n\n"]))])


@given(streams(), st.lists(st.integers(1, 2000), max_size=8))
def test_any_events_are_read_lawfully_or_refused(data: bytes, ends: list[int]) -> None:
    side = outbound(NAME)
    whole, pieces = read_stream(side, data, list(range(len(data)))), read_stream(side, data, ends)
    assert not unlawful(whole)
    assert not unlawful(pieces)
    if whole.error is not None:
        assert type(pieces.error) is type(whole.error)
        assert pieces.events == whole.events[: len(pieces.events)]
        return
    assert pieces == whole
    again = read_stream(side, whole.raw, [])
    assert (again.error, again.events, again.raw) == (None, whole.events, whole.raw)
