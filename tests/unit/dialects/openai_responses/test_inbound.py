"""What is read of a request at once, and what is refused."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.loss import Terms, carry
from dragoman.core.message import ToolCall
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.dialects.openai_responses.inbound import INBOUND, WORDS, read_call
from dragoman.dialects.openai_responses.schema import NAME
from tests.schema import properties

CODEX = b"""{"model":"m","instructions":"You are a coding agent.","input":[
{"type":"message","role":"developer","content":[{"type":"input_text","text":"Rules"}]},
{"type":"message","role":"user","content":[{"type":"input_text","text":"List the files"}]},
{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Look"}],"content":null,
 "encrypted_content":"c2ln"},
{"type":"reasoning","summary":[],"encrypted_content":null},
{"type":"function_call","id":"fc_1","call_id":"call_1","name":"exec_command","arguments":"{\\"cmd\\":\\"ls\\"}",
 "status":"completed"},
{"type":"function_call_output","id":"fco_1","call_id":"call_1","output":"a.py"},
{"type":"custom_tool_call","status":"completed","call_id":"call_2","name":"apply_patch","input":"*** Begin"},
{"type":"custom_tool_call_output","call_id":"call_2","output":"done"},
{"type":"message","role":"assistant","content":[{"type":"output_text","text":"One file."}]},
{"type":"message","role":"user","content":[{"type":"input_text","text":"And now?"}]}],
"tools":[{"type":"function","name":"exec_command","description":"Run","strict":false,"parameters":{"type":"object"}},
{"type":"namespace","name":"mcp__git","description":"Git","tools":[{"type":"function","name":"log","strict":false,
 "parameters":{"type":"object"}}]},
{"type":"custom","name":"apply_patch","description":"Patch","format":{"type":"grammar","syntax":"lark",
 "definition":"start: begin"}},
{"type":"web_search","external_web_access":false},{"type":"local_shell"}],
"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"summary":"auto"},"store":false,"stream":true,
"include":["reasoning.encrypted_content"],"prompt_cache_key":"0199","text":{"verbosity":"low"},
"client_metadata":{"x":"y"}}"""


def read(members: bytes, limits: Limits | None = None) -> Call:
    return read_call(b'{"model":"m","input":"Hi"%b}' % members, limits or Limits())


def test_the_dialect_is_registered() -> None:
    assert inbound(NAME) is INBOUND


def test_what_routing_needs_is_read_at_once() -> None:
    call = read(b',"stream":true')
    assert (call.dialect, call.model, call.stream, call.words) == (NAME, "m", True, WORDS)
    assert call.request.messages == [msg.Message("user", [msg.Text("Hi")])]


@pytest.mark.parametrize(
    ("members", "keep", "previous"),
    [
        (b"", True, ""),
        (b',"store":null,"previous_response_id":null', True, ""),
        (b',"store":true,"previous_response_id":"resp_1"', True, "resp_1"),
        (b',"store":false', False, ""),
    ],
)
def test_an_answer_is_kept_unless_it_is_not_to_be(members: bytes, keep: bool, previous: str) -> None:
    thread = read(members).thread
    assert thread is not None
    assert (thread.keep, thread.previous) == (keep, previous)


def test_a_body_as_codex_sends_it_is_understood() -> None:
    call = read_call(CODEX, Limits())
    request = call.request
    assert [message.role for message in request.messages] == [
        "system", "developer", "user", "assistant", "tool", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert request.messages[3].parts == [
        msg.Thinking("Look", "c2ln"),
        ToolCall("call_1", "exec_command", '{"cmd":"ls"}'),
    ]
    assert request.messages[5].parts == [ToolCall("call_2", "apply_patch", '{"input":"*** Begin"}')]
    assert [tool.name for tool in request.tools] == ["exec_command", "mcp__git__log", "apply_patch"]
    assert (call.thread is not None and call.thread.keep, call.stream) == (False, True)
    kin = Terms(kin={NAME: frozenset({"prompt_cache_key", "verbosity"})})
    carried, losses = carry(request, NAME, call.words, kin)
    assert sorted(losses) == ["tools[2].format", "tools[3].web_search", "tools[4].local_shell"]
    assert carried.extra == {"prompt_cache_key": Raw(b'"0199"'), "verbosity": Raw(b'"low"')}


def test_everything_at_once_is_accepted() -> None:
    """The SDK's own tests send every parameter it knows."""
    names = properties("CreateResponse") - {"conversation", "background", "prompt", "model", "input"}
    values: dict[str, object] = {
        "tools": [], "text": {}, "reasoning": {}, "metadata": {}, "include": [], "stream_options": {}, "store": True,
        "stream": False, "parallel_tool_calls": True, "tool_choice": "auto", "max_output_tokens": 16, "temperature": 1,
        "top_p": 1, "top_logprobs": 1, "max_tool_calls": 1,
    }  # fmt: skip
    body = {name: values.get(name, "x") for name in names} | {"model": "m", "input": "Hi"}
    call = read_call(msgspec.json.encode(body), Limits())
    assert call.request.sampling.max_tokens == 16


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b'{"input":"Hi"}', "model", "missing_required_parameter"),
        (b'{"model":"m"}', "input", "missing_required_parameter"),
        (b'{"model":"m","input":null}', "input", "missing_required_parameter"),
        (b'{"model":"m","input":{}}', "input", "invalid_type"),
    ],
)
def test_model_and_input_are_needed(body: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_call(body, Limits())
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        (b',"temperature":"hot"', "temperature", "invalid_type"),
        (b',"tools":{}', "tools", "invalid_type"),
        (b',"reasoning":"high"', "reasoning", "invalid_type"),
        (b',"reasoning":{"summary":7}', "reasoning.summary", "invalid_type"),
        (b',"include":[1]', "include[0]", "invalid_type"),
        (b',"previous_response_id":7', "previous_response_id", "invalid_type"),
        (b',"conversation":"c","previous_response_id":"r"', "conversation", "invalid_value"),
        (b',"conversation":{"id":"c"}', "conversation", "unsupported_parameter"),
        (b',"background":true', "background", "unsupported_parameter"),
        (b',"prompt":{"id":"p"}', "prompt", "unsupported_parameter"),
    ],
)
def test_what_is_wrong_or_cannot_be_done_is_named(members: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(members)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_what_is_not_wanted_is_not_refused() -> None:
    assert read(b',"background":false,"conversation":null,"prompt":null').model == "m"


@pytest.mark.parametrize(
    ("members", "param"),
    [(b',"input":[1,2,3]', "input"), (b',"tools":[1,2]', "tools"), (b',"metadata":{"a":"1","b":"2"}', "metadata")],
)
def test_there_are_limits(members: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(members, Limits(messages=2, tools=1, metadata=1))
    assert caught.value.param == param
