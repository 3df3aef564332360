"""What a strict upstream refuses."""

from __future__ import annotations

import pytest

from dragoman.core.errors import BadRequest
from dragoman.core.message import Message, Request, Sampling, Text, Tool, ToolChoice
from dragoman.testing.simulator.judge import judge

TURNS = [Message("user", [Text("Hello")])]
TOOLS = [Tool("add")]


@pytest.mark.parametrize(
    ("sampling", "param"),
    [
        (Sampling(temperature=2.1), "temperature"),
        (Sampling(top_p=-0.1), "top_p"),
        (Sampling(presence_penalty=3), "presence_penalty"),
        (Sampling(frequency_penalty=-3), "frequency_penalty"),
        (Sampling(max_tokens=-1), "max_tokens"),
        (Sampling(logprobs=21), "logprobs"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(sampling: Sampling, param: str) -> None:
    with pytest.raises(BadRequest, match=param) as caught:
        judge(Request("m", TURNS, sampling=sampling))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([], ToolChoice("required")),
        (TOOLS, ToolChoice("named", "subtract")),
        (TOOLS, ToolChoice("auto", allowed=["add", "subtract"])),
    ],
)
def test_the_choice_of_a_tool_that_is_not_there_is_refused(tools: list[Tool], choice: ToolChoice) -> None:
    with pytest.raises(BadRequest) as caught:
        judge(Request("m", TURNS, tools=tools, tool_choice=choice))
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    "choice", [None, ToolChoice("none"), ToolChoice("auto"), ToolChoice("required"), ToolChoice("named", "add")]
)
def test_anything_sensible_passes(choice: ToolChoice | None) -> None:
    sampling = Sampling(temperature=0, top_p=1, max_tokens=0, logprobs=20)
    judge(Request("m", TURNS, tools=TOOLS, tool_choice=choice, sampling=sampling))
