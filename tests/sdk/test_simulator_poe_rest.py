"""The official SDKs of OpenAI and Anthropic against the pretended Poe."""

from collections.abc import Callable, Generator
from urllib.request import urlopen

import httpx
import pytest
from anthropic import Anthropic
from anthropic import RateLimitError as AnthropicRateLimit
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    OpenAI,
    RateLimitError,
)
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionUserMessageParam

from tests.sdk.process import Served

HI: ChatCompletionUserMessageParam = {"role": "user", "content": "Say: one two"}
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
Make = Callable[..., OpenAI]


@pytest.fixture
def make(upstream: Served, request: pytest.FixtureRequest) -> Generator[Make]:
    """Makes clients with a key that no other test has, and what it says of its account."""
    made: list[OpenAI] = []

    def client(switches: str = "", key: str = "", retries: int = 0) -> OpenAI:
        own = key or f"{request.node.name}{switches}"
        made.append(OpenAI(base_url=f"{upstream.address}/poe/v1", api_key=own, max_retries=retries, timeout=20))
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture
def poe(make: Make) -> OpenAI:
    return make()


def test_the_models_are_listed(poe: OpenAI) -> None:
    names = [model.id for model in poe.models.list()]
    assert {"claude-sonnet-4.6", "grok-4", "veo-3.1"} <= set(names)


def test_a_chat_is_answered(poe: OpenAI) -> None:
    answer = poe.chat.completions.create(model="Grok-4", messages=[HI])
    assert (answer.model, answer.choices[0].message.content) == ("Grok-4", "one two")


def test_a_stream_tells_text_finish_and_usage(poe: OpenAI) -> None:
    with poe.chat.completions.create(
        model="Grok-4", messages=[HI], stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 2)


def test_own_parameters_go_at_the_top_level(poe: OpenAI) -> None:
    answer = poe.chat.completions.create(model="Gemini-2.5-Flash", messages=[HI], extra_body={"thinking_budget": 0})
    assert not hasattr(answer.choices[0].message, "reasoning_content")
    with pytest.raises(BadRequestError, match="Unknown parameter: 'thinking_budget'"):
        poe.chat.completions.create(model="Grok-4", messages=[HI], extra_body={"thinking_budget": 0})


def test_a_signature_has_to_come_back(poe: OpenAI) -> None:
    asked: ChatCompletionUserMessageParam = {"role": "user", "content": "What is the weather in Paris?"}
    first = poe.chat.completions.create(model="Gemini-3.1-Pro", messages=[asked], tools=[TOOL])
    turn = first.choices[0].message.model_dump(exclude_none=True)
    result = {"role": "tool", "tool_call_id": turn["tool_calls"][0]["id"], "content": "sunny"}
    history = [asked, turn, result]
    told = poe.chat.completions.create(model="Gemini-3.1-Pro", messages=history, tools=[TOOL])  # type: ignore[arg-type]
    assert "sunny" in (told.choices[0].message.content or "")
    del turn["tool_calls"][0]["extra_content"]
    with pytest.raises(BadRequestError, match="thought_signature"):
        poe.chat.completions.create(model="Gemini-3.1-Pro", messages=history, tools=[TOOL])  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["sim-midstream", "sim-event-error"])
def test_an_error_in_a_stream_is_raised(poe: OpenAI, model: str) -> None:
    with poe.chat.completions.create(model=model, messages=[HI], stream=True) as stream, pytest.raises(APIError):
        list(stream)


def test_a_cut_stream_is_no_answer(poe: OpenAI) -> None:
    # What the SDK raises while it reads is httpx's own, or its own kind of it.
    with (
        poe.chat.completions.create(model="sim-cut", messages=[HI], stream=True) as stream,
        pytest.raises((APIConnectionError, httpx.RemoteProtocolError)),
    ):
        list(stream)


def test_a_missing_end_mark_goes_unnoticed(poe: OpenAI) -> None:
    with poe.chat.completions.create(model="sim-no-done", messages=[HI], stream=True) as stream:
        assert list(stream)[-1].choices[0].finish_reason == "stop"


def test_a_wrong_key_is_refused(make: Make) -> None:
    with pytest.raises(AuthenticationError) as error:
        make(key="bad").chat.completions.create(model="Grok-4", messages=[HI])
    assert error.value.code == "invalid_api_key"


def test_spent_points_are_no_rate_limit(make: Make) -> None:
    poor = make(";balance=0", retries=2)
    with pytest.raises(APIStatusError) as error:
        poor.chat.completions.create(model="Grok-4", messages=[HI])
    assert (error.value.status_code, error.value.code) == (402, "insufficient_quota")


def test_the_rate_limit_is_real(make: Make) -> None:
    hasty = make(";limit=3")
    raw = hasty.chat.completions.with_raw_response
    left = [raw.create(model="Grok-4", messages=[HI]).headers["x-ratelimit-remaining-requests"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    with pytest.raises(RateLimitError) as error:
        hasty.chat.completions.create(model="Grok-4", messages=[HI])
    assert 0 < int(error.value.response.headers["retry-after"]) <= 60


@pytest.mark.parametrize("status", [408, 500, 502, 503, 529])
def test_the_sdk_overcomes_what_passes(make: Make, status: int) -> None:
    answer = make(retries=2).chat.completions.create(model=f"sim-error-{status}-first-1", messages=[HI])
    assert answer.choices[0].message.content == "one two"


@pytest.mark.parametrize("status", [402, 403, 404, 413])
def test_the_sdk_accepts_what_does_not(make: Make, status: int) -> None:
    with pytest.raises(APIStatusError) as error:
        make(retries=2).chat.completions.create(model=f"sim-error-{status}-first-1", messages=[HI])
    assert error.value.status_code == status


def test_a_page_is_an_error_too(poe: OpenAI) -> None:
    with pytest.raises(InternalServerError) as error:
        poe.chat.completions.create(model="sim-html-502", messages=[HI])
    assert error.value.status_code == 502


def test_a_response_comes_from_its_maker(poe: OpenAI) -> None:
    response = poe.responses.create(model="GPT-5.4-Mini", input="Say: one two")
    assert (response.model, response.output_text) == ("gpt-5.4-mini-2026-03-17", "one two")
    with poe.responses.stream(model="GPT-4o-Mini", input="Say: one two") as stream:
        assert stream.get_final_response().output_text == "one two"


def test_a_picture_is_fetched_from_its_link(poe: OpenAI) -> None:
    content = poe.chat.completions.create(model="GPT-Image-1", messages=[HI]).choices[0].message.content or ""
    with urlopen(content.rpartition("\n")[2], timeout=30) as response:
        assert response.headers["content-type"] == "image/png"


@pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")
def test_a_video_is_a_job(poe: OpenAI) -> None:
    job = poe.videos.create(model="Sora-2", prompt="a red house")  # pyright: ignore[reportDeprecated]
    done = poe.videos.poll(job.id)  # pyright: ignore[reportDeprecated]
    assert (done.status, done.progress) == ("completed", 100)
    film = poe.videos.download_content(job.id)  # pyright: ignore[reportDeprecated]
    assert film.read()[4:8] == b"ftyp"


@pytest.fixture
def claude(upstream: Served, request: pytest.FixtureRequest) -> Generator[Callable[[str], Anthropic]]:
    made: list[Anthropic] = []

    def client(switches: str) -> Anthropic:
        key = f"{request.node.name}{switches}"
        made.append(Anthropic(base_url=f"{upstream.address}/poe", api_key=key, max_retries=0, timeout=20))
        return made[-1]

    yield client
    for one in made:
        one.close()


def test_claude_answers_with_signed_thoughts(claude: Callable[[str], Anthropic]) -> None:
    message = claude("").messages.create(
        model="claude-haiku-4.5",
        max_tokens=2000,
        messages=[{"role": "user", "content": "Say: one two"}],
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert message.id.startswith("req_poe_")
    thinking, text = message.content
    assert thinking.type == "thinking"
    assert thinking.signature
    assert text.type == "text"
    assert text.text == "one two"
    assert message.usage.model_extra is not None
    assert message.usage.model_extra["total_tokens"] == message.usage.input_tokens + message.usage.output_tokens


def test_claude_streams(claude: Callable[[str], Anthropic]) -> None:
    with claude("").messages.stream(
        model="claude-sonnet-4.6", max_tokens=100, messages=[{"role": "user", "content": "Say: one two"}]
    ) as stream:
        assert stream.get_final_text() == "one two"
        assert stream.response.headers["anthropic-ratelimit-requests-remaining"] == "499"


def test_claude_has_the_same_limit(claude: Callable[[str], Anthropic]) -> None:
    hasty = claude(";limit=1")
    hasty.messages.create(model="claude-sonnet-4.6", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    with pytest.raises(AnthropicRateLimit):
        hasty.messages.create(model="claude-sonnet-4.6", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
