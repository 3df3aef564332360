"""Text completions from a client: what is asked, and how answers made of events are written."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, UpstreamIncomplete
from dragoman.core.loss import Terms, carry
from dragoman.core.ports import Limits
from dragoman.dialects.openai_completions.inbound import INBOUND, MAX_PROMPTS, Writer, read_call, write_reply
from dragoman.dialects.openai_completions.schema import NAME
from tests.schema import mismatches

STREAM = b',"stream":true'
WITH_USAGE = STREAM + b',"stream_options":{"include_usage":true}'
START = ev.Start("chatcmpl-7", "up/m", 5)
HEAD = b'data: {"id":"cmpl-7","object":"text_completion","created":5,"model":"up/m","choices":'


def call_for(members: bytes = b"", prompt: bytes = b'"Once"') -> Call:
    return read_call(b'{"model":"m","prompt":%b%b}' % (prompt, members), Limits())


def choice(text: str, index: int = 0, finish: str | None = None) -> bytes:
    parts = (msgspec.json.encode(text), index, msgspec.json.encode(finish))
    return b'[{"text":%b,"index":%d,"logprobs":null,"finish_reason":%b}]' % parts


def frames_of(written: bytes) -> list[bytes]:
    frames = written.split(b"\n\n")
    assert frames.pop() == b""
    for frame in frames:
        assert mismatches("CompletionStreamChunk", frame.removeprefix(b"data: ")) == []
    return frames


def test_a_body_tells_at_once_what_routing_needs() -> None:
    body = b'\xef\xbb\xbf{"model":"m","prompt":"Hi","stream":true,"n":2}'
    call = read_call(body, Limits())
    assert (call.body, call.dialect, call.model) == (body[3:], NAME, "m")
    assert (call.stream, call.n, call.show_usage) == (True, 2, False)
    assert list(call.fields) == ["model", "prompt", "stream", "n"]


def test_a_plain_answer_shows_its_usage_and_a_stream_when_asked() -> None:
    assert call_for().show_usage
    assert not call_for(STREAM).show_usage
    assert call_for(WITH_USAGE).show_usage


@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        (b',"temperature":"hot"', "temperature", "invalid_type"),
        (b',"echo":1', "echo", "invalid_type"),
        (b',"suffix":1', "suffix", "invalid_type"),
        (b',"n":0', "n", "invalid_value"),
        (b',"n":1.5', "n", "invalid_type"),
        (b',"stop":[' + b'"a",' * 16 + b'"a"]', "stop", "invalid_value"),
        (b',"stream":true,"stream_options":{"include_usage":1}', "stream_options.include_usage", "invalid_type"),
    ],
)
def test_a_wrong_field_is_refused_before_anybody_is_asked(members: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        call_for(members)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    ("prompt", "members", "param", "code"),
    [
        (b"[1,2]", b"", "prompt", "unsupported_value"),
        (b"[[1,2],[3]]", b"", "prompt", "unsupported_value"),
        (b'["a",1]', b"", "prompt[1]", "invalid_type"),
        (b"[]", b"", "prompt", "invalid_value"),
        (b"[" + b'"a",' * MAX_PROMPTS + b'"a"]', b"", "prompt", "invalid_value"),
        (b'"a"', b',"logprobs":1', "logprobs", "unsupported_parameter"),
        (b'"a"', b',"best_of":2', "best_of", "unsupported_parameter"),
        (b'"a"', b',"best_of":3,"n":2', "best_of", "unsupported_parameter"),
        (b'"a"', b',"seed":1.5', "seed", "invalid_type"),
    ],
)
def test_what_chat_cannot_do_is_refused_when_the_meaning_is_asked(
    prompt: bytes, members: bytes, param: str, code: str
) -> None:
    call = call_for(members, prompt)
    with pytest.raises(BadRequest) as caught:
        _ = call.requests
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize("prompt", [b"5", b"{}", b"true"])
def test_a_prompt_of_the_wrong_type_is_refused_at_once(prompt: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        call_for(prompt=prompt)
    assert (caught.value.param, caught.value.code) == ("prompt", "invalid_type")


def test_a_prompt_is_one_user_message_of_at_most_sixteen_tokens() -> None:
    assert call_for().request == msg.Request(
        "m", [msg.Message("user", [msg.Text("Once")])], sampling=msg.Sampling(max_tokens=16)
    )


def test_every_parameter_has_its_meaning() -> None:
    members = (
        b',"n":2,"best_of":2,"stream":true,"stop":"x","max_tokens":0,"temperature":0.5,"top_p":0.9,"seed":7,'
        b'"presence_penalty":1,"frequency_penalty":-1,"logit_bias":{"50256":-100},"logprobs":null,"user":"u",'
        b'"top_k":40,"min_p":0.1,"repetition_penalty":1.1'
    )
    sampling = msg.Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.1,
        max_tokens=0,
        stop=["x"],
        seed=7,
        presence_penalty=1.0,
        frequency_penalty=-1.0,
        repeat_penalty=1.1,
        logit_bias={"50256": -100.0},
    )
    assert call_for(members).request == msg.Request(
        "m", [msg.Message("user", [msg.Text("Once")])], sampling=sampling, n=2, stream=True, user="u"
    )


def test_fields_the_hub_has_no_word_for_ride_along_with_every_prompt() -> None:
    members = b',"guided_regex":"a*","api_base":"http://evil.example","stream_options":{"include_usage":true}'
    guided = {"guided_regex": Raw(b'"a*"')}
    assert [request.extra for request in call_for(members, b'["a","b"]').requests] == [guided, guided]
    streamed = call_for(members + b',"stream":true').request.extra
    assert streamed == guided | {"stream_options": Raw(b'{"include_usage":true}')}


def test_a_loss_is_told_in_the_words_of_this_dialect() -> None:
    call = call_for(b',"repetition_penalty":1.1,"stream":true,"stream_options":{}')
    _, losses = carry(call.request, call.dialect, call.words, Terms({"repeat_penalty": "no"}))
    assert losses == {"repetition_penalty": "no"}


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [(b'["a","b"]', ["a", "b"]), (b'["a",""]', ["a", ""]), (b"null", [""]), (b'""', [""])],
)
def test_every_prompt_is_a_request_of_its_own(prompt: bytes, texts: list[str]) -> None:
    messages = [request.messages for request in call_for(b',"stop":["x","y"]', prompt).requests]
    assert messages == [[msg.Message("user", [msg.Text(text)] if text else [])] for text in texts]
    assert call_for(b',"stop":["x","y"]', prompt).request.sampling.stop == ["x", "y"]


def test_a_missing_prompt_is_an_empty_one() -> None:
    assert read_call(b'{"model":"m"}', Limits()).request.messages == [msg.Message("user", [])]


def test_a_suffix_asks_for_what_belongs_in_the_gap() -> None:
    system, user = call_for(b',"suffix":"the end"').request.messages
    assert (system.role, user.role) == ("system", "user")
    assert user.parts == [msg.Text("Before the gap:\nOnce\n\nAfter the gap:\nthe end")]


def test_a_stream_of_events_is_written_as_text() -> None:
    writer = Writer(call_for(WITH_USAGE))
    written = writer.write(Burst([START, ev.Thinking("hm"), ev.Text("a"), ev.Note("reply", "more?")]))
    written += writer.write(
        Burst([ev.Refusal("b"), ev.Replace("c"), ev.Replace("c"), ev.Media("image/png", url="https://x.test")])
    )
    written += writer.write(Burst([ev.ToolDelta(0, "{}", "call_1", "f"), ev.Finish("tool_calls"), ev.Usage(1, 2)]))
    assert frames_of(written) == [
        HEAD + choice("a") + b',"usage":null}',
        HEAD + choice("b") + b',"usage":null}',
        HEAD + choice("\nc") + b',"usage":null}',
        HEAD + choice("", finish="stop") + b',"usage":null}',
        HEAD + b'[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}',
    ]
    assert writer.end() == b"data: [DONE]\n\n"


def test_usage_is_told_only_when_asked() -> None:
    written = Writer(call_for(STREAM)).write(Burst([START, ev.Text("a"), ev.Finish("length"), ev.Usage(1, 2)]))
    assert frames_of(written) == [HEAD + choice("a") + b"}", HEAD + choice("", finish="length") + b"}"]


def test_a_stream_that_echoes_begins_every_choice_with_its_prompt() -> None:
    writer = Writer(call_for(STREAM + b',"echo":true,"n":2', b'["A","B"]'))
    events: list[ev.Event] = [START, ev.Text("0"), ev.Text("3", 3), ev.Text("0"), ev.Finish("stop", 1), ev.Text("9", 9)]
    assert frames_of(writer.write(Burst(events))) == [
        HEAD + choice("A0") + b"}",
        HEAD + choice("B3", 3) + b"}",
        HEAD + choice("0") + b"}",
        HEAD + choice("A", 1, "stop") + b"}",
        HEAD + choice("B9", 9) + b"}",
    ]


def test_the_upstreams_own_frames_are_sent_without_the_usage_nobody_asked_for() -> None:
    raw = HEAD + choice("a") + b',"usage":null}\n\n'
    burst = Burst([START, ev.Text("a")], raw, NAME)
    assert Writer(call_for(WITH_USAGE)).write(burst) is raw
    assert Writer(call_for(STREAM)).write(burst) == HEAD + choice("a") + b"}\n\n"


def test_our_own_count_follows_the_upstreams_frames_and_says_what_it_is() -> None:
    raw = HEAD + choice("a") + b',"usage":null}\n\n'
    writer = Writer(call_for(WITH_USAGE))
    for burst in (Burst([START, ev.Text("a")], raw, NAME), Burst([ev.Finish("stop")], raw, NAME)):
        assert writer.write(burst) is raw
    (told,) = frames_of(writer.write(Burst([ev.Usage(1, 2, estimated=True)])))
    tokens = b'{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"estimated":true}'
    assert told == HEAD + b'[],"usage":' + tokens + b"}"


def test_frames_of_another_dialect_are_written_anew() -> None:
    written = Writer(call_for(STREAM)).write(Burst([START, ev.Text("a")], b"data: {}\n\n", "openai_chat"))
    assert frames_of(written) == [HEAD + choice("a") + b"}"]


def test_a_ping_is_a_comment() -> None:
    assert Writer(call_for(STREAM)).ping() == b": ping\n\n"


def test_a_broken_stream_ends_with_an_error() -> None:
    frame = Writer(call_for(STREAM)).fail(UpstreamIncomplete())
    assert frame.startswith(b'data: {"error":{"message":')
    assert frame.endswith(b'"code":"upstream_incomplete"}}\n\n')


def test_a_plain_answer_is_made_of_its_events() -> None:
    events: list[ev.Event] = [START, ev.Thinking("hm"), ev.Text("a"), ev.Refusal("b"), ev.Finish("stop")]
    events += [ev.Finish("content_filter", 1), ev.Usage(1, 2)]
    body = write_reply(call_for(), Burst(events))
    assert body == (
        HEAD.removeprefix(b"data: ") + choice("ab", 0, "stop")[:-1] + b"," + choice("", 1, "content_filter")[1:] + b","
        b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'
    )
    assert mismatches("CreateCompletionResponse", body) == []


def test_a_plain_answer_that_echoes_begins_with_its_prompt() -> None:
    events: list[ev.Event] = [
        ev.Start("", "m"),
        ev.Text("0"),
        ev.Finish("tool_calls"),
        ev.Text("1", 1),
        ev.Finish("stop", 1),
    ]
    body = write_reply(call_for(b',"echo":true', b'["A","B"]'), Burst(events))
    assert choice("A0", 0, "stop")[:-1] + b"," + choice("B1", 1, "stop")[1:] in body
    assert b"usage" not in body
    assert body.startswith(b'{"id":"cmpl-",')


def test_the_upstreams_own_answer_is_sent_as_it_is() -> None:
    raw = b'{ "id": "cmpl-1" }'
    assert write_reply(call_for(), Burst([START, ev.Finish("stop")], raw, NAME)) is raw
    assert write_reply(call_for(), Burst([START, ev.Finish("stop")], raw, "openai_chat")) != raw


def test_the_dialect_offers_its_client_side() -> None:
    assert INBOUND.name == NAME
    assert INBOUND.stream_type == b"text/event-stream; charset=utf-8"
    assert INBOUND.read_call(b'{"model":"m"}', Limits()).dialect == NAME
