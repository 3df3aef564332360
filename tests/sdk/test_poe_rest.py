"""Poe behind the gateway, asked by the official clients: media, reasoning, tools, bots and videos."""

# pyright: reportDeprecated=false

import re
import time
from collections.abc import Generator
from urllib.request import urlopen

import anthropic
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.sdk.process import Served, served

CONFIG = """
[server]
port = 0
[store]
url = "sqlite://"
[upstreams.poe]
base_url = "$POE/v1"
bot_url = "$POE/bot"
upload_url = "$POE/poe_api"
key = "$POE_KEY"
retry = { attempts = 1 }
timeout = { connect = 30 }
"""
KEY = "poe-key;limit=100000;balance=1000000000"
SOON = 30.0
HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def poe(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A gateway whose only upstream is the simulated Poe."""
    file = tmp_path_factory.mktemp("poe") / "dragoman.toml"
    file.write_text(CONFIG.replace("$POE/", f"{upstream.address}/poe/"))
    with served(["serve", "-c", str(file)], {"POE_KEY": KEY}) as gateway:
        yield gateway
        assert '"bug"' not in gateway.log
        assert KEY not in gateway.log


@pytest.fixture(scope="module")
def client(poe: Served) -> Generator[OpenAI]:
    with OpenAI(base_url=f"{poe.address}/v1", api_key="any", max_retries=0, timeout=SOON) as client:
        end = time.monotonic() + SOON
        while not client.models.list().data and time.monotonic() < end:
            time.sleep(0.01)
        yield client


def read_bytes(url: str) -> bytes:
    with urlopen(url, timeout=SOON) as response:
        data: bytes = response.read()
        return data


def test_a_model_is_known_by_its_display_name_and_with_all_the_catalogue_tells(client: OpenAI) -> None:
    listed = client.models.list().data
    assert "poe/claude-sonnet-4.6" in [model.id for model in listed]
    answer = client.chat.completions.create(model="poe/Grok-4", messages=HI, max_tokens=20)
    assert answer.choices[0].message.content
    assert answer.model == "grok-4"


def test_fields_that_strict_poe_refuses_are_told_as_lost(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="poe/grok-4", messages=HI, seed=7, user="me")
    assert raw.parse().choices[0].message.content
    assert raw.headers["x-dragoman-loss"].replace(" ", "").split(",") == ["seed", "user"]


def test_reasoning_is_told_once_and_an_effort_in_the_models_own_words(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="poe/gemini-3.1-pro", messages=HI, reasoning_effort="medium")
    extra = answer.choices[0].message.model_extra or {}
    assert extra["reasoning_content"]
    assert "reasoning" not in extra


@pytest.mark.parametrize("model", ["claude-haiku-4.5", "gpt-5.4-mini", "gemini-2.5-flash"])
def test_a_stream_is_whole_in_whatever_dialect_poe_is_asked(client: OpenAI, model: str) -> None:
    with client.chat.completions.stream(model=f"poe/{model}", messages=HI) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", ["gpt-5.4-mini", "gpt-5.3-codex-spark", "gemini-3.1-pro", "grok-4"])
def test_a_client_of_responses_is_answered_by_every_model(client: OpenAI, model: str) -> None:
    answer = client.responses.create(model=f"poe/{model}", input="Hello", instructions="Be brief.")
    assert answer.status == "completed"
    assert answer.output_text


@pytest.mark.parametrize("streams", [False, True])
def test_a_client_of_chat_sees_a_picture_as_poe_tells_it(client: OpenAI, streams: bool) -> None:
    ask = client.chat.completions.create
    if streams:
        chunks = [chunk for chunk in ask(model="poe/gpt-image-1", messages=HI, stream=True) if chunk.choices]
        text = "".join([chunk.choices[0].delta.content or "" for chunk in chunks])
    else:
        text = ask(model="poe/gpt-image-1", messages=HI).choices[0].message.content or ""
    found = re.fullmatch(r"!\[[^\]]*\]\((\S+)\)\n\n(\S+)", text)
    assert found is not None
    assert found[1] == found[2]


def test_a_picture_has_an_address_or_comes_along(client: OpenAI) -> None:
    told = client.images.generate(model="poe/gpt-image-1", prompt="A cat", size="1024x1536")
    assert told.data is not None
    assert read_bytes(told.data[0].url or "").startswith(b"\x89PNG")
    brought = client.images.generate(model="poe/nano-banana-pro", prompt="A cat", response_format="b64_json")
    assert brought.data is not None
    assert (brought.data[0].b64_json or "").startswith("iVBORw0KGgo")
    assert brought.data[0].url is None


def test_a_picture_can_be_made_from_another(client: OpenAI) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    told = client.images.edit(model="poe/gpt-image-1", prompt="A cat", image=("a.png", png, "image/png"))
    assert told.data is not None
    assert told.data[0].url


def test_a_model_that_makes_no_picture_says_so(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(model="poe/grok-4", prompt="Hello")
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_invalid")
    assert "the model made no image; it said: " in caught.value.message


def test_speech_is_the_sound_itself(client: OpenAI) -> None:
    spoken = client.audio.speech.create(model="poe/elevenlabs-v3", voice="Sarah", input="Hello")
    assert spoken.response.headers["content-type"] == "audio/wav"
    assert spoken.content.startswith(b"RIFF")


def test_a_client_of_another_dialect_is_told_the_video_once(poe: Served, client: OpenAI) -> None:
    with anthropic.Anthropic(base_url=poe.address, api_key="any", max_retries=0, timeout=SOON) as other:
        answer = other.messages.create(
            model="poe/veo-3.1", max_tokens=100, messages=[{"role": "user", "content": "A cat"}]
        )
    (block,) = answer.content
    assert block.type == "text"
    assert re.fullmatch(r"!\[video\]\(\S+/base/video/\S+\)", block.text)


@pytest.mark.filterwarnings("ignore:The Sora API")
def test_a_video_is_a_job(client: OpenAI) -> None:
    job = client.videos.create_and_poll(model="poe/sora-2", prompt="A cat", poll_interval_ms=10)
    assert job.status == "completed"
    assert client.videos.download_content(job.id).content[4:8] == b"ftyp"


def test_a_model_that_refuses_tools_is_known_from_then_on(client: OpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="poe/kimi-k2.5-fw", messages=HI, tools=[WEATHER])
        assert caught.value.code == "unsupported_by_model"


def test_a_signature_goes_to_the_client_and_back(client: OpenAI) -> None:
    ask = client.chat.completions.create
    question: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    answer = ask(model="poe/gemini-3.1-pro", messages=question, tools=[WEATHER])
    message = answer.choices[0].message
    calls = message.tool_calls or []
    assert "extra_content" in (calls[0].model_extra or {})
    said = message.model_dump(exclude_none=True)
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": called.id, "content": "4 degrees"} for called in calls
    ]
    turns: list[ChatCompletionMessageParam] = [*question, said, *results]  # type: ignore[list-item]  # as the SDK tells it
    assert ask(model="poe/gemini-3.1-pro", messages=turns, tools=[WEATHER]).choices[0].message.content


def test_a_client_that_drops_a_signature_is_forgiven(poe: Served, client: OpenAI) -> None:
    tool: anthropic.types.ToolParam = {
        "name": "weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    question: anthropic.types.MessageParam = {"role": "user", "content": "What is the weather in Oslo?"}
    with anthropic.Anthropic(base_url=poe.address, api_key="any", max_retries=0, timeout=SOON) as other:
        first = other.messages.create(model="poe/gemini-3.1-pro", max_tokens=200, messages=[question], tools=[tool])
        calls = [block for block in first.content if block.type == "tool_use"]
        assert [call.input for call in calls] == [{"city": "Oslo"}]

        def go_on(mark: str) -> anthropic.types.Message:
            """Hand back the calls without what they were signed with, with `mark` behind their ids and their city."""
            said: list[anthropic.types.ToolUseBlockParam] = [
                {"type": "tool_use", "id": call.id + mark, "name": call.name, "input": {"city": f"Oslo{mark}"}}
                for call in calls
            ]
            heard: list[anthropic.types.ToolResultBlockParam] = [
                {"type": "tool_result", "tool_use_id": call.id + mark, "content": "4 degrees"} for call in calls
            ]
            return other.messages.create(
                model="poe/gemini-3.1-pro",
                max_tokens=200,
                messages=[question, {"role": "assistant", "content": said}, {"role": "user", "content": heard}],
                tools=[tool],
            )

        with pytest.raises(anthropic.BadRequestError):
            go_on("_unknown")
        assert go_on("").stop_reason == "end_turn"


def test_a_bot_that_the_catalogue_does_not_list_is_asked_as_one(client: OpenAI) -> None:
    with client.chat.completions.stream(model="poe/sim-replace-prefix", messages=HI) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content


def test_a_parameter_that_the_catalogue_does_not_list_reaches_the_bot(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="poe/grok-4", messages=HI, extra_body={"own_parameter": "a"}
    )
    assert raw.parse().choices[0].message.content
    assert "own_parameter" not in raw.headers.get("x-dragoman-loss", "")
    assert raw.parse().id.startswith("poe-")


def test_more_than_one_answer_is_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="poe/grok-4", messages=HI, n=2)
    assert (caught.value.param, caught.value.code) == ("n", "unsupported_by_model")
