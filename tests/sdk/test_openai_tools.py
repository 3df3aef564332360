"""OpenAI's own Python SDK and tools: calls that it can read, plain and in pieces, and loops that come to an end."""

from openai import OpenAI, pydantic_function_tool
from openai.types.chat import ChatCompletionMessageParam, ParsedFunctionToolCall
from pydantic import BaseModel

from tests.sdk.chat import BOTH, HELLO, TWO_CITIES, WEATHER, called
from tests.sdk.conftest import Check


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str
    days: int


@BOTH
def test_tools_are_called_in_parallel_and_their_results_are_read(client: OpenAI, check: Check, model: str) -> None:
    asked = client.chat.completions.create(model=model, messages=TWO_CITIES, tools=[WEATHER])
    check("CreateChatCompletionResponse", asked)
    calls = called(asked)
    assert asked.choices[0].finish_reason == "tool_calls"
    assert [call.function.arguments for call in calls] == ['{"city":"Paris"}', '{"city":"Rome"}']
    assert len({call.id for call in calls}) == 2
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{degrees} degrees"}
        for call, degrees in zip(calls, (17, 23), strict=True)
    ]
    played_back: ChatCompletionMessageParam = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in calls
        ],
    }
    told = client.chat.completions.create(model=model, messages=[*TWO_CITIES, played_back, *results], tools=[WEATHER])
    content = told.choices[0].message.content or ""
    assert told.choices[0].finish_reason == "stop"
    assert "17 degrees" in content
    assert "23 degrees" in content


@BOTH
def test_streamed_tool_calls_come_in_pieces_that_fit_together(client: OpenAI, check: Check, model: str) -> None:
    plain = called(client.chat.completions.create(model=model, messages=TWO_CITIES, tools=[WEATHER]))
    with client.chat.completions.stream(model=model, messages=TWO_CITIES, tools=[WEATHER]) as stream:
        events = list(stream)
        whole = stream.get_final_completion()
    for event in events:
        if event.type == "chunk":
            check("CreateChatCompletionStreamResponse", event.chunk)
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(event.index, event.arguments) for event in done] == [
        (index, call.function.arguments) for index, call in enumerate(plain)
    ]
    told = whole.choices[0].message.tool_calls or []
    assert [call.id for call in told] == [call.id for call in plain]


@BOTH
def test_one_call_at_a_time_when_the_client_wants_that(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=TWO_CITIES, tools=[WEATHER], parallel_tool_calls=False
    )
    assert len(called(answer)) == 1


@BOTH
def test_the_choice_of_a_tool_is_heeded(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=TWO_CITIES, tools=[WEATHER], tool_choice="none")
    assert answer.choices[0].message.tool_calls is None
    answer = client.chat.completions.create(model=model, messages=HELLO, tools=[WEATHER], tool_choice="required")
    assert called(answer)[0].function.name == "get_weather"
    named = client.chat.completions.create(
        model=model,
        messages=HELLO,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    assert called(named)[0].function.name == "get_weather"


@BOTH
def test_a_loop_over_pydantic_tools_comes_to_an_end(client: OpenAI, model: str) -> None:
    """The SDK has no runner for chat completions; this is the loop that its users write around `parse`."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": "Use GetWeather: what is the weather in Oslo in the next 3 days?"}
    ]
    asked: list[GetWeather] = []
    content: str | None = None
    while content is None:
        message = (
            client.chat.completions.parse(model=model, messages=messages, tools=[pydantic_function_tool(GetWeather)])
            .choices[0]
            .message
        )
        content = message.content
        messages.append(message.to_dict())  # type: ignore[arg-type] # the SDK documents it so
        for call in message.tool_calls or ():
            asked.append(parsed_weather(call))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "Rain, 7 degrees"})
    assert asked == [GetWeather(city="Oslo", days=3)]
    assert "Rain, 7 degrees" in content


@BOTH
def test_the_deprecated_functions_still_work(client: OpenAI, model: str) -> None:
    function = WEATHER["function"]
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "get_weather in Paris"}],
        functions=[{"name": function["name"], "parameters": function.get("parameters", {})}],
    )
    assert answer.choices[0].finish_reason == "function_call"
    assert answer.choices[0].message.function_call is not None
    assert answer.choices[0].message.function_call.arguments == '{"city":"Paris"}'


def parsed_weather(call: ParsedFunctionToolCall) -> GetWeather:
    """Return the arguments as the SDK has read them."""
    arguments = call.function.parsed_arguments
    assert isinstance(arguments, GetWeather)
    return arguments
