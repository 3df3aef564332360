"""Answers of OpenAI-compatible upstreams made what OpenAI's own SDK can read, field by field."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.errors import UpstreamError, UpstreamInvalid
from dragoman.core.events import Start
from dragoman.core.legal import breaches
from dragoman.dialects.openai_chat.mend import Seen, mend_chunk, mend_top, mend_whole, read_finish, read_object
from dragoman.dialects.openai_chat.reader import Reader
from dragoman.dialects.openai_chat.schema import CHUNK, MAX_TOOL_INDEX
from tests.schema import mismatches

FALLBACK = Start("chatcmpl-made", "asked", 9)
END = b'{},"finish_reason":"stop"'


def mended(*deltas: bytes) -> list[bytes]:
    """Return what a stream of chunks with these deltas (and what stands behind them) becomes, without its role.

    No chunk names its kind, so each is mended.
    """
    reader, told = Reader(FALLBACK, 1), list[bytes]()
    frames = [b'data: {"id":"chatcmpl-1","choices":[{"delta":%b}]}\n\n' % delta for delta in (b"{}", *deltas)]
    bursts = [burst for frame in frames if (burst := reader.feed(frame)) is not None]
    assert breaches([event for burst in bursts for event in burst.events], complete=reader.finished) == []
    for burst in bursts:
        chunk = (burst.raw or b"").removeprefix(b"data: ")
        # The published schema does not know that OpenAI streams calls of custom tools.
        assert b'"custom"' in chunk or mismatches("CreateChatCompletionStreamResponse", chunk) == []
        (choice,) = choices_of(msgspec.json.decode(chunk, type=dict[str, Raw])["choices"])
        finish = bytes(choice["finish_reason"])
        told.append(bytes(choice["delta"]) + (b"" if finish == b"null" else b" " + finish))
    assert told.pop(0) == b'{"role":"assistant"}'
    return told


def choices_of(data: bytes | Raw) -> list[dict[str, Raw]]:
    return msgspec.json.decode(data, type=list[dict[str, Raw]])


def tools(*calls: bytes) -> bytes:
    return b'{"tool_calls":[%b]}' % b",".join(calls)


def function(arguments: bytes = b"", name: bytes = b"f") -> bytes:
    return b'{"name":"%b","arguments":"%b"}' % (name, arguments)


def first(index: int, call_id: bytes, arguments: bytes = b"", name: bytes = b"f") -> bytes:
    """Return the first piece of a call as it should be."""
    parts = (function(arguments, name), call_id, index)
    return tools(b'{"function":%b,"id":"%b","type":"function","index":%d}' % parts)


def more(index: int, arguments: bytes) -> bytes:
    """Return a later piece of a call as it should be."""
    return tools(b'{"function":{"arguments":"%b"},"index":%d}' % (arguments, index))


@pytest.mark.parametrize(
    ("body", "top"),
    [
        (b"{}", b'{"id":"chatcmpl-made","model":"asked","created":9,"object":"chat.completion.chunk"}'),
        (
            b'{"object":"x","created":7,"x":1,"model":"m","id":"c1"}',
            b'{"object":"chat.completion.chunk","created":7,"x":1,"model":"m","id":"c1"}',
        ),
        (
            b'{"id":7,"model":null,"created":null}',
            b'{"id":"chatcmpl-made","model":"asked","created":9,"object":"chat.completion.chunk"}',
        ),
    ],
)
def test_what_every_chunk_has_is_filled_in(body: bytes, top: bytes) -> None:
    fields = read_object(body)
    mend_top(fields, FALLBACK, CHUNK)
    assert msgspec.json.encode(fields) == top


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"7", 7), (b"7.9", 7), (b'"7.5"', 7), (b"1e3", 1000), (b"0", 9), (b"-7", 9), (b"1e13", 9), (b"1e999", 9),
        (b'"now"', 9), (b'"nan"', 9), (b"[]", 9), (b"true", 9),
    ],
)  # fmt: skip
def test_a_time_is_whole_seconds_or_made_up(said: bytes, seconds: int) -> None:
    fields = {"created": Raw(said)}
    mend_top(fields, FALLBACK, CHUNK)
    assert bytes(fields["created"]) == b"%d" % seconds


def test_bad_text_is_repaired() -> None:
    assert read_object(b'{"a":"\xff","b":"\\ud800"}') == {"a": Raw('"�"'.encode()), "b": Raw(b'"\\ufffd"')}


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"7", b'{"a":' + b"[" * 5000])
def test_what_is_no_object_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_object(data)


@pytest.mark.parametrize(
    ("reason", "called", "read"),
    [
        ("stop", "", "stop"), ("length", "", "length"), ("tool_calls", "", "tool_calls"), ("STOP", "", "stop"),
        ("end_turn", "", "stop"), ("eos", "", "stop"), ("tool_use", "", "tool_calls"), ("MAX_TOKENS", "", "length"),
        ("model_length", "", "length"), ("SAFETY", "", "content_filter"), ("sensitive", "", "content_filter"),
        ("stop", "tool_calls", "tool_calls"), ("eos", "function_call", "function_call"), ("", "tool_calls", ""),
        ("length", "tool_calls", "length"), ("", "", ""),
    ],
)  # fmt: skip
def test_every_finish_reason_has_the_dialects_word(reason: str, called: str, read: str) -> None:
    assert read_finish(reason, called=called) == read


@pytest.mark.parametrize("reason", ["error", "abort", "network_error", "Insufficient_System_Resource"])
def test_a_finish_that_tells_of_an_error_is_one(reason: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_finish(reason, called="tool_calls")
    assert caught.value.detail == "the finish reason tells of an error"


def chunk(choices: bytes, rest: bytes, seen: dict[int, Seen]) -> bytes:
    return mend_chunk(read_object(b'{"choices":%b%b}' % (choices, rest)), seen)


def test_choices_are_numbered_and_the_role_comes_first_and_once() -> None:
    seen: dict[int, Seen] = {}
    said = b'[{"delta":{"content":"a","role":"model"}},{"delta":null,"index":"1"},{"index":123456789012}]'
    role = b'"delta":{"role":"assistant"%b}'
    assert chunk(said, b"", seen) == (
        b'{"choices":[{%b,"index":0,"finish_reason":null},{%b,"index":1,"finish_reason":null},'
        b'{"index":2,%b,"finish_reason":null}]}' % (role % b',"content":"a"', role % b"", role % b"")
    )
    assert list(seen) == [0, 1, 2]
    seen[0].started = True
    assert chunk(b'[{"delta":{"content":"a","role":"model"}}]', b"", seen) == (
        b'{"choices":[{"delta":{"content":"a"},"index":0,"finish_reason":null}]}'
    )


@pytest.mark.parametrize("choices", [b"null", b"[]", b'[{"index":4,"delta":{"content":"late"}}]', b'[{"index":5}]'])
def test_a_chunk_of_which_nothing_can_be_said_is_dropped(choices: bytes) -> None:
    finished, begun = Seen(), Seen()
    finished.finished = begun.started = True
    assert chunk(choices, b',"usage":{}', {4: finished, 5: begun}) == b""


def test_usage_beside_a_choice_becomes_null() -> None:
    assert chunk(b"[{}]", b',"usage":{"prompt_tokens":1}', {}).endswith(b',"usage":null}')
    assert chunk(b"[{}]", b',"usage":null', {}).endswith(b',"usage":null}')
    assert b"usage" not in chunk(b"[{}]", b"", {})


@pytest.mark.parametrize(
    "choices",
    [
        b"{}",
        b"[7]",
        b'[{"index":-1}]',
        b'[{"index":1},{"delta":{}}]',
        b'[{"delta":{"content":7}}]',
        b'[{"delta":{"content":{}}}]',
        b'[{"delta":{"content":[7]}}]',
        b'[{"delta":{"tool_calls":7}}]',
        b'[{"delta":{"tool_calls":[{"index":0}]}}]',
        b'[{"delta":{"tool_calls":[{"index":-1,"function":{"name":"f"}}]}}]',
        b'[{"delta":{"tool_calls":[{"index":128,"function":{"name":"f"}}]}}]',
        b'[{"delta":{"tool_calls":[{"index":"0","function":{"name":"f"}}]}}]',
        b'[{"delta":{"function_call":{"arguments":""}}}]',
    ],
)
def test_what_cannot_be_mended_is_invalid(choices: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        chunk(choices, b"", {})


def test_more_tool_calls_than_any_model_makes_are_nonsense() -> None:
    calls = [b'{"function":{"name":"f"}}'] * (MAX_TOOL_INDEX + 1)
    assert chunk(b'[{"delta":%b}]' % tools(*calls), b"", {})
    with pytest.raises(UpstreamInvalid) as caught:
        chunk(b'[{"delta":%b}]' % tools(*calls, calls[0]), b"", {})
    assert caught.value.detail == "too many tool calls"


def test_content_in_parts_is_joined() -> None:
    parts = b'[{"type":"text","text":"a"},{"type":"odd"},{"text":"b"}]'
    assert mended(b'{"content":%b}' % parts, END) == [b'{"content":"ab"}', b'{} "stop"']


A = b'{"index":%d,"id":"%b","function":{"name":"f","arguments":"%b"}}'


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([A % (0, b"a", b""), A % (0, b"a", b"{}")], [first(0, b"a"), more(0, b"{}")]),
        ([A % (3, b"a", b"{}"), A % (7, b"b", b"{}")], [first(0, b"a", b"{}"), first(1, b"b", b"{}")]),
        ([A % (0, b"a", b"{}"), A % (0, b"b", b"{}")], [first(0, b"a", b"{}"), first(1, b"b", b"{}")]),
        (
            [A % (0, b"", b"{}"), A % (1, b"", b"{}")],
            [first(0, b"call_chatcmpl-1_0_0", b"{}"), first(1, b"call_chatcmpl-1_0_1", b"{}")],
        ),
        (
            [
                b'{"function":{"name":"f"}}',
                b'{"function":{"arguments":"{}"}}',
                b'{"function":{"name":"f","arguments":{}}}',
            ],
            [first(0, b"call_chatcmpl-1_0_0"), more(0, b"{}"), first(1, b"call_chatcmpl-1_0_1", b"{}")],
        ),
        (
            [b'{"id":"a","function":{"name":"f"}}', b'{"id":"a","function":{"arguments":"{}"}}'],
            [first(0, b"a"), more(0, b"{}")],
        ),
        (
            [A % (0, b"a", b"{}"), A % (1, b"a", b"{}")],
            [first(0, b"a", b"{}"), first(1, b"call_chatcmpl-1_0_1", b"{}")],
        ),
    ],
    ids=["repeated", "gaps", "same index", "no id", "no index", "by id", "same id"],
)
def test_every_piece_of_a_tool_call_finds_its_call(said: list[bytes], told: list[bytes]) -> None:
    *pieces, last = mended(*map(tools, said), END)
    assert [msgspec.json.decode(piece) for piece in pieces] == [msgspec.json.decode(piece) for piece in told]
    assert last == b'{} "tool_calls"'


def test_a_call_without_arguments_ends_as_an_empty_object() -> None:
    said = [tools(A % (0, b"a", b"")), tools(A % (1, b"b", b"{}")), tools(b'{"index":0}')]
    *_, empty, last = mended(*said, END)
    assert empty == tools(b'{"index":0,"function":{"arguments":""}}')
    assert last == tools(b'{"index":0,"function":{"arguments":"{}"}}') + b' "tool_calls"'


def test_a_call_that_comes_with_the_finish_has_its_arguments_too() -> None:
    piece = tools(b'{"index":0,"id":"a","function":{"name":"f"}}')
    (only,) = mended(piece + b',"finish_reason":"stop"')
    assert only == (
        b'{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""},"type":"function"},'
        b'{"index":0,"function":{"arguments":"{}"}}]} "tool_calls"'
    )


def test_free_text_for_a_custom_tool_is_kept() -> None:
    said = [b'{"index":0,"id":"a","custom":{"name":"c","input":""}}', b'{"index":0,"id":"a","custom":{"input":"hi"}}']
    assert mended(*map(tools, said), END) == [
        tools(b'{"index":0,"id":"a","custom":{"name":"c","input":""},"type":"custom"}'),
        tools(b'{"index":0,"custom":{"input":"hi"}}'),
        b'{} "tool_calls"',
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            [b'{"name":"f","arguments":""}', b'{"name":"f","arguments":"{}"}'],
            [b'{"function_call":{"name":"f","arguments":""}}', b'{"function_call":{"arguments":"{}"}}', b"{}"],
        ),
        (
            [b'{"name":"f"}'],
            [b'{"function_call":{"name":"f","arguments":""}}', b'{"function_call":{"arguments":"{}"}}'],
        ),
        ([b'{"name":"f","arguments":{"a":1}}'], [b'{"function_call":{"name":"f","arguments":"{\\"a\\":1}"}}', b"{}"]),
    ],
)
def test_a_call_in_the_deprecated_form_is_named_once_and_never_empty(said: list[bytes], told: list[bytes]) -> None:
    deltas = [b'{"function_call":%b}' % piece for piece in said]
    *pieces, last = told
    assert mended(*deltas, END) == [*pieces, last + b' "function_call"']


def test_a_function_call_that_is_null_is_none() -> None:
    assert mended(b'{"content":"a","function_call":null}', END) == [b'{"content":"a"}', b'{} "stop"']


def whole(*choices: bytes) -> bytes:
    data = mend_whole(read_object(b'{"id":"chatcmpl-1","choices":[%b]}' % b",".join(choices)))
    return data.removeprefix(b'{"id":"chatcmpl-1","choices":[').removesuffix(b"]}")


@pytest.mark.parametrize(
    ("message", "becomes", "finish"),
    [
        (b"{}", b'{"role":"assistant","content":null,"refusal":null}', b'"stop"'),
        (
            b'{"content":[{"text":"a"}],"role":"model","x":1}',
            b'{"content":"a","role":"assistant","x":1,"refusal":null}',
            b'"stop"',
        ),
        (
            b'{"content":null,"refusal":null,"tool_calls":[{"index":4,"function":{"name":"f"}},'
            b'{"id":"a","custom":{"name":"c","input":"hi"}}]}',
            b'{"content":null,"refusal":null,"role":"assistant","tool_calls":['
            b'{"function":{"name":"f","arguments":"{}"},"id":"call_chatcmpl-1_0_0","type":"function"},'
            b'{"id":"a","custom":{"name":"c","input":"hi"},"type":"custom"}]}',
            b'"tool_calls"',
        ),
        (
            b'{"content":null,"refusal":null,"function_call":{"name":"f"},"tool_calls":null}',
            b'{"content":null,"refusal":null,"function_call":{"name":"f","arguments":"{}"},"role":"assistant"}',
            b'"function_call"',
        ),
        (
            b'{"content":null,"refusal":null,"function_call":null,"tool_calls":[]}',
            b'{"content":null,"refusal":null,"role":"assistant"}',
            b'"stop"',
        ),
    ],
)
def test_a_whole_message_has_all_its_members(message: bytes, becomes: bytes, finish: bytes) -> None:
    assert whole(b'{"message":%b}' % message) == (
        b'{"message":%b,"index":0,"logprobs":null,"finish_reason":%b}' % (becomes, finish)
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [((b"1", b"0"), [1, 0]), ((b"0", b"0"), [0, 1]), ((b"-1", b"0"), [0, 1]), ((b"null", b"5"), [0, 1])],
)
def test_choices_keep_their_numbers_when_these_make_sense(said: tuple[bytes, bytes], told: list[int]) -> None:
    data = whole(*(b'{"index":%b,"message":{},"finish_reason":"length","logprobs":{}}' % index for index in said))
    choices = choices_of(b"[" + data + b"]")
    assert [msgspec.json.decode(choice["index"], type=int) for choice in choices] == told
    assert [bytes(choice["finish_reason"]) for choice in choices] == [b'"length"', b'"length"']
    assert [bytes(choice["logprobs"]) for choice in choices] == [b"{}", b"{}"]


@pytest.mark.parametrize(
    "choices", [b"", b"{}", b'{"message":null}', b'{"message":"a"}', b'{"message":{"content":true}}']
)
def test_an_answer_without_a_message_is_invalid(choices: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        whole(choices)
