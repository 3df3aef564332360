"""Answers as chat completions: the upstream's bytes where they serve, else frames that the official SDKs can read."""

from __future__ import annotations

import re

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from openai.types.chat import ChatCompletionChunk

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import UpstreamIncomplete
from dragoman.dialects.openai_chat.schema import NAME
from dragoman.dialects.openai_chat.writer import Writer, wants_function_call, write_reply
from tests.schema import mismatches

CALL = Call(b"", NAME, "m", list, stream=True)
QUIET = replace(CALL, show_usage=False)
LEGACY = replace(QUIET, fields={"functions": Raw(b"[]")})
START = ev.Start("chatcmpl-1", "up/m", 5)
HEAD = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"up/m","choices":'
WHOLE = b'{"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"up/m","choices":['
ROLE = b'{"role":"assistant","content":"","refusal":null}'
TOOLS_ROLE = b'{"role":"assistant","content":null,"refusal":null}'


def choice(delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null", index: int = 0) -> bytes:
    return b'[{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]' % (index, delta, logprobs, finish)


def frames(call: Call, *events: ev.Event) -> list[bytes]:
    """Write each event as a burst of its own after the start; return the choices and what stands behind them."""
    writer = Writer(call)
    written = writer.write(Burst([START])) + b"".join(writer.write(Burst([event])) for event in events)
    told = written.split(b"\n\n")
    assert told.pop() == b""
    for frame in told:
        assert mismatches("CreateChatCompletionStreamResponse", frame.removeprefix(b"data: ")) == []
        assert frame.startswith(HEAD)
    return [frame.removeprefix(HEAD).removesuffix(b"}") for frame in told]


def test_a_choice_begins_with_its_role_exactly_once() -> None:
    assert frames(QUIET, ev.Text("a"), ev.Text("b"), ev.Text("c", 1), ev.Finish("stop"), ev.Finish("length", 1)) == [
        choice(ROLE),
        choice(b'{"content":"a"}'),
        choice(b'{"content":"b"}'),
        choice(ROLE, index=1),
        choice(b'{"content":"c"}', index=1),
        choice(b"{}", b'"stop"'),
        choice(b"{}", b'"length"', index=1),
    ]


def test_usage_is_null_until_the_last_frame_for_a_client_that_asked() -> None:
    assert frames(CALL, ev.Text("a"), ev.Finish("stop"), ev.Usage(10, 5, cached=4, reasoning=2)) == [
        choice(ROLE) + b',"usage":null',
        choice(b'{"content":"a"}') + b',"usage":null',
        choice(b"{}", b'"stop"') + b',"usage":null',
        b'[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,'
        b'"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}',
    ]


def test_usage_is_not_told_to_a_client_that_did_not_ask() -> None:
    assert frames(QUIET, ev.Finish("stop"), ev.Usage(1, 2)) == [choice(ROLE), choice(b"{}", b'"stop"')]


@pytest.mark.parametrize(
    ("event", "delta"),
    [
        (ev.Refusal("no"), b'{"refusal":"no"}'),
        (ev.Thinking("hm"), b'{"reasoning_content":"hm"}'),
        (ev.Replace("anew"), b'{"content":"anew"}'),
        (ev.Media("image/png", "AA"), b'{"content":"![image](data:image/png;base64,AA)"}'),
        (ev.Media("video/mp4", url="https://x.test/v"), b'{"content":"![video](https://x.test/v)"}'),
        (ev.Media("audio/*", extra=Raw(b'{"data":"AA"}')), b'{"audio":{"data":"AA"}}'),
    ],
)
def test_every_event_has_its_delta(event: ev.Event, delta: bytes) -> None:
    assert frames(QUIET, event) == [choice(ROLE), choice(delta)]


def test_what_is_said_instead_goes_on_or_stands_on_a_new_line() -> None:
    said: list[ev.Event] = [
        ev.Text("a"),
        ev.Text("x", 1),
        ev.Replace("ab"),
        ev.Replace("c"),
        ev.Replace("c"),
        ev.Text("d"),
        ev.Replace("cd!"),
    ]
    told = b"".join(frames(QUIET, *said))
    assert re.findall(rb'"index":0,"delta":{"content":"([^"]+)"}', told) == [b"a", b"b", b"\\nc", b"d", b"!"]


def test_logprobs_stand_beside_the_delta() -> None:
    logprobs = b'{"content":[],"refusal":[]}'
    assert frames(QUIET, ev.Text("a", logprobs=Raw(logprobs)))[1] == choice(b'{"content":"a"}', logprobs=logprobs)


def test_a_note_has_no_place() -> None:
    assert frames(QUIET, ev.Note("reply", "more?")) == []


def test_a_tool_call_says_id_and_name_in_its_first_piece_only() -> None:
    first = ev.ToolDelta(0, "", "c1", "f", extra=Raw(b'{"sig":1}'))
    assert frames(QUIET, first, ev.ToolDelta(0, "{}"), ev.ToolDelta(1, "{}", "c2", "g"), ev.Finish("tool_calls")) == [
        choice(TOOLS_ROLE),
        choice(
            b'{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""},'
            b'"extra_content":{"sig":1}}]}'
        ),
        choice(b'{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}'),
        choice(b'{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]}'),
        choice(b"{}", b'"tool_calls"'),
    ]


def test_the_deprecated_form_has_room_for_one_call() -> None:
    called = [ev.ToolDelta(0, "", "c1", "f"), ev.ToolDelta(0, "{}"), ev.ToolDelta(1, "{}", "c2", "g")]
    assert frames(LEGACY, *called, ev.Finish("tool_calls")) == [
        choice(ROLE),
        choice(b'{"function_call":{"name":"f","arguments":""}}'),
        choice(b'{"function_call":{"arguments":"{}"}}'),
        choice(b"{}", b'"function_call"'),
    ]


@pytest.mark.parametrize(
    ("names", "deprecated"), [((), False), (("functions",), True), (("tools",), False), (("functions", "tools"), False)]
)
def test_functions_without_tools_are_the_deprecated_form(names: tuple[str, ...], deprecated: bool) -> None:
    assert wants_function_call(replace(CALL, fields=dict.fromkeys(names, Raw(b"[]")))) is deprecated


def test_the_upstreams_own_frames_are_sent_without_the_usage_nobody_asked_for() -> None:
    raw = HEAD + choice(b'{"content":"a"}') + b',"usage":null}\n\n'
    burst = Burst([START, ev.Text("a")], raw, NAME)
    assert Writer(CALL).write(burst) is raw
    assert Writer(QUIET).write(burst) == raw.replace(b',"usage":null', b"")


def test_our_own_count_follows_the_upstreams_frames_and_says_what_it_is() -> None:
    frame = HEAD + choice(b'{"content":"a"}') + b',"usage":null}\n\n'
    writer = Writer(CALL)
    for burst in (Burst([START, ev.Text("a")], frame, NAME), Burst([ev.Finish("stop")], frame, NAME)):
        assert writer.write(burst) is frame
    told = writer.write(Burst([ev.Usage(10, 5, estimated=True)]))
    assert mismatches("CreateChatCompletionStreamResponse", told.strip().removeprefix(b"data: ")) == []
    assert told == (
        HEAD + b'[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,'
        b'"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0},'
        b'"estimated":true}}\n\n'
    )
    assert ChatCompletionChunk.model_validate_json(told.strip().removeprefix(b"data: "), strict=True).usage is not None


def test_frames_of_another_dialect_are_written_anew() -> None:
    written = Writer(QUIET).write(Burst([START, ev.Text("a")], b"data: {}\n\n", "ollama"))
    assert written.endswith(HEAD + choice(b'{"content":"a"}') + b"}\n\n")


def test_a_ping_is_a_comment() -> None:
    assert Writer(CALL).ping() == b": ping\n\n"


def test_a_stream_ends_with_its_marker_or_an_error() -> None:
    assert Writer(CALL).end() == b"data: [DONE]\n\n"
    failed = Writer(CALL).fail(UpstreamIncomplete())
    assert failed.startswith(b'data: {"error":{"message":')
    assert failed.endswith(b'"code":"upstream_incomplete"}}\n\n')


def whole(call: Call, *events: ev.Event) -> bytes:
    """Write a plain answer; return its choices and what stands behind them."""
    body = write_reply(call, Burst([START, *events]))
    assert mismatches("CreateChatCompletionResponse", body) == []
    return body.removeprefix(WHOLE).removesuffix(b"}")


def whole_choice(message: bytes, finish: bytes = b'"stop"', logprobs: bytes = b"null", index: int = 0) -> bytes:
    parts = (index, message, logprobs, finish)
    return b'{"index":%d,"message":{"role":"assistant",%b},"logprobs":%b,"finish_reason":%b}' % parts


def test_the_upstreams_own_answer_is_sent_as_it_is() -> None:
    raw = b'{ "id": "c1" }'
    assert write_reply(CALL, Burst([START, ev.Finish("stop")], raw, NAME)) is raw
    assert write_reply(CALL, Burst([START, ev.Finish("stop")], raw, "ollama")) != raw


def test_a_plain_answer_is_made_of_its_events() -> None:
    said: list[ev.Event] = [
        ev.Thinking("hm"),
        ev.Text("a"),
        ev.Text("b"),
        ev.Finish("length"),
        ev.Refusal("no", 1),
        ev.Finish("stop", 1),
    ]
    assert whole(CALL, *said, ev.Usage(1, 2)) == (
        whole_choice(b'"content":"ab","refusal":null,"reasoning_content":"hm","annotations":[]', b'"length"')
        + b","
        + whole_choice(b'"content":null,"refusal":"no","annotations":[]', index=1)
        + b'],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,'
        b'"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}'
    )


def test_an_answer_that_says_nothing_is_empty_text() -> None:
    assert whole(CALL, ev.Finish("stop")) == whole_choice(b'"content":"","refusal":null,"annotations":[]') + b"]"


def test_a_plain_answer_tells_all_its_tool_calls() -> None:
    called = [ev.ToolDelta(0, "", "c1", "f", extra=Raw(b'{"sig":1}')), ev.ToolDelta(1, '{"a":1}', "c2", "g")]
    message = (
        b'"content":null,"refusal":null,"annotations":[],"tool_calls":['
        b'{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"sig":1}},'
        b'{"id":"c2","type":"function","function":{"name":"g","arguments":"{\\"a\\":1}"}}]'
    )
    assert whole(CALL, *called, ev.Finish("tool_calls")) == whole_choice(message, b'"tool_calls"') + b"]"
    legacy = b'"content":null,"refusal":null,"annotations":[],"function_call":{"name":"f","arguments":"{}"}'
    assert whole(LEGACY, *called, ev.Finish("tool_calls")) == whole_choice(legacy, b'"function_call"') + b"]"


def test_media_are_links_in_the_text_but_openais_own_sound_is_kept() -> None:
    media: list[ev.Event] = [
        ev.Text("a"),
        ev.Media("image/png", "AA"),
        ev.Media("video/mp4", url="https://x.test/v"),
        ev.Media("audio/wav", "BB"),
        ev.Media("audio/mp3", url="https://x.test/s"),
    ]
    text = (
        b"a![image](data:image/png;base64,AA)![video](https://x.test/v)"
        b"![audio](data:audio/wav;base64,BB)![audio](https://x.test/s)"
    )
    message = b'"content":"%b","refusal":null,"annotations":[]' % text
    assert whole(CALL, *media, ev.Finish("stop")) == whole_choice(message) + b"]"
    sound = b'{"id":"a1","data":"AA","expires_at":1,"transcript":"a"}'
    message = b'"content":"","refusal":null,"annotations":[],"audio":' + sound
    assert whole(CALL, ev.Media("audio/*", extra=Raw(sound)), ev.Finish("stop")) == whole_choice(message) + b"]"


TOKEN = b'{"token":"%b","logprob":-1,"bytes":null,"top_logprobs":[]}'


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        ([b'{"content":null,"odd":1}'], b'{"content":null,"odd":1}'),
        (
            [b'{"content":[%b]}' % (TOKEN % b"a"), b'{"content":[%b],"refusal":null}' % (TOKEN % b"b")],
            b'{"content":[%b,%b],"refusal":null}' % (TOKEN % b"a", TOKEN % b"b"),
        ),
        (
            [b'{"refusal":[%b]}' % (TOKEN % b"a"), b'{"content":7}', b'{"content":[%b]}' % (TOKEN % b"b")],
            b'{"content":[%b],"refusal":[%b]}' % (TOKEN % b"b", TOKEN % b"a"),
        ),
    ],
)
def test_the_logprobs_of_all_pieces_are_one_list(pieces: list[bytes], joined: bytes) -> None:
    said = [ev.Text("a", logprobs=Raw(piece)) for piece in pieces]
    body = write_reply(CALL, Burst([START, *said, ev.Finish("stop")]))
    written = msgspec.json.decode(body, type=dict[str, Raw])["choices"]
    (only,) = msgspec.json.decode(written, type=list[dict[str, Raw]])
    assert bytes(only["logprobs"]) == joined
