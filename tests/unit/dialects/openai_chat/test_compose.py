"""A hub request as a chat completions body: what every part becomes, held against OpenAI's own schema."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core import message as msg
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_chat.compose import compose
from dragoman.dialects.openai_chat.request import Body, read_meaning
from dragoman.wire.json import read_fields
from tests.schema import mismatches

USER = msg.Message("user", [msg.Text("Hi")])
ASKED = msg.Request("alias", [USER])
SAMPLING = msg.Sampling(
    temperature=0.5,
    top_p=0.9,
    top_k=40,
    min_p=0.1,
    seed=7,
    presence_penalty=1.0,
    frequency_penalty=-1.0,
    repeat_penalty=1.1,
    logit_bias={"1": -100.0},
)
HEAD = b'{"model":"up/m","messages":[{"role":"user","content":"Hi"}]'


def body_of(request: msg.Request) -> bytes:
    body = compose(request, "up/m")
    assert mismatches("CreateChatCompletionRequest", body) == []
    return body


def message_of(role: msg.Role, *parts: msg.Part, name: str = "") -> bytes:
    body = body_of(msg.Request("alias", [msg.Message(role, list(parts), name)]))
    return body.removeprefix(b'{"model":"up/m","messages":[').removesuffix(b"]}")


def test_the_least_request_says_no_more_than_it_must() -> None:
    assert body_of(ASKED) == HEAD + b"}"


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        (replace(ASKED, n=2), b',"n":2'),
        (replace(ASKED, user="u"), b',"user":"u"'),
        (replace(ASKED, metadata={"k": "v"}), b',"metadata":{"k":"v"}'),
        (replace(ASKED, reasoning=msg.Reasoning("low")), b',"reasoning_effort":"low"'),
        (replace(ASKED, stream=True), b',"stream":true,"stream_options":{"include_usage":true}'),
        (replace(ASKED, sampling=msg.Sampling(max_tokens=5, stop=["x"])), b',"max_tokens":5,"stop":["x"]'),
        (replace(ASKED, sampling=msg.Sampling(logprobs=0)), b',"logprobs":true,"top_logprobs":0'),
        (
            replace(ASKED, sampling=SAMPLING),
            b',"temperature":0.5,"top_p":0.9,"seed":7,"presence_penalty":1.0,"frequency_penalty":-1.0,'
            b'"logit_bias":{"1":-100.0}',
        ),
        (replace(ASKED, format=msg.Format("json")), b',"response_format":{"type":"json_object"}'),
        (
            replace(ASKED, format=msg.Format("schema")),
            b',"response_format":{"type":"json_schema","json_schema":{"name":"response"}}',
        ),
        (
            replace(ASKED, format=msg.Format("schema", "n", "d", Raw(b'{ "type":"object"}'), strict=True)),
            b',"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d",'
            b'"schema":{ "type":"object"},"strict":true}}',
        ),
    ],
)
def test_every_parameter_has_its_field(request_: msg.Request, members: bytes) -> None:
    assert body_of(request_) == HEAD + members + b"}"


def test_fields_the_hub_has_no_word_for_ride_along_but_never_win() -> None:
    extra = {"top_k": Raw(b"4"), "model": Raw(b'"evil"'), "user": Raw(b'"evil"')}
    body = read_fields(body_of(replace(ASKED, extra=extra, user="u")))
    assert (bytes(body["top_k"]), bytes(body["model"]), bytes(body["user"])) == (b"4", b'"up/m"', b'"u"')


@pytest.mark.parametrize(
    ("options", "written"),
    [
        (b"null", b'{"include_usage":true}'),
        (
            b'{"include_usage":false,"include_obfuscation":false}',
            b'{"include_usage":true,"include_obfuscation":false}',
        ),
    ],
)
def test_a_stream_is_always_asked_for_usage(options: bytes, written: bytes) -> None:
    body = body_of(replace(ASKED, stream=True, extra={"stream_options": Raw(options)}))
    assert bytes(read_fields(body)["stream_options"]) == written


def test_tools_are_written_with_all_that_is_known_of_them() -> None:
    tools = [
        msg.Tool("f", "d", Raw(b'{ "type":"object"}'), strict=False, extra={"cache": Raw(b"1")}),
        msg.Tool("g"),
        msg.Tool("c", "d", Raw(b"{}"), extra={"custom": Raw(b'{"name":"c","description":"d"}')}),
    ]
    assert bytes(read_fields(body_of(replace(ASKED, tools=tools)))["tools"]) == (
        b'[{"type":"function","function":{"name":"f","description":"d","parameters":{ "type":"object"},'
        b'"strict":false},"cache":1},{"type":"function","function":{"name":"g"}},'
        b'{"type":"custom","custom":{"name":"c","description":"d"}}]'
    )


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (msg.ToolChoice("auto"), b'"auto"'),
        (msg.ToolChoice("none"), b'"none"'),
        (msg.ToolChoice("required"), b'"required"'),
        (msg.ToolChoice("named", "f"), b'{"type":"function","function":{"name":"f"}}'),
        (msg.ToolChoice("named", "c"), b'{"type":"custom","custom":{"name":"c"}}'),
        (
            msg.ToolChoice("auto", allowed=["f", "c"]),
            b'{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":['
            b'{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]}}',
        ),
        (
            msg.ToolChoice("required", allowed=[]),
            b'{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[]}}',
        ),
    ],
)
def test_the_choice_of_a_tool(choice: msg.ToolChoice, written: bytes) -> None:
    tools = [msg.Tool("f"), msg.Tool("c", extra={"custom": Raw(b'{"name":"c"}')})]
    body = body_of(replace(ASKED, tools=tools, tool_choice=choice, parallel_tools=False))
    assert bytes(read_fields(body)["tool_choice"]) == written
    assert body.endswith(b',"parallel_tool_calls":false}')


def test_without_tools_nothing_is_said_of_choosing_them() -> None:
    request = replace(ASKED, tool_choice=msg.ToolChoice("auto"), parallel_tools=True)
    assert body_of(request) == HEAD + b"}"
    assert b"tool_choice" not in body_of(replace(ASKED, tools=[msg.Tool("f")]))


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (msg.Text("a", {"cache": Raw(b"1")}), b'{"type":"text","text":"a","cache":1}'),
        (msg.Image("https://x.test/a"), b'{"type":"image_url","image_url":{"url":"https://x.test/a"}}'),
        (msg.Image("data:,", "low"), b'{"type":"image_url","image_url":{"url":"data:,","detail":"low"}}'),
        (msg.Audio("AA", "wav"), b'{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}'),
        (msg.Audio("", "wav", url="https://x.test/s"), b'{"type":"text","text":"https://x.test/s"}'),
        (msg.File("data:,", "", "a.pdf"), b'{"type":"file","file":{"file_data":"data:,","filename":"a.pdf"}}'),
        (msg.File(id="file-1"), b'{"type":"file","file":{"file_id":"file-1"}}'),
    ],
)
def test_every_part_of_a_message_has_its_form(part: msg.Part, written: bytes) -> None:
    assert message_of("user", part) == b'{"role":"user","content":[%b]}' % written
    assert message_of("user", msg.Text("b"), part) == (
        b'{"role":"user","content":[{"type":"text","text":"b"},%b]}' % written
    )


def test_a_video_goes_where_qwen_reads_it() -> None:
    body = compose(msg.Request("alias", [msg.Message("user", [msg.Video("https://x.test/v")])]), "up/m")
    assert b'"content":[{"type":"video_url","video_url":{"url":"https://x.test/v"}}]' in body


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([], b'"content":""'),
        ([msg.Text("a")], b'"content":"a"'),
        ([msg.Refusal("n"), msg.Refusal("o")], b'"content":null,"refusal":"no"'),
        ([msg.Thinking("h"), msg.Text("a"), msg.Thinking("m")], b'"content":"a","reasoning_content":"hm"'),
        (
            [msg.ToolCall("c1", "f", '{"a":1}', {"x": Raw(b"1"), "extra": Raw(b'{"sig":2}')})],
            b'"content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f",'
            b'"arguments":"{\\"a\\":1}"},"x":1,"extra_content":{"sig":2}}]',
        ),
        (
            [msg.Text("a"), msg.ToolCall("c2", "c", '{"input":"b"}', {"custom": Raw(b'{"name":"c","input":"b"}')})],
            b'"content":"a","tool_calls":[{"id":"c2","type":"custom","custom":{"name":"c","input":"b"}}]',
        ),
    ],
)
def test_every_part_of_an_earlier_answer_has_its_place(parts: list[msg.Part], written: bytes) -> None:
    assert message_of("assistant", *parts) == b'{"role":"assistant",%b}' % written


def test_a_name_and_unknown_members_of_a_message_are_kept() -> None:
    assert message_of("system", msg.Text("s"), name="n") == b'{"role":"system","name":"n","content":"s"}'
    turn = msg.Message("user", [msg.Text("a")], extra={"prefix": Raw(b"true"), "role": Raw(b'"evil"')})
    assert b'{"prefix":true,"role":"user","content":"a"}' in body_of(msg.Request("alias", [turn]))


def test_every_result_of_a_tool_is_a_message() -> None:
    results: list[msg.Part] = [
        msg.ToolResult("c1", [msg.Text("ok")], "f", extra={"x": Raw(b"1")}),
        msg.Text("no place for it"),
        msg.ToolResult("c2", [], extra={"role": Raw(b'"evil"')}),
    ]
    turn = msg.Message("tool", results, extra={"y": Raw(b"2")})
    assert body_of(msg.Request("alias", [turn])) == (
        b'{"model":"up/m","messages":[{"y":2,"x":1,"role":"tool","tool_call_id":"c1","content":"ok","name":"f"},'
        b'{"y":2,"role":"tool","tool_call_id":"c2","content":""}]}'
    )


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ([], b'"Error:"'),
        ([msg.Text("no such city")], b'"Error: no such city"'),
        ([msg.Text("ERROR: no such city")], b'"ERROR: no such city"'),
        ([msg.Text("a"), msg.Text("b")], b'[{"type":"text","text":"Error: a"},{"type":"text","text":"b"}]'),
        ([msg.Image("data:,")], b'"Error: The next message of the user shows it."'),
    ],
)
def test_a_tool_that_failed_says_so_in_its_result(content: list[msg.Part], written: bytes) -> None:
    turn = msg.Message("tool", [msg.ToolResult("c1", content, failed=True)])
    body = compose(msg.Request("alias", [turn]), "up/m")
    assert b'{"role":"tool","tool_call_id":"c1","content":%b}' % written in body


def test_what_a_tool_shows_is_shown_by_the_user_after_all_results_of_the_turn() -> None:
    image = msg.Image("data:,")
    turns = [
        msg.Message("tool", [msg.ToolResult("c1", [msg.Text("Here:"), image], "camera")]),
        msg.Message("tool", [msg.ToolResult("c2", [image]), msg.ToolResult("c3", [msg.Text("no picture")])]),
        msg.Message("user", [msg.Text("Thanks.")]),
        msg.Message("tool", [msg.ToolResult("c4", [image])]),
    ]
    shown = b'{"type":"image_url","image_url":{"url":"data:,"}}'
    assert body_of(msg.Request("alias", turns)) == (
        b'{"model":"up/m","messages":['
        b'{"role":"tool","tool_call_id":"c1","content":"Here:","name":"camera"},'
        b'{"role":"tool","tool_call_id":"c2","content":"The next message of the user shows it."},'
        b'{"role":"tool","tool_call_id":"c3","content":"no picture"},'
        b'{"role":"user","content":[{"type":"text","text":"Shown by camera:"},%b,'
        b'{"type":"text","text":"Shown by c2:"},%b]},'
        b'{"role":"user","content":"Thanks."},'
        b'{"role":"tool","tool_call_id":"c4","content":"The next message of the user shows it."},'
        b'{"role":"user","content":[{"type":"text","text":"Shown by c4:"},%b]}]}'
    ) % (shown, shown, shown)


def test_a_part_that_has_no_place_in_a_result_is_its_text() -> None:
    content: list[msg.Part] = [msg.Refusal("no"), msg.Thinking("hm"), msg.ToolCall("c", "f", "{}")]
    turn = msg.Message("tool", [msg.ToolResult("c1", content)])
    assert b'"content":[%b,%b,%b]' % tuple(b'{"type":"text","text":"%b"}' % text for text in (b"no", b"hm", b"")) in (
        body_of(msg.Request("alias", [turn]))
    )


def test_a_request_that_is_read_and_written_means_the_same() -> None:
    body = (
        b'{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},'
        b'{"type":"image_url","image_url":{"url":"data:,"}}],"name":"n"},{"role":"assistant","content":"b",'
        b'"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f",'
        b'"arguments":"{}"},"extra_content":{"sig":1}}]},{"role":"tool","tool_call_id":"c1","content":"ok"}],'
        b'"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"required","seed":3,'
        b'"response_format":{"type":"json_object"},"top_a":4}'
    )
    known = Body.__struct_fields__
    request = read_meaning(body, {name: raw for name, raw in read_fields(body).items() if name not in known})
    written = body_of(request)
    assert msgspec.json.decode(written.replace(b'"up/m"', b'"m"')) == msgspec.json.decode(body)


def test_a_server_that_only_streams_is_asked_for_a_stream_by_who_wants_none() -> None:
    body = compose(ASKED, "up/m", Quirks(streams_only=True))
    assert body == HEAD + b',"stream":true,"stream_options":{"include_usage":true}}'


def test_earlier_reasoning_goes_back_in_the_field_of_the_server() -> None:
    turn = msg.Message("assistant", [msg.Thinking("hm"), msg.Text("Hello")])
    assert b'"reasoning_content":"hm"' in compose(msg.Request("m", [turn]), "up")
    told = compose(msg.Request("m", [turn]), "up", Quirks(thoughts="reasoning"))
    assert b'"reasoning":"hm"' in told
    assert b"reasoning_content" not in told
