"""Whatever an upstream sends: the readers say what it means, or raise one of our errors; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from dragoman.core.burst import Burst
from dragoman.core.errors import (
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    UpstreamError,
    UpstreamInvalid,
)
from dragoman.core.events import Event, Start
from dragoman.core.legal import breaches
from dragoman.core.ports import Outbound
from dragoman.dialects import outbound
from dragoman.dialects.openai_errors import write_error
from dragoman.wire.json import set_members
from dragoman.wire.sse import SseFramer, read_events
from tests.fuzz.mutate import spoil_bytes
from tests.fuzz.seeds import FRAMED, REPLIES, STREAMS, WHOLE, Seed
from tests.golden.play import cut

UNHEARD = {"poe_bot"}
"""Dialects without clients: what is said in them is passed on to nobody as it came."""
FALLBACK = Start("chatcmpl-made", "upstream-model", 1_763_683_200)
CHANCE = st.randoms(use_true_random=False)
LINES = frozenset({"ollama_chat", "ollama_generate"})
"""Dialects whose streams are lines of JSON."""


@st.composite
def mutations(draw: st.DrawFn, seeds: Sequence[Seed]) -> tuple[str, bytes]:
    """What an upstream says, some bytes of it wrong."""
    chance: Random = draw(CHANCE)
    dialect = draw(st.sampled_from(sorted({seed.dialect for seed in seeds})))
    seed = draw(st.sampled_from([seed for seed in seeds if seed.dialect == dialect]))
    return dialect, spoil_bytes(seed.body, chance, b"\n" if dialect in LINES else b"\n\n")


def maybe(**values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Objects that have any of these members."""
    return st.fixed_dictionaries({}, optional=values)


TEXT = st.sampled_from([None, "", "a", "{}", '{"a":'])
CALLED = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", "f", "f", None, ""]), "arguments": TEXT | st.just({"a": 1})}
)
TOOL = maybe(
    index=st.sampled_from([None, 0, 0, 1, 1, 2, 5, 127, 128]),
    id=st.sampled_from([None, "", "a", "b"]),
    type=st.sampled_from(["function", "custom"]),
    function=CALLED,
    custom=maybe(name=st.just("f"), input=TEXT),
)
DELTA = maybe(
    role=st.sampled_from([None, "", "assistant", "model"]),
    content=TEXT,
    reasoning=TEXT,
    refusal=TEXT,
    tool_calls=st.lists(TOOL, max_size=3) | st.none(),
    function_call=CALLED | st.none(),
)
CHOICE = maybe(
    index=st.sampled_from([0, 0, 0, 1, None]),
    delta=DELTA | st.none(),
    text=TEXT,
    logprobs=st.sampled_from([None, 5, {"content": None}]),
    finish_reason=st.sampled_from([None, None, None, "", "stop", "tool_calls", "LENGTH", "eos", "function_call"]),
)
USAGE = st.sampled_from([None, {}, {"prompt_tokens": 1, "completion_tokens": 2}, {"prompt_tokens": -1}])
CHUNK = st.fixed_dictionaries(
    {
        "id": st.just("c-1"),
        "created": st.just(1),
        "model": st.just("m"),
        "choices": st.lists(CHOICE, min_size=1, max_size=1) | st.lists(CHOICE, max_size=2),
    },
    optional={"object": st.just("chat.completion.chunk"), "usage": USAGE},
)


@st.composite
def inventions(draw: st.DrawFn) -> tuple[str, bytes]:
    """A stream of chunks that no server would send."""
    chunks = draw(st.lists(CHUNK, max_size=8))
    end = draw(st.sampled_from([b"data: [DONE]\n\n", b""]))
    data = b"".join(b"data: %b\n\n" % msgspec.json.encode(chunk) for chunk in chunks) + end
    return draw(st.sampled_from([name for name in FRAMED if name not in LINES])), data


LIKELY = st.sampled_from([None, [], [{"token": "a", "logprob": -0.5}], 5])
SAID = maybe(
    content=TEXT,
    response=TEXT,
    thinking=TEXT,
    images=st.sampled_from([None, [], ["AAAA"], ["iVBORw0KGgoAAAANSUhEUgAA"]]),
    tool_calls=st.lists(maybe(id=st.sampled_from([None, "", "a"]), function=CALLED), max_size=2) | st.none(),
)
LINE = maybe(
    model=st.just("m"),
    created_at=st.sampled_from(["2026-11-20T09:30:12.123456789Z", "", "9999-12-31T23:59:59-23:59", "now"]),
    message=SAID | st.none(),
    response=TEXT,
    thinking=TEXT,
    logprobs=LIKELY,
    done=st.sampled_from([None, False, False, True]),
    done_reason=st.sampled_from([None, "stop", "length", "load"]),
    prompt_eval_count=st.sampled_from([None, 0, 3, -1]),
    eval_count=st.sampled_from([None, 4]),
    error=st.sampled_from([None, "", "oh"]),
)


@st.composite
def invented_lines(draw: st.DrawFn) -> tuple[str, bytes]:
    """A stream of lines that no server would send."""
    ends = st.sampled_from([b"\n", b"\r\n", b"\n\n"])
    lines = draw(st.lists(LINE, max_size=6))
    data = b"".join(msgspec.json.encode(line) + draw(ends) for line in lines)
    return draw(st.sampled_from(sorted(LINES))), data


PART = maybe(type=st.sampled_from(["output_text", "refusal", "summary_text", "later"]), text=TEXT, refusal=TEXT)
ITEM = maybe(
    type=st.sampled_from(
        ["message", "reasoning", "function_call", "custom_tool_call", "image_generation_call", "later"]
    ),
    id=st.sampled_from([None, "", "a", "b"]),
    name=st.sampled_from(["f", "f", None]),
    call_id=st.sampled_from([None, "c"]),
    arguments=TEXT | st.just({"a": 1}),
    input=TEXT,
    content=st.lists(PART, max_size=2) | st.none(),
    summary=st.lists(PART, max_size=2),
    encrypted_content=st.sampled_from([None, "S"]),
    result=st.sampled_from([None, "AAAA"]),
)
RESPONSE = maybe(
    id=st.just("r"),
    status=st.sampled_from([None, "completed", "completed", "incomplete", "in_progress", "failed"]),
    output=st.lists(ITEM, max_size=3) | st.none(),
    usage=st.sampled_from([None, {}, {"input_tokens": 1}, {"output_tokens": -1}]),
    error=st.sampled_from([None, None, {"code": "slow_down", "message": "m"}]),
)
TEXTS = ["output_text", "refusal", "reasoning_summary_text", "reasoning_text", "function_call_arguments"]
KINDS = [
    *(f"{text}.{end}" for text in [*TEXTS, "custom_tool_call_input"] for end in ("delta", "done")),
    *("output_item.added", "output_item.added", "output_item.done", "created", "later"),
]
NUMBER = st.sampled_from([0, 0, 1])
EVENT: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {"type": st.sampled_from([f"response.{kind}" for kind in KINDS])},
    optional={
        "output_index": NUMBER,
        "content_index": NUMBER,
        "summary_index": NUMBER,
        "delta": TEXT,
        "text": TEXT,
        "refusal": TEXT,
        "arguments": TEXT,
        "input": TEXT,
        "logprobs": LIKELY,
        "item": ITEM,
        "response": RESPONSE,
    },
)
END: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {"type": st.sampled_from(["response.completed", "response.completed", "response.incomplete", "response.failed"])},
    optional={"response": RESPONSE},
)


@st.composite
def invented_events(draw: st.DrawFn) -> tuple[str, bytes]:
    """A stream of Responses that no server would send."""
    events = [*draw(st.lists(EVENT, max_size=10)), *draw(st.lists(END, max_size=2))]
    frames = [(str(event["type"]).encode(), msgspec.json.encode(event)) for event in events]
    return "openai_responses", b"".join(b"event: %b\ndata: %b\n\n" % frame for frame in frames)


class Heard(Struct, frozen=True):
    """What a reader made of a stream."""

    events: list[Event]
    raw: bytes
    error: DragomanError | None


def read_stream(side: Outbound, data: bytes, ends: list[int], n: int = 1) -> Heard:
    """Return what a reader makes of `data` in pieces that end at `ends`."""
    bursts: list[Burst | None] = []
    error: DragomanError | None = None
    reader = side.reader(FALLBACK, n)
    try:
        bursts.extend(map(reader.feed, cut(data, ends)))  # keeps what came before an error
        bursts.append(reader.end())
    except DragomanError as broken:
        error = broken
    said = [burst for burst in bursts if burst is not None]
    return Heard(
        [event for burst in said for event in burst.events], b"".join(burst.raw or b"" for burst in said), error
    )


def unlawful(heard: Heard) -> list[str]:
    """What is illegal in what was heard; that a model writes arguments that are no JSON is its own affair."""
    found = breaches(heard.events, complete=heard.error is None) if heard.events or heard.error is None else []
    return [breach for breach in found if "the arguments of tool call" not in breach]


def test_the_seeds_hold_every_dialect() -> None:
    assert {seed.dialect for seed in STREAMS} == set(FRAMED)
    assert {seed.dialect for seed in REPLIES} == set(WHOLE)


@given(
    mutations(STREAMS) | inventions() | invented_lines() | invented_events(),
    st.integers(1, 3),
    st.lists(st.integers(1, 3000), max_size=8),
)
def test_a_hostile_stream_is_read_lawfully_or_refused(stream: tuple[str, bytes], n: int, ends: list[int]) -> None:
    dialect, data = stream
    whole = read_stream(outbound(dialect), data, list(range(len(data))), n)
    pieces = read_stream(outbound(dialect), data, ends, n)
    for heard in (whole, pieces):
        assert not unlawful(heard)
        assert heard.error is None or isinstance(heard.error, UpstreamError | RateLimited | Overloaded | ModelNotFound)
    if whole.error is None:
        assert pieces == whole
    else:
        assert type(pieces.error) is type(whole.error)
        assert pieces.events == whole.events[: len(pieces.events)]


@given(mutations(STREAMS) | inventions() | invented_lines() | invented_events())
def test_what_a_reader_passes_on_is_read_the_same_again(stream: tuple[str, bytes]) -> None:
    dialect, data = stream
    heard = read_stream(outbound(dialect), data, [])
    if dialect in UNHEARD:
        assert heard.raw == b""
    elif heard.error is None:
        assert heard.raw.endswith(b"\n" if dialect in LINES else b"\n\n")
        heard.raw.decode()
        again = read_stream(outbound(dialect), heard.raw + b"data: [DONE]\n\n", [])
        assert (again.error, again.events, again.raw) == (None, heard.events, heard.raw)


@given(mutations(REPLIES))
def test_a_hostile_reply_is_read_lawfully_or_refused(reply: tuple[str, bytes]) -> None:
    dialect, body = reply
    side = outbound(dialect)
    try:
        burst = side.read_reply(body, FALLBACK)
    except (UpstreamError, RateLimited, Overloaded, ModelNotFound):
        return
    assert not unlawful(Heard(burst.events, b"", None))
    raw = burst.raw or b""
    raw.decode()
    again = side.read_reply(raw, FALLBACK)
    assert (again.events, again.raw) == (burst.events, raw)


@given(mutations(REPLIES), st.sampled_from([400, 401, 404, 418, 429, 500, 503, 302]))
def test_a_hostile_error_means_something(reply: tuple[str, bytes], status: int) -> None:
    dialect, body = reply
    error = outbound(dialect).read_error(status, {}, body)
    assert 400 <= error.status < 600
    assert error.status not in (401, 403), "what the upstream thinks of our key is no affair of the client's"
    msgspec.json.decode(write_error(error, "request-1")[1])


@given(st.binary(max_size=60), st.lists(st.integers(1, 60), max_size=4))
def test_a_sound_is_any_bytes(data: bytes, ends: list[int]) -> None:
    heard = read_stream(outbound("openai_speech"), data, ends)
    assert heard.raw == data
    assert not unlawful(heard)


NAMES = st.text(alphabet='ab"\\\u00e9\n', max_size=3)
WHITE = st.text(alphabet=" \t\r\n", max_size=2)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["1", '"x"', '{"a":[1]}', '"}"'])), max_size=5), st.data())
def test_setting_members_leaves_all_else_as_it_was(members: list[tuple[str, str]], data: st.DataObject) -> None:
    def white() -> str:
        return data.draw(WHITE)

    texts = [
        f"{white()}{msgspec.json.encode(name).decode()}{white()}:{white()}{value}{white()}" for name, value in members
    ]
    body = f"{white()}{{{','.join(texts) or white()}}}{white()}".encode()
    fields = msgspec.json.decode(body, type=dict[str, Raw])
    changed = set_members(body, fields, {"b": Raw(b"[7]")})
    values = {name: bytes(raw) for name, raw in msgspec.json.decode(changed, type=dict[str, Raw]).items()}
    assert values == {name: bytes(raw) for name, raw in fields.items()} | {"b": b"[7]"}
    names = [name for name, _ in members]
    if len(set(names)) == len(names) > 0:
        before = fields.get("b")
        assert len(changed) == len(body) + (len(b',"b":[7]') if before is None else 3 - len(bytes(before)))
    assert set_members(body, fields, {}) == body or len(set(names)) < len(names) or not names


@given(st.text(alphabet="da: \r\n\ufeffx", max_size=40), st.lists(st.integers(0, 60), max_size=6))
@example("\ufeffdata: x\r\n\r\ndata: y\r\r", [1, 2, 11, 12])
def test_a_framer_gives_the_same_frames_for_every_cut(text: str, ends: list[int]) -> None:
    def frames(places: list[int]) -> tuple[list[bytes], bytes]:
        framer = SseFramer()
        blocks = b"".join(framer.feed(piece) for piece in cut(text.encode(), places))
        lines = (frame.strip(b"\n") for frame in blocks.split(b"\n\n"))
        return [frame for frame in lines if frame], framer.close().strip(b"\n")

    assert frames(ends) == frames([])


@given(st.binary(max_size=60))
def test_a_block_is_events_or_foreign(block: bytes) -> None:
    try:
        found, plain = read_events(block + b"\n\n")
        data = list(found)
    except UpstreamInvalid:
        return
    assert not plain or b"".join(b"data: %b\n\n" % one for one in data) == block + b"\n\n"
