"""Answers as Ollama writes them."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.errors import UpstreamIncomplete, UpstreamInvalid
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects.ollama.chat import INBOUND as CHAT
from dragoman.dialects.ollama.generate import INBOUND as GENERATE
from dragoman.dialects.ollama.writer import MAX_PIECE

Members = dict[str, object]
AT = b'{"model":"a \\"b\\"","created_at":"2026-11-20T09:30:12.250000Z",'
START = ev.Start("1", "up/m")
STOP = ev.Finish("stop")
CALLS: list[ev.Event] = [
    ev.ToolDelta(0, "", "a", "f"),
    ev.ToolDelta(0, '{"x":'),
    ev.ToolDelta(1, "", "b", "g"),
    ev.ToolDelta(0, "1}"),
]


def call_for(side: Inbound = CHAT, *, stream: bool = True) -> Call:
    body = {"model": 'a "b"', "stream": stream, "messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi"}
    call = side.read_call(msgspec.json.encode(body), Limits())
    call.clock = Clock(lambda: 3.0, lambda: 1_795_167_012.25)
    call.began, call.asked = 1.0, 1.5
    return call


def stream(*events: ev.Event, side: Inbound = CHAT) -> list[bytes]:
    """What a client gets line by line, from one burst; the same from a burst for each event."""
    whole, pieces = side.writer(call_for(side)), side.writer(call_for(side))
    written = whole.write(Burst([*events])) + whole.end()
    assert b"".join(pieces.write(Burst([event])) for event in events) + pieces.end() == written
    assert written.isascii()
    assert written.endswith(b"\n")
    return written[:-1].split(b"\n")


def reply(*events: ev.Event, side: Inbound = CHAT) -> Members:
    written = side.write_reply(call_for(side, stream=False), Burst([*events]))
    return msgspec.json.decode(written, type=Members)


def chat(content: bytes, beside: bytes = b"") -> bytes:
    return AT + b'"message":{"role":"assistant","content":%b%b},"done":false}' % (content, beside)


def test_a_stream_is_a_line_for_each_piece_and_a_last_one_that_counts() -> None:
    lines = stream(START, ev.Text("Grü\u2028"), ev.Text("\n"), STOP, ev.Usage(31, 9))
    assert lines[:2] == [chat(b'"Gr\\u00fc\\u2028"'), chat(b'"\\n"')]
    assert msgspec.json.decode(lines[2]) == {
        "model": 'a "b"',
        "created_at": "2026-11-20T09:30:12.250000Z",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "total_duration": 2_000_000_000,
        "load_duration": 500_000_000,
        "prompt_eval_count": 31,
        "prompt_eval_duration": 1_500_000_000,
        "eval_count": 9,
        "eval_duration": 1,
    }


def test_a_single_answer_has_its_text_beside_the_rest() -> None:
    lines = stream(START, ev.Thinking("Hm"), ev.Text("Hi"), STOP, ev.Usage(1, 2), side=GENERATE)
    assert lines[0] == AT + b'"response":"","thinking":"Hm","done":false}'
    assert lines[1] == AT + b'"response":"Hi","done":false}'
    assert lines[2].startswith(AT + b'"response":"","done":true,"done_reason":"stop",')


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "content_filter"])
def test_every_end_but_one_is_a_stop(reason: ev.FinishReason) -> None:
    assert b'"done_reason":"stop"' in stream(START, ev.Finish(reason))[-1]
    assert reply(START, ev.Finish(reason))["done_reason"] == "stop"
    assert b'"done_reason":"length"' in stream(START, ev.Finish("length"))[-1]
    assert reply(START, ev.Finish("length"))["done_reason"] == "length"


def test_thoughts_and_refusals_have_lines_of_their_own() -> None:
    lines = stream(START, ev.Thinking("Hm"), ev.Thinking("", signature="s"), ev.Refusal("No."), STOP)
    assert lines[:-1] == [chat(b'""', b',"thinking":"Hm"'), chat(b'"No."')]


def test_thoughts_between_tags_are_no_text() -> None:
    pieces = [ev.Text(piece) for piece in ("<th", "ink>Hm", "</think>", "\n", "Yes", "<think>")]
    lines = stream(START, *pieces, STOP)
    assert lines[:-1] == [chat(b'""', b',"thinking":"Hm"'), chat(b'"Yes"'), chat(b'"<think>"')]
    assert reply(START, ev.Thinking("So: "), *pieces, STOP)["message"] == {
        "role": "assistant",
        "content": "Yes<think>",
        "thinking": "So: Hm",
    }


def test_what_was_held_back_is_said_before_the_end() -> None:
    assert stream(START, ev.Text("<"), ev.Thinking("Hm"), *CALLS, STOP)[:2] == [
        chat(b'""', b',"thinking":"Hm"'),
        chat(b'"<"'),
    ]
    assert stream(START, ev.Text("<think>a <"), STOP)[1] == chat(b'""', b',"thinking":"<"')
    assert stream(START, ev.Text("<"), ev.Replace("Hi"), STOP)[0] == chat(b'"Hi"')


def test_all_calls_stand_in_one_line_before_the_last() -> None:
    lines = stream(START, ev.Text("Wait"), *CALLS, ev.Finish("tool_calls"), ev.Usage(1, 2))
    called = (
        b',"tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},'
        b'{"id":"b","function":{"index":1,"name":"g","arguments":{}}}]'
    )
    assert lines[:-1] == [chat(b'"Wait"'), chat(b'""', called)]
    assert b"tool_calls" not in lines[-1]


def test_arguments_that_are_no_object_break_the_answer() -> None:
    broken: list[ev.Event] = [START, ev.ToolDelta(0, '{"x":', "a", "f")]
    with pytest.raises(UpstreamInvalid, match="arguments"):
        CHAT.writer(call_for()).write(Burst([*broken, ev.Finish("tool_calls")]))
    with pytest.raises(UpstreamInvalid, match="arguments"):
        reply(*broken, ev.Finish("tool_calls"))


def test_a_call_that_was_cut_for_length_is_left_out() -> None:
    lines = stream(START, ev.ToolDelta(0, '{"x":', "a", "f"), ev.Finish("length"))
    assert len(lines) == 1
    assert b'"done_reason":"length"' in lines[0]
    assert "tool_calls" not in str(reply(START, ev.ToolDelta(0, '{"x":', "a", "f"), ev.Finish("length")))


def test_a_long_text_is_cut_into_lines_that_every_client_can_take() -> None:
    for event, said in (
        (ev.Text("😀" * 2 * MAX_PIECE + "!"), "content"),
        (ev.Thinking("é" * MAX_PIECE + "!"), "thinking"),
    ):
        lines = stream(START, event, STOP)
        assert max(map(len, lines)) < 65_536
        pieces = [msgspec.json.decode(line, type=dict[str, Raw]) for line in lines]
        messages = [msgspec.json.decode(piece["message"], type=dict[str, str]) for piece in pieces]
        assert "".join(message.get(said, "") for message in messages) == event.text


def test_likelihoods_stand_on_the_line_of_their_text() -> None:
    told = Raw(b'{"content":[{"token":"Hi","logprob":-0.5,"bytes":[72,105],"top_logprobs":[]}]}')
    lines = stream(START, ev.Text("Hi", logprobs=told), ev.Text("!", logprobs=Raw(b'{"content":[]}')), STOP)
    assert lines[0] == chat(b'"Hi"')[:-1] + b',"logprobs":[{"token":"Hi","logprob":-0.5,"bytes":[72,105]}]}'
    assert lines[1] == chat(b'"!"')
    assert reply(START, ev.Text("Hi", logprobs=told), STOP)["logprobs"] == [
        {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
    ]


def test_thoughts_between_tags_are_no_text_where_likelihoods_are_told_either() -> None:
    told = Raw(b'{"content":[{"token":"a","logprob":-0.5}]}')
    likely = b',"logprobs":[{"token":"a","logprob":-0.5}]}'
    pieces = [ev.Text(piece, logprobs=told) for piece in ("<think>", "Hm</think>Yes")]
    lines = stream(START, *pieces, STOP)
    assert lines[:-1] == [
        chat(b'""')[:-1] + likely,
        chat(b'"Yes"', b',"thinking":"Hm"')[:-1] + likely,
    ]
    assert reply(START, *pieces, STOP)["message"] == {"role": "assistant", "content": "Yes", "thinking": "Hm"}


def test_what_is_no_text_ends_the_thoughts_between_tags() -> None:
    events = (ev.Text("<think>Hm <"), ev.Refusal("No."), ev.Text("<think>"))
    assert b"".join(stream(START, *events, STOP)[:-1]) == b"".join(
        [
            chat(b'""', b',"thinking":"Hm "'),
            chat(b'""', b',"thinking":"<"'),
            chat(b'"No."'),
            chat(b'"<think>"'),
        ]
    )
    assert reply(START, *events, STOP)["message"] == {
        "role": "assistant",
        "content": "No.<think>",
        "thinking": "Hm <",
    }


def test_a_picture_is_a_link_in_the_text() -> None:
    bits, link = ev.Media("image/png", "AAAA"), ev.Media("image/png", url="https://x/y.png")
    silent = ev.Media("audio/*", extra=Raw(b'{"id":"audio_1"}'))
    shown, linked = "![image](data:image/png;base64,AAAA)", "![image](https://x/y.png)"
    lines = stream(START, bits, link, silent, STOP)
    assert lines[:-1] == [chat(b'"%b"' % shown.encode()), chat(b'"%b"' % linked.encode())]
    assert reply(START, bits, link, silent, STOP)["message"] == {"role": "assistant", "content": shown + linked}


def test_only_the_first_choice_and_nothing_beside_the_answer_is_written() -> None:
    noise = (ev.Note("suggested_reply", "More"), ev.Vector(0, Raw(b"[1]")), ev.Text("other", 1), ev.Finish("length", 1))
    assert stream(START, ev.Text("Hi"), *noise, STOP) == stream(START, ev.Text("Hi"), STOP)
    assert reply(START, ev.Text("Hi"), *noise, STOP)["message"] == {"role": "assistant", "content": "Hi"}


def test_a_replacement_goes_on_where_the_text_ends() -> None:
    lines = stream(START, ev.Replace("Hel"), ev.Text("lo"), ev.Replace("Hello!"), ev.Replace("Hello!"), STOP)
    assert lines[:-1] == [chat(b'"Hel"'), chat(b'"lo"'), chat(b'"!"')]


def test_what_is_said_instead_stands_on_a_new_line() -> None:
    lines = stream(START, ev.Text("Hello"), ev.Replace("Good bye"), ev.Replace("Good bye!"), ev.Replace(""), STOP)
    assert lines[:-1] == [chat(b'"Hello"'), chat(b'"\\nGood bye"'), chat(b'"!"')]
    message = reply(START, ev.Text("Hello"), ev.Replace("Good bye"), STOP)["message"]
    assert message == {"role": "assistant", "content": "Good bye"}


def test_what_nobody_counted_is_estimated_and_marked() -> None:
    said = (START, ev.Thinking("1234"), ev.Text("12345678"), *CALLS, STOP)
    last = msgspec.json.decode(stream(*said)[-1], type=Members)
    plain = reply(*said)
    assert (last["prompt_eval_count"], last["eval_count"], last["estimated"]) == (5, 5, True)
    assert (plain["prompt_eval_count"], plain["eval_count"], plain["estimated"]) == (5, 5, True)


def test_a_ping_is_a_line_that_says_nothing() -> None:
    assert CHAT.writer(call_for()).ping() == chat(b'""') + b"\n"
    assert GENERATE.writer(call_for(GENERATE)).ping() == AT + b'"response":"","done":false}\n'


def test_a_broken_stream_ends_in_its_error() -> None:
    error = UpstreamIncomplete("half an answer")
    assert CHAT.writer(call_for()).fail(error) == b'{"error":"half an answer"}\n'


def test_a_plain_answer_has_everything_in_one_object() -> None:
    said = (START, ev.Thinking("Hm"), ev.Text("Grü"), ev.Text("ße"), *CALLS, ev.Finish("tool_calls"), ev.Usage(31, 9))
    assert reply(*said) == {
        "model": 'a "b"',
        "created_at": "2026-11-20T09:30:12.250000Z",
        "message": {
            "role": "assistant",
            "content": "Grüße",
            "thinking": "Hm",
            "tool_calls": [
                {"id": "a", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
                {"id": "b", "function": {"index": 1, "name": "g", "arguments": {}}},
            ],
        },
        "done": True,
        "done_reason": "stop",
        "total_duration": 2_000_000_000,
        "load_duration": 500_000_000,
        "prompt_eval_count": 31,
        "eval_count": 9,
        "eval_duration": 1_500_000_000,
    }


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_a_model_that_is_only_loaded_says_so(reason: str) -> None:
    call = call_for(GENERATE, stream=False)
    call.ready = Burst([ev.Note(reason, "")])
    written = GENERATE.write_reply(call, call.ready)
    assert written == AT + b'"response":"","done":true,"done_reason":"%b"}' % reason.encode()


LINE = b'{ "model":"up", "message":{"role":"assistant","content":"Gr\xc3\xbc"},"done":false}\r\n'
LAST = b'{"model":"up","done":true}\n'


def test_what_an_upstream_said_in_the_same_dialect_goes_out_in_its_own_bytes() -> None:
    writer = CHAT.writer(call_for())
    assert writer.write(Burst([START, ev.Text("Gr\u00fc")], LINE, CHAT.name)) == LINE
    assert writer.write(Burst([], LINE, CHAT.name)) == LINE
    assert writer.write(Burst([STOP], LAST, CHAT.name)) == b""
    assert writer.end() == LAST


@pytest.mark.parametrize("usage", [[], [ev.Usage(1, 2)]])
def test_the_upstreams_last_line_is_held_back_to_the_end(usage: list[ev.Event]) -> None:
    writer = CHAT.writer(call_for())
    assert writer.write(Burst([START, ev.Text("a"), STOP, *usage], LINE + LINE + LAST, CHAT.name)) == LINE + LINE
    assert writer.end() == LAST


def test_what_it_said_in_another_dialect_is_written_anew() -> None:
    written = CHAT.writer(call_for()).write(Burst([START, ev.Text("a")], b'{"response":"a"}', GENERATE.name))
    assert written == chat(b'"a"') + b"\n"


def test_a_plain_answer_of_the_same_dialect_is_the_upstreams_own() -> None:
    call = call_for(stream=False)
    assert CHAT.write_reply(call, Burst([START, STOP], LAST, CHAT.name)) == LAST
    assert CHAT.write_reply(call, Burst([START, STOP], LAST, GENERATE.name)) != LAST
