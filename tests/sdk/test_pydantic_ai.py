"""An agent of pydantic-ai: structured output, tools that it runs itself, and the stream of an answer."""

import itertools
from collections.abc import AsyncGenerator

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.sdk.conftest import Gateway

Model = OpenAIChatModel | OpenAIResponsesModel


class Weather(BaseModel):
    """What the agent is to find out."""

    city: str
    degrees: int


@pytest.fixture(params=[OpenAIChatModel, OpenAIResponsesModel])
async def model(request: pytest.FixtureRequest, gateway: Gateway) -> AsyncGenerator[Model]:
    async with AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield request.param("lab/instant", provider=OpenAIProvider(openai_client=client))


async def test_an_answer_has_the_form_it_is_asked_for(model: Model) -> None:
    agent = Agent(model, output_type=NativeOutput(Weather))
    answer = await agent.run("The weather in Oslo, please.")
    assert answer.output.city == "Oslo"
    assert answer.usage.output_tokens > 0


async def test_an_answer_can_come_by_way_of_a_tool(model: Model) -> None:
    agent = Agent(model, output_type=Weather)
    answer = await agent.run("The weather in Oslo, please.")
    assert answer.output.city == "Oslo"


async def test_an_agent_runs_its_tools_and_tells_what_they_said(model: Model) -> None:
    agent = Agent(model)
    asked: list[str] = []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"snow in {city}"

    answer = await agent.run("What is the weather in Paris and in Rome? Use get_weather.")
    assert sorted(asked) == ["Paris", "Rome"]
    assert "snow in Paris" in answer.output


async def test_the_text_of_a_stream_grows(model: Model) -> None:
    agent = Agent(model)
    async with agent.run_stream("Say: The quick brown fox jumps over the lazy dog.") as stream:
        texts = [text async for text in stream.stream_text(debounce_by=None)]
    assert len(texts) > 1
    assert all(later.startswith(text) for text, later in itertools.pairwise(texts))
    assert texts[-1] == "The quick brown fox jumps over the lazy dog."
