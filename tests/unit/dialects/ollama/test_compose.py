"""A hub request as a body for a chat."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw, structs

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.dialects.ollama.compose import compose, place_extra

PNG = "iVBORw0KGgoAAAANSUhEUgAA"
USER = msg.Message("user", [msg.Text("Hi")])
ASKED = msg.Request("fast", [USER])
WEATHER = msg.Tool("weather", "Tells the weather.", Raw(b'{"type":"object"}'))
CLOCK = msg.Tool("clock")


def body(request: msg.Request) -> dict[str, object]:
    return msgspec.json.decode(compose(request, "m"), type=dict[str, object])


def members(request: msg.Request) -> dict[str, object]:
    """Return what is said beside the prompt."""
    said = body(request)
    return {name: said[name] for name in said if name not in ("model", "messages", "stream")}


def turns(*messages: msg.Message) -> object:
    return body(msg.Request("fast", list(messages)))["messages"]


@pytest.mark.parametrize("stream", [False, True])
def test_whether_to_stream_is_always_said(stream: bool) -> None:
    told = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":%b}' % (b"true" if stream else b"false")
    assert compose(structs.replace(ASKED, stream=stream), "m") == told


def test_sampling_is_told_as_options() -> None:
    sampling = msg.Sampling(0.5, 0.25, 4, 0.125, 9, ["END"], 7, 0.5, 0.25, 1.5)
    assert members(structs.replace(ASKED, sampling=sampling)) == {
        "options": {
            "temperature": 0.5, "top_p": 0.25, "top_k": 4, "min_p": 0.125, "num_predict": 9, "stop": ["END"], "seed": 7,
            "presence_penalty": 0.5, "frequency_penalty": 0.25, "repeat_penalty": 1.5,
        }
    }  # fmt: skip


def test_integers_stay_where_ollama_can_read_them() -> None:
    sampling = msg.Sampling(seed=-(2**70), max_tokens=2**64)
    assert members(structs.replace(ASKED, sampling=sampling)) == {
        "options": {"num_predict": 2**63 - 1, "seed": 1 - 2**63}
    }


@pytest.mark.parametrize(("asked", "told"), [(0, 0), (3, 3), (99, 20), (-1, 0)])
def test_likelihoods_are_asked_for_with_their_number(asked: int, told: int) -> None:
    request = structs.replace(ASKED, sampling=msg.Sampling(logprobs=asked))
    assert members(request) == {"logprobs": True, "top_logprobs": told}


@pytest.mark.parametrize(
    ("effort", "think"),
    [("none", False), ("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "max"),
     ("max", "max"), ("odd", True)],
)  # fmt: skip
def test_an_effort_is_a_way_to_think(effort: str, think: object) -> None:
    assert members(structs.replace(ASKED, reasoning=msg.Reasoning(effort))) == {"think": think}


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (msg.Format("json"), "json"),
        (msg.Format("schema"), "json"),
        (msg.Format("schema", "s", "d", Raw(b'{"a":1}'), strict=True), {"a": 1}),
    ],
)
def test_the_form_is_a_schema_or_any_object(form: msg.Format, told: object) -> None:
    assert members(structs.replace(ASKED, format=form)) == {"format": told}


def test_a_schema_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadRequest, match="schema"):
        compose(structs.replace(ASKED, format=msg.Format("schema", schema=Raw(b"true"))), "m")


def test_tools_have_parameters_even_if_none_were_given() -> None:
    tool = msg.Tool("f", extra={"x": Raw(b"1")})
    assert members(structs.replace(ASKED, tools=[WEATHER, tool])) == {
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Tells the weather.", "parameters": {"type": "object"}},
            },
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}, "x": 1},
        ]
    }


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (None, ["weather", "clock"]),
        (msg.ToolChoice("auto"), ["weather", "clock"]),
        (msg.ToolChoice("none"), []),
        (msg.ToolChoice("auto", allowed=["clock", "other"]), ["clock"]),
        (msg.ToolChoice("auto", allowed=[]), []),
    ],
)
def test_only_the_tools_that_may_be_called_are_told(choice: msg.ToolChoice | None, names: list[str]) -> None:
    told = compose(structs.replace(ASKED, tools=[WEATHER, CLOCK], tool_choice=choice), "m")
    assert [name for name in ("weather", "clock") if b'"name":"%b"' % name.encode() in told] == names
    assert (b'"tools"' in told) is bool(names)


def test_a_turn_is_a_text_with_pictures_and_thoughts_beside_it() -> None:
    assert turns(
        msg.Message("developer", [msg.Text("Be kind.")]),
        msg.Message("user", [msg.Text("One"), msg.Image(f"data:image/png;base64,{PNG}"), msg.Text("two")]),
        msg.Message("assistant", [msg.Thinking("H"), msg.Thinking("m"), msg.Refusal("No.")], extra={"x": Raw(b"1")}),
    ) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One\ntwo", "images": [PNG]},
        {"x": 1, "role": "assistant", "content": "No.", "thinking": "Hm"},
    ]


def test_a_picture_that_is_none_is_refused_by_its_place() -> None:
    shown = msg.ToolResult("c", [msg.Text("See"), msg.Image("data:image/png;base64,AAAA")])
    for turn, place in (
        (msg.Message("user", [msg.File("Zm9v"), *shown.content]), "messages[1].content[2]"),
        (msg.Message("tool", [shown]), "messages[1].content[1]"),
    ):
        with pytest.raises(BadRequest, match="invalid image") as caught:
            turns(msg.Message("user", [msg.Text("Hi")]), turn)
        assert caught.value.param == place


def test_calls_have_objects_and_results_the_names_of_their_tools() -> None:
    assert turns(
        msg.Message("assistant", [msg.ToolCall("a", "f", '{"x":1}'), msg.ToolCall("b", "g", " ")]),
        msg.Message(
            "tool", [msg.ToolResult("b", [msg.Text("r")]), msg.ToolResult("a", [], "own")], extra={"x": Raw(b"1")}
        ),
        msg.Message("tool", [msg.ToolResult("c", [msg.Image(PNG)])]),
    ) == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "a", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
                {"id": "b", "function": {"index": 1, "name": "g", "arguments": {}}},
            ],
        },
        {"x": 1, "role": "tool", "content": "r", "tool_name": "g", "tool_call_id": "b"},
        {"x": 1, "role": "tool", "content": "", "tool_name": "own", "tool_call_id": "a"},
        {"role": "tool", "content": "", "images": [PNG], "tool_call_id": "c"},
    ]


@pytest.mark.parametrize(
    ("said", "told"), [("no such city", "Error: no such city"), ("error: no", "error: no"), ("", "Error:")]
)
def test_a_tool_that_failed_says_so_in_its_result(said: str, told: str) -> None:
    assert turns(msg.Message("tool", [msg.ToolResult("a", [msg.Text(said)], failed=True)])) == [
        {"role": "tool", "content": told, "tool_call_id": "a"}
    ]


@pytest.mark.parametrize("arguments", ["{", "[]", "5"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(BadRequest, match="tool call 'a' are not a JSON object"):
        turns(msg.Message("assistant", [msg.ToolCall("a", "f", arguments)]))


def test_options_that_only_ollama_knows_join_the_others() -> None:
    extra = {"options.num_ctx": Raw(b"9"), "options.seed": Raw(b"1"), "keep_alive": Raw(b'"5m"')}
    request = structs.replace(ASKED, extra=extra, sampling=msg.Sampling(seed=2))
    assert members(request) == {"options": {"num_ctx": 9, "seed": 2}, "keep_alive": "5m"}
    assert place_extra(ASKED, {}) == {}
    assert place_extra(ASKED, {"seed": 1}) == {"options": {"seed": 1}}
