"""OpenAI's own Python SDK on chat completions: what it sends is understood, what it gets is what it expects."""

from base64 import b64encode

import pytest
from openai import LengthFinishReasonError, OpenAI
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam
from pydantic import BaseModel

from tests.sdk.chat import BOTH, HELLO, RIDDLE, SAY, WEATHER, text
from tests.sdk.conftest import Check, Gateway


class Event(BaseModel):
    """Something in a calendar."""

    name: str
    date: str
    participants: list[str]


@BOTH
def test_a_plain_answer_is_what_the_specification_says(client: OpenAI, check: Check, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO)
    check("CreateChatCompletionResponse", answer)
    choice, usage = answer.choices[0], answer.usage
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason == "stop"
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 2
    assert answer._request_id  # pyright: ignore[reportPrivateUsage] # public, says the SDK's README


@BOTH
def test_a_stream_is_what_the_specification_says(client: OpenAI, check: Check, model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=RIDDLE, stream=True))
    for chunk in chunks:
        check("CreateChatCompletionStreamResponse", chunk)
        assert "usage" not in chunk.model_fields_set
    assert text(chunks) == SAY
    assert len(chunks) > 5
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert [chunk.choices[0].delta.role for chunk in chunks if chunk.choices[0].delta.role] == ["assistant"]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]


@BOTH
def test_usage_comes_last_in_a_stream_and_only_when_asked_for(client: OpenAI, check: Check, model: str) -> None:
    plain = client.chat.completions.create(model=model, messages=RIDDLE)
    *chunks, last = client.chat.completions.create(
        model=model, messages=RIDDLE, stream=True, stream_options={"include_usage": True}
    )
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert all("usage" in chunk.model_fields_set for chunk in chunks)
    assert last.choices == []
    assert last.usage == plain.usage
    check("CreateChatCompletionStreamResponse", last)


@BOTH
def test_the_stream_helper_tells_its_events_and_the_whole(client: OpenAI, model: str) -> None:
    with client.chat.completions.stream(model=model, messages=RIDDLE, stream_options={"include_usage": True}) as stream:
        events = list(stream)
        whole = stream.get_final_completion()
    deltas = [event.delta for event in events if event.type == "content.delta"]
    done = [event.content for event in events if event.type == "content.done"]
    assert "".join(deltas) == SAY
    assert done == [SAY]
    assert whole.choices[0].message.content == SAY
    assert whole.usage is not None


@BOTH
def test_several_choices_are_told_apart(client: OpenAI, check: Check, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Tell me about owls"}]
    answer = client.chat.completions.create(model=model, messages=messages, n=2)
    check("CreateChatCompletionResponse", answer)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert texts[0] != texts[1]
    chunks = list(client.chat.completions.create(model=model, messages=messages, n=2, stream=True))
    assert [text(chunks, index) for index in (0, 1)] == texts


@BOTH
def test_a_schema_is_filled_in(client: OpenAI, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Extract the event."},
        {"role": "user", "content": "Alice and Bob are going to a 'Science Fair' on 2026-05-01."},
    ]
    parsed = client.chat.completions.parse(model=model, messages=messages, response_format=Event)
    event = parsed.choices[0].message.parsed
    assert event is not None
    assert event.name == "Science Fair"
    assert event.date == "2026-05-01"
    with client.chat.completions.stream(model=model, messages=messages, response_format=Event) as stream:
        events = list(stream)
        assert stream.get_final_completion().choices[0].message.parsed == event
    assert [item.parsed for item in events if item.type == "content.done"] == [event]


@BOTH
def test_a_schema_cut_short_is_an_error_of_its_own(client: OpenAI, model: str) -> None:
    with pytest.raises(LengthFinishReasonError) as caught:
        client.chat.completions.parse(model=model, messages=HELLO, response_format=Event, max_completion_tokens=3)
    assert caught.value.completion.choices[0].finish_reason == "length"
    with (
        pytest.raises(LengthFinishReasonError),
        client.chat.completions.stream(
            model=model, messages=HELLO, response_format=Event, max_completion_tokens=3
        ) as stream,
    ):
        stream.until_done()


@BOTH
@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_both_limits_cut_an_answer(client: OpenAI, model: str, limit: str) -> None:
    answer = client.chat.completions.create(model=model, messages=RIDDLE, extra_body={limit: 3})
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3
    assert SAY.startswith(answer.choices[0].message.content or "?")


@BOTH
@pytest.mark.parametrize("stop", [" fox", ["nothing", " fox"]])
def test_a_stop_ends_the_answer_and_is_not_in_it(client: OpenAI, model: str, stop: str | list[str]) -> None:
    answer = client.chat.completions.create(model=model, messages=RIDDLE, stop=stop)
    assert answer.choices[0].message.content == "The quick brown"
    assert answer.choices[0].finish_reason == "stop"
    assert text(client.chat.completions.create(model=model, messages=RIDDLE, stop=stop, stream=True)) == (
        "The quick brown"
    )


@pytest.mark.parametrize("model", ["sim/refuse", "lab/refuse"])
def test_a_refusal_is_no_content(client: OpenAI, check: Check, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO)
    check("CreateChatCompletionResponse", answer)
    assert answer.choices[0].message.content is None
    refusal = answer.choices[0].message.refusal
    assert refusal
    with client.chat.completions.stream(model=model, messages=HELLO) as stream:
        events = list(stream)
    assert [event.refusal for event in events if event.type == "refusal.done"] == [refusal]
    parsed = client.chat.completions.parse(model=model, messages=HELLO, response_format=Event)
    assert parsed.choices[0].message.parsed is None
    assert parsed.choices[0].message.refusal == refusal


@pytest.mark.parametrize("model", ["sim/reasoning", "lab/reasoning"])
def test_reasoning_rides_along_and_is_counted(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO, reasoning_effort="high")
    thought = (answer.choices[0].message.model_extra or {})["reasoning_content"]
    assert thought
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens > (answer.usage.completion_tokens_details.reasoning_tokens or 0) > 0
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, reasoning_effort="high", stream=True))
    pieces = [(chunk.choices[0].delta.model_extra or {}).get("reasoning_content") or "" for chunk in chunks]
    assert "".join(pieces) == thought
    first_text = next(at for at, chunk in enumerate(chunks) if chunk.choices[0].delta.content)
    assert not any(pieces[first_text:])


@BOTH
def test_logprobs_cover_the_text(client: OpenAI, check: Check, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=RIDDLE, logprobs=True, top_logprobs=2)
    check("CreateChatCompletionResponse", answer)
    told = answer.choices[0].logprobs
    assert told is not None
    assert told.content is not None
    assert "".join(token.token for token in told.content) == SAY
    assert {len(token.top_logprobs) for token in told.content} == {2}
    with client.chat.completions.stream(model=model, messages=RIDDLE, logprobs=True) as stream:
        done = [event for event in stream if event.type == "logprobs.content.done"]
    assert "".join(token.token for token in done[0].content) == SAY


@BOTH
@pytest.mark.parametrize(
    ("part", "seen"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            "1 image: https://example.com/a.png",
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8=", "detail": "low"}},
            "1 image: image/png of 5 bytes",
        ),
        (
            {"type": "input_audio", "input_audio": {"data": b64encode(b"sound").decode(), "format": "wav"}},
            "1 sound: audio/wav of 5 bytes",
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGVsbG8="}},
            "1 file: a.pdf, application/pdf of 5 bytes",
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, "1 file: upload file-1"),
    ],
    ids=["image-url", "image", "audio", "file", "upload"],
)
def test_media_reach_the_model(client: OpenAI, model: str, part: ChatCompletionContentPartParam, seen: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}]
    )
    assert seen in (answer.choices[0].message.content or "")


@BOTH
def test_json_mode_answers_json(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Answer in JSON with the keys 'city' and 'country'"}],
        response_format={"type": "json_object"},
    )

    class Place(BaseModel, extra="forbid"):
        city: str
        country: str

    assert Place.model_validate_json(answer.choices[0].message.content or "").city


@BOTH
def test_the_same_request_gets_the_same_answer(client: OpenAI, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Surprise me"}]
    answers = [client.chat.completions.create(model=model, messages=messages, seed=7) for _ in range(2)]
    assert answers[0].choices == answers[1].choices


@pytest.mark.parametrize(
    ("model", "served_by", "attempts"),
    [
        ("instant", "lab/instant", "1"),
        ("sim/instant", "sim/instant", "1"),
        ("fallback", "sim/instant", "3"),
        ("pair", "lab/instant", "2"),
        ("sim/instant:latest", "sim/instant", "1"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_headers_tell_who_answered(client: OpenAI, model: str, served_by: str, attempts: str, stream: bool) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=HELLO, stream=stream, extra_headers={"X-Request-Id": "mine-1"}
    )
    assert raw.headers["x-request-id"] == "mine-1"
    assert raw.headers["x-dragoman-model"] == served_by
    assert raw.headers["x-dragoman-attempts"] == attempts
    assert "x-dragoman-loss" not in raw.headers
    raw.http_response.close()


def test_every_parameter_at_once_is_no_reason_to_fail(client: OpenAI, check: Check) -> None:
    """The SDK's own tests send them all together and expect an answer."""
    answer = client.chat.completions.create(
        model="lab/instant",
        messages=[{"role": "developer", "name": "name", "content": "Be brief"}, *HELLO],
        frequency_penalty=-2,
        logit_bias={"1": 0},
        logprobs=True,
        max_completion_tokens=50,
        max_tokens=50,
        metadata={"a": "b"},
        modalities=["text"],
        n=1,
        parallel_tool_calls=True,
        prediction={"type": "content", "content": "Hello"},
        presence_penalty=-2,
        prompt_cache_key="key",
        reasoning_effort="none",
        response_format={"type": "text"},
        safety_identifier="who",
        seed=-9007199254740991,
        service_tier="auto",
        stop="\n",
        store=True,
        temperature=1,
        tool_choice="none",
        tools=[WEATHER],
        top_logprobs=0,
        top_p=1,
        user="who",
        verbosity="low",
        web_search_options={"search_context_size": "low"},
    )
    check("CreateChatCompletionResponse", answer)


def test_the_guest_may_use_what_its_key_allows(gateway: Gateway) -> None:
    with OpenAI(base_url=gateway.base_url, api_key=gateway.guest_key, max_retries=0) as guest:
        assert guest.chat.completions.create(model="instant", messages=HELLO).choices
        assert [model.id for model in guest.models.list()] == ["instant"]
