"""Anthropic's own Python SDK: what it sends in either version of the API is understood, what it gets it can read."""

from collections.abc import Generator
from uuid import uuid4

import pytest
from anthropic import (
    Anthropic,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    GatewayTimeoutError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
)
from anthropic.types import Message, MessageParam, TextBlockParam, ToolParam, ToolResultBlockParam, ToolUseBlock
from pydantic import BaseModel

from tests.sdk.chat import BOTH, SAY
from tests.sdk.conftest import Gateway

HELLO: list[MessageParam] = [{"role": "user", "content": "Hello"}]
RIDDLE: list[MessageParam] = [{"role": "user", "content": f"Say: {SAY}"}]
TWO_CITIES: list[MessageParam] = [
    {"role": "user", "content": "What is the weather in Paris and in Rome? Use get_weather."}
]
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Event(BaseModel):
    """Something in a calendar."""

    name: str
    date: str
    participants: list[str]


@pytest.fixture(scope="module", params=["2023-06-01", "2026-10-21", ""], ids=["old", "new", "none"])
def client(request: pytest.FixtureRequest, gateway: Gateway) -> Generator[Anthropic]:
    """The SDK as it is, and sending what its majors before 2 sent, and no version at all."""
    version: str = request.param
    headers = {"anthropic-version": version} if version else {}
    if version == "2023-06-01":
        headers["x-api-key"] = gateway.key
    address = gateway.served.address
    with Anthropic(base_url=address, api_key=gateway.key, max_retries=0, timeout=20, default_headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def newest(gateway: Gateway) -> Generator[Anthropic]:
    """The SDK as it is."""
    with Anthropic(base_url=gateway.served.address, api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


def text(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def called(message: Message) -> list[ToolUseBlock]:
    return [block for block in message.content if block.type == "tool_use"]


def ask(client: Anthropic, model: str, messages: list[MessageParam] = HELLO) -> Message:
    return client.messages.create(model=model, max_tokens=1024, messages=messages)


@BOTH
def test_a_plain_answer_is_read(client: Anthropic, model: str) -> None:
    message = client.messages.create(
        model=model, max_tokens=1024, messages=RIDDLE, system="Be kind.", extra_body={"temperature": 0.5, "top_k": 5}
    )
    Message.model_validate_json(message.to_json(), strict=True)
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.id.startswith("msg_")
    assert text(message) == SAY
    assert message.usage.input_tokens > 0 < message.usage.output_tokens
    assert message._request_id  # pyright: ignore[reportPrivateUsage] # public, says the SDK's README


@BOTH
def test_a_stream_says_the_same_as_a_plain_answer(client: Anthropic, model: str) -> None:
    plain = ask(client, model, RIDDLE)
    with client.messages.stream(model=model, max_tokens=1024, messages=RIDDLE) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message()
    assert len(pieces) > 5
    assert "".join(pieces) == text(whole) == text(plain)
    assert (whole.stop_reason, whole.model) == (plain.stop_reason, plain.model)
    assert whole.usage.to_dict() == plain.usage.to_dict()


@BOTH
def test_events_come_in_their_order(newest: Anthropic, model: str) -> None:
    events = [event.type for event in newest.messages.create(model=model, max_tokens=99, messages=RIDDLE, stream=True)]
    assert events[:2] == ["message_start", "content_block_start"]
    assert set(events[2:-3]) == {"content_block_delta"}
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_their_results_are_read(newest: Anthropic, model: str, stream: bool) -> None:
    if stream:
        with newest.messages.stream(model=model, max_tokens=1024, messages=TWO_CITIES, tools=[WEATHER]) as streamed:
            asked: Message = streamed.get_final_message()
    else:
        asked = newest.messages.create(model=model, max_tokens=1024, messages=TWO_CITIES, tools=[WEATHER])
    assert asked.stop_reason == "tool_use"
    assert [call.input for call in called(asked)] == [{"city": "Paris"}, {"city": "Rome"}]
    assert len({call.id for call in called(asked)}) == 2
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": f"{degrees} degrees"}]}
        for call, degrees in zip(called(asked), (17, 23), strict=True)
    ]
    told = newest.messages.create(
        model=model,
        max_tokens=1024,
        messages=[*TWO_CITIES, asked.to_param(), {"role": "user", "content": results}],
        tools=[WEATHER],
    )
    assert told.stop_reason == "end_turn"
    assert "17 degrees" in text(told)
    assert "23 degrees" in text(told)


def test_one_call_at_a_time_when_the_client_wants_that(newest: Anthropic) -> None:
    message = newest.messages.create(
        model="lab/instant",
        max_tokens=1024,
        messages=TWO_CITIES,
        tools=[WEATHER],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    )
    assert len(called(message)) == 1


@pytest.mark.parametrize("model", ["sim/reasoning", "lab/reasoning"])
def test_thinking_is_signed_and_may_come_back(newest: Anthropic, model: str) -> None:
    with newest.messages.stream(
        model=model, max_tokens=4096, messages=HELLO, thinking={"type": "enabled", "budget_tokens": 1024}
    ) as stream:
        message: Message = stream.get_final_message()
    thinking, said = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking
    assert thinking.signature
    assert said.type == "text"
    assert message.usage.output_tokens_details is not None
    raw = newest.messages.with_raw_response.create(
        model=model, max_tokens=4096, messages=[*HELLO, message.to_param(), *HELLO]
    )
    assert "signature" not in raw.headers.get("x-dragoman-loss", "")
    assert raw.parse().stop_reason == "end_turn"


@pytest.mark.parametrize("model", ["sim/refuse", "lab/refuse"])
def test_a_refusal_is_the_reason_why_an_answer_ended(newest: Anthropic, model: str) -> None:
    message = ask(newest, model)
    assert message.stop_reason == "refusal"
    assert text(message)


def test_an_answer_that_is_too_long_is_cut(newest: Anthropic) -> None:
    assert newest.messages.create(model="instant", max_tokens=3, messages=RIDDLE).stop_reason == "max_tokens"


@BOTH
def test_an_answer_may_have_a_schema(newest: Anthropic, model: str) -> None:
    asked: list[MessageParam] = [{"role": "user", "content": "Alice and Bob meet on 2026-11-21 at the Fair."}]
    message = newest.messages.parse(model=model, max_tokens=1024, messages=asked, output_format=Event)
    assert isinstance(message.parsed_output, Event)
    assert message.parsed_output.date == "2026-11-21"


def test_pictures_and_documents_are_taken(newest: Anthropic) -> None:
    message = newest.messages.create(
        model="lab/instant",
        max_tokens=1024,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A note."}},
                    {"type": "text", "text": f"Say: {SAY}"},
                ],
            }
        ],
    )
    assert SAY in text(message)


def test_what_no_upstream_knows_is_told_and_does_no_harm(newest: Anthropic) -> None:
    system: TextBlockParam = {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}
    raw = newest.beta.messages.with_raw_response.create(
        model="lab/instant",
        max_tokens=1024,
        messages=[{"role": "user", "content": f"Say: {SAY}"}],
        system=[system],
        tools=[{"type": "web_search_20250305", "name": "web_search"}],
        betas=["context-management-2025-06-27"],
        context_management={"edits": []},
        service_tier="auto",
        extra_body={"something_new": 1},
    )
    lost = set(raw.headers["x-dragoman-loss"].split(", "))
    assert lost >= {"cache_control", "tools.web_search", "context_management", "service_tier", "something_new"}
    assert raw.parse().stop_reason == "end_turn"


def test_a_client_that_wants_all_or_nothing_is_refused(newest: Anthropic) -> None:
    with pytest.raises(BadRequestError, match="service_tier"):
        newest.messages.create(
            model="lab/instant",
            max_tokens=9,
            messages=HELLO,
            service_tier="auto",
            extra_headers={"x-dragoman-strict": "true"},
        )


def test_tokens_are_counted_without_asking_an_upstream(client: Anthropic) -> None:
    less = client.messages.count_tokens(model="gone/any", messages=HELLO)
    more = client.messages.count_tokens(model="gone/any", messages=HELLO, tools=[WEATHER], system="Be kind. " * 100)
    assert 0 < less.input_tokens < more.input_tokens - 200


@pytest.mark.parametrize(
    ("model", "kind", "status", "name"),
    [
        ("nothing", NotFoundError, 404, "not_found_error"),
        ("lab/error-400", BadRequestError, 400, "invalid_request_error"),
        ("lab/error-401", InternalServerError, 502, "api_error"),
        ("lab/error-402", InternalServerError, 502, "api_error"),
        ("lab/error-404", NotFoundError, 404, "not_found_error"),
        ("lab/error-429", RateLimitError, 429, "rate_limit_error"),
        ("lab/error-500", InternalServerError, 502, "api_error"),
        ("lab/error-503", OverloadedError, 529, "overloaded_error"),
        ("lab/error-html", InternalServerError, 502, "api_error"),
        ("gone/any", InternalServerError, 502, "api_error"),
        ("hasty/silent", GatewayTimeoutError, 504, "timeout_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_has_its_class(
    newest: Anthropic, model: str, kind: type[APIStatusError], status: int, name: str, stream: bool
) -> None:
    with pytest.raises(kind) as caught:
        newest.messages.create(model=model, max_tokens=9, messages=HELLO, stream=stream)
    error = caught.value
    assert (error.status_code, error.type) == (status, name)
    assert error.request_id == error.response.headers["request-id"] == error.response.json()["request_id"]
    assert "on purpose" not in error.response.text


def test_a_wrong_key_and_a_forbidden_model_are_told_apart(gateway: Gateway, newest: Anthropic) -> None:
    with pytest.raises(AuthenticationError) as caught:
        ask(newest.with_options(api_key="dg-wrong"), "instant")
    assert caught.value.type == "authentication_error"
    with pytest.raises(PermissionDeniedError):
        ask(newest.with_options(api_key=gateway.guest_key), "sim/instant")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages: at least one"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"stop_sequences": "END"}, "stop_sequences"),
    ],
)
def test_a_wrong_field_is_named(client: Anthropic, body: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.messages.create(model="instant", max_tokens=9, messages=HELLO, extra_body=body)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "model",
    ["sim/cut", "lab/cut", "lab/eof", "lab/malformed", "sim/error-midstream", "lab/error-midstream", "hasty/stall"],
)
def test_a_stream_that_breaks_raises_and_never_finishes(newest: Anthropic, model: str) -> None:
    events: list[str] = []

    def listen() -> None:
        stream = newest.messages.create(model=model, max_tokens=1024, messages=RIDDLE, stream=True)
        events.extend(event.type for event in stream)

    with pytest.raises(APIStatusError) as caught:  # before the stream, when what is broken comes with the first words
        listen()
    assert caught.value.type in ("api_error", "timeout_error")
    assert events[:1] in ([], ["message_start"])
    assert not {"message_delta", "message_stop"} & set(events)


def test_tokens_that_nobody_counted_are_marked(newest: Anthropic) -> None:
    told = ask(newest, "lab/no-usage", RIDDLE).usage.to_dict()
    assert told["estimated"] is True
    assert "estimated" not in ask(newest, "lab/instant", RIDDLE).usage.to_dict()


def test_a_request_id_of_the_clients_own_comes_back(newest: Anthropic) -> None:
    asked = uuid4().hex
    raw = newest.messages.with_raw_response.create(
        model="instant", max_tokens=9, messages=HELLO, extra_headers={"X-Request-Id": asked}
    )
    assert raw.headers["request-id"] == raw.headers["x-request-id"] == asked
