"""Bots on Poe's own server library as an upstream of a live gateway: three processes, official clients."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import msgspec
import pytest
from anthropic import Anthropic
from openai import APIError, APIStatusError, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.sdk.process import Served, served

KEY = "k" * 32
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = "https://pfst.cf2.poecdn.net/base/image/ab"
CONFIG = """
[server]
port = 0
[store]
url = "sqlite://"
[upstreams.poe_bot]
base_url = "$BOTS/bot"
upload_url = "$BOTS/poe_api"
upload_limit = 1000
key = "$POE_KEY"
models = ["*"]
retry = { attempts = 2 }
breaker = { failures = 1000 }
[upstreams.wrong]
kind = "poe_bot"
base_url = "$BOTS/bot"
key = "another-key"
models = ["*"]
retry = { attempts = 1 }
[models]
careful = ["poe_bot/fails", "poe_bot/text"]
"""
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
ADD: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}},
}


class Asked(msgspec.Struct):
    """What the bots and the place for uploads saw."""

    asked: list[dict[str, object]]
    uploads: list[dict[str, object]]


class Bots:
    """The bots' process."""

    def __init__(self, address: str) -> None:
        self.address = address

    def asked(self) -> Asked:
        with urlopen(f"{self.address}/asked", timeout=20) as response:
            return msgspec.json.decode(response.read(), type=Asked)

    def last(self) -> dict[str, object]:
        """What a bot was asked last."""
        return self.asked().asked[-1]


@pytest.fixture(scope="module")
def bots() -> Generator[Bots]:
    script = str(Path(__file__).parent / "poe_bot" / "serve.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Bots(process.stdout.readline().split()[-1])
        finally:
            process.kill()


@pytest.fixture(scope="module")
def gateway(bots: Bots, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    path = tmp_path_factory.mktemp("poe") / "dragoman.toml"
    path.write_text(CONFIG.replace("$BOTS", bots.address))
    with served(["serve", "-c", str(path)], {"POE_KEY": KEY}) as process:
        yield process
        assert '"bug"' not in process.log
        assert KEY not in process.log


@pytest.fixture(scope="module")
def client(gateway: Served) -> Generator[OpenAI]:
    with OpenAI(base_url=f"{gateway.address}/v1", api_key="any", max_retries=0, timeout=30) as client:
        yield client


def user(content: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": content}]


def say(client: OpenAI, bot: str, *, stream: bool, messages: list[ChatCompletionMessageParam] | None = None) -> str:
    """Return the text of an answer, however it comes."""
    asked = messages or user("Hello?")
    if not stream:
        answer = client.chat.completions.create(model=f"poe_bot/{bot}", messages=asked)
        assert answer.choices[0].finish_reason == "stop"
        return answer.choices[0].message.content or ""
    with client.chat.completions.stream(model=f"poe_bot/{bot}", messages=asked) as events:
        for _ in events:
            pass
        choice = events.get_final_completion().choices[0]
    assert choice.finish_reason == "stop"
    return choice.message.content or ""


@BOTH
def test_text_is_heard(client: OpenAI, *, stream: bool) -> None:
    assert say(client, "text", stream=stream) == "Hello, w\u00f6rld \U0001f642"


@BOTH
def test_what_is_no_text_is_passed_over(client: OpenAI, *, stream: bool) -> None:
    assert say(client, "pings", stream=stream) == "Hello"
    assert say(client, "parallel", stream=stream) == "Hello"
    assert say(client, "suggests", stream=stream) == "Hello"


def test_a_replacement_that_goes_on_is_no_replacement(client: OpenAI) -> None:
    assert [say(client, "prefix", stream=stream) for stream in (True, False, True)] == ["Hello!"] * 3


@pytest.mark.parametrize(
    ("bot", "told", "whole"),
    [
        ("other", "Draft\nFinal words", "Final words"),
        (
            "progress",
            f"Generating (1 s elapsed)\nGenerating (2 s elapsed)\nGenerating (3 s elapsed)\n![hat]({IMAGE})",
            f"![hat]({IMAGE})",
        ),
    ],
)
def test_a_bot_that_takes_back_what_it_said_is_held_back_the_next_time(
    client: OpenAI, bot: str, told: str, whole: str
) -> None:
    assert say(client, bot, stream=True) == told
    assert say(client, bot, stream=True) == whole
    assert say(client, bot, stream=False) == whole


@BOTH
def test_files_are_shown_once(client: OpenAI, *, stream: bool) -> None:
    assert say(client, "files", stream=stream) == (f"Look![image]({IMAGE})\n\nhttps://pfst.cf2.poecdn.net/base/doc/cd")


def test_reasoning_is_told_from_the_answer(client: OpenAI, gateway: Served) -> None:
    answer = client.chat.completions.create(model="poe_bot/thinks", messages=user("Why?"))
    assert answer.choices[0].message.content == "Because.\n> A quotation"
    assert (answer.choices[0].message.model_extra or {})["reasoning_content"] == "It is so."
    with (
        Anthropic(base_url=gateway.address, api_key="any", max_retries=0, timeout=30) as anthropic,
        anthropic.messages.stream(
            model="poe_bot/thinks", max_tokens=99, messages=[{"role": "user", "content": "Why?"}]
        ) as stream,
    ):
        blocks = [block.to_dict() for block in stream.get_final_message().content]
    assert [block["type"] for block in blocks] == ["thinking", "text"]
    assert (blocks[0]["thinking"], blocks[1]["text"]) == ("It is so.", "Because.\n> A quotation")


def test_a_bot_is_asked_all_that_can_be_said(client: OpenAI, bots: Bots) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model="poe_bot/echo",
        messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hello"},
            {"role": "user", "content": "you"},
        ],
        temperature=0.5,
        stop=["END"],
        max_tokens=9,
        reasoning_effort="low",
        extra_body={"aspect_ratio": "1:1"},
    )
    assert answer.headers["x-dragoman-loss"] == "max_tokens"
    assert answer.parse().choices[0].message.content == "Hello\n\nyou"
    asked = msgspec.convert(bots.last(), dict[str, object])
    query = msgspec.convert(asked["query"], list[dict[str, object]])
    assert (asked["temperature"], asked["stop_sequences"], asked["version"]) == (0.5, ["END"], "1.2")
    assert [(message["role"], message["content"]) for message in query] == [
        ("system", "Be kind."),
        ("user", "Hello\n\nyou"),
    ]
    assert query[1]["parameters"] == {"aspect_ratio": "1:1", "reasoning_effort": "low"}


def picture(data: str) -> list[ChatCompletionMessageParam]:
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
            ],
        }
    ]


def test_a_picture_is_uploaded_once_and_belongs_to_its_message(client: OpenAI, bots: Bots) -> None:
    before = len(bots.asked().uploads)
    for _ in range(2):
        assert say(client, "echo", stream=False, messages=picture(PIXEL)) == "Look"
    seen = bots.asked()
    assert [upload["type"] for upload in seen.uploads[before:]] == ["image/png"]
    query = msgspec.convert(seen.asked[-1]["query"], list[dict[str, object]])
    (attachment,) = msgspec.convert(query[0]["attachments"], list[dict[str, object]])
    assert (attachment["content_type"], attachment["name"]) == ("image/png", "image.png")
    with urlopen(str(attachment["url"]), timeout=20) as response:
        assert response.read().startswith(b"\x89PNG")


@pytest.mark.parametrize("data", ["broken!", "A" * 2000])
def test_a_picture_that_cannot_be_taken_is_named(client: OpenAI, data: str) -> None:
    with pytest.raises(APIStatusError) as raised:
        say(client, "echo", stream=True, messages=picture(data))
    assert (raised.value.status_code, raised.value.param) == (400, "messages[0].content[1]")


@BOTH
def test_tools_are_called_and_their_results_told(client: OpenAI, bots: Bots, *, stream: bool) -> None:
    messages = user("Add.")
    model = "poe_bot/add"
    if stream:
        with client.chat.completions.stream(model=model, messages=messages, tools=[ADD]) as events:
            for _ in events:
                pass
            streamed = events.current_completion_snapshot.choices[0]
        finish = streamed.finish_reason
        calls = [(call.id, call.function.arguments) for call in streamed.message.tool_calls or []]
    else:
        answer = client.chat.completions.create(model=model, messages=messages, tools=[ADD])
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)
        finish, called = answer.choices[0].finish_reason, answer.choices[0].message.tool_calls or []
        calls = [(call.id, call.function.arguments) for call in called if call.type == "function"]
    assert finish == "tool_calls"
    assert [(call_id, json.loads(arguments)) for call_id, arguments in calls] == [
        ("call_1", {"a": 1, "b": 2}),
        ("call_2", {"a": 3, "b": 4}),
    ]
    messages.append(
        {
            "role": "assistant",
            "tool_calls": [
                {"id": call_id, "type": "function", "function": {"name": "add", "arguments": arguments}}
                for call_id, arguments in calls
            ],
        }
    )
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call_id, "content": f"sum {call_id}"} for call_id, _ in calls
    ]
    messages += results
    told = client.chat.completions.create(model=model, messages=messages, tools=[ADD])
    assert told.choices[0].message.content == "Sums: sum call_1, sum call_2"
    query = msgspec.convert(bots.last()["query"], list[dict[str, object]])
    assert [message["content"] for message in query] == ["Add."]


@BOTH
@pytest.mark.parametrize(
    ("bot", "status", "code"),
    [
        ("user_message_too_long", 413, "context_length_exceeded"),
        ("user_caused_error", 400, "user_caused_error"),
        ("insufficient_fund", 502, "upstream_quota"),
        ("privacy_authorization_error", 502, "upstream_auth"),
        ("fails", 502, "upstream_error"),
        ("refuses", 502, "upstream_error"),
        ("broken", 502, "upstream_error"),
        ("busy", 429, "rate_limit_exceeded"),
        ("gone", 404, "model_not_found"),
    ],
)
def test_an_error_has_its_own_status_and_none_of_the_bots_words(
    client: OpenAI, bot: str, status: int, code: str, *, stream: bool
) -> None:
    with pytest.raises(APIStatusError) as raised:
        say(client, bot, stream=stream)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert "secret" not in raised.value.response.text
    assert raised.value.response.headers.get("retry-after") == ("7" if bot == "busy" else None)


def test_a_key_that_is_refused_is_the_operators_affair(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.chat.completions.create(model="wrong/text", messages=user("Hello?"))
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_auth")


@BOTH
def test_an_error_that_may_pass_is_asked_again_and_no_other(client: OpenAI, bots: Bots, *, stream: bool) -> None:
    word = uuid4().hex
    assert say(client, "flaky", stream=stream, messages=user(word)) == word
    before = len(bots.asked().asked)
    with pytest.raises(APIStatusError):
        say(client, "refuses", stream=stream)
    assert len(bots.asked().asked) == before + 1


def test_another_bot_takes_the_place_of_one_that_fails(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="careful", messages=user("Hello?"))
    assert (answer.choices[0].message.content or "").startswith("Hello, ")


@pytest.mark.parametrize("bot", ["late", "raises", "half", "cut"])
def test_an_answer_that_is_not_whole_never_looks_so(client: OpenAI, bots: Bots, bot: str) -> None:
    heard: list[str] = []
    before = len(bots.asked().asked)

    def listen() -> None:
        for chunk in client.chat.completions.create(model=f"poe_bot/{bot}", messages=user("Hello?"), stream=True):
            heard.append(chunk.choices[0].delta.content or "")
            assert chunk.choices[0].finish_reason is None

    with pytest.raises(APIError) as raised:
        listen()
    assert not isinstance(raised.value, APIStatusError) or heard == []
    assert "".join(heard) in ("", "Hel", "Hello"), "nothing is said twice"
    assert "secret" not in str(raised.value)
    assert len(bots.asked().asked) - before <= 2
    with pytest.raises(APIStatusError) as whole:
        client.chat.completions.create(model=f"poe_bot/{bot}", messages=user("Hello?"))
    assert whole.value.status_code == 502
