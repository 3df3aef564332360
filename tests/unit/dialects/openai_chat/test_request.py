"""The meaning of a chat completions request: JSON in, the hub's words out."""

from __future__ import annotations

import pytest
from msgspec import UNSET, Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_chat.request import read_meaning

HI = b'{"role":"user","content":"Hi"}'
SCHEMA = Raw(b'{ "type" : "object" }')


def meaning(members: bytes = b"", messages: bytes = HI, extra: msg.Extra | None = None) -> msg.Request:
    return read_meaning(b'{"model":"m","messages":[%b]%b}' % (messages, members), extra or {})


def turns(*messages: bytes) -> list[msg.Message]:
    return meaning(messages=b",".join(messages)).messages


def refusal(members: bytes = b"", messages: bytes = HI) -> tuple[str | None, str | None]:
    with pytest.raises(BadRequest) as caught:
        meaning(members, messages)
    return caught.value.param, caught.value.code


def test_the_least_request_asks_for_one_plain_answer() -> None:
    assert meaning() == msg.Request("m", [msg.Message("user", [msg.Text("Hi")])])


def test_every_parameter_has_its_meaning() -> None:
    asked = meaning(
        b',"stream":true,"n":3,"temperature":0.5,"top_p":0.9,"max_tokens":1,"max_completion_tokens":2,"stop":["a","b"],'
        b'"seed":7,"presence_penalty":1,"frequency_penalty":-1,"logit_bias":{"1":-100},"logprobs":true,'
        b'"top_logprobs":5,"reasoning_effort":"low","user":"u","metadata":{"k":"v"},"parallel_tool_calls":false,'
        b'"top_k":40,"min_p":0.1,"repetition_penalty":1.1',
        extra={"top_a": Raw(b"4")},
    )
    assert asked.sampling == msg.Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.1,
        max_tokens=2,
        stop=["a", "b"],
        seed=7,
        presence_penalty=1.0,
        frequency_penalty=-1.0,
        repeat_penalty=1.1,
        logit_bias={"1": -100},
        logprobs=5,
    )
    assert asked.reasoning == msg.Reasoning("low")
    assert (asked.n, asked.stream, asked.user, asked.metadata) == (3, True, "u", {"k": "v"})
    assert asked.parallel_tools is False
    assert asked.extra == {"top_a": Raw(b"4")}


def test_null_is_the_same_as_absent() -> None:
    names = (
        b"stream", b"stream_options", b"n", b"temperature", b"stop", b"logprobs", b"top_logprobs", b"tools",
        b"functions", b"tool_choice", b"function_call", b"response_format", b"user", b"metadata", b"reasoning_effort",
        b"max_tokens",
    )  # fmt: skip
    assert meaning(b"".join(b',"%b":null' % name for name in names)) == meaning()


def test_options_of_a_stream_ride_along() -> None:
    options = b',"stream_options":{"include_usage":true}'
    assert meaning(b',"stream":true' + options).extra == {"stream_options": Raw(b'{"include_usage":true}')}
    assert meaning(options).extra == {}


def test_a_single_stop_word_is_a_list_of_one() -> None:
    assert meaning(b',"stop":"END"').sampling.stop == ["END"]


def test_the_older_name_of_the_token_limit_serves_when_the_newer_is_absent() -> None:
    assert meaning(b',"max_tokens":9').sampling.max_tokens == 9
    assert meaning(b',"max_tokens":9,"max_completion_tokens":0').sampling.max_tokens == 0


def test_logprobs_without_alternatives_are_the_tokens_own() -> None:
    assert meaning(b',"logprobs":true').sampling.logprobs == 0
    assert meaning(b',"logprobs":false').sampling.logprobs is None


@pytest.mark.parametrize(
    ("form", "meant"),
    [
        (b'{"type":"text"}', msg.Format()),
        (b'{"type":"json_object"}', msg.Format("json")),
        (b'{"type":"json_schema"}', msg.Format("json")),
        (
            b'{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{ "type" : "object" },'
            b'"strict":true}}',
            msg.Format("schema", "n", "d", SCHEMA, strict=True),
        ),
        (b'{"type":"json_schema","json_schema":{}}', msg.Format("schema")),
    ],
)
def test_the_form_of_an_answer(form: bytes, meant: msg.Format) -> None:
    assert meaning(b',"response_format":' + form).format == meant


def test_a_function_keeps_its_schema_byte_for_byte() -> None:
    function = b'{"name":"f","description":"d","parameters":{ "type" : "object" },"strict":true}'
    assert meaning(b',"tools":[{"type":"function","function":%b,"cache":1}]' % function).tools == [
        msg.Tool("f", "d", SCHEMA, strict=True, extra={"cache": Raw(b"1")})
    ]


def test_a_function_needs_only_its_name() -> None:
    (tool,) = meaning(b',"tools":[{"function":{"name":"f"}}]').tools
    assert (tool.name, tool.description, tool.parameters, tool.strict, tool.extra) == ("f", "", UNSET, None, {})


def test_a_function_of_another_type_keeps_it() -> None:
    (tool,) = meaning(b',"tools":[{"type":"builtin_function","function":{"name":"$web_search"}}]').tools
    assert tool.extra == {"type": Raw(b'"builtin_function"')}


def test_a_tool_that_takes_free_text_is_a_function_of_one_text() -> None:
    (tool,) = meaning(b',"tools":[{"type":"custom","custom":{"name":"c","description":"d","format":{}}}]').tools
    assert (tool.name, tool.description) == ("c", "d")
    assert b'"input":{"type":"string"}' in bytes(tool.parameters or b"")
    assert tool.extra == {"custom": Raw(b'{"name":"c","description":"d","format":{}}')}


def test_the_deprecated_functions_are_tools_when_there_are_no_others() -> None:
    functions = b',"functions":[{"name":"old"}]'
    assert [tool.name for tool in meaning(functions).tools] == ["old"]
    assert [tool.name for tool in meaning(functions + b',"tools":[{"function":{"name":"new"}}]').tools] == ["new"]


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        (b'"tool_choice":"none"', msg.ToolChoice("none")),
        (b'"tool_choice":"auto"', msg.ToolChoice("auto")),
        (b'"tool_choice":"required"', msg.ToolChoice("required")),
        (b'"tool_choice":{"type":"function","function":{"name":"f"}}', msg.ToolChoice("named", "f")),
        (b'"tool_choice":{"type":"custom","custom":{"name":"c"}}', msg.ToolChoice("named", "c")),
        (
            b'"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":['
            b'{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}},{"type":"odd"}]}}',
            msg.ToolChoice("required", allowed=["f", "c"]),
        ),
        (b'"function_call":"auto"', msg.ToolChoice("auto")),
        (b'"function_call":{"name":"f"}', msg.ToolChoice("named", "f")),
        (b'"tool_choice":"none","function_call":"auto"', msg.ToolChoice("none")),
    ],
)
def test_the_choice_of_a_tool(choice: bytes, meant: msg.ToolChoice) -> None:
    assert meaning(b"," + choice).tool_choice == meant


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b'{"type":"text","text":"a"}', msg.Text("a")),
        (b'{"type":"text","text":"a","cache_control":{}}', msg.Text("a", {"cache_control": Raw(b"{}")})),
        (b'{"type":"refusal","refusal":"no"}', msg.Refusal("no")),
        (b'{"type":"image_url","image_url":{"url":"https://x.test/a"}}', msg.Image("https://x.test/a")),
        (b'{"type":"image_url","image_url":{"url":"data:,","detail":"low"}}', msg.Image("data:,", "low")),
        (b'{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}', msg.Audio("AA", "wav")),
        (b'{"type":"file","file":{"file_data":"data:,","filename":"a.pdf"}}', msg.File("data:,", "", "a.pdf")),
        (b'{"type":"file","file":{"file_id":"file-1"}}', msg.File(id="file-1")),
        (b'{"type":"video_url","video_url":{"url":"https://x.test/v"}}', msg.Video("https://x.test/v")),
    ],
)
def test_every_part_of_a_message_has_its_meaning(content: bytes, part: msg.Part) -> None:
    assert turns(b'{"role":"user","content":[%b]}' % content) == [msg.Message("user", [part])]


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        (b'{"role":"system","content":"s"}', msg.Message("system", [msg.Text("s")])),
        (b'{"role":"developer","content":"s","name":"n"}', msg.Message("developer", [msg.Text("s")], "n")),
        (b'{"role":"user","content":""}', msg.Message("user", [])),
        (b'{"role":"user","content":[]}', msg.Message("user", [])),
        (b'{"role":"user","content":"","prefix":true}', msg.Message("user", [], "", {"prefix": Raw(b"true")})),
        (b'{"role":"assistant","content":null}', msg.Message("assistant", [])),
        (
            b'{"role":"assistant","content":"a","refusal":"no","reasoning_content":"hm"}',
            msg.Message("assistant", [msg.Thinking("hm"), msg.Text("a"), msg.Refusal("no")]),
        ),
        (
            b'{"role":"assistant","content":"a","reasoning":"hm"}',
            msg.Message("assistant", [msg.Thinking("hm"), msg.Text("a")]),
        ),
        (
            b'{"role":"tool","tool_call_id":"c1","content":"ok"}',
            msg.Message("tool", [msg.ToolResult("c1", [msg.Text("ok")])]),
        ),
        (
            b'{"role":"tool","tool_call_id":"c1","name":"f","content":[{"type":"text","text":"a"}],"x":1}',
            msg.Message("tool", [msg.ToolResult("c1", [msg.Text("a")], "f")], extra={"x": Raw(b"1")}),
        ),
    ],
)  # fmt: skip
def test_every_role_has_its_meaning(message: bytes, meant: msg.Message) -> None:
    assert turns(message) == [meant]


def test_the_deprecated_result_of_a_function_follows_its_call() -> None:
    asked, called, answered = turns(
        HI,
        b'{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\\"a\\":1}"}}',
        b'{"role":"function","name":"f","content":"ok"}',
    )
    assert asked.role == "user"
    assert called.parts == [msg.ToolCall("call_1", "f", '{"a":1}')]
    assert answered == msg.Message("tool", [msg.ToolResult("call_1", [msg.Text("ok")], "f")])


def test_a_function_called_without_arguments_takes_none() -> None:
    (turn,) = turns(b'{"role":"assistant","function_call":{"name":"f"}}')
    assert turn.parts == [msg.ToolCall("call_0", "f", "{}")]


def test_the_calls_of_an_earlier_turn_keep_what_we_do_not_know() -> None:
    (turn,) = turns(
        b'{"role":"assistant","content":"a","tool_calls":['
        b'{"id":"c1","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"},"extra_content":{"sig":1}},'
        b'{"id":"c2","type":"function","function":{"name":"g","arguments":""},"x":2},'
        b'{"id":"c3","type":"custom","custom":{"name":"c","input":"say \\"hi\\""}}]}'
    )
    assert turn.parts == [
        msg.Text("a"),
        msg.ToolCall("c1", "f", '{"a":1}', {"extra": Raw(b'{"sig":1}')}),
        msg.ToolCall("c2", "g", "{}", {"x": Raw(b"2")}),
        msg.ToolCall("c3", "c", '{"input":"say \\"hi\\""}', {"custom": Raw(b'{"name":"c","input":"say \\"hi\\""}')}),
    ]


@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        (b',"temperature":"hot"', "temperature", "invalid_type"),
        (b',"top_logprobs":2', "top_logprobs", "invalid_value"),
        (b',"response_format":{"type":"xml"}', "response_format.type", "invalid_value"),
        (b',"tools":[{"function":{"name":"f"}},{"type":"function"}]', "tools[1]", "invalid_value"),
        (b',"tools":[{"function":{}}]', "tools[0].function.name", "missing_required_parameter"),
        (b',"tool_choice":{"type":"function"}', "tool_choice", "invalid_value"),
        (b',"metadata":{"k":1}', "metadata[...]", "invalid_type"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_path(members: bytes, param: str, code: str) -> None:
    assert refusal(members) == (param, code)


@pytest.mark.parametrize(
    ("message", "param", "code"),
    [
        (b'{"content":"a"}', "messages[1].role", "missing_required_parameter"),
        (b'{"role":"robot","content":"a"}', "messages[1].role", "invalid_value"),
        (b'{"role":"user"}', "messages[1].content", "invalid_type"),
        (b'{"role":"user","content":null}', "messages[1].content", "invalid_type"),
        (b'{"role":"user","content":7}', "messages[1].content", "invalid_type"),
        (b'{"role":"tool","content":"ok"}', "messages[1].tool_call_id", "missing_required_parameter"),
        (b'{"role":"user","content":[{"type":"text"}]}', "messages[1].content[0]", "invalid_value"),
        (b'{"role":"user","content":[{"type":"hologram"}]}', "messages[1].content[0]", "invalid_value"),
        (
            b'{"role":"user","content":[{"type":"text","text":"a"},{"type":"file"}]}',
            "messages[1].content[1]",
            "invalid_value",
        ),
        (b'{"role":"assistant","tool_calls":[{"id":"c"}]}', "messages[1].tool_calls[0]", "invalid_value"),
    ],
)
def test_a_wrong_message_is_refused_with_its_path(message: bytes, param: str, code: str) -> None:
    assert refusal(messages=HI + b"," + message) == (param, code)


def test_an_unknown_part_is_named_and_cut() -> None:
    with pytest.raises(BadRequest) as caught:
        turns(b'{"role":"user","content":[{"type":"%b"}]}' % (b"x" * 90))
    assert caught.value.message == "invalid 'messages[0].content[0]': unknown part type \"" + "x" * 39


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        read_meaning(b"{", {})
    assert caught.value.code == "invalid_json"
