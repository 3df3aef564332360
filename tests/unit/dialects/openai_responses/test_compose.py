"""A request of another dialect as a body of Responses, which OpenAI's schema allows."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.errors import BadRequest
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.openai_responses.compose import SUMMARY, compose
from tests.schema import mismatches

HI = [msg.Message("user", [msg.Text("Hi")])]
SCHEMA = Raw(b'{"type":"object"}')
ITEM = {"type": "message", "role": "user", "content": "Hi"}
BASE = {"model": "up", "input": [ITEM], "store": False}


def write(quirks: Quirks = NO_QUIRKS, **asked: object) -> dict[str, object]:
    """Return what is written beside the words of the user."""
    request = msgspec.structs.replace(msg.Request("m", HI), **asked)
    body = compose(request, "up", quirks)
    assert mismatches("CreateResponse", body) == []
    told = msgspec.json.decode(body, type=dict[str, object])
    assert {name: told.pop(name) for name in BASE} == BASE
    return told


def test_nothing_is_kept_upstream() -> None:
    assert write() == {}
    assert write(stream=True) == {"stream": True}


def test_a_conversation_that_says_nothing_is_refused() -> None:
    with pytest.raises(BadRequest):
        compose(msg.Request("m", [msg.Message("assistant", [])]), "up")


def test_sampling_and_what_is_said_about_the_user() -> None:
    sampling = msg.Sampling(temperature=0.5, top_p=0.25, max_tokens=100, logprobs=2)
    assert write(sampling=sampling, user="u", metadata={"a": "b"}) == {
        "temperature": 0.5,
        "top_p": 0.25,
        "max_output_tokens": 100,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
        "user": "u",
        "metadata": {"a": "b"},
    }
    assert write(sampling=msg.Sampling(logprobs=0)) == {"include": ["message.output_text.logprobs"]}


def test_tools_are_flat_and_not_strict_unless_they_say_so() -> None:
    tools = [
        msg.Tool("f", "d", SCHEMA, strict=True),
        msg.Tool("g"),
    ]
    assert write(tools=tools, parallel_tools=False) == {
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
            {"type": "function", "name": "g", "parameters": None, "strict": False},
        ],
        "parallel_tool_calls": False,
    }
    assert write(parallel_tools=False, tool_choice=msg.ToolChoice("auto")) == {}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (msg.ToolChoice("required"), "required"),
        (msg.ToolChoice("none"), "none"),
        (msg.ToolChoice("named", "f"), {"type": "function", "name": "f"}),
        (
            msg.ToolChoice("required", allowed=["f"]),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        ),
        (
            msg.ToolChoice("auto", allowed=["f"]),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_which_tool_is_called(choice: msg.ToolChoice, told: object) -> None:
    assert write(tools=[msg.Tool("f")], tool_choice=choice)["tool_choice"] == told


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (msg.Format("json"), {"type": "json_object"}),
        (
            msg.Format("schema", "s", "d", SCHEMA, strict=True),
            {"type": "json_schema", "name": "s", "description": "d", "schema": {"type": "object"}, "strict": True},
        ),
        (msg.Format("schema"), {"type": "json_schema", "name": "response", "schema": {}}),
    ],
)
def test_the_form_of_the_answer(form: msg.Format, told: object) -> None:
    assert write(format=form) == {"text": {"format": told}}


def test_whoever_asks_for_reasoning_hears_it_and_can_bring_it_back() -> None:
    told = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    assert write(reasoning=msg.Reasoning("low")) == told
    assert write(reasoning=msg.Reasoning("none")) == {"reasoning": {"effort": "none"}}
    refused = Quirks(lacks={SUMMARY: "no", "signature": "no"}, efforts=("minimal", "high"))
    assert write(refused, reasoning=msg.Reasoning("low")) == {"reasoning": {"effort": "minimal"}}


def test_other_fields_go_along_and_a_models_own_come_first() -> None:
    extra = {"verbosity": Raw(b'"low"'), "service_tier": Raw(b'"auto"'), "a[0].b": Raw(b"1")}
    told = write(Quirks(always={"truncation": Raw(b'"auto"'), "service_tier": Raw(b'"flex"')}), extra=extra)
    assert told == {"truncation": "auto", "service_tier": "auto", "text": {"verbosity": "low"}}
