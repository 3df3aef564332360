"""OpenAI's own Python SDK and the Responses API: one answer, a stream, tools, conversations that the gateway keeps."""

from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec import Struct
from openai import APIError, BadRequestError, NotFoundError, OpenAI
from openai.types.responses import (
    FunctionToolParam,
    Response,
    ResponseFunctionToolCall,
    ResponseInputParam,
    ResponseStreamEvent,
    ToolChoiceCustomParam,
    ToolChoiceFunctionParam,
    ToolParam,
)
from pydantic import BaseModel

from tests.sdk.chat import BOTH, SAY
from tests.sdk.conftest import Check, Gateway

if TYPE_CHECKING:
    from openai.types.responses.namespace_tool_param import ToolFunction

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
TWO_CITIES = "What is the weather in Paris and in Rome? Use get_weather."
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Trip(BaseModel):
    """Where to go."""

    city: str
    days: int


class Stored(Struct):
    """What the SDK has no name for."""

    store: bool


def stored(response: Response) -> bool:
    return msgspec.json.decode(response.to_json(), type=Stored).store


def called(response: Response) -> list[ResponseFunctionToolCall]:
    return [item for item in response.output if item.type == "function_call"]


def check_stream(events: list[ResponseStreamEvent], check: Check) -> None:
    """All events are what the specification calls them, and numbered from 0 without gaps."""
    for event in events:
        check("ResponseStreamEvent", event.model_dump(mode="json", exclude_unset=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))


@BOTH
def test_an_answer_is_a_response(client: OpenAI, check: Check, model: str) -> None:
    response = client.responses.create(model=model, input=f"Say: {SAY}", metadata={"a": "b"}, max_output_tokens=500)
    check("Response", response)
    assert (response.output_text, response.status, response.error) == (SAY, "completed", None)
    assert (response.metadata, response.max_output_tokens, stored(response)) == ({"a": "b"}, 500, True)
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


@BOTH
def test_the_stream_helper_gives_the_same_answer(client: OpenAI, check: Check, model: str) -> None:
    plain = client.responses.create(model=model, input=f"Say: {SAY}")
    with client.responses.stream(model=model, input=f"Say: {SAY}") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == plain.output_text == SAY
    assert len(deltas) > 1
    assert final.usage == plain.usage
    check_stream(list(client.responses.create(model=model, input=f"Say: {SAY}", stream=True)), check)


@BOTH
def test_a_form_is_filled_in_and_parsed(client: OpenAI, model: str) -> None:
    response = client.responses.parse(model=model, input="7 days in Paris", text_format=Trip)
    assert response.output_parsed == Trip(city="Paris", days=7)
    with client.responses.stream(model=model, input="7 days in Paris", text_format=Trip) as stream:
        assert stream.get_final_response().output_parsed == Trip(city="Paris", days=7)


@BOTH
def test_tools_are_called_and_their_results_are_read(client: OpenAI, check: Check, model: str) -> None:
    asked = client.responses.create(model=model, input=TWO_CITIES, tools=[WEATHER])
    check("Response", asked)
    assert [call.arguments for call in called(asked)] == ['{"city":"Paris"}', '{"city":"Rome"}']
    history: ResponseInputParam = [{"role": "user", "content": TWO_CITIES}]
    for call in called(asked):
        history.append(
            {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
        )
    for call, degrees in zip(called(asked), (17, 23), strict=True):
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": f"{degrees} degrees"})
    told = client.responses.create(model=model, input=history, tools=[WEATHER], store=False)
    assert "17 degrees" in told.output_text
    assert "23 degrees" in told.output_text


@BOTH
def test_streamed_tool_calls_are_whole_in_the_end(client: OpenAI, check: Check, model: str) -> None:
    with client.responses.stream(model=model, input=TWO_CITIES, tools=[WEATHER]) as stream:
        done = [event for event in stream if event.type == "response.function_call_arguments.done"]
        final = stream.get_final_response()
    assert [event.arguments for event in done] == ['{"city":"Paris"}', '{"city":"Rome"}']
    assert [call.arguments for call in called(final)] == ['{"city":"Paris"}', '{"city":"Rome"}']
    check_stream(list(client.responses.create(model=model, input=TWO_CITIES, tools=[WEATHER], stream=True)), check)


@BOTH
def test_tools_of_other_kinds_are_called_by_their_own_names(client: OpenAI, model: str) -> None:
    weather: ToolFunction = {"type": "function", "name": "get_weather", "parameters": WEATHER["parameters"]}
    tools: list[ToolParam] = [
        {"type": "custom", "name": "write_note", "description": "Writes a note."},
        {"type": "web_search"},
        {"type": "namespace", "name": "home", "description": "The house.", "tools": [weather]},
    ]
    asked = "Say hello in Paris"
    choice: ToolChoiceCustomParam = {"type": "custom", "name": "write_note"}
    with client.responses.stream(model=model, input=asked, tools=tools, tool_choice=choice) as stream:
        note = stream.get_final_response().output[0]
    assert note.type == "custom_tool_call"
    assert (note.name, note.input) == ("write_note", "Say hello in Paris")
    named: ToolChoiceFunctionParam = {"type": "function", "name": "home__get_weather"}
    call = client.responses.create(model=model, input=asked, tools=tools, tool_choice=named).output[0]
    assert call.type == "function_call"
    assert (call.namespace, call.name, call.arguments) == ("home", "get_weather", '{"city":"Paris"}')


def test_a_refusal_is_a_part_of_a_message(client: OpenAI, check: Check) -> None:
    response = client.responses.create(model="lab/refuse", input="Hello")
    check("Response", response)
    message = response.output[0]
    assert message.type == "message"
    assert message.content[0].type == "refusal"
    assert response.output_text == ""


def test_an_answer_that_was_cut_is_incomplete(client: OpenAI) -> None:
    with client.responses.stream(model="lab/instant", input=f"Say: {SAY}", max_output_tokens=3) as stream:
        last = list(stream)[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert SAY.startswith(last.response.output_text)


def test_what_a_model_thinks_is_told_as_a_summary_to_whoever_asks(client: OpenAI, check: Check) -> None:
    response = client.responses.create(model="sim/reasoning", input="Why?", reasoning={"summary": "auto"})
    check("Response", response)
    thought = response.output[0]
    assert thought.type == "reasoning"
    assert thought.summary[0].text
    events = list(client.responses.create(model="sim/reasoning", input="Why?", stream=True))
    check_stream(events, check)
    assert "response.reasoning_text.delta" in {event.type for event in events}


def test_pictures_reach_the_model(client: OpenAI) -> None:
    seen: ResponseInputParam = [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
            ],
        }
    ]
    assert client.responses.create(model="lab/instant", input=seen).status == "completed"


@BOTH
def test_a_conversation_goes_on_from_its_last_response(client: OpenAI, model: str) -> None:
    first = client.responses.create(model=model, input=TWO_CITIES, tools=[WEATHER], instructions="Be brief.")
    results: ResponseInputParam = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "17 degrees"} for call in called(first)
    ]
    second = client.responses.create(model=model, input=results, previous_response_id=first.id, tools=[WEATHER])
    assert "17 degrees" in second.output_text
    assert second.previous_response_id == first.id
    assert second.instructions is None
    with client.responses.stream(model=model, input=f"Say: {SAY}", previous_response_id=second.id) as stream:
        third = stream.get_final_response()
    assert third.output_text == SAY
    assert third.usage is not None
    assert second.usage is not None
    assert third.usage.input_tokens > second.usage.input_tokens


def test_a_stored_response_is_shown_listed_and_deleted(client: OpenAI, check: Check) -> None:
    made = client.responses.create(model="sim/instant", input="Hello", metadata={"a": "b"})
    shown = client.responses.retrieve(made.id)
    check("Response", shown)
    assert shown == made
    items = client.responses.input_items.list(made.id)
    assert [(item.type, item.id[:4]) for item in items.data] == [("message", "msg_")]
    client.responses.delete(made.id)
    for ask in (
        lambda: client.responses.retrieve(made.id),
        lambda: client.responses.delete(made.id),
        lambda: client.responses.input_items.list(made.id),
        lambda: client.responses.cancel(made.id),
    ):
        with pytest.raises(NotFoundError) as caught:
            ask()
        assert caught.value.code == "response_not_found"
    with pytest.raises(BadRequestError) as unknown:
        client.responses.create(model="sim/instant", input="Hello", previous_response_id=made.id)
    assert (unknown.value.code, unknown.value.param) == ("previous_response_not_found", "previous_response_id")


def test_the_items_of_an_answer_can_be_referred_to(client: OpenAI) -> None:
    made = client.responses.create(model="sim/instant", input=TWO_CITIES, tools=[WEATHER])
    history: ResponseInputParam = [{"role": "user", "content": TWO_CITIES}]
    for call in called(made):
        history.append({"type": "item_reference", "id": call.id or ""})
    for call in called(made):
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"})
    assert "21 degrees" in client.responses.create(model="sim/instant", input=history, tools=[WEATHER]).output_text


def test_the_responses_of_another_key_do_not_exist(gateway: Gateway, client: OpenAI) -> None:
    made = client.responses.create(model="instant", input="Hello")
    guest = client.with_options(api_key=gateway.guest_key)
    with pytest.raises(NotFoundError):
        guest.responses.retrieve(made.id)
    with pytest.raises(NotFoundError):
        guest.responses.delete(made.id)
    with pytest.raises(BadRequestError):
        guest.responses.create(model="instant", input="Hello", previous_response_id=made.id)
    assert client.responses.retrieve(made.id) == made


def test_what_is_not_to_be_stored_is_not(client: OpenAI) -> None:
    made = client.responses.create(model="sim/instant", input="Hello", store=False)
    assert not stored(made)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(made.id)


def test_tokens_are_counted_before_they_are_paid_for(client: OpenAI) -> None:
    short = client.responses.input_tokens.count(model="sim/instant", input="Hello")
    long = client.responses.input_tokens.count(model="sim/instant", input="Hello " * 100, tools=[WEATHER])
    assert 0 < short.input_tokens < long.input_tokens


@pytest.mark.parametrize(
    ("field", "value"),
    [("conversation", "conv_1"), ("background", True), ("prompt", {"id": "p"}), ("temperature", "hot"), ("input", 7)],
)
def test_what_cannot_be_done_is_refused_by_its_name(client: OpenAI, field: str, value: object) -> None:
    body = {"model": "sim/instant", "input": "Hello", field: value}
    with pytest.raises(BadRequestError) as caught:
        client.post("/responses", cast_to=object, body=body)
    assert caught.value.param == field


def test_a_stream_that_breaks_fails_and_is_not_stored(client: OpenAI, check: Check) -> None:
    events = list(client.responses.create(model="lab/error-midstream", input="Tell me a story", stream=True))
    check_stream(events, check)
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.code == "server_error"
    assert not stored(last.response)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(last.response.id)


def test_an_error_before_the_stream_has_its_own_status(client: OpenAI) -> None:
    with pytest.raises(APIError) as caught:
        client.responses.create(model="lab/error-429", input="Hello", stream=True)
    assert caught.value.code == "rate_limit_exceeded"
