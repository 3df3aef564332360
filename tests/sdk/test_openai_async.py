"""OpenAI's own Python SDK, asynchronous: many calls at once, and calls that are given up."""

import asyncio

import pytest
from openai import APIError, APITimeoutError, AsyncOpenAI, AsyncStream, LengthFinishReasonError, RateLimitError
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from pydantic import BaseModel

from tests.sdk.chat import BOTH, HELLO, RIDDLE, SAY, TWO_CITIES, WEATHER, called, text
from tests.sdk.conftest import Gateway


class City(BaseModel):
    """A city."""

    city: str


@BOTH
async def test_plain_and_streamed_answers_are_the_same(aclient: AsyncOpenAI, model: str) -> None:
    plain = await aclient.chat.completions.create(model=model, messages=RIDDLE)
    stream = await aclient.chat.completions.create(model=model, messages=RIDDLE, stream=True)
    assert text([chunk async for chunk in stream]) == plain.choices[0].message.content == SAY


@BOTH
async def test_the_stream_helper_calls_tools(aclient: AsyncOpenAI, model: str) -> None:
    plain = await aclient.chat.completions.create(model=model, messages=TWO_CITIES, tools=[WEATHER])
    async with aclient.chat.completions.stream(model=model, messages=TWO_CITIES, tools=[WEATHER]) as stream:
        done = [event.arguments async for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert done == [call.function.arguments for call in called(plain)]


@BOTH
async def test_a_schema_is_filled_in(aclient: AsyncOpenAI, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "I live in Lisbon"}]
    parsed = await aclient.chat.completions.parse(model=model, messages=messages, response_format=City)
    assert parsed.choices[0].message.parsed == City(city="Lisbon")
    with pytest.raises(LengthFinishReasonError):
        await aclient.chat.completions.parse(model=model, messages=messages, response_format=City, max_tokens=1)


@BOTH
async def test_many_calls_at_once_do_not_mix(aclient: AsyncOpenAI, model: str) -> None:
    async def say(word: str) -> str:
        stream = await aclient.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"Say: {word} {word} {word}"}], stream=True
        )
        return text([chunk async for chunk in stream])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(say(f"word-{number}")) for number in range(50)]
    assert [task.result() for task in tasks] == [" ".join([f"word-{number}"] * 3) for number in range(50)]


async def test_completions_and_models(aclient: AsyncOpenAI) -> None:
    stream = await aclient.completions.create(model="lab/instant", prompt=f"Say: {SAY}", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == SAY
    assert "sim/instant" in [model.id async for model in aclient.models.list()]
    assert (await aclient.models.retrieve("sim/instant")).id == "sim/instant"


async def test_errors_are_the_same(aclient: AsyncOpenAI) -> None:
    with pytest.raises(RateLimitError) as caught:
        await aclient.chat.completions.create(model="lab/error-429", messages=HELLO)
    assert caught.value.response.headers["retry-after"] == "1"
    with pytest.raises(APITimeoutError):
        await aclient.with_options(timeout=0.3).chat.completions.create(model="lab/silent", messages=HELLO)
    chunks: list[ChatCompletionChunk] = []
    stream = await aclient.chat.completions.create(model="lab/cut", messages=RIDDLE, stream=True)
    with pytest.raises(APIError):
        await collect(stream, chunks)
    assert SAY.startswith(text(chunks))


@pytest.mark.parametrize("model", ["sim/stall", "lab/stall", "lab/silent", "lab/slow"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_call_ends_everywhere(
    gateway: Gateway, aclient: AsyncOpenAI, model: str, stream: bool
) -> None:
    async def ask() -> None:
        if stream:
            await collect(await aclient.chat.completions.create(model=model, messages=RIDDLE, stream=True), [])
        else:
            await aclient.chat.completions.create(model=model, messages=RIDDLE)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(ask())
        assert await asyncio.to_thread(gateway.settles, 1)
        task.cancel()
    assert await asyncio.to_thread(gateway.settles)


@BOTH
async def test_a_stream_that_is_left_in_the_middle_leaves_nothing_behind(
    gateway: Gateway, aclient: AsyncOpenAI, model: str
) -> None:
    for _turn in range(5):
        stream = await aclient.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Tell me a long story"}], stream=True
        )
        async with stream:
            async for _chunk in stream:
                break
    assert await asyncio.to_thread(gateway.settles)


async def collect(stream: AsyncStream[ChatCompletionChunk], chunks: list[ChatCompletionChunk]) -> None:
    """Read a stream to its end."""
    chunks.extend([chunk async for chunk in stream])
